"""rtnetlink: makers of requests for links, addresses, routes and neighbours, and readers of what is there.

Makers are pure; run them with `Socket(ROUTE).run(...)`. Addresses and prefixes are strings ("10.42.0.1/24").
"""

from __future__ import annotations

import errno
import ipaddress
import socket as sockets
import struct
from collections.abc import Sequence
from typing import NamedTuple

from sampan.base.netlink import wire
from sampan.base.netlink.socket import Socket
from sampan.base.netlink.wire import Request

NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30

IFF_UP, IFF_RUNNING = 0x1, 0x40

UNICAST, LOCAL, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 2, 6, 7, 8
ROUTE_TYPES = {
    "unicast": UNICAST,
    "local": LOCAL,
    "blackhole": BLACKHOLE,
    "unreachable": UNREACHABLE,
    "prohibit": PROHIBIT,
}
SCOPE_UNIVERSE, SCOPE_LINK, SCOPE_HOST = 0, 253, 254
TABLE_MAIN = 254
PROTO_STATIC = 4
NUD_PERMANENT = 0x80

_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_NDMSG = struct.Struct("=BxxxiHBB")

# linux/if_link.h
_ADDRESS, _IFNAME, _MTU, _LINK, _MASTER, _LINKINFO, _NET_NS_FD = 1, 3, 4, 5, 10, 18, 28
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_VETH_PEER = 1
_BRPORT_HAIRPIN, _BRPORT_ISOLATED = 4, 33

NAME_SIZE = 15
"""Longest name of a link: IFNAMSIZ without its final zero."""


class Link(NamedTuple):
    ifindex: int
    name: str
    up: bool
    mtu: int
    mac: str
    master: int = 0
    kind: str = ""
    peer: int = 0
    """Index of the veth's other end or of the device below, in whatever namespace that lies."""
    running: bool = False
    """Whether packets pass: the kernel sees to that a moment after both ends are up."""


class LinkAddress(NamedTuple):
    ifindex: int
    address: str
    """With its prefix length: 10.42.0.1/24."""
    scope: int = SCOPE_UNIVERSE


class RouteEntry(NamedTuple):
    dst: str
    kind: str = "unicast"
    via: str = ""
    device: int = 0
    metric: int = 0
    table: int = TABLE_MAIN
    source: str = ""


def _name(value: str) -> bytes:
    if not 0 < len(value.encode()) <= NAME_SIZE:
        raise ValueError(f"link name {value!r}: must have 1 to {NAME_SIZE} bytes")
    return wire.text(_IFNAME, value)


def _mac(value: str) -> bytes:
    return bytes.fromhex(value.replace(":", ""))


