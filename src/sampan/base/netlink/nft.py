"""nf_tables objects: tables, chains, rules, sets and maps with their elements; one transaction per commit.

Makers are pure; `commit` executes a list of requests, all or none. Readers return what the kernel has.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sampan.base.netlink import wire
from sampan.base.netlink.expression import IPV4, Verdict
from sampan.base.netlink.socket import NETFILTER, Socket
from sampan.base.netlink.wire import Request

_SUBSYSTEM = 10
NEWTABLE, GETTABLE, DELTABLE, NEWCHAIN, GETCHAIN, DELCHAIN, NEWRULE, GETRULE, DELRULE = range(9)
NEWSET, GETSET, DELSET, NEWSETELEM, GETSETELEM, DELSETELEM = range(9, 15)

HOOKS = {"prerouting": 0, "input": 1, "forward": 2, "output": 3, "postrouting": 4}
_HOOK_NAMES = {number: name for name, number in HOOKS.items()}

INET, BRIDGE = 1, 7
_FAMILIES = {INET: "inet", IPV4: "ip", 10: "ip6", BRIDGE: "bridge", 3: "arp", 5: "netdev"}

# numbers that nft's own listing knows the types by (nftables include/datatype.h), and their sizes in bytes
_TYPES = {
    "ipv4_addr": (7, 4),
    "ipv6_addr": (8, 16),
    "inet_proto": (12, 1),
    "inet_service": (13, 2),
    "mark": (19, 4),
    "ifname": (41, 16),
}
_VERDICT_TYPE = 0xFFFFFF00

_ANONYMOUS, _CONSTANT, _INTERVAL, _MAP, _TIMEOUT, _EVAL, _CONCAT = 1, 2, 4, 8, 0x10, 0x20, 0x80
_INTERVAL_END = 1

_ELEMENT_BYTES = 60_000
"""The elements of one message lie in one attribute, whose length has 16 bits."""


class Table(NamedTuple):
    name: str
    family: int = IPV4


class Set(NamedTuple):
    """A set, or a map when it has `data`. Types are nft's names; `data` ("verdict",) makes a verdict map.

    `interval` takes ranges as elements; `dynamic` is written by packets, with timeouts, and needs a `size`.
    """

    name: str
    key: tuple[str, ...]
    data: tuple[str, ...] = ()
    interval: bool = False
    dynamic: bool = False
    size: int = 0


class Element(NamedTuple):
    """One element as dumped: key and data are packed fields; times in milliseconds."""

    key: bytes
    data: bytes | Verdict | None = None
    key_end: bytes = b""
    interval_end: bool = False
    timeout: int = 0
    expires: int = 0


class Chain(NamedTuple):
    family: str
    table: str
    name: str
    hook: str = ""
    kind: str = ""
    priority: int = 0
    policy: int = 1


def _request(
    kind: int, table: Table, body: bytes, what: str, flags: int = 0, ignore: tuple[int, ...] = ()
) -> Request:
    return Request((_SUBSYSTEM << 8) | kind, flags, bytes((table.family, 0, 0, 0)) + body, what, ignore)


def _bracket(kind: int) -> bytes:
    return wire.pack(Request(kind, 0, struct.pack(">BBH", 0, 0, _SUBSYSTEM), "commit a transaction"), 0)


_BEGIN, _END = _bracket(0x10), _bracket(0x11)


def open_socket(netns: str = "") -> Socket:
    return Socket(NETFILTER, netns)


def commit(socket: Socket, requests: Sequence[Request]) -> None:
    """All of the requests or none. Raises NetlinkError with the first refusal."""
    if requests:
        socket.transaction(requests, _BEGIN, _END)


def padded(*fields: bytes) -> bytes:
    """Fields of a key or of data, each padded to a whole register."""
    return b"".join(field + bytes(-len(field) & 3) for field in fields)


def table_add(table: Table) -> Request:
    """Makes the table; one that is there is kept."""
    return _request(NEWTABLE, table, wire.text(1, table.name), f"add table {table.name!r}", wire.F_CREATE)


def table_delete(table: Table) -> Request:
    """Deletes the table with all in it. Refused with ENOENT when there is none: put `table_add` before it."""
    return _request(DELTABLE, table, wire.text(1, table.name), f"delete table {table.name!r}")


def chain_add(table: Table, name: str) -> Request:
    """A regular chain; one that is there is kept with its rules."""
    body = wire.text(1, table.name) + wire.text(3, name)
    return _request(NEWCHAIN, table, body, f"add chain {name!r}", wire.F_CREATE)


def base_chain_add(table: Table, name: str, kind: str, hook: str, priority: int, policy: int = 1) -> Request:
    """A chain that packets enter at a hook; `kind` is filter, nat or route."""
    body = wire.text(1, table.name) + wire.text(3, name)
    body += wire.nest(4, wire.be32(1, HOOKS[hook]), wire.be32(2, priority))
    body += wire.be32(5, policy) + wire.text(7, kind)
    return _request(NEWCHAIN, table, body, f"add chain {name!r}", wire.F_CREATE)


def chain_delete(table: Table, name: str) -> Request:
    return _request(DELCHAIN, table, wire.text(1, table.name) + wire.text(3, name), f"delete chain {name!r}")


def chain_flush(table: Table, name: str) -> Request:
    body = wire.text(1, table.name) + wire.text(2, name)
    return _request(DELRULE, table, body, f"flush chain {name!r}")


def rule_add(
    table: Table, chain: str, *expressions: bytes, comment: str = "", first: bool = False
) -> Request:
    """A rule at the chain's end, or before all others."""
    body = wire.text(1, table.name) + wire.text(2, chain) + wire.nest(4, *expressions)
    if comment:
        body += wire.attr(7, _comment(comment))
    flags = wire.F_CREATE if first else wire.F_CREATE | wire.F_APPEND
    return _request(NEWRULE, table, body, f"add rule to chain {chain!r}", flags)


