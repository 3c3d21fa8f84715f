"""The client side of HTTP/1.1 against scripted peers on a unix socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sampan.base.http import connection
from sampan.base.http.connection import NotSent, Pool, ProtocolError, Response, Stream, Target

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def head_of(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


def against(script: Script, test: Callable[[Pool], Awaitable[None]]) -> int:
    """Runs `test` with a pool to a server that runs `script` per connection; tells how many connections came."""
    came = 0

    async def main() -> None:
        nonlocal came

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal came
            came += 1
            try:
                await script(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "s")
            server = await asyncio.start_unix_server(serve, path)
            pool = Pool(Target("localhost", unix_path=path))
            try:
                async with asyncio.timeout(10):
                    await test(pool)
            finally:
                await pool.close()
                server.close()
                await server.wait_closed()

    asyncio.run(main())
    return came


def answering(*answers: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await head_of(reader)
            writer.write(answer)
            await writer.drain()
        await reader.read()

    return script


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nhi"


def test_a_connection_is_used_again() -> None:
    async def test(pool: Pool) -> None:
        for _ in range(3):
            response = await pool.request("GET", "/x")
            assert (response.status, response.reason, response.headers["x-a"]) == (200, "OK", "1, 2")
            assert await response.read() == b"hi"

    assert against(answering(OK, OK, OK), test) == 1


def test_an_unread_body_does_not_mix_with_the_next_answer() -> None:
    async def test(pool: Pool) -> None:
        first = await pool.request("GET", "/1")
        await asyncio.sleep(0.01)
        second = await pool.request("GET", "/2")
        assert await second.read() == b"yo"
        assert await first.read() == b"hi"

    against(answering(OK, OK.replace(b"hi", b"yo")), test)


def test_chunks_come_as_they_are_sent() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await reader.read(1)  # the client's next byte says that it has seen the first chunk
        writer.write(b"2\r\nde\r\n0\r\n\r\n")
        await reader.read()

    async def test(pool: Pool) -> None:
        response = await pool.request("GET", "/")
        seen = []
        async for chunk in response.chunks():
            seen.append(chunk)
            if len(seen) == 1:
                await response.body.write(b"!")
        assert b"".join(seen) == b"abcde"
        assert seen[0] == b"abc"

    against(script, test)


def test_a_body_may_end_with_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")

    async def test(pool: Pool) -> None:
        assert await (await pool.request("GET", "/")).read() == b"until the end"

    against(script, test)


def test_a_body_that_breaks_off_is_an_error() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    async def test(pool: Pool) -> None:
        response = await pool.request("GET", "/")
        with pytest.raises(ConnectionError):
            await response.read()

    against(script, test)


def test_head_has_no_body_whatever_its_length_says() -> None:
    async def test(pool: Pool) -> None:
        response = await pool.request("HEAD", "/")
        assert response.headers["content-length"] == "500"
        assert await response.read() == b""

    against(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), test)


def test_interim_answers_are_passed_over() -> None:
    async def test(pool: Pool) -> None:
        response = await pool.request("POST", "/", body=b"x")
        assert (response.status, await response.read()) == (200, b"hi")
        assert "link" not in response.headers

    against(answering(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK), test)


def test_an_idle_connection_that_was_closed_is_replaced() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(OK)

    async def test(pool: Pool) -> None:
        for _ in range(2):
            assert await (await pool.request("GET", "/")).read() == b"hi"
            await asyncio.sleep(0.02)

    assert against(script, test) == 2


def test_a_write_on_a_dying_connection_is_not_sent_twice() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(OK)
        await head_of(reader)  # the second request is read, and never answered

    async def test(pool: Pool) -> None:
        await (await pool.request("GET", "/")).read()
        with pytest.raises(ConnectionError):
            await pool.request("POST", "/", body=b"x")

    assert against(script, test) == 1


def test_a_streamed_body_goes_in_chunks() -> None:
    got: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert "Transfer-Encoding: chunked" in await head_of(reader)
        got.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(OK)
        await reader.read()

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"abc", b"", b"de"):
            yield piece

    async def test(pool: Pool) -> None:
        await (await pool.request("PUT", "/", body=pieces())).read()

    against(script, test)
    assert got == [b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"]


def test_an_upgrade_hands_the_bytes_over() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert "Upgrade: x" in await head_of(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nfirst")
        writer.write(await reader.readexactly(4))

    async def test(pool: Pool) -> None:
        stream = await pool.upgrade("GET", "/", {"Connection": "Upgrade", "Upgrade": "x"})
        assert isinstance(stream, Stream)
        got = await stream.read()
        await stream.write(b"echo")
        while chunk := await stream.read():
            got += chunk
        assert got == b"firstecho"

    against(script, test)


def test_a_declined_upgrade_is_an_answer() -> None:
    async def test(pool: Pool) -> None:
        got = await pool.upgrade("GET", "/", {"Connection": "Upgrade", "Upgrade": "x"})
        assert isinstance(got, Response)
        assert got.status == 200

    against(answering(OK), test)


def test_a_slow_reader_pauses_the_peer() -> None:
    size = connection.HIGH_WATER * 8
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536
        await reader.read()

    async def test(pool: Pool) -> None:
        response = await pool.request("GET", "/")
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.05)
        assert sent < size
        assert len(await response.read()) == size

    against(script, test)


def test_what_is_not_http_is_named_so() -> None:
    async def test(pool: Pool) -> None:
        with pytest.raises(ProtocolError):
            await pool.request("GET", "/")

    against(answering(b"SSH-2.0-OpenSSH\r\n\r\n"), test)


def test_a_line_break_in_a_field_is_refused() -> None:
    async def test(pool: Pool) -> None:
        with pytest.raises(ValueError, match="line break"):
            await pool.request("GET", "/", {"X": "a\r\nY: b"})

    against(answering(OK), test)


def test_nobody_there() -> None:
    async def main() -> None:
        with pytest.raises(NotSent):
            await Pool(Target("localhost", unix_path="/nonexistent/socket")).request("GET", "/")

    asyncio.run(main())


def test_a_silent_peer_times_out() -> None:
    async def test(pool: Pool) -> None:
        with pytest.raises(TimeoutError):
            await pool.request("GET", "/", timeout=0.05)

    against(answering(), test)


def test_authority_of_a_target() -> None:
    assert Target("::1", 6443).authority == "[::1]:6443"
    assert Target("a.example").authority == "a.example"
