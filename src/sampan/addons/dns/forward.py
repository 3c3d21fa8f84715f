"""Asks other resolvers: over UDP, over TCP where that is wanted, with time-outs, a small cache and a bound.

Equal questions in flight are asked once, which also stops a loop through ourselves from growing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Sequence
from typing import NamedTuple

from sampan.addons.dns.upstream import Upstream
from sampan.base.aio import Clock, SystemClock
from sampan.base.netlink import netns as namespaces
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question

log = logging.getLogger(__name__)

TRY_SECONDS = 2.0
ROUNDS = 2
IN_FLIGHT = 1000  # CoreDNS: max_concurrent of the usual Corefile
LONGEST_TTL = 300
LONGEST_NEGATIVE_TTL = 30


class Overloaded(Exception):
    """Too many questions are in flight already."""


class Unanswered(Exception):
    """No resolver gave an answer in time."""


class _Key(NamedTuple):
    name: bytes
    type: int
    flags: int
    tcp: bool


class _Kept(NamedTuple):
    message: Message
    stored: float
    expires: float


class Forwarder:
    """`ask` for one question. `loops` holds probes that are on their way: one that comes back to us tells of a loop."""

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        *,
        netns: str = "",
        entries: int = 10_000,
        clock: Clock | None = None,
    ) -> None:
        self.upstreams = list(upstreams)
        self.hits = self.misses = 0
        self.failures = 0
        self._netns = netns
        self._entries = entries
        self._clock = clock or SystemClock()
        self._kept: dict[_Key, _Kept] = {}
        self._asking: dict[_Key, asyncio.Task[Message]] = {}
        self._probes: dict[bytes, Upstream] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def ask(
        self, question: Question, *, tcp: bool = False, dnssec: bool = False, cd: bool = False
    ) -> Message:
        """The answer of a resolver, TTLs as they are now, without its OPT. Raises Overloaded or Unanswered."""
        flags = (1 if dnssec else 0) | (wire.CD if cd else 0)
        key = _Key(wire.lower(question.name), question.type, flags, tcp)
        if (kept := self._fresh(key)) is not None:
            self.hits += 1
            return kept
        self.misses += 1
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= IN_FLIGHT:
                raise Overloaded
            task = asyncio.create_task(self._ask(key, question, flags), name="dns/forward")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # whoever stops waiting must not stop it for the others
        return await asyncio.shield(task)

    def _done(self, key: _Key, task: asyncio.Task[Message]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            self.failures += 1

    def _fresh(self, key: _Key) -> Message | None:
        # an answer that came by TCP is whole, so it serves UDP's clients as well
        kept = self._kept.get(key._replace(tcp=True)) or self._kept.get(key)
        now = self._clock.monotonic()
        if kept is None or kept.expires <= now or (key.tcp and kept.message.flags & wire.TC):
            return None
        age = int(now - kept.stored)
        return _aged(kept.message, age) if age else kept.message

    async def _ask(self, key: _Key, question: Question, flags: int) -> Message:
        query = Message(
            0,
            wire.RD | (flags & wire.CD),
            (question,),
            additional=(wire.edns(do=bool(flags & 1)),),
        )
        last: Exception = Unanswered("no resolver is known")
        for _ in range(ROUNDS):
            for upstream in list(self.upstreams):
                try:
                    answer = await self._once(upstream, query, key.tcp)
                except (OSError, TimeoutError, wire.WireError, EOFError) as error:
                    last = error
                    continue
                if answer.rcode in (wire.SERVFAIL, wire.REFUSED) and upstream != self.upstreams[-1]:
                    last = Unanswered(f"{upstream} answered {wire.RCODE_NAMES[answer.rcode]}")
                    continue
                whole = answer._replace(
                    questions=(question,),
                    additional=tuple(r for r in answer.additional if r.type != wire.OPT),
                )
                self._keep(key, whole)
                return whole
        raise Unanswered(f"{wire.text(question.name)}: {last}") from last

    async def _once(self, upstream: Upstream, query: Message, tcp: bool) -> Message:
        query = query._replace(id=secrets.randbits(16))
        async with asyncio.timeout(TRY_SECONDS):
            packed = wire.pack(query)
            while True:
                data = await (self._by_tcp(upstream, packed) if tcp else self._by_udp(upstream, packed))
                answer = wire.parse(data)
                asked = [(wire.lower(q.name), q.type, q.cls) for q in answer.questions]
                wanted = [(wire.lower(q.name), q.type, q.cls) for q in query.questions]
                if answer.id == query.id and answer.flags & wire.QR and asked == wanted:
                    return answer
                raise wire.WireError(f"{upstream} answered another question")

    async def _by_udp(self, upstream: Upstream, packed: bytes) -> bytes:
        """One socket per try: the kernel draws a port, which an off-path forger has to guess besides the id."""
        loop = asyncio.get_running_loop()
        with self._socket(upstream, socket.SOCK_DGRAM) as sock:
            await loop.sock_connect(sock, tuple(upstream))
            sock.send(packed)
            return await loop.sock_recv(sock, 4096)

    async def _by_tcp(self, upstream: Upstream, packed: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        with self._socket(upstream, socket.SOCK_STREAM) as sock:
            await loop.sock_connect(sock, tuple(upstream))
            await loop.sock_sendall(sock, len(packed).to_bytes(2, "big") + packed)
            size = int.from_bytes(await _exactly(loop, sock, 2), "big")
            return await _exactly(loop, sock, size)

    def _socket(self, upstream: Upstream, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in upstream.address else socket.AF_INET
        with namespaces.inside(self._netns):
            made = socket.socket(family, kind | socket.SOCK_CLOEXEC)
        made.setblocking(False)
        return made

    def _keep(self, key: _Key, message: Message) -> None:
        ttl = _lifetime(message)
        if ttl <= 0:
            return
        now = self._clock.monotonic()
        while len(self._kept) >= self._entries:
            self._kept.pop(next(iter(self._kept)))
        self._kept.pop(key, None)
        self._kept[key] = _Kept(message, now, now + ttl)

    # --- loops

    async def probe(self) -> None:
        """Asks each resolver for a name that only we know; should it come back to us, the resolver is left out."""
        for upstream in list(self.upstreams):
            token = wire.name(f"{secrets.token_hex(16)}.sampan-loop.invalid")
            self._probes[token] = upstream
            query = Message(0, wire.RD, (Question(token, wire.HINFO),))
            try:
                await self._once(upstream, query, tcp=False)
            except (OSError, TimeoutError, wire.WireError):
                pass
            finally:
                self._probes.pop(token, None)

    def came_back(self, name: bytes) -> bool:
        """Whether a question is one of our probes; then its resolver leads to us and is asked no more."""
        upstream = self._probes.get(name)
        if upstream is None:
            return False
        if upstream in self.upstreams:
            self.upstreams.remove(upstream)
            log.error("upstream %s leads back to this server and is asked no more", upstream)
        return True


async def _exactly(loop: asyncio.AbstractEventLoop, sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await loop.sock_recv(sock, size - len(data))
        if not more:
            raise EOFError("the resolver hung up")
        data += more
    return data


def _lifetime(message: Message) -> int:
    """Seconds for which an answer may be kept: the shortest TTL, for a negative one as RFC 2308 has it."""
    if message.rcode not in (wire.NOERROR, wire.NXDOMAIN) or message.flags & wire.TC:
        return 0
    if message.answers and message.rcode == wire.NOERROR:
        return min(LONGEST_TTL, *(r.ttl for r in message.answers))
    soas = [r for r in message.authority if r.type == wire.SOA]
    if not soas:
        return 0
    return min(LONGEST_NEGATIVE_TTL, soas[0].ttl, wire.soa_minimum(soas[0].data))


def _aged(message: Message, seconds: int) -> Message:
    def older(records: tuple[wire.Record, ...]) -> tuple[wire.Record, ...]:
        return tuple(r._replace(ttl=max(0, r.ttl - seconds)) for r in records)

    return message._replace(
        answers=older(message.answers),
        authority=older(message.authority),
        additional=older(message.additional),
    )