def rule_delete(table: Table, chain: str, handle: int) -> Request:
    body = wire.text(1, table.name) + wire.text(2, chain) + wire.be64(3, handle)
    return _request(DELRULE, table, body, f"delete rule {handle} of chain {chain!r}")


def _comment(value: str) -> bytes:
    data = value.encode() + b"\0"
    if len(data) > 128:
        raise ValueError(f"comment {value!r}: at most 127 bytes")
    return bytes((0, len(data))) + data


def set_add(table: Table, what: Set) -> Request:
    """A set or map; one that is there and is alike is kept with its elements."""
    flags = (_INTERVAL if what.interval else 0) | (_MAP if what.data else 0)
    flags |= (_TIMEOUT | _EVAL) if what.dynamic else 0
    concatenated = len(what.key) > 1
    if what.interval and concatenated:
        flags |= _CONCAT
    body = wire.text(1, table.name) + wire.text(2, what.name) + wire.be32(3, flags)
    body += wire.be32(4, _type_id(what.key)) + wire.be32(5, _size(what.key))
    if what.data == ("verdict",):
        body += wire.be32(6, _VERDICT_TYPE) + wire.be32(7, 16)
    elif what.data:
        body += wire.be32(6, _type_id(what.data)) + wire.be32(7, _size(what.data))
    described = wire.be32(1, what.size) if what.size else b""
    if what.interval and concatenated:
        fields = [wire.nest(1, wire.be32(1, _TYPES[name][1])) for name in what.key]
        described += wire.nest(2, *fields)
    if described:
        body += wire.nest(9, described)
    body += wire.be32(10, 1)
    return _request(NEWSET, table, body, f"add {'map' if what.data else 'set'} {what.name!r}", wire.F_CREATE)


def _type_id(names: tuple[str, ...]) -> int:
    number = 0
    for name in names:
        number = (number << 6) | _TYPES[name][0]
    return number


def _size(names: tuple[str, ...]) -> int:
    if len(names) == 1:
        return _TYPES[names[0]][1]
    return sum((_TYPES[name][1] + 3) & ~3 for name in names)


def set_delete(table: Table, name: str) -> Request:
    return _request(DELSET, table, wire.text(1, table.name) + wire.text(2, name), f"delete set {name!r}")


