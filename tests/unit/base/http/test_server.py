"""The server from outside: bytes over real sockets on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sampan.base.http.channel import Duplex
from sampan.base.http.model import Answer, Limits, Request, Response, Streaming, Upgrade
from sampan.base.http.server import Listener, Server
from sampan.base.http.stream import Stream

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo_stream(stream: Stream) -> None:
    for word in (b"one ", b"two ", b"three"):
        stream.write(word)
        await stream.drain()
        await asyncio.sleep(0)


async def upper(channel: Duplex) -> None:
    while data := await channel.read():
        await channel.write(data.upper())


async def slow(request: Request) -> Response:
    await asyncio.sleep(0.01)
    return Response(200, b"slow", "text/plain")


def handle(request: Request) -> Answer | Awaitable[Answer]:
    match request.path:
        case "/slow":
            return slow(request)
        case "/stream":
            return Streaming(200, echo_stream, "text/plain")
        case "/upper":
            return Upgrade(upper, headers=(("Upgrade", "upper"), ("Connection", "Upgrade")))
        case "/fails":
            raise ValueError("inside")
        case "/who":
            identity = request.connection.identity
            return Response(200, str(identity).encode(), "text/plain")
        case "/headers":
            return Response(200, ",".join(request.all("x-many")).encode(), "text/plain")
        case "/query":
            return Response(200, repr(request.arguments).encode(), "text/plain")
    return Response(200, request.body or b"hello", "text/plain")


def drive(talk: Talk, limits: Limits | None = None) -> None:
    async def main() -> None:
        server = Server(handle, limits=limits)
        host, port = await server.listen(Listener())
        reader, writer = await asyncio.open_connection(host, port)
        try:
            async with asyncio.timeout(10):
                await talk(reader, writer)
        finally:
            writer.close()
            await server.close(grace=0.5)

    asyncio.run(main())


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One whole answer with a length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split()[1])
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return status, headers, body
    return status, headers, await reader.readexactly(int(headers.get("content-length", "0")))


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def post(path: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_one_connection_serves_many_requests() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in (b"a", b"b" * 70_000, b""):
            writer.write(post("/", body))
            status, headers, got = await answer(reader)
            assert (status, got) == (200, body or b"hello")
            assert "date" in headers

    drive(talk)


def test_pipelined_answers_keep_the_order_of_their_requests() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get("/slow") + get("/") + get("/stream") + get("/slow") + post("/", b"last"))
        bodies = [(await answer(reader))[2] for _ in range(5)]
        assert bodies == [b"slow", b"hello", b"one two three", b"slow", b"last"]

    drive(talk)


def test_more_pipelined_requests_than_are_read_ahead() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get("/slow") * 20)
        for _ in range(20):
            assert (await answer(reader))[2] == b"slow"

    drive(talk, Limits(pipelined=2))


def test_a_request_in_single_bytes() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in post("/", b"xyz"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[2] == b"xyz"

    drive(talk)


def test_a_chunked_body() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert (await answer(reader))[2] == b"abcde"

    drive(talk)


def test_expect_continue_is_answered_before_the_body() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"ok")
        assert (await answer(reader))[2] == b"ok"

    drive(talk)


def test_repeated_headers_and_query() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get("/headers", "X-Many: a, b", "X-Many: c"))
        assert (await answer(reader))[2] == b"a, b,c"
        writer.write(get("/query?a=1&a=2&b=&c=%20x"))
        assert (await answer(reader))[2] == b"{'a': ['1', '2'], 'b': [''], 'c': [' x']}"

    drive(talk)


def test_head_has_no_body() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get("/").replace(b"GET", b"HEAD") + get("/"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: 5" in head
        assert (await answer(reader))[2] == b"hello"

    drive(talk)


@pytest.mark.parametrize("how", ["Connection: close", "HTTP/1.0"])
def test_the_connection_closes_when_the_client_wants_it(how: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (
            get("/stream", how) if how != "HTTP/1.0" else get("/stream").replace(b"HTTP/1.1", b"HTTP/1.0")
        )
        writer.write(request)
        everything = await reader.read()
        assert b"three" in everything
        assert (b"chunked" in everything) == (how != "HTTP/1.0")

    drive(talk)


def test_a_handler_that_fails_is_500_and_the_connection_lives(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get("/fails"))
        status, _, body = await answer(reader)
        assert status == 500
        assert b"inside" not in body

    drive(talk)
    assert "GET /fails failed" in caplog.text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (get("/", "X-Long: " + "y" * 5000), 431),
        (b"GET /" + b"a" * 9000, 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"
            + b"z" * 2000
            + b"\r\n",
            413,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400),
    ],
)
def test_what_is_refused_below_the_handler(data: bytes, status: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data[:2000])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(data[2000:])
        got, headers, _ = await answer(reader)
        assert got == status
        assert headers["connection"] == "close"
        assert await reader.read() == b""

    drive(talk, Limits(head=4096, body=1024))


def test_the_sender_of_a_body_that_is_too_large_sees_the_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(40):
            writer.write(b"x" * 100_000)
        await writer.drain()
        assert (await answer(reader))[0] == 413

    drive(talk, Limits(body=1024))


def test_an_upgrade_hands_the_bytes_over() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # what follows the request in the same packet belongs to the new protocol
        writer.write(get("/upper", "Connection: Upgrade", "Upgrade: upper") + b"early ")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await reader.readexactly(6) == b"EARLY "
        writer.write(b"late")
        assert await reader.readexactly(4) == b"LATE"
        writer.write_eof()
        assert await reader.read() == b""

    drive(talk)


@pytest.mark.parametrize("path", ["/", "/slow"])
def test_an_upgrade_that_is_not_taken_stays_http(path: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(get(path, "Connection: Upgrade", "Upgrade: h2c") + get("/"))
        assert (await answer(reader))[0] == 200
        assert (await answer(reader))[2] == b"hello"

    drive(talk)


def test_a_reader_that_does_not_read_is_told_of_and_holds_nobody_up() -> None:
    async def main() -> None:
        told: list[bool] = []
        closed = asyncio.Event()

        async def flood(stream: Stream) -> None:
            stream.on_close(closed.set)
            for _ in range(400):
                told.append(stream.write(b"x" * 65536))
                await asyncio.sleep(0)
            stream.abort()

        server = Server(lambda request: Streaming(200, flood), limits=Limits(write_buffer=1 << 20))
        host, port = await server.listen(Listener())
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(get("/"))
        async with asyncio.timeout(10):
            await closed.wait()
        assert told[0] is True
        assert told[-1] is False
        writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())


def test_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        server = Server(handle, limits=Limits(head_timeout=5, body_timeout=5, idle_timeout=5))
        host, port = await server.listen(Listener())
        silent = await asyncio.open_connection(host, port)
        half = await asyncio.open_connection(host, port)
        half[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        body = await asyncio.open_connection(host, port)
        body[1].write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        idle = await asyncio.open_connection(host, port)
        idle[1].write(get("/"))
        assert (await answer(idle[0]))[0] == 200
        await asyncio.sleep(0.05)
        # the server's clock is what it last saw; later it sees that too much time has gone
        loop_time = server.loop.time
        monkeypatch.setattr(server.loop, "time", lambda: loop_time() + 6, raising=False)
        server._tick()
        async with asyncio.timeout(10):
            assert await silent[0].read() == b""
            assert (await half[0].read()).startswith(b"HTTP/1.1 408 ")
            assert (await body[0].read()).startswith(b"HTTP/1.1 408 ")
            assert await idle[0].read() == b""
        monkeypatch.undo()
        for _, writer in (silent, half, body, idle):
            writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())


@pytest.mark.parametrize("patient", [True, False])
def test_only_a_patient_stream_outlasts_a_reader_that_has_stopped(patient: bool) -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def flood(stream: Stream) -> None:
            stream.on_close(closed.set)
            while not stream.closed:
                stream.write(b"x" * 65536)
                await stream.drain()

        server = Server(lambda request: Streaming(200, flood, patient=patient))
        host, port = await server.listen(Listener())
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(get("/"))
        connection = None
        while connection is None or connection.stalled_at == float("inf"):
            await asyncio.sleep(0.01)
            connection = next(iter(server._connections), None)
        connection.stalled_at -= server.limits.stall_timeout + 1
        server._tick()
        await asyncio.sleep(0.05)
        assert closed.is_set() is not patient
        writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())


def test_a_unix_listener_is_private_and_gives_its_identity(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "api.sock"
        server = Server(handle)
        await server.listen(Listener(path=str(path), identity="the owner"))
        assert path.stat().st_mode & 0o777 == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(get("/who"))
        assert (await answer(reader))[2] == b"the owner"
        other = Server(handle)
        with pytest.raises(OSError, match="in use by a running server"):
            await other.listen(Listener(path=str(path)))
        writer.close()
        await server.close(grace=0.1)
        await other.close(grace=0.1)
        assert not path.exists()

    asyncio.run(main())


def test_a_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        import socket

        path = tmp_path / "api.sock"
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(path))
        dead.close()
        assert path.exists()
        server = Server(handle)
        await server.listen(Listener(path=str(path)))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(get("/"))
        assert (await answer(reader))[0] == 200
        writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())


def test_closing_answers_what_is_in_progress_and_ends_streams() -> None:
    async def main() -> None:
        streams: list[Stream] = []

        def handler(request: Request) -> Answer | Awaitable[Answer]:
            if request.path == "/watch":
                return Streaming(200, lambda stream: streams.append(stream))
            return slow(request)

        server = Server(handler)
        host, port = await server.listen(Listener())
        watching, w1 = await asyncio.open_connection(host, port)
        w1.write(get("/watch"))
        asking, w2 = await asyncio.open_connection(host, port)
        await watching.readuntil(b"\r\n\r\n")
        streams[0].write(b"event")
        w2.write(get("/slow"))
        await asyncio.sleep(0.005)
        closing = asyncio.create_task(server.close(grace=5))
        status, headers, body = await answer(asking)
        assert (status, body, headers["connection"]) == (200, b"slow", "close")
        assert await watching.read() == b"5\r\nevent\r\n0\r\n\r\n"
        await closing
        with pytest.raises(OSError):
            await asyncio.open_connection(host, port)
        w1.close()
        w2.close()

    asyncio.run(main())


def test_more_connections_than_allowed_are_turned_away() -> None:
    async def main() -> None:
        server = Server(handle, limits=Limits(connections=1))
        host, port = await server.listen(Listener())
        first = await asyncio.open_connection(host, port)
        first[1].write(get("/"))
        assert (await answer(first[0]))[0] == 200
        second = await asyncio.open_connection(host, port)
        try:
            assert await second[0].read() == b""
        except ConnectionError:
            pass
        assert server.connections == 1
        for _, writer in (first, second):
            writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())


def test_header_values_cannot_split_the_answer() -> None:
    async def main() -> None:
        server = Server(lambda request: Response(200, b"", headers=(("X", "a\r\nEvil: b"),)))
        host, port = await server.listen(Listener())
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(get("/"))
        _, headers, _ = await answer(reader)
        assert "evil" not in headers
        writer.close()
        await server.close(grace=0.1)

    asyncio.run(main())
