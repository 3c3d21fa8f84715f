"""One server connection: bytes in, requests to the handler, answers out in the order of the requests."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import httptools

from sampan.base.http.channel import Channel
from sampan.base.http.model import REASONS, Answer, Request, Response, Streaming, Upgrade
from sampan.base.http.stream import Stream

if TYPE_CHECKING:
    from sampan.base.http.server import Listener, Server

log = logging.getLogger(__name__)

NEVER: Final = float("inf")
LINGER: Final = (
    1.0  # seconds for which a refused body is still read, so that its sender sees the answer, not a reset
)
_heads: dict[tuple[int, tuple[tuple[str, str], ...]], bytes] = {}
_names: dict[bytes, str] = {}


def _head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Status line and headers, encoded; the few that come again and again are kept."""
    key = (status, headers)
    head = _heads.get(key)
    if head is None:
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n"]
        for name, value in headers:
            if "\r" in value or "\n" in value or "\0" in value:
                value = value.replace("\r", " ").replace("\n", " ").replace("\0", " ")
            lines.append(f"{name}: {value}\r\n")
        head = "".join(lines).encode("utf-8", "surrogateescape")
        if len(_heads) >= 512:
            _heads.clear()
        _heads[key] = head
    return head


def _name(raw: bytes) -> str:
    name = _names.get(raw)
    if name is None:
        name = raw.lower().decode("latin-1")
        if len(_names) >= 512:
            _names.clear()
        _names[raw] = name
    return name