def elements_flush(table: Table, name: str) -> Request:
    body = wire.text(1, table.name) + wire.text(2, name)
    return _request(DELSETELEM, table, body, f"flush set {name!r}")


def elements_add(
    table: Table, what: Set, elements: Iterable[tuple[bytes, bytes | Verdict | None]]
) -> Iterator[Request]:
    """Elements as (key, data) of packed fields, many per request. One that is there with other data is refused."""
    return _element_requests(
        NEWSETELEM, wire.F_CREATE, table, what, _packed(what, elements), "add elements to"
    )


def elements_delete(table: Table, what: Set, keys: Iterable[bytes]) -> Iterator[Request]:
    """Refused with ENOENT when one of the keys is not there."""
    packed = _packed(what._replace(data=()), ((key, None) for key in keys))
    return _element_requests(DELSETELEM, 0, table, what, packed, "delete elements of")


def ranges_add(table: Table, what: Set, ranges: Iterable[tuple[bytes, bytes]]) -> Iterator[Request]:
    """Elements of an interval set as (first, last), both included; ranges must not overlap."""
    return _element_requests(
        NEWSETELEM, wire.F_CREATE, table, what, _packed_ranges(what, ranges), "add ranges to"
    )


def ranges_delete(table: Table, what: Set, ranges: Iterable[tuple[bytes, bytes]]) -> Iterator[Request]:
    return _element_requests(DELSETELEM, 0, table, what, _packed_ranges(what, ranges), "delete ranges of")


def _packed(what: Set, elements: Iterable[tuple[bytes, bytes | Verdict | None]]) -> Iterator[bytes]:
    # every key and every value of a set has one length, so the headers between them are made once
    key_size = _size(what.key)
    data_size = 0 if what.data in ((), ("verdict",)) else _size(what.data)
    pad = bytes(-key_size & 3)
    key_part = 4 + ((4 + key_size + 3) & ~3)
    data_part = (4 + ((4 + data_size + 3) & ~3)) if data_size else 0
    head = struct.pack("=HH", 4 + key_part + data_part, 1 | wire.NESTED)
    head += struct.pack("=HHHH", 4 + 4 + key_size, 1 | wire.NESTED, 4 + key_size, 1)
    middle = pad + (
        struct.pack("=HHHH", 8 + data_size, 2 | wire.NESTED, 4 + data_size, 1) if data_size else b""
    )
    tail = bytes(-data_size & 3) if data_size else b""
    verdicts: dict[Verdict, tuple[bytes, bytes]] = {}
    for key, data in elements:
        if len(key) != key_size:
            raise ValueError(f"key {key.hex()} of set {what.name!r}: must have {key_size} bytes")
        if isinstance(data, Verdict):
            known = verdicts.get(data)
            if known is None:
                value = wire.nest(2, data.pack())
                size = struct.pack("=HH", 4 + key_part + len(value), 1 | wire.NESTED)
                known = verdicts[data] = (size + head[4:], pad + value)
            yield known[0] + key + known[1]
        elif data_size:
            if data is None or len(data) != data_size:
                raise ValueError(f"data {data!r} of map {what.name!r}: must have {data_size} bytes")
            yield head + key + middle + data + tail
        else:
            yield head + key + pad


