"""Control groups v2: one tree (Documentation/admin-guide/cgroup-v2.rst)."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

from sampan.base.linux.cgroups import tree
from sampan.base.linux.cgroups.model import Limits, Memory, fields

_DEFAULT_PERIOD = 100_000
_CONTROLLERS = ("cpu", "cpuset", "hugetlb", "io", "memory", "pids")


class Write(NamedTuple):
    file: str
    value: str


def weight(shares: int) -> int:
    """v1's cpu.shares (2 to 262144) as v2's cpu.weight (1 to 10000), as crun, runc and the kubelet map it."""
    return 1 + ((max(2, min(shares, 262144)) - 2) * 9999) // 262142


def plan(limits: Limits) -> list[Write]:
    """What to write. Swap alone: v2 counts it without memory, so memory must be known to convert it."""
    found = []
    if limits.cpu_shares is not None:
        found.append(Write("cpu.weight", str(weight(limits.cpu_shares))))
    if limits.cpu_quota is not None or limits.cpu_period is not None:
        quota = limits.cpu_quota if limits.cpu_quota is not None else -1
        period = limits.cpu_period if limits.cpu_period is not None else _DEFAULT_PERIOD
        found.append(Write("cpu.max", f"{quota if quota > 0 else 'max'} {period}"))
    if limits.memory is not None:
        found.append(Write("memory.max", str(limits.memory) if limits.memory > 0 else "max"))
    if limits.memory_swap is not None:
        if limits.memory_swap < 0:
            found.append(Write("memory.swap.max", "max"))
        elif limits.memory is not None and limits.memory > 0:
            found.append(Write("memory.swap.max", str(max(0, limits.memory_swap - limits.memory))))
        else:
            raise ValueError("memory_swap needs memory: expected both, cgroup v2 counts swap alone")
    if limits.pids is not None:
        found.append(Write("pids.max", str(limits.pids) if limits.pids > 0 else "max"))
    if limits.cpuset_cpus is not None:
        found.append(Write("cpuset.cpus", limits.cpuset_cpus))
    if limits.cpuset_mems is not None:
        found.append(Write("cpuset.mems", limits.cpuset_mems))
    found += [Write(file, value) for file, value in sorted(limits.unified.items())]
    return found


class V2:
    version = 2

    def __init__(self, root: Path) -> None:
        self._root = root

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def create(self, path: str, limits: Limits) -> None:
        folder = self._root
        for part in path.strip("/").split("/"):
            self._enable(folder)
            folder /= part
            folder.mkdir(exist_ok=True)
        self.update(path, limits)

    def _enable(self, folder: Path) -> None:
        """Hands the controllers on to the children; one at a time, since one refused would refuse all."""
        offered = (folder / "cgroup.controllers").read_text().split()
        enabled = (folder / "cgroup.subtree_control").read_text().split()
        for controller in _CONTROLLERS:
            if controller in offered and controller not in enabled:
                try:
                    tree.write(folder / "cgroup.subtree_control", f"+{controller}")
                except OSError as error:
                    if error.errno not in (errno.EBUSY, errno.ENOTSUP, errno.EINVAL):
                        raise

    def update(self, path: str, limits: Limits) -> None:
        for write in plan(limits):
            tree.write(self._at(path) / write.file, write.value)

    def remove(self, path: str) -> bool:
        return tree.remove(self._at(path))

    def procs(self, path: str) -> list[int]:
        return sorted(tree.procs(self._at(path)))

    def kill(self, path: str) -> None:
        at_once = self._at(path) / "cgroup.kill"  # Linux 5.14
        if at_once.exists():
            tree.write(at_once, "1")
        else:
            tree.kill(self._at(path))

    def cpu(self, path: str) -> int:
        return fields((self._at(path) / "cpu.stat").read_text())["usage_usec"] * 1000

    def memory(self, path: str) -> Memory:
        folder = self._at(path)
        stat = fields((folder / "memory.stat").read_text())
        limit = (folder / "memory.max").read_text().strip()
        return Memory(
            usage=int((folder / "memory.current").read_text()),
            inactive_file=stat.get("inactive_file", 0),
            rss=stat.get("anon", 0),
            page_faults=stat.get("pgfault", 0),
            major_page_faults=stat.get("pgmajfault", 0),
            limit=-1 if limit == "max" else int(limit),
        )

    def pids(self, path: str) -> int:
        return int((self._at(path) / "pids.current").read_text())

    def oom_file(self, path: str) -> str:
        return str(self._at(path) / "memory.events")
