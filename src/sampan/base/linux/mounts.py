"""The mount table of this process, and mounts made and taken away so that both may be repeated."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NamedTuple

from sampan.base.linux import syscalls

_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
# mount(2) takes one page of options; the kernel keeps the last byte for itself.
_OPTIONS_MAX = 4095


class Mount(NamedTuple):
    """One line of /proc/self/mountinfo; `propagation` holds its optional fields (shared:1, master:2)."""

    id: int
    parent: int
    root: str
    target: str
    options: str
    propagation: tuple[str, ...]
    fstype: str
    source: str
    super_options: str


def _unescape(text: str) -> str:
    if "\\" in text:
        for escape, char in _ESCAPES.items():
            text = text.replace(escape, char)
    return text


def parse(text: str) -> list[Mount]:
    """mountinfo's text (man 5 proc), in mount order."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        dash = fields.index("-", 6)
        found.append(
            Mount(
                int(fields[0]),
                int(fields[1]),
                _unescape(fields[3]),
                _unescape(fields[4]),
                fields[5],
                tuple(fields[6:dash]),
                fields[dash + 1],
                _unescape(fields[dash + 2]),
                _unescape(fields[dash + 3]) if len(fields) > dash + 3 else "",
            )
        )
    return found


def table() -> list[Mount]:
    return parse(Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))


def below(folder: str, entries: list[Mount]) -> list[str]:
    """Targets at or below `folder`, the innermost and newest first: the order in which to unmount."""
    prefix = folder.rstrip("/") + "/"
    return [entry.target for entry in reversed(entries) if (entry.target + "/").startswith(prefix)]


def bind(
    source: str, target: str, *, readonly: bool = False, recursive: bool = False, flags: int = 0
) -> None:
    """A bind mount; read-only and other flags take the second call that the kernel wants."""
    deep = syscalls.MS_REC if recursive else 0
    syscalls.mount(source, target, "", syscalls.MS_BIND | deep)
    if readonly:
        flags |= syscalls.MS_RDONLY
    if flags:
        syscalls.mount("", target, "", syscalls.MS_BIND | syscalls.MS_REMOUNT | flags)


def tmpfs(target: str, *, size: int, mode: int = 0o1777, flags: int = 0) -> None:
    """`size` in bytes."""
    syscalls.mount("tmpfs", target, "tmpfs", flags, f"mode={mode:o},size={size}")


def overlay(
    lower: list[str],
    target: str,
    *,
    upper: str = "",
    work: str = "",
    device: str = "overlay",
    volatile: bool = False,
) -> None:
    """`lower` from the topmost layer down. Without `upper` the mount is read-only and needs two layers or more.

    A `volatile` mount never syncs (Linux 5.10): nothing that is written survives a crash of the machine.

    Many layers with long paths do not fit into mount(2)'s page; then their folder goes in by a file descriptor.
    """
    writable = f",upperdir={upper},workdir={work}" if upper else ""
    writable += ",volatile" if volatile else ""
    options = f"lowerdir={':'.join(lower)}{writable}"
    if len(options) <= _OPTIONS_MAX:
        syscalls.mount(device, target, "overlay", 0, options)
        return
    split = [path.rpartition("/") for path in lower]
    opened: dict[str, int] = {}
    try:
        for folder in {folder for folder, _, _ in split}:
            opened[folder] = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        short = (f"/proc/self/fd/{opened[folder]}/{name}" for folder, _, name in split)
        syscalls.mount(device, target, "overlay", 0, f"lowerdir={':'.join(short)}{writable}")
    finally:
        for fd in opened.values():
            os.close(fd)


def unmount(target: str) -> None:
    """Takes every mount on `target` away, lazily when busy; what is not mounted or gone is fine."""
    while True:
        try:
            syscalls.umount(target, syscalls.UMOUNT_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.EBUSY:
                syscalls.umount(target, syscalls.UMOUNT_NOFOLLOW | syscalls.MNT_DETACH)
                continue
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return
            raise


def unmount_below(folder: str) -> None:
    """Everything at or below `folder`, innermost first."""
    for target in below(os.path.realpath(folder), table()):
        unmount(target)
