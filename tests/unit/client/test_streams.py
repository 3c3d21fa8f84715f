"""Websocket frames and the channels of exec."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sampan.client import streams
from sampan.client.streams import Channels, WebSocket
from sampan.client.transport import Unreachable


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_frames_of_all_sizes(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    sent = streams.frame(streams.BINARY, data, b"\x01\x02\x03\x04")
    head = 2 + (0 if size < 126 else 2 if size < 65536 else 8)
    assert sent[0] == 0x82
    assert sent[1] & 0x80
    mask, masked = sent[head : head + 4], sent[head + 4 :]
    assert bytes(b ^ mask[i % 4] for i, b in enumerate(masked)) == data
    # what a server sends is the same without the mask
    buffer = bytearray(sent[:1] + bytes((sent[1] & 0x7F,)) + sent[2:head] + data + b"rest")
    assert streams.parse_frame(buffer) == (True, streams.BINARY, data)
    assert buffer == b"rest"


def test_a_frame_that_is_not_whole_waits() -> None:
    whole = b"\x82\x05hello"
    for cut in range(len(whole)):
        assert streams.parse_frame(bytearray(whole[:cut])) is None


def test_frames_that_are_refused() -> None:
    with pytest.raises(Unreachable, match="masked"):
        streams.parse_frame(bytearray(b"\x82\x85abcdhello"))
    with pytest.raises(Unreachable, match="limit"):
        streams.parse_frame(bytearray(b"\x82\x7f" + (1 << 40).to_bytes(8, "big")))


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


def server_frame(data: bytes, opcode: int = streams.BINARY, *, final: bool = True) -> bytes:
    return bytes(((0x80 if final else 0) | opcode, len(data))) + data


def socket(*chunks: bytes, subprotocol: str = "v5.channel.k8s.io") -> tuple[WebSocket, Pipe]:
    pipe = Pipe(*chunks)
    return WebSocket(pipe, "test", subprotocol), pipe  # type: ignore[arg-type]


def test_fragments_pings_and_the_end() -> None:
    async def main() -> None:
        ws, pipe = socket(
            server_frame(b"he", streams.TEXT, final=False),
            server_frame(b"?", streams.PING),
            server_frame(b"llo", 0),
            server_frame(b"", streams.CLOSE),
        )
        assert await ws.receive() == streams.Message(b"hello", text=True)
        assert pipe.sent[0][0] == 0x80 | streams.PONG
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
        import orjson

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


def test_an_older_server_cannot_be_told_the_end_of_stdin() -> None:
    async def main() -> None:
        ws, pipe = socket(subprotocol="v4.channel.k8s.io")
        await Channels(ws).close_stdin()
        assert pipe.sent == []

    asyncio.run(main())


def test_exit_codes() -> None:
    assert streams.exit_of({"status": "Success"}).code == 0
    assert streams.exit_of({"status": "Failure", "reason": "InternalError"}).code == 1
