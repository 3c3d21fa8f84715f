"""Websockets on the server's side: the handshake, frames without I/O, and a session over a taken-over connection.

RFC 6455. Bounded messages; control frames are answered here. No extensions (permessage-deflate) are offered.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from sampan.base.http.channel import Duplex
from sampan.base.http.model import Request

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
MESSAGE_LIMIT: Final = 4 << 20

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, TOO_BIG = 1000, 1002, 1009


class Broken(ConnectionError):
    """The peer broke the protocol; `code` is the close code to send."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Frame(NamedTuple):
    opcode: int
    final: bool
    data: bytes


def is_upgrade(request: Request) -> bool:
    """Whether a request asks for a websocket."""
    return (
        request.headers.get("upgrade", "").lower() == "websocket"
        and "upgrade" in request.headers.get("connection", "").lower()
        and bool(request.headers.get("sec-websocket-key"))
    )


def choose(request: Request, known: Sequence[str]) -> str:
    """The first subprotocol that the client offers and that is known; "" when there is none."""
    offered = [p.strip() for line in request.all("sec-websocket-protocol") for p in line.split(",")]
    return next((p for p in offered if p in known), "")


def accept_headers(request: Request, subprotocol: str) -> list[tuple[str, str]]:
    """The headers of the 101 answer."""
    key = request.headers["sec-websocket-key"].strip().encode()
    digest = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", digest)]
    if subprotocol:
        headers.append(("Sec-WebSocket-Protocol", subprotocol))
    return headers


def encode(opcode: int, data: bytes, *, mask: bytes = b"", final: bool = True) -> bytes:
    """One frame. A client masks with four bytes; a server does not."""
    size = len(data)
    flag = 0x80 if mask else 0
    first = (0x80 if final else 0) | opcode
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    return head + mask + (unmask(data, mask) if mask else data)


def unmask(data: bytes, mask: bytes) -> bytes:
    """XOR with the four mask bytes over and over; its own inverse."""
    size = len(data)
    stretched = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")


class Decoder:
    """Bytes in, frames out. `masked` says whether the peer must mask (clients) or must not (servers)."""

    def __init__(self, *, masked: bool = True, limit: int = MESSAGE_LIMIT) -> None:
        self._buffer = bytearray()
        self._masked = masked
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Every whole frame so far. Raises Broken."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        if first & 0x70:
            raise Broken(PROTOCOL_ERROR, "reserved bits are set")
        masked, size, at = bool(second & 0x80), second & 0x7F, 2
        if masked != self._masked:
            raise Broken(PROTOCOL_ERROR, "frame is masked" if masked else "frame is not masked")
        opcode = first & 0x0F
        if opcode >= CLOSE and (size > 125 or not first & 0x80):
            raise Broken(PROTOCOL_ERROR, "control frame is fragmented or too long")
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise Broken(PROTOCOL_ERROR, f"unknown opcode {opcode}")
        for code, width in ((126, 2), (127, 8)):
            if size == code and width:
                if len(buffer) < at + width:
                    return None
                size, at = int.from_bytes(buffer[at : at + width], "big"), at + width
                break
        if size > self._limit:
            raise Broken(TOO_BIG, f"frame of {size} bytes, at most {self._limit} are taken")
        key = bytes(buffer[at : at + 4]) if masked else b""
        at += 4 if masked else 0
        if len(buffer) < at + size:
            return None
        data = bytes(buffer[at : at + size])
        del buffer[: at + size]
        return Frame(opcode, bool(first & 0x80), unmask(data, key) if masked else data)


class Session:
    """A server's websocket over a connection that was taken over: whole messages both ways."""

    def __init__(self, channel: Duplex, *, limit: int = MESSAGE_LIMIT) -> None:
        self._channel = channel
        self._decoder = Decoder(masked=True, limit=limit)
        self._limit = limit
        self._ready: list[Frame] = []
        self._closed = False

    async def receive(self) -> bytes | None:
        """The next message; None when the peer has closed or gone. Text is given as its bytes."""
        parts: list[bytes] = []
        while (frame := await self._frame()) is not None:
            if frame.opcode == PING:
                await self._channel.write(encode(PONG, frame.data))
            elif frame.opcode == CLOSE:
                await self.close()
                return None
            elif frame.opcode != PONG:
                parts.append(frame.data)
                if sum(map(len, parts)) > self._limit:
                    await self.close(TOO_BIG)
                    return None
                if frame.final:
                    return b"".join(parts)
        return None

    async def _frame(self) -> Frame | None:
        while not self._ready:
            data = await self._channel.read()
            if not data:
                return None
            try:
                self._ready = self._decoder.feed(data)
            except Broken as broken:
                await self.close(broken.code)
                return None
        return self._ready.pop(0)

    async def send(self, data: bytes, *, text: bool = False) -> None:
        """Raises ConnectionError when the peer is gone."""
        await self._channel.write(encode(TEXT if text else BINARY, data))

    async def close(self, code: int = NORMAL) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._channel.write(encode(CLOSE, code.to_bytes(2, "big")))
        except ConnectionError:
            return
