"""Directories of control groups: removing and killing whole trees, the same for both versions."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

# The kernel lets go of a dead process' group a little after the process; rmdir is EBUSY until then.
_BUSY_TRIES = 20
_BUSY_PAUSE = 0.005


def folders(top: Path) -> list[Path]:
    """`top` and what is below it, the deepest first; [] when it is gone."""
    return [Path(folder) for folder, _, _ in os.walk(top, topdown=False)] if top.is_dir() else []


def procs(top: Path) -> list[int]:
    found = []
    for folder in folders(top):
        try:
            found += [int(line) for line in (folder / "cgroup.procs").read_text().split()]
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
                raise
    return found


def remove(top: Path) -> bool:
    for folder in folders(top):
        for attempt in range(_BUSY_TRIES):
            try:
                folder.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                if procs(folder) or attempt == _BUSY_TRIES - 1:
                    return False
                time.sleep(_BUSY_PAUSE)
    return True


def kill(top: Path) -> None:
    """Again and again until nobody new appears: a fork may outrun one pass."""
    for _ in range(_BUSY_TRIES):
        alive = procs(top)
        if not alive:
            return
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(_BUSY_PAUSE)


def write(path: Path, value: str) -> None:
    """One write(2): the kernel parses each call on its own."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} while writing {value!r}", str(path)) from None
    finally:
        os.close(fd)
