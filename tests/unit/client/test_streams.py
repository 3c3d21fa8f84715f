"""Websocket frames and the channels of exec."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from sampan.base.http import websocket
from sampan.client import streams
from sampan.client.streams import Channels, WebSocket
from sampan.client.transport import Unreachable


class Pipe:
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.sent: list[bytes] = []
        self.closed = False

    async def read(self) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""

    async def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


def server_frame(data: bytes, opcode: int = websocket.BINARY, *, final: bool = True) -> bytes:
    return bytes(((0x80 if final else 0) | opcode, len(data))) + data


def in_two(data: bytes) -> tuple[bytes, bytes]:
    half = len(data) // 2
    return server_frame(data[:half], final=False), server_frame(data[half:], websocket.CONTINUATION)


def socket(*chunks: bytes, subprotocol: str = "v5.channel.k8s.io") -> tuple[WebSocket, Pipe]:
    pipe = Pipe(*chunks)
    return WebSocket(pipe, "test", subprotocol), pipe  # type: ignore[arg-type]


def test_fragments_pings_and_the_end() -> None:
    async def main() -> None:
        ws, pipe = socket(
            server_frame(b"he", websocket.TEXT, final=False),
            server_frame(b"?", websocket.PING),
            server_frame(b"llo", 0),
            server_frame(b"", websocket.CLOSE),
        )
        assert await ws.receive() == streams.Message(b"hello", text=True)
        assert pipe.sent[0][0] == 0x80 | websocket.PONG
        assert await ws.receive() is None
        assert pipe.closed

    asyncio.run(main())


def test_channels_of_exec() -> None:
    failure: dict[str, Any] = {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "42"}]},
    }

    async def main() -> None:
        ws, pipe = socket(
            server_frame(b"\x01out"),
            server_frame(b"\x02err"),
            server_frame(b"\x01"),
            server_frame(bytes((3,)) + orjson.dumps(failure)[:120])
            if len(orjson.dumps(failure)) < 125
            else b"",
        )
        channels = Channels(ws)
        assert [part async for part in channels.output()] == [(1, b"out"), (2, b"err")]
        assert channels.exit is not None
        assert channels.exit.code == 42
        await channels.close_stdin()
        assert len(pipe.sent) == 1

    asyncio.run(main())


def test_frames_that_break_the_protocol() -> None:
    async def main() -> None:
        ws, _ = socket(b"\x82\x85abcdhello")
        with pytest.raises(Unreachable, match="masked"):
            await ws.receive()

    asyncio.run(main())


def test_what_is_sent_is_masked() -> None:
    async def main() -> None:
        ws, pipe = socket()
        await ws.send(b"hello")
        (frame,) = websocket.Decoder(masked=True).feed(pipe.sent[0])
        assert frame.data == b"hello"

    asyncio.run(main())


def test_an_older_server_cannot_be_told_the_end_of_stdin() -> None:
    async def main() -> None:
        ws, pipe = socket(subprotocol="v4.channel.k8s.io")
        await Channels(ws).close_stdin()
        assert pipe.sent == []

    asyncio.run(main())


def test_exit_codes() -> None:
    assert streams.exit_of({"status": "Success"}).code == 0
    assert streams.exit_of({"status": "Failure", "reason": "InternalError"}).code == 1
