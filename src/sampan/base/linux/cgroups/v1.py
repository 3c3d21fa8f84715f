"""Control groups v1: one tree per controller (Documentation/admin-guide/cgroup-v1)."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sampan.base.linux.cgroups import tree
from sampan.base.linux.cgroups.model import Limits, Memory, fields

# memory.limit_in_bytes shows "no limit" as the largest page-aligned signed number.
_NO_LIMIT = 1 << 62
_DEFAULT_PERIOD = 100_000


class Write(NamedTuple):
    controller: str
    file: str
    value: str


def plan(limits: Limits) -> list[Write]:
    """What to write, in order: quota after its period, swap after memory (it may not be below it)."""
    found = []
    if limits.cpu_shares is not None:
        found.append(Write("cpu", "cpu.shares", str(limits.cpu_shares)))
    if limits.cpu_period is not None:
        found.append(Write("cpu", "cpu.cfs_period_us", str(limits.cpu_period)))
    if limits.cpu_quota is not None:
        found.append(Write("cpu", "cpu.cfs_quota_us", str(limits.cpu_quota)))
    if limits.memory is not None:
        found.append(Write("memory", "memory.limit_in_bytes", str(limits.memory)))
    if limits.memory_swap is not None:
        found.append(Write("memory", "memory.memsw.limit_in_bytes", str(limits.memory_swap)))
    if limits.pids is not None:
        found.append(Write("pids", "pids.max", str(limits.pids) if limits.pids > 0 else "max"))
    if limits.cpuset_cpus is not None:
        found.append(Write("cpuset", "cpuset.cpus", limits.cpuset_cpus))
    if limits.cpuset_mems is not None:
        found.append(Write("cpuset", "cpuset.mems", limits.cpuset_mems))
    return found


class V1:
    """`mounts` maps a controller (cpu, memory, name=systemd) to where its tree is mounted."""

    version = 1

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        self._mounts = mounts

    def _at(self, controller: str, path: str) -> Path:
        if controller not in self._mounts:
            raise FileNotFoundError(errno.ENOENT, f"cgroup controller {controller!r} is not mounted")
        return self._mounts[controller] / path.lstrip("/")

    def _trees(self, path: str) -> list[Path]:
        tops = {mount.resolve() for mount in self._mounts.values()}
        return [top / path.lstrip("/") for top in sorted(tops)]

    def create(self, path: str, limits: Limits) -> None:
        wanted = plan(limits)
        for controller in sorted({"cpu", "memory", "pids"} | {write.controller for write in wanted}):
            if controller in self._mounts:
                self._at(controller, path).mkdir(parents=True, exist_ok=True)
        self._apply(path, wanted)

    def update(self, path: str, limits: Limits) -> None:
        self._apply(path, plan(limits))

    def _apply(self, path: str, wanted: list[Write]) -> None:
        for write in wanted:
            tree.write(self._at(write.controller, path) / write.file, write.value)

    def remove(self, path: str) -> bool:
        left = [top for top in self._trees(path) if not tree.remove(top)]
        return not left

    def procs(self, path: str) -> list[int]:
        found: set[int] = set()
        for top in self._trees(path):
            found.update(tree.procs(top))
        return sorted(found)

    def kill(self, path: str) -> None:
        for top in self._trees(path):
            tree.kill(top)

    def cpu(self, path: str) -> int:
        return int((self._at("cpuacct", path) / "cpuacct.usage").read_text())

    def memory(self, path: str) -> Memory:
        folder = self._at("memory", path)
        stat = fields((folder / "memory.stat").read_text())
        limit = int((folder / "memory.limit_in_bytes").read_text())
        return Memory(
            usage=int((folder / "memory.usage_in_bytes").read_text()),
            inactive_file=stat.get("total_inactive_file", 0),
            rss=stat.get("total_rss", 0),
            page_faults=stat.get("total_pgfault", 0),
            major_page_faults=stat.get("total_pgmajfault", 0),
            limit=-1 if limit >= _NO_LIMIT else limit,
        )

    def pids(self, path: str) -> int:
        return int((self._at("pids", path) / "pids.current").read_text())

    def oom_file(self, path: str) -> str:
        return str(self._at("memory", path) / "memory.oom_control")
