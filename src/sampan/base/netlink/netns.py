"""Network namespaces: entering one for the moment in which a socket or a device is made.

A socket stays in the namespace where it was made, so nobody needs to live there.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"cannot {what}: {os.strerror(errno)}")


@contextmanager
def inside(path: str) -> Iterator[None]:
    """This thread within the namespace at `path` ("" is a no-op). Never await or start a thread inside.

    Raises OSError when the namespace is gone. A thread that cannot come back must not go on: that is fatal.
    """
    if not path:
        yield
        return
    target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(target, CLONE_NEWNET), f"enter network namespace {path!r}")
            try:
                yield
            finally:
                if _libc.setns(home, CLONE_NEWNET) != 0:
                    os._exit(70)
        finally:
            os.close(home)
    finally:
        os.close(target)


def same(first: str, second: str) -> bool:
    """Whether two paths are one namespace; "" is the one we run in. A path that is gone is the same as none."""
    own = "/proc/thread-self/ns/net"
    try:
        a, b = Path(first or own).stat(), Path(second or own).stat()
    except OSError:
        return False
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def create(path: str) -> None:
    """A new namespace, kept by a bind mount at `path`, with lo down."""
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.unshare(CLONE_NEWNET), "make a network namespace")
        try:
            _check(
                _libc.mount(b"/proc/thread-self/ns/net", os.fsencode(path), None, 4096, None),
                f"keep a network namespace at {path!r}",
            )
        finally:
            if _libc.setns(home, CLONE_NEWNET) != 0:
                os._exit(70)
    except OSError:
        Path(path).unlink()
        raise
    finally:
        os.close(home)


def remove(path: str) -> None:
    """Unmounts and forgets a namespace that `create` made; succeeds when it is gone."""
    _libc.umount2(os.fsencode(path), 2)
    Path(path).unlink(missing_ok=True)