class ServerConnection(asyncio.Protocol):
    """The protocol object, the `Connection` that handlers see, and the `Outlet` of its streams."""

    __slots__ = (
        "_begun",
        "_body",
        "_body_bytes",
        "_busy",
        "_callbacks",
        "_channel",
        "_close_after",
        "_discarding",
        "_head_bytes",
        "_headers",
        "_leftover",
        "_loop",
        "_method",
        "_parser",
        "_paused",
        "_queue",
        "_reading_head",
        "_reading_paused",
        "_repeated",
        "_server",
        "_stream",
        "_task",
        "_told_bytes",
        "_transport",
        "_upgrading",
        "_url",
        "_writers",
        "closed",
        "deadline",
        "identity",
        "memory",
        "patient",
        "peer_certificate",
        "remote",
        "secure",
        "stalled_at",
    )

    def __init__(self, server: Server, listener: Listener) -> None:
        self._server = server
        self._loop = server.loop
        self.identity = listener.identity
        self.secure = listener.tls is not None
        self.peer_certificate: bytes | None = None
        self.remote = ""
        self.memory: dict[str, Any] = {}
        self.closed = False
        self.deadline = NEVER
        self.stalled_at = NEVER
        self.patient = False
        self._callbacks: list[Callable[[], None]] = []
        self._queue: deque[Request] = deque()
        self._busy = False
        self._close_after = False
        self._paused = False
        self._reading_paused = False
        self._discarding = False
        self._upgrading = False
        self._leftover = bytearray()
        self._stream: Stream | None = None
        self._channel: Channel | None = None
        self._task: asyncio.Task[None] | None = None
        self._writers: list[asyncio.Future[None]] = []
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._upgrading = False
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, list[str]] | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._told_bytes = 0
        self._begun = False
        self._reading_head = True

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        if not self._server.admit(self):
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=256 * 1024)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.remote = f"[{peer[0]}]:{peer[1]}" if ":" in str(peer[0]) else f"{peer[0]}:{peer[1]}"
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.peer_certificate = tls.getpeercert(binary_form=True)
        self.deadline = self._server.now + self._server.limits.head_timeout

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._server.forget(self)
        self._queue.clear()
        if self._channel is not None:
            self._channel.lost()
        elif self._task is not None:
            self._task.cancel()
        if self._stream is not None:
            self._stream.lost()
            self._stream = None
        self._release_writers()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def eof_received(self) -> bool:
        if self._channel is not None:
            self._channel.ended()
            return not self.secure
        return False

    def data_received(self, data: bytes) -> None:
        if self._channel is not None:
            self._channel.received(data)
            return
        if self._discarding:
            return
        if self._upgrading:
            self._leftover += data
            self._pause_reading()
            return
        # of a head that goes on over several reads, those after the first are counted here
        if self._begun:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade_seen(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if not self._discarding:
                self._refuse(400, f"malformed request: {error}")
        else:
            if self._begun and self._head_bytes > self._server.limits.head and not self._discarding:
                self._refuse(431, f"the request's head is longer than {self._server.limits.head} bytes")

    def pause_writing(self) -> None:
        self._paused = True
        self.stalled_at = self._server.now
        if self._channel is not None:
            self._channel.pause_writing()

    def resume_writing(self) -> None:
        self._paused = False
        self.stalled_at = NEVER
        if self._channel is not None:
            self._channel.resume_writing()
        self._release_writers()
        if self._queue and not self._busy:
            self._next()

    # -- httptools callbacks

    def on_message_begin(self) -> None:
        self._reset()
        self._begun = True
        self.deadline = self._server.now + self._server.limits.head_timeout

    def on_url(self, url: bytes) -> None:
        self._url = self._url + url if self._url else url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._reading_head:
            return  # a trailer
        self._told_bytes += len(name) + len(value)
        key = _name(name)
        text = value.decode("latin-1")
        if key in self._headers:
            if self._repeated is None:
                self._repeated = {}
            self._repeated.setdefault(key, [self._headers[key]]).append(text)
            self._headers[key] += ", " + text
        else:
            self._headers[key] = text

    def on_headers_complete(self) -> None:
        self._reading_head = self._begun = False
        self._head_bytes = 0
        if self._told_bytes + len(self._url) > self._server.limits.head:
            self._refuse(431, f"the request's head is longer than {self._server.limits.head} bytes")
            return
        headers = self._headers
        length = headers.get("content-length")
        if length is None and "transfer-encoding" not in headers:
            return
        self.deadline = self._server.now + self._server.limits.body_timeout
        if length is not None and length.isdigit() and int(length) > self._server.limits.body:
            self._refuse(413, f"limit is {self._server.limits.body}")
        elif headers.get("expect", "").lower() == "100-continue" and not self._busy:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._discarding:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._server.limits.body:
            self._refuse(413, f"limit is {self._server.limits.body}")
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._discarding:
            return
        body = self._body
        try:
            target = self._url.decode("ascii")
        except UnicodeDecodeError:
            self._refuse(400, "malformed request: the target is not ASCII")
            return
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(400, f"malformed request: the version is {version!r}, expected 1.1 or 1.0")
            return
        request = Request(
            self._parser.get_method().decode("ascii"),
            target,
            self._headers,
            body[0] if len(body) == 1 else b"".join(body),
            connection=self,
            keep_alive=self._parser.should_keep_alive(),
            http10=version == "1.0",
            repeated=self._repeated,
        )
        self._reading_head = True
        self.deadline = NEVER
        if self._busy or self._paused or self._queue:
            self._queue.append(request)
            if len(self._queue) >= self._server.limits.pipelined:
                self._pause_reading()
        else:
            self._handle(request)

    # -- requests in order

    def _next(self) -> None:
        while self._queue and not self._busy and not self._paused and not self.closed:
            self._handle(self._queue.popleft())
        if len(self._queue) < self._server.limits.pipelined and not self._upgrading:
            self._resume_reading()

    def _handle(self, request: Request) -> None:
        try:
            answer = self._server.handler(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answer = self._server.error(500, "the server failed to answer this request")
        if type(answer) is Response:
            self._send(request, answer)
        elif isinstance(answer, (Streaming, Upgrade, Response)):
            self._busy = True
            self._answer(request, answer)
        else:
            self._busy = True
            self._task = self._loop.create_task(self._wait(request, answer), name=f"http {request.method}")

    async def _wait(self, request: Request, answer: Awaitable[Answer]) -> None:
        try:
            given = await answer
        except asyncio.CancelledError:
            self._transport.close()
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            given = self._server.error(500, "the server failed to answer this request")
        self._task = None
        if not self.closed:
            self._answer(request, given)

    def _answer(self, request: Request, answer: Answer) -> None:
        if isinstance(answer, Response):
            self._busy = False
            self._send(request, answer)
            self._next()
        elif isinstance(answer, Streaming):
            self._start_stream(request, answer)
        else:
            self._start_channel(answer)

    def _send(self, request: Request, response: Response) -> None:
        head = _head(response.status, response.headers)
        body = response.body
        close = response.close or not request.keep_alive or self._server.closing
        lines = b"%bDate: %b\r\nContent-Length: %d\r\n%b\r\n" % (
            head,
            self._server.date,
            len(body),
            b"Connection: close\r\n" if close else b"",
        )
        if request.method == "HEAD":
            body = b""
        if len(body) < 65536:
            self._transport.write(lines + body)
        else:
            self._transport.write(lines)
            self._transport.write(body)
        if close:
            self._queue.clear()
            self._discarding = True
            self._transport.close()
        else:
            self._answered()

    def _answered(self) -> None:
        """Ready for the next request on this connection."""
        self.deadline = self._server.now + self._server.limits.idle_timeout
        if self._upgrading:
            # the client offered an upgrade that was not taken: what follows is HTTP again
            rest = bytes(self._leftover)
            self._leftover.clear()
            self._begin()
            self._resume_reading()
            if rest:
                self.data_received(rest)

    def _refuse(self, status: int, message: str) -> None:
        """Answers without a handler and reads no further. Earlier requests of the connection are answered first."""
        self._discarding = True
        self._reading_head = self._begun = False
        self.deadline = NEVER
        if self._busy or self._queue:
            # an answer is still on its way; a second one now would be out of order
            self._loop.call_later(LINGER, self._transport.close)
            return
        response = self._server.error(status, message)
        head = _head(response.status, response.headers)
        self._transport.write(
            b"%bDate: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (head, self._server.date, len(response.body), response.body)
        )
        self._loop.call_later(LINGER, self._transport.close)

    # -- streams

    def _start_stream(self, request: Request, answer: Streaming) -> None:
        chunked = not request.http10
        self._close_after = not request.keep_alive
        self.patient = answer.patient
        head = _head(answer.status, answer.headers)
        framing = b"Transfer-Encoding: chunked\r\n" if chunked else b"Connection: close\r\n"
        self._transport.write(b"%bDate: %b\r\n%b\r\n" % (head, self._server.date, framing))
        stream = Stream(self, self._loop, self._server.limits.write_buffer, chunked=chunked)
        self._stream = stream
        if request.method == "HEAD":
            stream.abort()
            return
        try:
            running = answer.start(stream)
        except Exception:
            log.exception("the stream of %s %s failed", request.method, request.path)
            stream.abort()
            return
        if running is not None:
            self._task = self._loop.create_task(
                self._run_stream(request, stream, running), name="http stream"
            )

    async def _run_stream(self, request: Request, stream: Stream, running: Awaitable[None]) -> None:
        try:
            await running
        except asyncio.CancelledError:
            stream.abort()
            raise
        except Exception:
            log.exception("the stream of %s %s failed", request.method, request.path)
            stream.abort()
        else:
            self._task = None
            stream.end()

    def stream_write(self, data: bytes) -> None:
        if not self.closed:
            self._transport.write(data)

    def stream_end(self, stream: Stream, *, whole: bool) -> None:
        if self._stream is not stream:
            return
        self._stream = None
        self.patient = False
        if not whole or self._close_after or self._server.closing:
            # without the last chunk only the end of the connection tells the reader that it is over
            self._transport.close()
            return
        self._busy = False
        self._answered()
        self._next()

    def buffered(self) -> int:
        return 0 if self.closed else self._transport.get_write_buffer_size()

    def writable(self) -> asyncio.Future[None] | None:
        if not self._paused or self.closed:
            return None
        writer: asyncio.Future[None] = self._loop.create_future()
        self._writers.append(writer)
        return writer

    def _release_writers(self) -> None:
        waiting, self._writers = self._writers, []
        for writer in waiting:
            if not writer.done():
                writer.set_result(None)

    # -- upgrades

    def _upgrade_seen(self, rest: bytes) -> None:
        """The parser stopped behind a request that offers an upgrade; what follows depends on the answer."""
        if self._channel is not None:
            if rest:
                self._channel.received(rest)
            return
        if self._busy or self._queue:
            self._upgrading = True
            self._leftover += rest
            self._pause_reading()
        else:
            # answered at once and not upgraded
            self._begin()
            if rest and not self._discarding:
                self.data_received(rest)

    def _start_channel(self, answer: Upgrade) -> None:
        if answer.status is not None:
            self._transport.write(_head(answer.status, answer.headers) + b"\r\n")
        self.deadline = NEVER
        self.patient = True
        channel = Channel(self._transport)
        self._channel = channel
        if self._leftover:
            channel.received(bytes(self._leftover))
            self._leftover.clear()
        self._upgrading = False
        self._queue.clear()
        self._resume_reading()
        self._task = self._loop.create_task(self._run_channel(channel, answer), name="http upgrade")
        self._server.hold(self._task)

    async def _run_channel(self, channel: Channel, answer: Upgrade) -> None:
        try:
            await answer.start(channel)
        except ConnectionError as error:
            log.debug("an upgraded connection broke: %s", error)
        except Exception:
            log.exception("an upgraded connection failed")
        finally:
            channel.close()

    # -- for the handler and the server

    def on_close(self, callback: Callable[[], None]) -> None:
        if self.closed:
            callback()
        else:
            self._callbacks.append(callback)

    @property
    def idle(self) -> bool:
        return not self._busy and not self._queue and self._channel is None

    def expire(self, reason: str) -> None:
        """A time-out: a late request is told so, a reader that stopped reading is cut."""
        if self._busy or self._paused or (not self._begun and self._reading_head):
            self._transport.abort() if self._paused else self._transport.close()
        else:
            self._refuse(408, reason)

    def shut(self, *, now: bool) -> None:
        """The server stops: idle connections close, streams end, requests in progress are answered (unless `now`)."""
        if now:
            self._transport.abort()
        elif self._stream is not None and self._task is None:
            self._stream.end()
        elif self.idle:
            self._transport.close()

    def _pause_reading(self) -> None:
        if not self._reading_paused and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()
