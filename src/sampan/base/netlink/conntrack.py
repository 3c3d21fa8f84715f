"""Conntrack entries: list those of one protocol and delete some (linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import errno
import ipaddress
from typing import NamedTuple

from sampan.base.netlink import wire
from sampan.base.netlink.expression import IPV4
from sampan.base.netlink.socket import NETFILTER, Socket
from sampan.base.netlink.wire import Request

_SUBSYSTEM = 1
_GET, _DELETE = 1, 2
_TUPLE_ORIGINAL, _TUPLE_REPLY = 1, 2


class Flow(NamedTuple):
    """One tracked flow: where the client sent to, and who answers (after any DNAT)."""

    protocol: int
    source: str
    destination: str
    destination_port: int
    answerer: str
    answerer_port: int
    original: bytes
    """The packed original tuple, by which the kernel finds the entry."""


def open_socket(netns: str = "") -> Socket:
    return Socket(NETFILTER, netns)


def flows(socket: Socket, protocol: int) -> list[Flow]:
    """The IPv4 flows of one protocol (17 is UDP)."""
    request = Request((_SUBSYSTEM << 8) | _GET, 0, bytes((IPV4, 0, 0, 0)), "list conntrack entries")
    found = []
    for message in socket.dump(request):
        attributes = wire.attrs(message.body[4:])
        if _TUPLE_ORIGINAL not in attributes or _TUPLE_REPLY not in attributes:
            continue
        original, reply = _tuple(attributes[_TUPLE_ORIGINAL]), _tuple(attributes[_TUPLE_REPLY])
        if original.protocol == protocol:
            found.append(
                Flow(
                    protocol,
                    original.source,
                    original.destination,
                    original.destination_port,
                    reply.source,
                    reply.source_port,
                    bytes(attributes[_TUPLE_ORIGINAL]),
                )
            )
    return found


def delete(flow: Flow) -> Request:
    """Forgets a flow; one that is gone is as good."""
    body = bytes((IPV4, 0, 0, 0)) + wire.nest(_TUPLE_ORIGINAL, flow.original)
    what = f"delete conntrack entry of {flow.source} to {flow.destination}:{flow.destination_port}"
    return Request((_SUBSYSTEM << 8) | _DELETE, 0, body, what, (errno.ENOENT,))


class _Tuple(NamedTuple):
    protocol: int
    source: str
    source_port: int
    destination: str
    destination_port: int


def _tuple(data: memoryview) -> _Tuple:
    parts = wire.attrs(data)
    addresses = wire.attrs(parts.get(1, memoryview(b"")))
    ports = wire.attrs(parts.get(2, memoryview(b"")))
    return _Tuple(
        wire.int_be(ports.get(1)),
        _address(addresses.get(1)),
        wire.int_be(ports.get(2)),
        _address(addresses.get(2)),
        wire.int_be(ports.get(3)),
    )


def _address(data: memoryview | None) -> str:
    return "" if data is None else str(ipaddress.ip_address(bytes(data)))
