"""A streamed answer: chunked, coalesced per turn of the loop, with a view of how far the reader lags behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Outlet(Protocol):
    """What a stream needs of its connection."""

    def stream_write(self, data: bytes) -> None: ...
    def stream_end(self, stream: Stream, *, whole: bool) -> None: ...
    def buffered(self) -> int: ...
    def writable(self) -> asyncio.Future[None] | None:
        """None when bytes may be written now, else a future that ends when they may (or the peer is gone)."""


class Stream:
    """Write bytes, end it; both from the loop's thread. Nothing is raised after the peer has gone: see `closed`.

    Writes of one turn of the loop leave as one chunk, so a burst of small events costs one TLS record.
    """

    __slots__ = (
        "_callbacks",
        "_chunked",
        "_limit",
        "_loop",
        "_outlet",
        "_pending",
        "_pending_bytes",
        "_scheduled",
        "closed",
    )

    def __init__(self, outlet: Outlet, loop: asyncio.AbstractEventLoop, limit: int, *, chunked: bool) -> None:
        self._outlet = outlet
        self._loop = loop
        self._limit = limit
        self._chunked = chunked
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._scheduled = False
        self._callbacks: list[Callable[[], None]] = []
        self.closed = False

    def write(self, data: bytes) -> bool:
        """Queues the bytes. False when the reader is so slow that more than the limit is unread: drop it."""
        if self.closed:
            return False
        if data:
            self._pending.append(data)
            self._pending_bytes += len(data)
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon(self.flush)
        return self._pending_bytes + self._outlet.buffered() <= self._limit

    def flush(self) -> None:
        """Hands what is queued to the connection now."""
        self._scheduled = False
        if self.closed or not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._outlet.stream_write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def drain(self) -> None:
        """Returns when the reader has taken enough that more may be written, or is gone."""
        self.flush()
        waiting = self._outlet.writable()
        if waiting is not None and not self.closed:
            await waiting

    def end(self) -> None:
        """Sends what is queued and the last chunk."""
        if self.closed:
            return
        self.flush()
        if self._chunked:
            self._outlet.stream_write(b"0\r\n\r\n")
        self._close()
        self._outlet.stream_end(self, whole=self._chunked)

    def abort(self) -> None:
        """Cuts the connection, so that the reader sees that the answer is not whole."""
        if not self.closed:
            self._close()
            self._outlet.stream_end(self, whole=False)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Called once when the stream has ended, by whichever side; at once if it already has."""
        if self.closed:
            callback()
        else:
            self._callbacks.append(callback)

    def lost(self) -> None:
        """The connection is gone (called by the connection)."""
        if not self.closed:
            self._close()

    def _close(self) -> None:
        self.closed = True
        self._pending.clear()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
