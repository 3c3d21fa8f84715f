"""One question to one answer: the cluster's names from its objects, all others from upstream."""

from __future__ import annotations

import logging

from sampan.addons.dns import answers, records
from sampan.addons.dns.answers import Answers
from sampan.addons.dns.forward import Forwarder, Overloaded, Unanswered
from sampan.addons.dns.metrics import Metrics
from sampan.addons.dns.records import Found, View, Zone
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question, Record

log = logging.getLogger(__name__)

TCP_LIMIT = 0xFFFF
_ZONE_TRANSFERS = (251, 252)
_CHAIN = 8


class Resolver:
    """`quick` and `local` answer at once; `local` returns the query when it takes others to answer it: then `ask`."""

    def __init__(self, view: View, zone: Zone, forwarder: Forwarder, metrics: Metrics, entries: int) -> None:
        self._view = view
        self._zone = zone
        self._forwarder = forwarder
        self._metrics = metrics
        self.answers = Answers(entries)
        self.quick = self.answers.reply

    def local(self, data: bytes, limit: int | None = None) -> bytes | Message:
        """The reply, b"" to stay silent, or the parsed query that has to be asked elsewhere.

        `limit` is None for UDP, where the client says how much it takes.
        """
        try:
            query = wire.parse(data)
        except wire.WireError as error:
            log.debug("query of %d bytes cannot be read: %s", len(data), error)
            return self._malformed(data)
        if query.flags & wire.QR:
            return b""
        udp = limit is None
        limit = wire.udp_limit(query) if limit is None else limit
        rcode = self._refusal(query)
        if rcode is not None:
            return self._send(wire.reply(query, rcode), limit)
        question = query.questions[0]
        name = wire.lower(question.name)
        found = records.lookup(self._view, self._zone, name, question.type)
        if found is None:
            if self._forwarder.came_back(name) or not self._forwarder.upstreams:
                return self._send(wire.reply(query, wire.REFUSED), limit)
            return query
        if found.target:
            return query
        finished = answers.finish(self._zone, question, found)
        self.answers.put(answers.key(question), found.depends, finished)
        if udp and (reply := self.quick(data)) is not None:
            return reply
        return self._send(self._of_cluster(query, found), limit)

    async def ask(self, query: Message, limit: int | None = None) -> bytes:
        """The reply to a query that `local` gave back."""
        question = query.questions[0]
        tcp = limit is not None
        limit = wire.udp_limit(query) if limit is None else limit
        found = records.lookup(self._view, self._zone, wire.lower(question.name), question.type)
        if found is not None:
            if found.target and question.type not in (wire.CNAME, wire.ANY):
                found = found._replace(
                    answers=found.answers + await self._follow(found.target, question.type, tcp)
                )
            return self._send(self._of_cluster(query, found), limit)
        opt = query.edns
        try:
            answer = await self._forwarder.ask(
                question,
                tcp=tcp,
                dnssec=opt is not None and bool(opt.ttl & 0x8000),
                cd=bool(query.flags & wire.CD),
            )
        except Overloaded:
            return self._send(wire.reply(query, wire.REFUSED), limit)
        except Unanswered as error:
            log.info("no answer from upstream: %s", error)
            return self._send(wire.reply(query, wire.SERVFAIL, flags=wire.RA), limit)
        flags = (
            wire.QR
            | wire.RA
            | (query.flags & (wire.RD | wire.CD))
            | (answer.flags & (wire.RCODE | wire.TC | wire.AD))
        )
        edns = (wire.edns(do=bool(opt.ttl & 0x8000)),) if opt else ()
        own = answer._replace(
            id=query.id, flags=flags, questions=query.questions, additional=answer.additional + edns
        )
        return self._send(own, limit)

    async def _follow(self, target: bytes, kind: int, tcp: bool) -> tuple[Record, ...]:
        """What an ExternalName leads to: in the cluster again, or elsewhere. Nothing when it cannot be had."""
        seen: tuple[Record, ...] = ()
        for _ in range(_CHAIN):
            found = records.lookup(self._view, self._zone, wire.lower(target), kind)
            if found is None:
                break
            seen += found.answers
            if not found.target:
                return seen
            target = found.target
        else:
            return ()
        if not self._forwarder.upstreams:
            return seen
        try:
            return seen + (await self._forwarder.ask(Question(target, kind), tcp=tcp)).answers
        except (Overloaded, Unanswered) as error:
            log.info("%s, which an ExternalName leads to, has no answer: %s", wire.text(target), error)
            return seen

    def counted(self) -> str:
        """Metrics in Prometheus' text format."""
        forwarder = self._forwarder
        return self._metrics.render(
            self.answers.hits(),
            hits=forwarder.hits,
            misses=forwarder.misses,
            entries=len(forwarder) + len(self.answers),
            failures=forwarder.failures,
        )

    def _of_cluster(self, query: Message, found: Found) -> Message:
        own = answers.message(self._zone, query.questions[0], found, query.flags)
        opt = query.edns
        edns = (wire.edns(do=bool(opt.ttl & 0x8000)),) if opt else ()
        return own._replace(id=query.id, additional=own.additional + edns)

    def _refusal(self, query: Message) -> int | None:
        if query.flags & wire.OPCODE:
            return wire.NOTIMP
        if len(query.questions) != 1:
            return wire.FORMERR
        if (opt := query.edns) is not None and (opt.ttl >> 16) & 0xFF:
            return wire.BADVERS
        question = query.questions[0]
        if question.cls != wire.IN or question.type in _ZONE_TRANSFERS:
            return wire.REFUSED
        return None

    def _malformed(self, data: bytes) -> bytes:
        if len(data) < 12 or data[2] & 0x80:
            return b""
        return self._send(Message(int.from_bytes(data[:2], "big"), wire.QR | wire.FORMERR), wire.UDP_PLAIN)

    def _send(self, message: Message, limit: int) -> bytes:
        self._metrics.count(message)
        return wire.truncated(message, limit)
