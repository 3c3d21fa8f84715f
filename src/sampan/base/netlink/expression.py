"""nf_tables expressions: the instructions a rule is made of (linux/netfilter/nf_tables.h). Pure.

Registers are the sixteen 32-bit ones, numbered from 0. A value of several fields (a concatenation) lies in
registers that follow each other, each field padded to four bytes.
"""

from __future__ import annotations

import struct
import sys
from typing import NamedTuple

from sampan.base.netlink import wire

_REG32_00 = 8

ACCEPT, DROP = 1, 0
CONTINUE, BREAK, JUMP, GOTO, RETURN = -1, -2, -3, -4, -5

EQ, NEQ, LT, LTE, GT, GTE = range(6)
LINK, NETWORK, TRANSPORT = 0, 1, 2

META_MARK, META_IIFNAME, META_OIFNAME, META_L4PROTO = 3, 6, 7, 16
CT_STATE, CT_STATUS, CT_MARK, CT_PROTO_SRC, CT_PROTO_DST, CT_SRC_IP, CT_DST_IP = 0, 2, 3, 11, 12, 19, 20
ORIGINAL, REPLY = 0, 1
STATE_INVALID, STATE_ESTABLISHED, STATE_RELATED, STATE_NEW = 1, 2, 4, 8
STATUS_SNAT, STATUS_DNAT = 0x10, 0x20
FIB_OIF, FIB_OIFNAME, FIB_ADDRTYPE = 1, 2, 3
FIB_SADDR, FIB_DADDR = 1, 2
RTN_LOCAL = 2
REJECT_ICMP, REJECT_TCP_RESET, REJECT_ICMPX = 0, 1, 2
ICMP_PORT_UNREACHABLE, ICMP_ADMIN_PROHIBITED = 3, 13
DYNSET_ADD, DYNSET_UPDATE, DYNSET_DELETE = 0, 1, 2

IPV4, IPV6 = 2, 10
"""Address families as nf_tables numbers them (NFPROTO_IPV4, NFPROTO_IPV6)."""
SNAT, DNAT = 0, 1


class Verdict(NamedTuple):
    """ACCEPT, DROP, RETURN ...; JUMP and GOTO name a chain of the same table."""

    code: int
    chain: str = ""

    def pack(self) -> bytes:
        """The NFTA_DATA_VERDICT attribute."""
        named = wire.text(2, self.chain) if self.chain else b""
        return wire.nest(2, wire.be32(1, self.code), named)


def goto(chain: str) -> Verdict:
    return Verdict(GOTO, chain)


def _expression(name: str, *attributes: bytes) -> bytes:
    return wire.nest(1, wire.text(1, name), wire.nest(2, *attributes))


def _reg(number: int) -> int:
    if not 0 <= number < 16:
        raise ValueError(f"register {number}: there are 0 to 15")
    return _REG32_00 + number


def host32(value: int) -> bytes:
    """A 32-bit value in the machine's order, as marks, states and numgen results lie in registers."""
    return value.to_bytes(4, sys.byteorder)


def be16(value: int) -> bytes:
    return struct.pack(">H", value)


def ifname(value: str) -> bytes:
    return value.encode().ljust(16, b"\0")


def payload(reg: int, base: int, offset: int, size: int) -> bytes:
    return _expression(
        "payload", wire.be32(1, _reg(reg)), wire.be32(2, base), wire.be32(3, offset), wire.be32(4, size)
    )


def ip_saddr(reg: int = 0) -> bytes:
    return payload(reg, NETWORK, 12, 4)


def ip_daddr(reg: int = 0) -> bytes:
    return payload(reg, NETWORK, 16, 4)


def th_sport(reg: int = 0) -> bytes:
    return payload(reg, TRANSPORT, 0, 2)


def th_dport(reg: int = 0) -> bytes:
    return payload(reg, TRANSPORT, 2, 2)


def meta(key: int, reg: int = 0) -> bytes:
    return _expression("meta", wire.be32(2, key), wire.be32(1, _reg(reg)))


