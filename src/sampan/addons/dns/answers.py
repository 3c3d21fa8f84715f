"""Finished answers: the bytes behind the question, made once and sent many times. Pure.

An answer is kept under its question (lower-case name, type, class) until what it was made from changes. A client's own
spelling of the name is echoed, since the question it sent goes into the reply and owner names point there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from sampan.addons.dns.records import Found, Zone, soa
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question

_OPT = wire.pack(Message(0, 0, (), (), (), (wire.edns(),)))[12:]
_ROTATIONS = 8


class Answer:
    """The parts of a reply: `flags` without RD, counts for a client without and with EDNS, what follows the question.

    `tails` are the same records in turned order: clients take the first address.
    """

    __slots__ = ("counts", "counts_edns", "flags", "hits", "rcode", "size", "tails", "turn")

    def __init__(self, flags: int, counts: bytes, counts_edns: bytes, tails: tuple[bytes, ...]) -> None:
        self.flags = flags
        self.counts = counts
        self.counts_edns = counts_edns
        self.tails = tails
        self.size = len(tails[0])
        self.rcode = flags & wire.RCODE
        self.hits = 0
        self.turn = 0


def message(zone: Zone, question: Question, found: Found, query_flags: int = 0) -> Message:
    """The reply to a question of the cluster's, without EDNS; NXDOMAIN and an empty answer carry the SOA."""
    flags = wire.QR | wire.AA | wire.RA | (query_flags & (wire.RD | wire.CD)) | found.rcode
    authority = () if found.answers or found.rcode not in (wire.NOERROR, wire.NXDOMAIN) else (soa(zone),)
    return Message(0, flags, (question,), found.answers, authority, found.additional)


def finish(zone: Zone, question: Question, found: Found) -> Answer:
    whole = message(zone, question, found)
    behind = 12 + len(question.name) + 4
    counts = [1, len(whole.answers), len(whole.authority), len(whole.additional)]
    turns = min(len(whole.answers), _ROTATIONS) or 1
    tails = []
    for turn in range(turns):
        turned = whole._replace(answers=whole.answers[turn:] + whole.answers[:turn])
        tails.append(wire.pack(turned)[behind:])
    plain = struct.pack(">HHHH", *counts)
    counts[3] += 1
    return Answer(whole.flags, plain, struct.pack(">HHHH", *counts), tuple(tails))


class Answers:
    """Finished answers by question, and which of them rest on what. Bounded: when it is full it starts anew."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._known: dict[bytes, Answer] = {}
        self._resting_on: dict[str, list[bytes]] = {}
        self.retired: dict[int, int] = {}
        """Hits by rcode of answers that are gone."""

    def __len__(self) -> int:
        return len(self._known)

    def put(self, key: bytes, depends: str, answer: Answer) -> None:
        if len(self._known) >= self._entries:
            self.drop(list(self._resting_on))
        self._known[key] = answer
        self._resting_on.setdefault(depends, []).append(key)

    def drop(self, changed: Iterable[str]) -> None:
        """Forgets what was made from any of these."""
        for name in changed:
            for key in self._resting_on.pop(name, ()):
                if (gone := self._known.pop(key, None)) is not None:
                    self.retired[gone.rcode] = self.retired.get(gone.rcode, 0) + gone.hits

    def hits(self) -> dict[int, int]:
        """How many replies went out from here, by rcode."""
        counted = dict(self.retired)
        for answer in self._known.values():
            counted[answer.rcode] = counted.get(answer.rcode, 0) + answer.hits
        return counted

    def reply(self, query: bytes) -> bytes | None:
        """The reply to the usual query (one question, RD, with or without a plain OPT); None for any other."""
        shape = query[2:12]
        if shape in _PLAIN:
            end = len(query)
            limit = wire.UDP_PLAIN
        elif shape in _WITH_OPT and query[-11:-8] == b"\0\0\x29" and query[-6:] in _OPT_ENDS:
            end = len(query) - 11
            limit = min(max(query[-8] << 8 | query[-7], wire.UDP_PLAIN), wire.UDP_EDNS)
        else:
            return None
        # type and class are numbers that happen to look like letters
        answer = self._known.get(query[12 : end - 4].lower() + query[end - 4 : end])
        if answer is None or answer.size + end + 11 > limit:
            return None
        answer.hits += 1
        tails = answer.tails
        if len(tails) == 1:
            tail = tails[0]
        else:
            answer.turn = (answer.turn + 1) % len(tails)
            tail = tails[answer.turn]
        flags = (answer.flags | wire.RD).to_bytes(2, "big")
        if end == len(query):
            return query[:2] + flags + answer.counts + query[12:] + tail
        return query[:2] + flags + answer.counts_edns + query[12:end] + tail + _OPT


_PLAIN = frozenset(bytes.fromhex(f"{flags}00010000 00000000") for flags in ("0100", "0120"))
_WITH_OPT = frozenset(bytes.fromhex(f"{flags}00010000 00000001") for flags in ("0100", "0120"))
_OPT_ENDS = frozenset((bytes(6),))
"""Extended rcode, version, flags and length of an OPT that asks for nothing: DO and options go the long way."""


def key(question: Question) -> bytes:
    return wire.lower(question.name) + struct.pack(">HH", question.type, question.cls)
