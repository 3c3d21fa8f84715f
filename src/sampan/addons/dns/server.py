"""The sockets: UDP by a raw socket that is drained at each wake-up, TCP by streams.

Not `create_datagram_endpoint`: on Python 3.11 it makes a 256 kB buffer for each packet, which costs seven times the
answer itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket

from sampan.addons.dns.metrics import Metrics
from sampan.addons.dns.resolver import TCP_LIMIT, Resolver
from sampan.base.aio import Tasks
from sampan.base.netlink import netns as namespaces
from sampan.spec.dns import wire

log = logging.getLogger(__name__)

BATCH = 64
"""Packets answered before other tasks get their turn; about half a millisecond."""
WAITING = 2000
"""Queries that wait for others at once; beyond it the client's own retry must do."""
BUFFER = 1 << 21
CONNECTIONS = 256
IDLE_SECONDS = 10.0
_IP_FREEBIND = 15


class Server:
    """`open`, then `listening` are the addresses as bound; `close`."""

    def __init__(self, resolver: Resolver, metrics: Metrics, netns: str = "") -> None:
        self._resolver = resolver
        self._metrics = metrics
        self._netns = netns
        self._udp: list[socket.socket] = []
        self._tcp: list[asyncio.Server] = []
        self._tasks = Tasks("dns")
        self._connections = 0
        self.listening: list[tuple[str, int]] = []

    async def open(self, host: str, port: int) -> None:
        """Serves an address on UDP and TCP. Raises OSError naming it, ValueError for a wildcard.

        An address that the node does not have yet is fine: the bridge may come later.
        """
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            raise ValueError(
                f"listen address {host!r}: answers would leave from another address, expected a specific one"
            )
        udp = self._bound(socket.SOCK_DGRAM, host, port)
        try:
            # a free port of UDP may be taken on TCP, but hardly twice
            tcp = self._bound(socket.SOCK_STREAM, host, udp.getsockname()[1])
        except OSError:
            udp.close()
            raise
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._udp.append(udp)
        asyncio.get_running_loop().add_reader(udp.fileno(), self._readable, udp)
        self._tcp.append(await asyncio.start_server(self._connected, sock=tcp))
        self.listening.append((host, udp.getsockname()[1]))

    def _bound(self, kind: socket.SocketKind, host: str, port: int) -> socket.socket:
        with namespaces.inside(self._netns):
            sock = socket.socket(
                socket.AF_INET6 if ":" in host else socket.AF_INET, kind | socket.SOCK_CLOEXEC
            )
        try:
            sock.setblocking(False)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            sock.bind((host, port))
        except OSError as error:
            sock.close()
            name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
            raise OSError(
                error.errno, f"DNS cannot listen on {host} port {port} ({name}): {error.strerror}"
            ) from error
        return sock

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._udp:
            loop.remove_reader(sock.fileno())
            sock.close()
        for server in self._tcp:
            server.close()
        await self._tasks.stop()

    def _readable(self, sock: socket.socket) -> None:
        quick = self._resolver.quick
        for _ in range(BATCH):
            try:
                data, client = sock.recvfrom(4096)
            except BlockingIOError:
                return
            except OSError as error:
                # an ICMP error for an answer that nobody waited for
                log.debug("UDP socket: %s", error)
                continue
            reply = quick(data)
            if reply is None:
                reply = self._slow(sock, data, client)
            if reply:
                _send(sock, reply, client)

    def _slow(self, sock: socket.socket, data: bytes, client: tuple[str, int]) -> bytes:
        made = self._resolver.local(data)
        if isinstance(made, bytes):
            return made
        if len(self._tasks) >= WAITING:
            self._metrics.dropped += 1
            return b""
        self._tasks.spawn("query", self._later(sock, made, client))
        return b""

    async def _later(self, sock: socket.socket, query: wire.Message, client: tuple[str, int]) -> None:
        _send(sock, await self._resolver.ask(query), client)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS:
            writer.close()
            return
        self._connections += 1
        task = self._tasks.spawn("connection", self._serve(reader, writer))
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Queries of one connection, one after the other (RFC 7766)."""
        try:
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    data = await reader.readexactly(size)
                made = self._resolver.local(data, TCP_LIMIT)
                reply = made if isinstance(made, bytes) else await self._resolver.ask(made, TCP_LIMIT)
                if not reply:
                    return
                writer.write(len(reply).to_bytes(2, "big") + reply)
                async with asyncio.timeout(IDLE_SECONDS):
                    await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            return
        finally:
            self._connections -= 1
            writer.close()


def _send(sock: socket.socket, data: bytes, client: tuple[str, int]) -> None:
    try:
        sock.sendto(data, client)
    except OSError as error:
        # a full buffer or a client that is gone: it asks again if it still wants to know
        log.debug("answer to %s not sent: %s", client, error)