def l4proto(reg: int = 0) -> bytes:
    return meta(META_L4PROTO, reg)


def ct(key: int, reg: int = 0, direction: int | None = None) -> bytes:
    which = b"" if direction is None else wire.u8(3, direction)
    return _expression("ct", wire.be32(1, _reg(reg)), wire.be32(2, key), which)


def cmp(op: int, value: bytes, reg: int = 0) -> bytes:
    """Goes on when the register compares so; `value` as long as what lies there."""
    return _expression("cmp", wire.be32(1, _reg(reg)), wire.be32(2, op), wire.nest(3, wire.attr(1, value)))


def bitwise(mask: bytes, reg: int = 0, xor: bytes = b"") -> bytes:
    return _expression(
        "bitwise",
        wire.be32(1, _reg(reg)),
        wire.be32(2, _reg(reg)),
        wire.be32(3, len(mask)),
        wire.nest(4, wire.attr(1, mask)),
        wire.nest(5, wire.attr(1, xor or bytes(len(mask)))),
    )


def lookup(name: str, reg: int = 0, into: int | None = None, *, invert: bool = False) -> bytes:
    """Goes on when the set `name` has the key at `reg`; of a map, its data goes to register `into`."""
    data = b"" if into is None else wire.be32(3, _reg(into))
    flags = wire.be32(5, 1) if invert else b""
    return _expression("lookup", wire.text(1, name), wire.be32(2, _reg(reg)), data, flags)


def vmap(name: str, reg: int = 0) -> bytes:
    """Takes the verdict that the verdict map `name` has for the key at `reg`."""
    return _expression("lookup", wire.text(1, name), wire.be32(2, _reg(reg)), wire.be32(3, 0))


def immediate(value: bytes, reg: int = 0) -> bytes:
    return _expression("immediate", wire.be32(1, _reg(reg)), wire.nest(2, wire.attr(1, value)))


def verdict(value: Verdict) -> bytes:
    return _expression("immediate", wire.be32(1, 0), wire.nest(2, value.pack()))


def numgen(modulus: int, reg: int = 0, *, offset: int = 0, random: bool = True) -> bytes:
    return _expression(
        "numgen",
        wire.be32(1, _reg(reg)),
        wire.be32(2, modulus),
        wire.be32(3, 1 if random else 0),
        wire.be32(4, offset),
    )


def nat(kind: int, address: int, port: int | None = None, family: int = IPV4) -> bytes:
    """SNAT or DNAT to the address (and port) in the registers."""
    ports = b"" if port is None else wire.be32(5, _reg(port))
    return _expression("nat", wire.be32(1, kind), wire.be32(2, family), wire.be32(3, _reg(address)), ports)


def masquerade() -> bytes:
    # fully random source ports: two connections in the same microsecond must not meet on one (NF_NAT_RANGE_PROTO_
    # RANDOM_FULLY), as kube-proxy asks for
    return _expression("masq", wire.be32(1, 0x10))


def reject(kind: int, code: int = 0) -> bytes:
    return _expression("reject", wire.be32(1, kind), wire.u8(2, code))


def fib(result: int, flags: int, reg: int = 0) -> bytes:
    return _expression("fib", wire.be32(1, _reg(reg)), wire.be32(2, result), wire.be32(3, flags))


def dynset(op: int, name: str, key: int, data: int | None = None, *, seconds: int = 0) -> bytes:
    """Adds, updates or deletes the element with the key at register `key` from within the packet path."""
    value = b"" if data is None else wire.be32(5, _reg(data))
    timeout = wire.be64(6, seconds * 1000) if seconds else b""
    return _expression(
        "dynset", wire.text(1, name), wire.be32(3, op), wire.be32(4, _reg(key)), value, timeout
    )


def counter() -> bytes:
    return _expression("counter", wire.be64(1, 0), wire.be64(2, 0))


ANY_ADDRESS = (ip_daddr(0), bitwise(bytes(4), 0))
"""Register 0 becomes 0.0.0.0, a key's field that stands for every address; nft's listing can read it back, which it
cannot when the field is an immediate."""
