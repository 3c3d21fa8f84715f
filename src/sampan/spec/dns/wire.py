"""Parsing and packing of DNS messages. Bad input raises WireError and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

# RR types and classes (IANA DNS parameters)
A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA, SRV, OPT, ANY = 1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 41, 255
TYPE_NAMES: Final = {
    A: "A",
    NS: "NS",
    CNAME: "CNAME",
    SOA: "SOA",
    PTR: "PTR",
    MX: "MX",
    TXT: "TXT",
    AAAA: "AAAA",
    SRV: "SRV",
    ANY: "ANY",
}
IN, CHAOS = 1, 3

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
RCODE_NAMES: Final = {
    NOERROR: "NOERROR",
    FORMERR: "FORMERR",
    SERVFAIL: "SERVFAIL",
    NXDOMAIN: "NXDOMAIN",
    NOTIMP: "NOTIMP",
    REFUSED: "REFUSED",
    BADVERS: "BADVERS",
}

QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPCODE: Final = 0x7800
RCODE: Final = 0x000F

HEADER: Final = struct.Struct(">HHHHHH")
_TYPE_CLASS: Final = struct.Struct(">HH")
_FIXED: Final = struct.Struct(">HHIH")
_SOA_NUMBERS: Final = struct.Struct(">IIIII")

MAX_NAME: Final = 255
MAX_LABEL: Final = 63
ROOT: Final = b"\0"
UDP_PLAIN: Final = 512
"""What a client takes over UDP without EDNS (RFC 1035, 4.2.1)."""
UDP_EDNS: Final = 1232
"""What we send at most over UDP: no fragments on any common link (DNS flag day 2020)."""


class WireError(Exception):
    """Bytes that are no DNS message, or values that cannot be one."""


class Question(NamedTuple):
    """`name` in the client's own upper and lower case."""

    name: bytes
    type: int
    cls: int = IN


class Record(NamedTuple):
    """`data` is RDATA with names uncompressed; `cls` of an OPT record is the UDP size."""

    name: bytes
    type: int
    ttl: int
    data: bytes
    cls: int = IN


class Message(NamedTuple):
    id: int
    flags: int
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()

    @property
    def rcode(self) -> int:
        return self.flags & RCODE

    @property
    def edns(self) -> Record | None:
        return next((r for r in self.additional if r.type == OPT), None)


def name(text: str) -> bytes:
    """The wire form of a dotted name, final dot or not; labels as they are, no escapes.

    Raises WireError for empty labels and those that are too long.
    """
    if text in ("", "."):
        return ROOT
    wire = b"".join(_label(part, text) for part in text.removesuffix(".").split(".")) + ROOT
    if len(wire) > MAX_NAME:
        raise WireError(f"name {text!r}: has {len(wire)} bytes, at most {MAX_NAME} are allowed")
    return wire


def _label(part: str, text: str) -> bytes:
    data = part.encode()
    if not 0 < len(data) <= MAX_LABEL:
        raise WireError(f"name {text!r}: label {part!r} must have 1 to {MAX_LABEL} bytes")
    return bytes((len(data),)) + data


def text(wire: bytes) -> str:
    """A wire name for people: dots, and a final one; bytes that are not plain are escaped as in RFC 4343."""
    return ".".join("".join(map(_shown, label)) for label in labels(wire)) + "."


def _shown(byte: int) -> str:
    return chr(byte) if 33 <= byte < 127 and byte not in b".\\" else f"\\{byte:03d}"


def labels(wire: bytes) -> list[bytes]:
    """The labels of a wire name, without the root."""
    found = []
    at = 0
    while at < len(wire) and wire[at]:
        found.append(wire[at + 1 : at + 1 + wire[at]])
        at += wire[at] + 1
    return found


def lower(wire: bytes) -> bytes:
    """The name to compare by. Length bytes are at most 63 and no letters, so the whole can be lowered at once."""
    return wire.lower()


def read_name(data: bytes, at: int) -> tuple[bytes, int]:
    """The name at an offset, uncompressed, and the offset behind it. Pointers must point backwards."""
    parts: list[bytes] = []
    size = 1
    end = -1
    limit = at
    while True:
        if at >= len(data):
            raise WireError(f"name at {at}: message ends within it")
        length = data[at]
        if length == 0:
            parts.append(ROOT)
            return b"".join(parts), (at + 1 if end < 0 else end)
        if length >= 0xC0:
            if at + 1 >= len(data):
                raise WireError(f"pointer at {at}: message ends within it")
            target = (length & 0x3F) << 8 | data[at + 1]
            if end < 0:
                end = at + 2
            if target >= limit:
                raise WireError(f"pointer at {at}: points to {target}, expected an earlier place")
            at = limit = target
            continue
        if length > MAX_LABEL:
            raise WireError(f"label at {at}: type {length >> 6} is not known")
        size += length + 1
        if size > MAX_NAME:
            raise WireError(f"name at {limit}: longer than {MAX_NAME} bytes")
        if at + 1 + length > len(data):
            raise WireError(f"label at {at}: message ends within it")
        parts.append(data[at : at + 1 + length])
        at += length + 1


def parse(data: bytes) -> Message:
    """A whole message. Raises WireError."""
    if len(data) < 12:
        raise WireError(f"message of {len(data)} bytes: expected at least 12")
    number, flags, questions, answers, authority, additional = HEADER.unpack_from(data)
    at = 12
    asked = []
    for _ in range(questions):
        found, at = read_name(data, at)
        if at + 4 > len(data):
            raise WireError(f"question at {at}: message ends within it")
        kind, cls = _TYPE_CLASS.unpack_from(data, at)
        at += 4
        asked.append(Question(found, kind, cls))
    sections = []
    for count in (answers, authority, additional):
        records = []
        for _ in range(count):
            record, at = _read_record(data, at)
            records.append(record)
        sections.append(tuple(records))
    return Message(number, flags, tuple(asked), *sections)


