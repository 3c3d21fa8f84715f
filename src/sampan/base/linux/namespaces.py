"""Namespaces without a process: made by a thread that ends, kept alive by bind mounts of their nsfs files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from sampan.base.linux import mounts, syscalls

# The names under /proc/PID/ns that can be kept by a bind mount.
KINDS: Mapping[str, int] = {
    "net": syscalls.CLONE_NEWNET,
    "ipc": syscalls.CLONE_NEWIPC,
    "uts": syscalls.CLONE_NEWUTS,
}

_T = TypeVar("_T")


def _in_thread(work: Callable[[], _T]) -> _T:
    """Namespaces belong to a thread; this one ends, so the caller's stay as they were."""
    results: list[_T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body, name="namespace")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def create(paths: Mapping[str, str], *, hostname: str = "", sysctls: Mapping[str, str] | None = None) -> None:
    """Makes one new namespace per entry (kind to file) and binds it there. Blocks for some milliseconds.

    `hostname` is set in a new uts namespace, `sysctls` (names with dots) are written from inside, and a new
    network namespace gets its loopback up. On failure nothing stays mounted.
    """
    flags = 0
    for kind in paths:
        flags |= KINDS[kind]
    for path in paths.values():
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o444))

    def work() -> None:
        syscalls.unshare(flags)
        if "uts" in paths and hostname:
            syscalls.sethostname(hostname)
        if "net" in paths:
            loopback_up()
        for name, value in (sysctls or {}).items():
            write_sysctl(name, value)
        for kind, path in paths.items():
            mounts.bind(f"/proc/self/task/{threading.get_native_id()}/ns/{kind}", path)

    try:
        _in_thread(work)
    except BaseException:
        for path in paths.values():
            remove(path)
        raise


def remove(path: str) -> None:
    """Lets go of a namespace made by `create`; the kernel frees it when its last user has left."""
    mounts.unmount(path)
    Path(path).unlink(missing_ok=True)


def run_in(path: str, kind: str, work: Callable[[], _T]) -> _T:
    """Runs `work` on a thread inside the namespace at `path`. Sockets opened there stay there."""

    def inside() -> _T:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.setns(fd, KINDS[kind])
        finally:
            os.close(fd)
        return work()

    return _in_thread(inside)


def write_sysctl(name: str, value: str) -> None:
    """In the calling thread's namespaces (/proc/sys shows those of the reader). Dots and slashes both separate."""
    path = "/proc/sys/" + name.replace(".", "/") if "/" not in name else "/proc/sys/" + name
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


def loopback_up() -> None:
    """Sets IFF_UP on lo in the calling thread's network namespace (man 7 netdevice)."""
    import fcntl
    import socket
    import struct

    siocgifflags, siocsifflags, iff_up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as handle:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(handle, siocgifflags, request))[1]
        fcntl.ioctl(handle, siocsifflags, struct.pack("16sH14x", b"lo", flags | iff_up))
