"""The client side of HTTP/1.1: one connection, and a pool of them to one place.

RFC 9112 over TCP, TLS or a unix socket. A body is read as it comes, with back-pressure; a 101 answer hands the bare
byte stream over (websocket, SPDY). Errors here are OSError, TimeoutError and `ProtocolError`.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import httptools

if TYPE_CHECKING:
    import ssl

HIGH_WATER: Final = 1 << 20  # bytes of unread body at which the socket is no longer read
LOW_WATER: Final = 1 << 18
IDLE_LIMIT: Final = 16  # idle connections that a pool keeps
IDLE_SECONDS: Final = (
    90.0  # after this an idle connection is not trusted any more (Go's http.DefaultTransport)
)


class ProtocolError(ConnectionError):
    """The peer does not speak HTTP/1.1 as it should."""


class NotSent(ConnectionError):
    """No byte of the request reached the peer, so that it is safe to send it again."""


class Target(NamedTuple):
    """Where a connection leads. With `unix_path` host and port only name it."""

    host: str
    port: int = 0
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    unix_path: str = ""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


class Body:
    """Bytes that arrive for one exchange, read at the reader's pace."""

    __slots__ = ("_chunks", "_connection", "_error", "_paused", "_reader", "_size", "ended")

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._error: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None
        self.ended = False

    def feed(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER and not self._paused and self._connection is not None:
            self._paused = True
            self._connection.pause_reading()
        self._wake()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; from now on the connection is none of this body's business."""
        self.ended = True
        self._error = error
        if self._paused and self._connection is not None:
            self._connection.resume_reading()
        self._connection = None
        self._wake()

    async def next(self) -> bytes:
        """What has come since the last call, b"" at the end."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = b"".join(self._chunks) if len(self._chunks) > 1 else self._chunks[0]
        self._chunks.clear()
        self._size = 0
        if self._paused and self._connection is not None:
            self._paused = False
            self._connection.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._connection is None:
            raise ConnectionResetError("connection is closed")
        self._connection.write(data)
        await self._connection.drain()

    def give_up(self) -> None:
        """Closes the connection under a body that is not wanted any more."""
        if self._connection is not None:
            self._connection.close()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Response:
    """An answer whose head has arrived; `headers` has lower-case names.

    Read the body by `read` or `chunks`, or `close`: until then the connection is taken.
    """

    __slots__ = ("body", "headers", "reason", "status")

    def __init__(self, status: int, reason: str, headers: dict[str, str], body: Body) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece as it comes; leaving early closes the connection."""
        try:
            while chunk := await self.body.next():
                yield chunk
        finally:
            self.body.give_up()

    def close(self) -> None:
        """Gives the rest of the body up."""
        self.body.give_up()


class Stream:
    """The bare bytes behind a 101 answer."""

    __slots__ = ("_body", "headers")

    def __init__(self, headers: dict[str, str], body: Body) -> None:
        self.headers = headers
        self._body = body

    async def read(self) -> bytes:
        """What has come, b"" at the end."""
        return await self._body.next()

    async def write(self, data: bytes) -> None:
        await self._body.write(data)

    def close(self) -> None:
        self._body.give_up()


class Connection(asyncio.Protocol):
    """One connection that carries one exchange at a time. `Pool` makes them."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.idle_since = 0.0
        self.on_idle: Callable[[Connection], None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._body: Body | None = None
        self._head: asyncio.Future[Response] | None = None
        self._bare = False
        self._bodiless = False
        self._headers: dict[str, str] = {}
        self._reason = b""

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            _keep_alive(sock)

    def data_received(self, data: bytes) -> None:
        if self._body is None:  # bytes that nobody asked for
            self.close()
        elif self._bare:
            self._body.feed(data)
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._bare = True
            if (rest := data[upgrade.args[0] :]) and self._body is not None:
                self._body.feed(rest)
        except httptools.HttpParserError as error:
            self._fail(ProtocolError(f"not an HTTP/1.1 response: {error}"))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._writable.set()
        if error is None and self._body is not None and (self._bare or self._until_close):
            self._body.end()
            self._body = None
        else:
            self._fail(error or ConnectionResetError("connection closed by the peer"))
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # --- httptools

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._headers = {}
            self._reason = b""
            return
        if self._head is not None and not self._head.done() and self._body is not None:
            reason = self._reason.decode("latin-1")
            self._head.set_result(Response(status, reason, self._headers, self._body))
        if self._bodiless:  # the parser would wait for a body that HEAD never has
            self._finish(keep=False)

    def on_body(self, data: bytes) -> None:
        if self._body is not None:
            self._body.feed(data)

    def on_message_complete(self) -> None:
        if not 100 <= self._parser.get_status_code() < 200:
            self._finish(keep=self._parser.should_keep_alive())

    # --- one exchange

    @property
    def _until_close(self) -> bool:
        """The answer has neither length nor chunks: its end is the connection's."""
        return (
            self._head is not None
            and self._head.done()
            and "content-length" not in self._headers
            and "chunked" not in self._headers.get("transfer-encoding", "")
        )

    @property
    def alive(self) -> bool:
        return self.transport is not None and not self.transport.is_closing() and not self.closed.done()

    async def exchange(self, method: str, head: bytes, body: bytes | AsyncIterator[bytes]) -> Response:
        """Sends a request and waits for the head of its answer."""
        if not self.alive:
            raise NotSent("connection is closed")
        self._parser = httptools.HttpResponseParser(self)
        self._headers = {}
        self._reason = b""
        self._bodiless = method == "HEAD"
        self._body = Body(self)
        self._head = asyncio.get_running_loop().create_future()
        try:
            if isinstance(body, bytes):
                self.write(head + body)
            else:
                self.write(head)
                async for piece in body:
                    if piece:
                        self.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                        await self.drain()
                self.write(b"0\r\n\r\n")
            return await self._head
        except BaseException:
            self.close()
            raise

    def write(self, data: bytes) -> None:
        if self.transport is None or not self.alive:
            raise ConnectionResetError("connection is closed")
        self.transport.write(data)

    async def drain(self) -> None:
        await self._writable.wait()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def pause_reading(self) -> None:
        if self.transport is not None and self.alive:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self.transport is not None and self.alive:
            self.transport.resume_reading()

    def _fail(self, error: BaseException) -> None:
        if self._head is not None and not self._head.done():
            self._head.set_exception(error)
        if self._body is not None:
            self._body.end(error)
            self._body = None

    def _finish(self, *, keep: bool) -> None:
        """The answer is whole: the next exchange may have the connection, unless one side wants it closed."""
        if self._body is not None:
            self._body.end()
            self._body = None
        if not keep:
            self.close()
        elif self.on_idle is not None and self.alive:
            self.idle_since = asyncio.get_running_loop().time()
            self.on_idle(self)


class Pool:
    """Connections to one target, made on demand and kept while idle. Not bound to a loop until it is used."""

    def __init__(
        self,
        target: Target,
        *,
        connect_timeout: float = 10.0,
        default_headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.target = target
        self._connect_timeout = connect_timeout
        self._default = tuple(default_headers)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | AsyncIterator[bytes] = b"",
        *,
        timeout: float | None = 60.0,
    ) -> Response:
        """The answer's head within `timeout` seconds; the body is read from the response.

        An idle connection that the peer has closed meanwhile is replaced by a fresh one once, unless a byte of an
        answer has come or the method must not be sent twice (then `ConnectionError`).
        """
        head = self._head(method, path, headers, body)
        async with asyncio.timeout(timeout):
            while True:
                connection, reused = await self._take()
                try:
                    return await connection.exchange(method, head, body)
                except NotSent:
                    if not reused:
                        raise
                except ConnectionError:
                    if not (reused and isinstance(body, bytes) and method in ("GET", "HEAD", "OPTIONS")):
                        raise

    async def upgrade(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = 30.0,
    ) -> Stream | Response:
        """The bare stream behind a 101 answer, or the response that declines the upgrade."""
        head = self._head(method, path, headers, b"")
        async with asyncio.timeout(timeout):
            connection = await self._open()
            response = await connection.exchange(method, head, b"")
        return Stream(response.headers, response.body) if response.status == 101 else response

    async def close(self) -> None:
        """Ends every connection, also those in use."""
        self._idle.clear()
        lost = [connection.closed for connection in self._all]
        for connection in list(self._all):
            if connection.transport is not None:
                connection.transport.abort()
        self._all.clear()
        if lost:
            await asyncio.wait(lost, timeout=1.0)

    def _give_back(self, connection: Connection) -> None:
        if connection in self._all and len(self._idle) < IDLE_LIMIT:
            self._idle.append(connection)
        elif connection.transport is not None:
            connection.transport.close()

    def _head(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes | AsyncIterator[bytes]
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.target.authority}"]
        lines += _fields(self._default)
        lines += _fields((headers or {}).items())
        if not isinstance(body, bytes):
            lines.append("Transfer-Encoding: chunked")
        elif body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"request head of {method} {path!r} has a line break in a field")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _take(self) -> tuple[Connection, bool]:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.alive and now - connection.idle_since < IDLE_SECONDS:
                return connection, True
            connection.close()
        return await self._open(), False

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        target = self.target
        try:
            async with asyncio.timeout(self._connect_timeout):
                if target.unix_path:
                    _, connection = await loop.create_unix_connection(Connection, target.unix_path)
                else:
                    _, connection = await loop.create_connection(
                        Connection,
                        target.host,
                        target.port,
                        ssl=target.tls,
                        server_hostname=(target.server_name or target.host) if target.tls else None,
                    )
        except TimeoutError:
            raise NotSent(f"connect to {self.where} timed out after {self._connect_timeout:g} s") from None
        except OSError as error:
            raise NotSent(f"connect to {self.where}: {error}") from error
        connection.on_idle = self._give_back
        self._all.add(connection)
        connection.closed.add_done_callback(lambda _: self._all.discard(connection))
        return connection

    @property
    def where(self) -> str:
        return self.target.unix_path or self.target.authority


def _fields(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in pairs]


def _keep_alive(sock: socket.socket) -> None:
    """A peer that vanished without a word is noticed in about a minute, also on a silent watch."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if (number := getattr(socket, option, None)) is not None:
                sock.setsockopt(socket.IPPROTO_TCP, number, value)
    except OSError:  # the socket may be gone already; reading says so
        pass
