"""Requests, and the kinds of answer a handler may give: Response, Streaming, Upgrade.

A handler is `Callable[[Request], Answer | Awaitable[Answer]]`. One that returns an Answer at once is served without
a task; one that returns an awaitable gets a task of its own. Answers leave in the order of the requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from sampan.base.http.channel import Channel
    from sampan.base.http.stream import Stream

Headers: TypeAlias = Sequence[tuple[str, str]]

REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class Limits(NamedTuple):
    """Bounds of a server. Bytes and seconds."""

    head: int = 64 * 1024  # request line and headers together
    body: int = 3 * 1024 * 1024
    pipelined: int = 32  # requests read ahead of the one that is answered; then reading stops
    write_buffer: int = (
        4 * 1024 * 1024
    )  # unread bytes of a stream after which `Stream.write` reports a slow reader
    head_timeout: float = (
        30.0  # from the first byte of a request, or the connection's opening, to the end of its head
    )
    body_timeout: float = 60.0
    idle_timeout: float = 180.0  # between requests
    stall_timeout: float = 60.0  # a reader that takes nothing for so long is cut off
    connections: int = 16384  # of one server; more are closed as they come


class Connection(Protocol):
    """What a handler may know of the connection. Stays the same object for all its requests."""

    identity: object | None
    """The listener's fixed identity, or None."""
    peer_certificate: bytes | None
    """DER of the client certificate that TLS has verified, or None."""
    remote: str
    """host:port of the peer, or "" on a unix socket."""
    secure: bool
    memory: dict[str, Any]
    """The handler's own notes, such as a cached authentication; dropped with the connection."""

    def on_close(self, callback: Callable[[], None]) -> None:
        """Called once when the peer is gone."""

    @property
    def closed(self) -> bool: ...


class Request:
    """One request with its whole body. Header names are lower case; repeated headers are joined by ", "."""

    __slots__ = (
        "_query",
        "_repeated",
        "body",
        "connection",
        "headers",
        "http10",
        "keep_alive",
        "method",
        "path",
        "query",
        "target",
    )

    def __init__(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        connection: Connection,
        keep_alive: bool = True,
        http10: bool = False,
        repeated: dict[str, list[str]] | None = None,
    ) -> None:
        self.method = method
        self.target = target
        path, _, self.query = target.partition("?")
        self.path = unquote(path) if "%" in path else path
        self.headers = headers
        self.body = body
        self.connection = connection
        self.keep_alive = keep_alive
        self.http10 = http10
        self._repeated = repeated
        self._query: dict[str, list[str]] | None = None

    def all(self, name: str) -> list[str]:
        """Every value of a header that may come more than once, in order."""
        if self._repeated is not None and name in self._repeated:
            return list(self._repeated[name])
        value = self.headers.get(name)
        return [] if value is None else [value]

    @property
    def arguments(self) -> dict[str, list[str]]:
        """The query, decoded; empty values are kept."""
        if self._query is None:
            parsed: dict[str, list[str]] = {}
            if self.query:
                for key, value in parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000):
                    parsed.setdefault(key, []).append(value)
            self._query = parsed
        return self._query

    def argument(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.arguments.get(name)
        return values[0] if values else default

    def __repr__(self) -> str:
        return f"Request({self.method} {self.target})"


class Response:
    """A whole answer."""

    __slots__ = ("body", "close", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        content_type: str = "application/json",
        headers: Headers = (),
        *,
        close: bool = False,
    ) -> None:
        self.status = status
        self.body = body
        self.headers: tuple[tuple[str, str], ...] = (("Content-Type", content_type), *headers)
        self.close = close

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class Streaming:
    """An answer of unknown length, sent in chunks.

    `start` gets the open Stream. Returning None, it has handed the stream to somebody who will end it; returning an
    awaitable, the stream ends when that does, and is cut off without its last chunk when that fails.
    patient: a reader that takes nothing for a long time (somebody reads a log page by page) is not cut off.
    """

    __slots__ = ("headers", "patient", "start", "status")

    def __init__(
        self,
        status: int,
        start: Callable[[Stream], Awaitable[None] | None],
        content_type: str = "application/json",
        headers: Headers = (),
        *,
        patient: bool = False,
    ) -> None:
        self.status = status
        self.start = start
        self.patient = patient
        self.headers: tuple[tuple[str, str], ...] = (("Content-Type", content_type), *headers)


class Upgrade:
    """Takes the connection over: the head is sent as it stands, then `start` owns the raw bytes.

    The connection closes when the awaitable ends. `status` is 101 for a protocol switch; None sends no head at all
    (a proxy that passes on what the other side says).
    """

    __slots__ = ("headers", "start", "status")

    def __init__(
        self, start: Callable[[Channel], Awaitable[None]], *, status: int | None = 101, headers: Headers = ()
    ) -> None:
        self.status = status
        self.start = start
        self.headers = tuple(headers)


Answer: TypeAlias = Response | Streaming | Upgrade
Handler: TypeAlias = Callable[[Request], Answer | Awaitable[Answer]]
ErrorAnswer: TypeAlias = Callable[[int, str], Response]
"""Makes the answer for what goes wrong below the handler: status code and a plain sentence."""


def plain_error(status: int, message: str) -> Response:
    return Response(status, (message + "\n").encode(), "text/plain; charset=utf-8", close=True)
