"""Reading recorded trees, and real groups of the machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sampan.base.linux import cgroups, mounts
from sampan.base.linux.cgroups import Limits, Memory, detect, tree
from sampan.base.linux.cgroups.model import fields, oom_kills
from sampan.base.linux.cgroups.v1 import V1
from sampan.base.linux.cgroups.v2 import V2

V2_ONLY = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


def test_the_machines_version() -> None:
    assert detect.from_mounts(mounts.parse(V2_ONLY)).version == 2
    assert detect.from_mounts(mounts.parse(HYBRID)).version == 1
    with pytest.raises(FileNotFoundError, match="cgroup2"):
        detect.from_mounts([])
    assert detect.hybrid(mounts.parse(HYBRID)) == "/sys/fs/cgroup/unified"
    assert detect.hybrid(mounts.parse(V2_ONLY)) == ""


def test_small_formats() -> None:
    assert oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n") == 3
    assert oom_kills("low 0\n") == 0
    assert fields("usage_usec 12\nname x\n") == {"usage_usec": 12}


def test_version_two_reads_a_recorded_tree(tmp_path: Path) -> None:
    folder = tmp_path / "pod/c"
    folder.mkdir(parents=True)
    (folder / "cpu.stat").write_text("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
    (folder / "memory.current").write_text("8192\n")
    (folder / "memory.stat").write_text("anon 4096\nfile 4096\ninactive_file 1024\npgfault 7\npgmajfault 1\n")
    (folder / "memory.max").write_text("max\n")
    (folder / "pids.current").write_text("3\n")
    (folder / "cgroup.procs").write_text("12\n11\n")
    found = V2(tmp_path)
    assert found.cpu("/pod/c") == 1_500_000
    assert found.memory("/pod/c") == Memory(8192, 1024, 4096, 7, 1, -1)
    (folder / "memory.max").write_text("10000\n")
    assert found.memory("/pod/c").limit == 10000
    assert found.pids("/pod/c") == 3 and found.procs("/pod") == [11, 12]
    assert found.oom_file("/pod/c") == str(folder / "memory.events")


def test_version_two_hands_controllers_down(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "a"):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpu memory pids\n")
        (folder / "cgroup.subtree_control").write_text("cpu\n")
    (tmp_path / "a/b").mkdir()
    (tmp_path / "a/b/memory.max").write_text("")
    V2(tmp_path).create("/a/b", Limits(memory=4096))
    assert (tmp_path / "a/b/memory.max").read_text() == "4096"
    assert "+pids" in (tmp_path / "a/cgroup.subtree_control").read_text()


def test_version_one_reads_a_recorded_tree(tmp_path: Path) -> None:
    trees = {name: tmp_path / name for name in ("cpuacct", "memory", "pids")}
    for path in trees.values():
        (path / "c").mkdir(parents=True)
    (tmp_path / "cpuacct/c/cpuacct.usage").write_text("99\n")
    (tmp_path / "memory/c/memory.usage_in_bytes").write_text("8192\n")
    (tmp_path / "memory/c/memory.limit_in_bytes").write_text("9223372036854771712\n")
    (tmp_path / "memory/c/memory.stat").write_text("total_inactive_file 5\ntotal_rss 6\ntotal_pgfault 7\n")
    found = V1(trees)
    assert found.cpu("/c") == 99 and found.memory("/c") == Memory(8192, 5, 6, 7, 0, -1)
    with pytest.raises(FileNotFoundError, match="'cpu'"):
        found.update("/c", Limits(cpu_shares=2))


def test_removing_what_is_gone(tmp_path: Path) -> None:
    assert tree.remove(tmp_path / "none") and tree.procs(tmp_path / "none") == []


@pytest.mark.root
def test_a_real_group_holds_kills_and_goes() -> None:
    found = cgroups.open()
    path = f"/sampan-unit-{os.getpid()}"
    found.create(f"{path}/inner", Limits(memory=64 << 20, cpu_shares=100, pids=50))
    child = subprocess.Popen(["sleep", "1000"])
    try:
        assert found.memory(f"{path}/inner").limit == 64 << 20
        first = Path(found.oom_file(f"{path}/inner")).parent
        (first / "cgroup.procs").write_text(str(child.pid))
        assert found.procs(path) == [child.pid] and not found.remove(path)
        found.kill(path)
        assert child.wait(10) == -9
    finally:
        child.kill()
        child.wait()
        assert found.remove(path)
    assert found.remove(path)
