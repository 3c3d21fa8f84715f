"""The server: listeners, the clock of all its connections, orderly shutdown.

Time-outs are looked at once a second for all connections together; none of them costs a timer per request.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import stat
import time
from collections.abc import Coroutine
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final, NamedTuple

from sampan.base.http.model import ErrorAnswer, Handler, Limits, plain_error
from sampan.base.http.serving import ServerConnection

log = logging.getLogger(__name__)

TICK: Final = 1.0  # seconds between looks at the time-outs
BACKLOG: Final = 1024
HANDSHAKE: Final = 10.0  # seconds for TLS


class Listener(NamedTuple):
    """Where to listen: `path` for a unix socket (made 0600 before anybody can connect), else host and port.

    Port 0 takes a free one. `tls` makes it HTTPS. `identity` is given to every request of the listener.
    """

    host: str = "127.0.0.1"
    port: int = 0
    path: str = ""
    tls: ssl.SSLContext | None = None
    identity: object | None = None
    mode: int = 0o600


class Server:
    """Construct, `await listen(...)` any number of times, `await close(...)`."""

    def __init__(
        self, handler: Handler, *, limits: Limits | None = None, error: ErrorAnswer = plain_error
    ) -> None:
        self.handler = handler
        self.limits = limits or Limits()
        self.error = error
        self.closing = False
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        self.date = formatdate(time.time(), usegmt=True).encode()
        self._connections: set[ServerConnection] = set()
        self._listeners: list[asyncio.AbstractServer] = []
        self._paths: list[Path] = []
        self._held: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.TimerHandle | None = self.loop.call_later(TICK, self._tick)

    async def listen(self, listener: Listener) -> tuple[str, int]:
        """Opens the listener. Returns host and port as bound, or the path and 0. Raises OSError where it cannot."""
        sock = _unix_socket(listener) if listener.path else _tcp_socket(listener.host, listener.port)
        if listener.path:
            self._paths.append(Path(listener.path))
        try:
            await self.serve(sock, listener)
        except BaseException:
            sock.close()
            raise
        if listener.path:
            return listener.path, 0
        host, port = sock.getsockname()[:2]
        return str(host), int(port)

    async def serve(self, sock: socket.socket, listener: Listener) -> None:
        """Serves a socket that is bound already; the listener tells only of TLS and identity."""

        def protocol() -> ServerConnection:
            return ServerConnection(self, listener)

        handshake = HANDSHAKE if listener.tls else None
        start: Coroutine[Any, Any, asyncio.AbstractServer]
        if sock.family == socket.AF_UNIX:
            start = self.loop.create_unix_server(
                protocol, sock=sock, ssl=listener.tls, backlog=BACKLOG, ssl_handshake_timeout=handshake
            )
        else:
            start = self.loop.create_server(
                protocol, sock=sock, ssl=listener.tls, backlog=BACKLOG, ssl_handshake_timeout=handshake
            )
        self._listeners.append(await start)

    async def close(self, grace: float = 5.0) -> None:
        """Stops listening, lets requests in progress end for up to `grace` seconds, then cuts what is left."""
        self.closing = True
        for listener in self._listeners:
            listener.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        for connection in list(self._connections):
            connection.shut(now=False)
        end = self.loop.time() + grace
        while self._connections and self.loop.time() < end:
            await asyncio.sleep(0.01)
            for connection in list(self._connections):
                connection.shut(now=False)
        for connection in list(self._connections):
            connection.shut(now=True)
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        held = list(self._held)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        await asyncio.sleep(0)

    @property
    def connections(self) -> int:
        return len(self._connections)

    # -- called by connections

    def admit(self, connection: ServerConnection) -> bool:
        if self.closing or len(self._connections) >= self.limits.connections:
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: ServerConnection) -> None:
        self._connections.discard(connection)

    def hold(self, task: asyncio.Task[None]) -> None:
        self._held.add(task)
        task.add_done_callback(self._held.discard)

    def _tick(self) -> None:
        self.now = self.loop.time()
        self.date = formatdate(time.time(), usegmt=True).encode()
        stalled = self.now - self.limits.stall_timeout
        for connection in list(self._connections):
            if connection.deadline < self.now:
                connection.expire("the request did not arrive in time")
            elif connection.stalled_at < stalled and not connection.patient:
                connection.expire("the peer does not read")
        self._ticker = self.loop.call_later(TICK, self._tick)


def _tcp_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _unix_socket(listener: Listener) -> socket.socket:
    """A socket file that only its owner may open. A stale file of a dead server is replaced, a live one is not."""
    path = Path(listener.path)
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise OSError(f"unix socket {str(path)!r} is in use by a running server")
        finally:
            probe.close()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~listener.mode)
    try:
        sock.bind(str(path))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def server_context(certificate: str, key: str, client_ca: str = "") -> ssl.SSLContext:
    """TLS 1.2 and up. With `client_ca`, clients may show a certificate and it must be of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