def _packed_ranges(what: Set, ranges: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    for first, last in ranges:
        start = wire.nest(1, wire.attr(1, first))
        if len(what.key) > 1:
            yield wire.nest(1, start, wire.nest(10, wire.attr(1, last)))
            continue
        yield wire.nest(1, start)
        beyond = int.from_bytes(last, "big") + 1
        if beyond < 1 << (8 * len(last)):
            end = wire.nest(1, wire.attr(1, beyond.to_bytes(len(last), "big")))
            yield wire.nest(1, wire.be32(3, _INTERVAL_END), end)


def _element_requests(
    kind: int, flags: int, table: Table, what: Set, packed: Iterator[bytes], verb: str
) -> Iterator[Request]:
    head = wire.text(1, table.name) + wire.text(2, what.name)
    parts: list[bytes] = []
    size = 0
    for element in packed:
        if size + len(element) > _ELEMENT_BYTES:
            yield _request(kind, table, head + wire.nest(3, *parts), f"{verb} {what.name!r}", flags)
            parts, size = [], 0
        parts.append(element)
        size += len(element)
    if parts:
        yield _request(kind, table, head + wire.nest(3, *parts), f"{verb} {what.name!r}", flags)


def tables(socket: Socket) -> list[Table]:
    found = []
    for message in socket.dump(_request(GETTABLE, Table("", 0), b"", "list tables")):
        attributes = wire.attrs(message.body[4:])
        found.append(Table(wire.string(attributes.get(1)), message.body[0]))
    return found


def chains(socket: Socket) -> list[Chain]:
    """Chains of every table; those with a hook are base chains."""
    found = []
    for message in socket.dump(_request(GETCHAIN, Table("", 0), b"", "list chains")):
        attributes = wire.attrs(message.body[4:])
        hook = wire.attrs(attributes[4]) if 4 in attributes else {}
        priority = wire.int_be(hook.get(2))
        found.append(
            Chain(
                _FAMILIES.get(message.body[0], str(message.body[0])),
                wire.string(attributes.get(1)),
                wire.string(attributes.get(3)),
                _HOOK_NAMES.get(wire.int_be(hook.get(1)), "") if hook else "",
                wire.string(attributes.get(7)),
                priority - (1 << 32) if priority >= 1 << 31 else priority,
                wire.int_be(attributes.get(5), 1),
            )
        )
    return found


def rule_handles(socket: Socket, table: Table, chain: str) -> list[tuple[int, str]]:
    """(handle, comment) of the chain's rules, in order."""
    body = wire.text(1, table.name) + wire.text(2, chain)
    found = []
    for message in socket.dump(_request(GETRULE, table, body, f"list rules of chain {chain!r}")):
        attributes = wire.attrs(message.body[4:])
        if wire.string(attributes.get(1)) != table.name or wire.string(attributes.get(2)) != chain:
            continue
        found.append((wire.int_be(attributes.get(3)), _comment_of(attributes.get(7))))
    return found


def _comment_of(data: memoryview | None) -> str:
    at = 0
    while data is not None and at + 2 <= len(data):
        kind, size = data[at], data[at + 1]
        if kind == 0:
            return wire.string(data[at + 2 : at + 2 + size])
        at += 2 + size
    return ""


def set_names(socket: Socket, table: Table) -> list[str]:
    """Names of the table's sets and maps; empty when there is no such table."""
    request = _request(GETSET, table, wire.text(1, table.name), f"list sets of {table.name!r}")
    return [wire.string(wire.attrs(m.body[4:]).get(2)) for m in socket.dump(request)]


def elements(socket: Socket, table: Table, name: str) -> list[Element]:
    """The elements of a set or map; empty when there is no such set."""
    body = wire.text(1, table.name) + wire.text(2, name)
    found = []
    for message in socket.dump(
        _request(GETSETELEM, table, body, f"list set {name!r}", ignore=(errno.ENOENT,))
    ):
        listed = wire.attrs(message.body[4:]).get(3)
        for _, element in wire.each(listed) if listed is not None else ():
            found.append(_element(element))
    return found


def _element(data: memoryview) -> Element:
    attributes = wire.attrs(data)
    value: bytes | Verdict | None = None
    if 2 in attributes:
        inner = wire.attrs(attributes[2])
        if 2 in inner:
            verdict = wire.attrs(inner[2])
            code = wire.int_be(verdict.get(1))
            value = Verdict(code - (1 << 32) if code >= 1 << 31 else code, wire.string(verdict.get(2)))
        else:
            value = bytes(inner.get(1, b""))
    return Element(
        _value(attributes.get(1)),
        value,
        _value(attributes.get(10)),
        bool(wire.int_be(attributes.get(3)) & _INTERVAL_END),
        wire.int_be(attributes.get(4)),
        wire.int_be(attributes.get(5)),
    )


def _value(data: memoryview | None) -> bytes:
    return b"" if data is None else bytes(wire.attrs(data).get(1, b""))
