"""Starting the OCI runtime as a child, with clean signals and, where crun needs it, without cgroup v2 in sight."""

from __future__ import annotations

import os
import signal
import sys

from sampan.base.linux import syscalls

# What Python ignores and exec would hand on.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)


def start(argv: list[str], stdio: tuple[int, int, int], hide: str) -> int:
    """Forks and execs `argv` with `stdio`; returns its pid. `hide` is a mount to take away for it, or "".

    crun refuses to run on hybrid machines (v1 controllers plus cgroup2 with controllers left); in a mount
    namespace of its own without the cgroup2 mount it sees plain v1. The namespace is made per call, so the
    container sees every mount of the host as it is now, and mount propagation stays as the host has it.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if hide:
            parent = hide.rpartition("/")[0]
            syscalls.unshare(syscalls.CLONE_NEWNS)
            # Else the unmount would travel to the host where /sys/fs/cgroup is shared.
            syscalls.mount("", parent, "", syscalls.MS_PRIVATE | syscalls.MS_REC)
            syscalls.umount(hide, syscalls.MNT_DETACH)
        _stdio(stdio)
        os.execv(argv[0], argv)  # noqa: S606 - no shell is what we want
    except BaseException as error:
        print(f"cannot start {argv[0]!r}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(127)


def _stdio(wanted: tuple[int, int, int]) -> None:
    """Puts three descriptors to 0, 1 and 2, whatever numbers they have now."""
    high = [os.dup(fd) if fd > 2 else _above(fd) for fd in wanted]
    for target, fd in enumerate(high):
        os.dup2(fd, target)


def _above(fd: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
