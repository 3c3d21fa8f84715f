"""Streams to containers: a websocket as a client opens it, and the channels of exec and attach over it.

RFC 6455; k8s.io/apimachinery pkg/util/remotecommand: subprotocol v5.channel.k8s.io, first byte of a message is its channel.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import orjson

from sampan.api.status import ApiError
from sampan.base.http import websocket
from sampan.base.http.connection import Stream
from sampan.base.http.websocket import CLOSE, PING, PONG
from sampan.client.transport import Reply, Transport, Unreachable, unreachable

MESSAGE_LIMIT: Final = 16 << 20

CHANNELS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE_CHANNEL = 0, 1, 2, 3, 4, 255


class Message(NamedTuple):
    data: bytes
    text: bool = False


class WebSocket:
    """An open websocket; `subprotocol` is what the server chose."""

    def __init__(self, stream: Stream, where: str, subprotocol: str) -> None:
        self._stream = stream
        self._where = where
        self._decoder = websocket.Decoder(masked=False, limit=MESSAGE_LIMIT)
        self._ready: list[websocket.Frame] = []
        self._closing = False
        self.subprotocol = subprotocol

    async def send(self, data: bytes, *, text: bool = False) -> None:
        await self._send(websocket.TEXT if text else websocket.BINARY, data)

    async def receive(self) -> Message | None:
        """The next whole message; None when the peer has closed."""
        parts: list[bytes] = []
        kind = 0
        while True:
            frame = await self._frame()
            if frame is None:
                return None
            if frame.opcode == PING:
                await self._send(PONG, frame.data)
            elif frame.opcode == CLOSE:
                await self.close()
                return None
            elif frame.opcode != PONG:
                kind = frame.opcode or kind
                parts.append(frame.data)
                if sum(map(len, parts)) > MESSAGE_LIMIT:
                    self._stream.close()
                    raise Unreachable(f"websocket message from {self._where} is over {MESSAGE_LIMIT} bytes")
                if frame.final:
                    return Message(b"".join(parts), kind == websocket.TEXT)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self.receive()) is not None:
            yield message

    async def close(self, code: int = 1000) -> None:
        if not self._closing:
            self._closing = True
            try:
                await self._send(CLOSE, code.to_bytes(2, "big"))
            except Unreachable:
                pass
        self._stream.close()

    async def _send(self, opcode: int, data: bytes) -> None:
        try:
            await self._stream.write(websocket.encode(opcode, data, mask=os.urandom(4)))
        except OSError as error:
            raise unreachable(error, self._where) from error

    async def _frame(self) -> websocket.Frame | None:
        while not self._ready:
            try:
                chunk = await self._stream.read()
                if not chunk:
                    return None
                self._ready = self._decoder.feed(chunk)
            except OSError as error:
                raise unreachable(error, self._where) from error
        return self._ready.pop(0)


async def open_websocket(
    transport: Transport, path: str, subprotocols: Sequence[str], *, timeout: float | None
) -> WebSocket:
    key = base64.b64encode(os.urandom(16))
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key.decode(),
    }
    if subprotocols:
        headers["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    got = await transport.upgrade(path, headers, timeout)
    if isinstance(got, Reply):
        if got.status >= 400:
            raise await got.error(timeout)
        got.close()
        raise ApiError(500, "InternalError", f"the server answered an upgrade with status {got.status}")
    want = base64.b64encode(hashlib.sha1(key + websocket.GUID, usedforsecurity=False).digest()).decode()
    chosen = got.headers.get("sec-websocket-protocol", "")
    if got.headers.get("sec-websocket-accept") != want or (chosen and chosen not in subprotocols):
        got.close()
        raise ApiError(
            500, "InternalError", "the server's answer to the websocket upgrade does not fit the request"
        )
    return WebSocket(got, transport.where, chosen)


class Exit(NamedTuple):
    """How a remote command ended; `status` is the Status object of the error channel."""

    code: int
    status: dict[str, Any]


def exit_of(status: dict[str, Any]) -> Exit:
    """The exit code in the Status of the error channel (v4 and later); 1 for a failure that has none."""
    if status.get("status") == "Success":
        return Exit(0, status)
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                return Exit(int(cause["message"]), status)
    return Exit(1, status)


class Channels:
    """exec and attach over a websocket: `output` yields what comes, then `exit` is set."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.exit: Exit | None = None

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(channel, data) of STDOUT and STDERR until the command has ended."""
        async for message in self._socket:
            if not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == ERROR:
                self.exit = exit_of(orjson.loads(data))
            elif data:
                yield channel, data

    async def send_stdin(self, data: bytes) -> None:
        await self._socket.send(bytes((STDIN,)) + data)

    async def close_stdin(self) -> None:
        """Only v5 can; older servers see the end of stdin when the whole stream closes."""
        if self._socket.subprotocol == CHANNELS[0]:
            await self._socket.send(bytes((CLOSE_CHANNEL, STDIN)))

    async def resize(self, width: int, height: int) -> None:
        await self._socket.send(bytes((RESIZE,)) + orjson.dumps({"Width": width, "Height": height}))

    async def close(self) -> None:
        await self._socket.close()
