"""inotify(7): wake up when a file is written to, moved or removed."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from collections.abc import AsyncIterator
from typing import Final

IN_MODIFY: Final = 0x2
IN_CREATE: Final = 0x100
IN_MOVED_FROM: Final = 0x40
IN_MOVED_TO: Final = 0x80
IN_DELETE: Final = 0x200


@contextlib.asynccontextmanager
async def changes(folder: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever something in `folder` is written, made, moved or removed; the caller clears it."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "inotify")
    loop = asyncio.get_running_loop()
    happened = asyncio.Event()

    def drain() -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(descriptor, 65536):
                happened.set()

    try:
        mask = IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE
        if libc.inotify_add_watch(descriptor, folder.encode(), mask) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), folder)
        loop.add_reader(descriptor, drain)
        yield happened
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