def _read_record(data: bytes, at: int) -> tuple[Record, int]:
    owner, at = read_name(data, at)
    if at + 10 > len(data):
        raise WireError(f"record at {at}: message ends within it")
    kind, cls, ttl, size = _FIXED.unpack_from(data, at)
    at += 10
    if at + size > len(data):
        raise WireError(f"record at {at}: {size} bytes of data, message ends within them")
    return Record(owner, kind, ttl, _uncompressed(data, kind, at, size), cls), at + size


def _uncompressed(data: bytes, kind: int, at: int, size: int) -> bytes:
    """RDATA whose names stand for themselves. Only the types of RFC 1035 may be compressed (RFC 3597, 4)."""
    end = at + size
    if kind in (CNAME, NS, PTR):
        found, after = read_name(data, at)
        _expect(after, end, kind)
        return found
    if kind in (MX, SRV):
        fixed = 2 if kind == MX else 6
        if size < fixed + 1:
            raise WireError(f"record of type {kind} at {at}: {size} bytes are too few")
        found, after = read_name(data, at + fixed)
        _expect(after, end, kind)
        return data[at : at + fixed] + found
    if kind == SOA:
        primary, after = read_name(data, at)
        mailbox, after = read_name(data, after)
        _expect(after + 20, end, kind)
        return primary + mailbox + data[after:end]
    return data[at:end]


def _expect(after: int, end: int, kind: int) -> None:
    if after != end:
        raise WireError(f"record of type {kind}: its names end at {after}, the record at {end}")


def pack(message: Message) -> bytes:
    """The message on the wire; owner names are compressed against names before them. Raises WireError."""
    sections = (message.answers, message.authority, message.additional)
    out = bytearray(HEADER.pack(message.id, message.flags, len(message.questions), *map(len, sections)))
    known: dict[bytes, int] = {}
    for question in message.questions:
        _write_name(out, question.name, known)
        out += _TYPE_CLASS.pack(question.type, question.cls)
    for section in sections:
        for record in section:
            _write_name(out, record.name, known)
            if len(record.data) > 0xFFFF:
                raise WireError(f"record of type {record.type}: {len(record.data)} bytes of data do not fit")
            out += _FIXED.pack(record.type, record.cls, record.ttl, len(record.data)) + record.data
    if len(out) > 0xFFFF:
        raise WireError(f"message of {len(out)} bytes: at most 65535 fit")
    return bytes(out)


def _write_name(out: bytearray, wire: bytes, known: dict[bytes, int]) -> None:
    at = 0
    while wire[at]:
        rest = wire[at:].lower()
        if rest in known:
            out += (0xC000 | known[rest]).to_bytes(2, "big")
            return
        if len(out) < 0x3FFF:
            known[rest] = len(out)
        out += wire[at : at + 1 + wire[at]]
        at += wire[at] + 1
    out += ROOT


def truncated(message: Message, limit: int) -> bytes:
    """The message within `limit` bytes: whole records from the front, TC set when some are left out."""
    packed = pack(message)
    if len(packed) <= limit:
        return packed
    edns = tuple(r for r in message.additional if r.type == OPT)
    low, high = 0, len(message.answers)
    short = message._replace(flags=message.flags | TC, answers=(), authority=(), additional=edns)
    packed = pack(short)
    while low < high:
        middle = (low + high + 1) // 2
        longer = pack(short._replace(answers=message.answers[:middle]))
        if len(longer) <= limit:
            low, packed = middle, longer
        else:
            high = middle - 1
    return packed


def edns(size: int = UDP_EDNS, *, rcode: int = 0, do: bool = False) -> Record:
    """Our OPT record; the upper bits of an extended `rcode` lie in it."""
    return Record(ROOT, OPT, (rcode >> 4) << 24 | (0x8000 if do else 0), b"", size)


def srv(port: int, target: bytes, *, priority: int = 0, weight: int = 100) -> bytes:
    return struct.pack(">HHH", priority, weight, port) + target


def txt(strings: Iterable[bytes]) -> bytes:
    return b"".join(bytes((len(s),)) + s for s in strings)


def soa(primary: bytes, mailbox: bytes, numbers: Sequence[int]) -> bytes:
    """`numbers`: serial, refresh, retry, expire, minimum."""
    return primary + mailbox + _SOA_NUMBERS.pack(*numbers)


def soa_minimum(data: bytes) -> int:
    """The last number of SOA's data: how long a negative answer may be kept (RFC 2308)."""
    if len(data) < 22:
        raise WireError(f"SOA of {len(data)} bytes: expected at least 22")
    return int.from_bytes(data[-4:], "big")


def reply(query: Message, rcode: int, *, flags: int = 0) -> Message:
    """An empty answer to a query: its id, question and RD bit."""
    kept = query.flags & (OPCODE | RD | CD)
    extra = (edns(rcode=rcode, do=bool(query.edns.ttl & 0x8000)),) if query.edns else ()
    return Message(query.id, QR | kept | flags | (rcode & RCODE), query.questions, (), (), extra)


def udp_limit(query: Message) -> int:
    """How many bytes the asker takes over UDP, within what we send."""
    opt = query.edns
    return UDP_PLAIN if opt is None else max(UDP_PLAIN, min(opt.cls, UDP_EDNS))
