"""Which control groups this machine has."""

from __future__ import annotations

from pathlib import Path

from sampan.base.linux import mounts
from sampan.base.linux.cgroups.model import Hierarchy
from sampan.base.linux.cgroups.v1 import V1
from sampan.base.linux.cgroups.v2 import V2


def from_mounts(entries: list[mounts.Mount]) -> Hierarchy:
    """v1 as soon as one of its controllers is mounted: the kernel gives a controller to one version only."""
    trees: dict[str, Path] = {}
    unified: Path | None = None
    for entry in entries:
        if entry.fstype == "cgroup":
            for option in entry.super_options.split(","):
                trees.setdefault(option, Path(entry.target))
        elif entry.fstype == "cgroup2" and unified is None:
            unified = Path(entry.target)
    if "memory" in trees or "cpu" in trees:
        known = {name: path for name, path in trees.items() if name not in ("rw", "ro")}
        # A tree like any other when groups are removed: runc makes them there as well.
        return V1(known if unified is None else {**known, "unified": unified})
    if unified is not None:
        return V2(unified)
    raise FileNotFoundError("no control groups are mounted: expected cgroup or cgroup2 at /sys/fs/cgroup")


def open() -> Hierarchy:
    """The hierarchy of this mount namespace. Raises FileNotFoundError when there is none."""
    return from_mounts(mounts.table())


def hybrid(entries: list[mounts.Mount]) -> str:
    """Where cgroup2 is mounted beside v1 controllers; "" on a pure v1 or v2 machine."""
    has_v1 = any(entry.fstype == "cgroup" and "name=" not in entry.super_options for entry in entries)
    for entry in entries:
        if has_v1 and entry.fstype == "cgroup2":
            return entry.target
    return ""
