"""A connection taken over from HTTP: raw bytes both ways with bounded buffers, and splicing two of them."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

HIGH: Final = 256 * 1024  # bytes received and not yet read after which the socket is no longer read
LOW: Final = 64 * 1024


class Duplex(Protocol):
    """Bytes both ways: a Channel, or anything that looks like one."""

    async def read(self, limit: int = 65536) -> bytes:
        """Up to `limit` bytes as soon as there are any; b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Sends, and waits while the peer reads too slowly. Raises ConnectionError when it is gone."""

    def end(self) -> None:
        """No more bytes will be written; the other direction stays open where the transport can do that."""

    def close(self) -> None: ...


class Channel:
    """A Duplex over an asyncio transport whose protocol feeds `received`, `ended` and the pause signals."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._eof = False
        self._reading_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []
        self._writing_paused = False
        self._loop = asyncio.get_running_loop()

    # -- fed by the protocol

    def received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > HIGH and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def ended(self) -> None:
        """The peer will send no more (or is gone)."""
        self._eof = True
        self._wake()

    def lost(self) -> None:
        self.ended()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        waiting, self._writers = self._writers, []
        for writer in waiting:
            if not writer.done():
                writer.set_result(None)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # -- used by the owner

    async def read(self, limit: int = 65536) -> bytes:
        while not self._buffer:
            if self._eof:
                return b""
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        if self._reading_paused and len(self._buffer) < LOW:
            self._reading_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError("the peer has closed the connection")
        if data:
            self._transport.write(data)
        if self._writing_paused:
            writer: asyncio.Future[None] = self._loop.create_future()
            self._writers.append(writer)
            await writer
            if self._transport.is_closing():
                raise ConnectionResetError("the peer has closed the connection")

    def end(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def close(self) -> None:
        self._transport.close()


async def splice(one: Duplex, other: Duplex) -> None:
    """Carries bytes both ways until both directions have ended, or one fails; closes both."""

    async def carry(source: Duplex, sink: Duplex) -> None:
        try:
            while data := await source.read():
                await sink.write(data)
            sink.end()
        except ConnectionError:
            source.close()
            sink.close()

    loop = asyncio.get_running_loop()
    ways = [
        loop.create_task(carry(one, other), name="splice/out"),
        loop.create_task(carry(other, one), name="splice/back"),
    ]
    try:
        await asyncio.gather(*ways)
    finally:
        for way in ways:
            way.cancel()
        one.close()
        other.close()
