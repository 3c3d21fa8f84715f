"""System calls that Python 3.11's `os` lacks. Each raises OSError with the errno, and the path where there is one."""

from __future__ import annotations

import ctypes
import os

# sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# linux/mount.h
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

# linux/openat2.h
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
_SYS_OPENAT2 = 437  # the same number on every architecture (since Linux 5.6)

_libc = ctypes.CDLL(None, use_errno=True)
_mount = _libc.mount
_mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_umount2 = _libc.umount2
_umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)
_prctl = _libc.prctl
_prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
_sethostname = _libc.sethostname
_sethostname.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _failed(path: str = "", other: str = "") -> OSError:
    number = ctypes.get_errno()
    if other:
        return OSError(number, os.strerror(number), other, None, path)
    return OSError(number, os.strerror(number), path) if path else OSError(number, os.strerror(number))


def mount(source: str, target: str, fstype: str = "", flags: int = 0, data: str = "") -> None:
    done = _mount(
        source.encode() or None, os.fsencode(target), fstype.encode() or None, flags, data.encode() or None
    )
    if done != 0:
        raise _failed(target, source)


def umount(target: str, flags: int = 0) -> None:
    if _umount2(os.fsencode(target), flags) != 0:
        raise _failed(target)


def unshare(flags: int) -> None:
    """Of the calling thread (all but CLONE_NEWUSER and CLONE_NEWPID, which need a single thread or a fork)."""
    if _libc.unshare(flags) != 0:
        raise _failed()


def setns(fd: int, kind: int = 0) -> None:
    """Of the calling thread."""
    if _libc.setns(fd, kind) != 0:
        raise _failed()


def sethostname(name: str) -> None:
    raw = name.encode()
    if _sethostname(raw, len(raw)) != 0:
        raise _failed()


def prctl(option: int, value: int = 0) -> None:
    if _prctl(option, value, 0, 0, 0) != 0:
        raise _failed()


def set_name(name: str) -> None:
    """The calling thread's comm, as ps shows it; cut at 15 bytes by the kernel."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    if _prctl(PR_SET_NAME, ctypes.addressof(buffer), 0, 0, 0) != 0:
        raise _failed()


def openat2(dir_fd: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Opens `path` below `dir_fd`; with RESOLVE_IN_ROOT symlinks and `..` cannot leave it (Linux 5.6)."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    fd: int = _syscall(
        ctypes.c_long(_SYS_OPENAT2),
        ctypes.c_int(dir_fd),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if fd < 0:
        raise _failed(path)
    return fd
