"""What each version of control groups is told for the same limits."""

from __future__ import annotations

import pytest

from sampan.base.linux.cgroups import Limits, v1, v2

ALL = Limits(
    cpu_shares=512,
    cpu_quota=20000,
    cpu_period=50000,
    memory=1 << 20,
    memory_swap=3 << 20,
    pids=10,
    cpuset_cpus="0-1",
    cpuset_mems="0",
    unified={"memory.high": "900000"},
)


def test_version_one() -> None:
    assert [tuple(write) for write in v1.plan(ALL)] == [
        ("cpu", "cpu.shares", "512"),
        ("cpu", "cpu.cfs_period_us", "50000"),
        ("cpu", "cpu.cfs_quota_us", "20000"),
        ("memory", "memory.limit_in_bytes", str(1 << 20)),
        ("memory", "memory.memsw.limit_in_bytes", str(3 << 20)),
        ("pids", "pids.max", "10"),
        ("cpuset", "cpuset.cpus", "0-1"),
        ("cpuset", "cpuset.mems", "0"),
    ]


def test_version_two() -> None:
    assert [tuple(write) for write in v2.plan(ALL)] == [
        ("cpu.weight", "20"),
        ("cpu.max", "20000 50000"),
        ("memory.max", str(1 << 20)),
        ("memory.swap.max", str(2 << 20)),
        ("pids.max", "10"),
        ("cpuset.cpus", "0-1"),
        ("cpuset.mems", "0"),
        ("memory.high", "900000"),
    ]


def test_nothing_asked_is_nothing_written() -> None:
    assert v1.plan(Limits()) == [] and v2.plan(Limits()) == []


def test_no_limit() -> None:
    none = Limits(cpu_quota=-1, memory=-1, memory_swap=-1, pids=-1)
    assert [write.value for write in v2.plan(none)] == ["max 100000", "max", "max", "max"]
    assert [write.value for write in v1.plan(none)] == ["-1", "-1", "-1", "max"]


@pytest.mark.parametrize(
    ("shares", "weight"), [(0, 1), (2, 1), (1024, 39), (262144, 10000), (1 << 40, 10000)]
)
def test_weights(shares: int, weight: int) -> None:
    assert v2.weight(shares) == weight


def test_swap_alone_cannot_be_told_to_version_two() -> None:
    with pytest.raises(ValueError, match="memory_swap needs memory"):
        v2.plan(Limits(memory_swap=1))