def _family(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return sockets.AF_INET if address.version == 4 else sockets.AF_INET6


def bridge(name: str, *, mtu: int = 0, mac: str = "") -> Request:
    """A bridge that is up. One that exists is left as it is."""
    body = _IFINFO.pack(0, 0, 0, IFF_UP, IFF_UP) + _name(name) + _optional(mtu, mac)
    body += wire.nest(_LINKINFO, wire.text(_INFO_KIND, "bridge"))
    return Request(NEWLINK, wire.F_CREATE | wire.F_EXCL, body, f"add bridge {name!r}", (errno.EEXIST,))


def veth(
    name: str, peer: str, peer_netns: int, *, master: int = 0, mtu: int = 0, mac: str = "", peer_mac: str = ""
) -> Request:
    """A veth that is up, its other end `peer` (still down) in the namespace of an open descriptor."""
    # IFF_UP for the peer would be refused with ENOTCONN: it comes up from within its namespace
    other = (
        _IFINFO.pack(0, 0, 0, 0, 0)
        + _name(peer)
        + wire.u32(_NET_NS_FD, peer_netns)
        + _optional(mtu, peer_mac)
    )
    body = _IFINFO.pack(0, 0, 0, IFF_UP, IFF_UP) + _name(name) + _optional(mtu, mac)
    if master:
        body += wire.u32(_MASTER, master)
    body += wire.nest(
        _LINKINFO,
        wire.text(_INFO_KIND, "veth"),
        wire.nest(_INFO_DATA, wire.attr(_VETH_PEER | wire.NESTED, other)),
    )
    return Request(NEWLINK, wire.F_CREATE | wire.F_EXCL, body, f"add link {name!r} with peer {peer!r}")


def _optional(mtu: int, mac: str) -> bytes:
    return (wire.u32(_MTU, mtu) if mtu else b"") + (wire.attr(_ADDRESS, _mac(mac)) if mac else b"")


def link_set(
    link: int | str, *, up: bool | None = None, mtu: int = 0, mac: str = "", master: int = -1
) -> Request:
    """Changes a link, by index or name; `master` 0 takes it out of its bridge."""
    flags = IFF_UP if up else 0
    body = _IFINFO.pack(0, 0, link if isinstance(link, int) else 0, flags, 0 if up is None else IFF_UP)
    if isinstance(link, str):
        body += _name(link)
    body += _optional(mtu, mac)
    if master >= 0:
        body += wire.u32(_MASTER, master)
    return Request(NEWLINK, 0, body, f"set link {link!r}")


def bridge_port(name: str, *, hairpin: bool = False, isolated: bool = False) -> Request:
    """What a bridge lets its port do; hairpin sends a frame back where it came from."""
    data = wire.u8(_BRPORT_HAIRPIN, hairpin) + wire.u8(_BRPORT_ISOLATED, isolated)
    body = _IFINFO.pack(0, 0, 0, 0, 0) + _name(name)
    body += wire.nest(_LINKINFO, wire.text(_INFO_SLAVE_KIND, "bridge"), wire.nest(_INFO_SLAVE_DATA, data))
    return Request(NEWLINK, 0, body, f"set bridge port {name!r}")


def link_delete(link: int | str, *, missing_ok: bool = True) -> Request:
    body = _IFINFO.pack(0, 0, link if isinstance(link, int) else 0, 0, 0)
    if isinstance(link, str):
        body += _name(link)
    return Request(DELLINK, 0, body, f"delete link {link!r}", (errno.ENODEV,) if missing_ok else ())


def address_add(index: int, address: str) -> Request:
    """An address with its prefix length on a link; one that is there already is as good."""
    return Request(
        NEWADDR,
        wire.F_CREATE | wire.F_EXCL,
        _address(index, address),
        f"add address {address} to link {index}",
        (errno.EEXIST,),
    )


def address_delete(index: int, address: str) -> Request:
    return Request(
        DELADDR,
        0,
        _address(index, address),
        f"delete address {address} of link {index}",
        (errno.EADDRNOTAVAIL, errno.ENODEV),
    )


def _address(index: int, address: str) -> bytes:
    at = ipaddress.ip_interface(address)
    packed = at.ip.packed
    body = _IFADDR.pack(_family(at.ip), at.network.prefixlen, 0, SCOPE_UNIVERSE, index)
    body += wire.attr(2, packed) + wire.attr(1, packed)
    if at.version == 4 and at.network.prefixlen < 31:
        body += wire.attr(4, at.network.broadcast_address.packed)
    return body


def route_add(
    dst: str,
    *,
    via: str = "",
    device: int = 0,
    kind: str = "unicast",
    metric: int = 0,
    source: str = "",
    onlink: bool = False,
    table: int = TABLE_MAIN,
    replace: bool = False,
) -> Request:
    """A route; `dst` is a prefix or "default" (then the family is that of `via`, IPv4 without one)."""
    flags = wire.F_CREATE | (wire.F_REPLACE if replace else wire.F_EXCL)
    body = _route(dst, via, device, kind, metric, source, onlink, table)
    return Request(NEWROUTE, flags, body, f"add route {_shown(dst, kind, via)}", (errno.EEXIST,))


def route_delete(
    dst: str,
    *,
    via: str = "",
    device: int = 0,
    kind: str = "unicast",
    metric: int = 0,
    table: int = TABLE_MAIN,
) -> Request:
    body = _route(dst, via, device, kind, metric, "", False, table)
    return Request(DELROUTE, 0, body, f"delete route {_shown(dst, kind, via)}", (errno.ESRCH, errno.ENODEV))


def _shown(dst: str, kind: str, via: str) -> str:
    return (f"{kind} " if kind != "unicast" else "") + dst + (f" via {via}" if via else "")


def _route(
    dst: str, via: str, device: int, kind: str, metric: int, source: str, onlink: bool, table: int
) -> bytes:
    hop = ipaddress.ip_address(via) if via else None
    if dst == "default":
        dst = "::/0" if hop is not None and hop.version == 6 else "0.0.0.0/0"
    to = ipaddress.ip_network(dst)
    direct = kind == "unicast" and hop is None and to.version == 4
    scope = SCOPE_LINK if direct else SCOPE_HOST if kind == "local" else SCOPE_UNIVERSE
    body = _RTMSG.pack(
        _family(to.network_address),
        to.prefixlen,
        0,
        0,
        table if table < 256 else 0,
        PROTO_STATIC,
        scope,
        ROUTE_TYPES[kind],
        4 if onlink else 0,
    )
    body += wire.u32(15, table)
    if to.prefixlen:
        body += wire.attr(1, to.network_address.packed)
    if device:
        body += wire.u32(4, device)
    if hop is not None:
        body += wire.attr(5, hop.packed)
    if metric:
        body += wire.u32(6, metric)
    if source:
        body += wire.attr(7, ipaddress.ip_address(source).packed)
    return body


def neighbour_add(device: int, address: str, mac: str) -> Request:
    """A permanent neighbour entry; replaces what the link knew of the address."""
    at = ipaddress.ip_address(address)
    body = (
        _NDMSG.pack(_family(at), device, NUD_PERMANENT, 0, 0)
        + wire.attr(1, at.packed)
        + wire.attr(2, _mac(mac))
    )
    return Request(
        NEWNEIGH, wire.F_CREATE | wire.F_REPLACE, body, f"add neighbour {address} on link {device}"
    )


def links(socket: Socket) -> list[Link]:
    request = Request(GETLINK, 0, _IFINFO.pack(0, 0, 0, 0, 0), "list links")
    return [_link(message.body) for message in socket.dump(request)]


def link(socket: Socket, name: str | int) -> Link | None:
    """One link by name or index, None when there is none."""
    body = _IFINFO.pack(0, 0, name if isinstance(name, int) else 0, 0, 0)
    message = socket.get(
        Request(GETLINK, 0, body + (_name(name) if isinstance(name, str) else b""), f"get link {name!r}")
    )
    return None if message is None else _link(message.body)


def _link(body: memoryview) -> Link:
    _, _, index, flags, _ = _IFINFO.unpack_from(body)
    found = wire.attrs(body[16:])
    info = wire.attrs(found[_LINKINFO]) if _LINKINFO in found else {}
    return Link(
        index,
        wire.string(found.get(_IFNAME)),
        bool(flags & IFF_UP),
        wire.int_host(found.get(_MTU)),
        bytes(found[_ADDRESS]).hex(":") if _ADDRESS in found else "",
        wire.int_host(found.get(_MASTER)),
        wire.string(info.get(_INFO_KIND)),
        wire.int_host(found.get(_LINK)),
        bool(flags & IFF_RUNNING),
    )


def addresses(socket: Socket, index: int = 0) -> list[LinkAddress]:
    """Addresses of every link, or of one."""
    found = []
    for message in socket.dump(Request(GETADDR, 0, _IFADDR.pack(0, 0, 0, 0, 0), "list addresses")):
        _, length, _, scope, at = _IFADDR.unpack_from(message.body)
        attributes = wire.attrs(message.body[8:])
        packed = attributes.get(2, attributes.get(1))
        if packed is not None and index in (0, at):
            found.append(LinkAddress(at, f"{ipaddress.ip_address(bytes(packed))}/{length}", scope))
    return found


def routes(socket: Socket, *, family: int = sockets.AF_INET, table: int = TABLE_MAIN) -> list[RouteEntry]:
    """Routes of one table; of a multipath route the first hop."""
    kinds = {number: name for name, number in ROUTE_TYPES.items()}
    found = []
    for message in socket.dump(
        Request(GETROUTE, 0, _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0), "list routes")
    ):
        _, length, _, _, low, _, _, kind, _ = _RTMSG.unpack_from(message.body)
        attributes = wire.attrs(message.body[12:])
        if wire.int_host(attributes.get(15), low) != table or kind not in kinds:
            continue
        nothing = bytes(4 if family == sockets.AF_INET else 16)
        found.append(
            RouteEntry(
                f"{ipaddress.ip_address(bytes(attributes.get(1, nothing)))}/{length}",
                kinds[kind],
                str(ipaddress.ip_address(bytes(attributes[5]))) if 5 in attributes else "",
                wire.int_host(attributes.get(4)),
                wire.int_host(attributes.get(6)),
                table,
                str(ipaddress.ip_address(bytes(attributes[7]))) if 7 in attributes else "",
            )
        )
    return found


def default_device(entries: Sequence[RouteEntry]) -> int:
    """Index of the link that the best default route leaves by; 0 without one."""
    defaults = [e for e in entries if e.dst in ("0.0.0.0/0", "::/0") and e.kind == "unicast" and e.device]
    return min(defaults, key=lambda e: e.metric).device if defaults else 0
