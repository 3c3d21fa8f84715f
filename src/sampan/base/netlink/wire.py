"""Netlink's wire format: message headers and attributes (linux/netlink.h). Pure."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 1, 2, 3, 4

F_REQUEST, F_MULTI, F_ACK, F_ECHO = 0x1, 0x2, 0x4, 0x8
F_DUMP = 0x300
F_REPLACE, F_EXCL, F_CREATE, F_APPEND = 0x100, 0x200, 0x400, 0x800
F_CAPPED, F_ACK_TLVS = 0x100, 0x200
F_DUMP_INTERRUPTED = 0x10

NESTED = 0x8000
TYPE_MASK = 0x3FFF

_HEADER = struct.Struct("=IHHII")
_ATTR = struct.Struct("=HH")
_U32 = struct.Struct("=I")
_U64BE = struct.Struct(">Q")
_BE32 = struct.Struct(">I")
_PAD = (b"", b"\0\0\0", b"\0\0", b"\0")


class NetlinkError(OSError):
    """The kernel's refusal: `errno`, and what was asked, with the kernel's own words where it gave some."""

    def __init__(self, errno: int, what: str, hint: str = "") -> None:
        super().__init__(errno, f"cannot {what}: {os.strerror(errno)}" + (f" ({hint})" if hint else ""))
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return str(self.strerror)


class Request(NamedTuple):
    """One message without its header. `what` is a verb and an object for errors ("add link 'eth0'");
    `ignore` lists the errnos that are as good as success, such as EEXIST for something to be there.
    """

    kind: int
    flags: int
    body: bytes
    what: str
    ignore: tuple[int, ...] = ()


class Message(NamedTuple):
    kind: int
    flags: int
    seq: int
    body: memoryview


def pack(request: Request, seq: int, flags: int = 0) -> bytes:
    """The message on the wire, padded to four bytes."""
    body = request.body
    return (
        _HEADER.pack(16 + len(body), request.kind, F_REQUEST | request.flags | flags, seq, 0)
        + body
        + _PAD[len(body) & 3]
    )


def messages(data: memoryview) -> Iterator[Message]:
    """The messages of one datagram; stops at what is cut short."""
    at, end = 0, len(data)
    while at + 16 <= end:
        size, kind, flags, seq, _ = _HEADER.unpack_from(data, at)
        if size < 16 or at + size > end:
            return
        yield Message(kind, flags, seq, data[at + 16 : at + size])
        at += (size + 3) & ~3


def attr(kind: int, data: bytes) -> bytes:
    size = len(data) + 4
    if size > 0xFFFF:
        raise ValueError(f"attribute {kind} of {size} bytes: at most 65535 fit")
    return _ATTR.pack(size, kind) + data + _PAD[size & 3]


def nest(kind: int, *parts: bytes) -> bytes:
    return attr(kind | NESTED, b"".join(parts))


def u8(kind: int, value: int) -> bytes:
    return attr(kind, bytes((value,)))


def u32(kind: int, value: int) -> bytes:
    """An attribute in the machine's byte order, as rtnetlink wants it."""
    return attr(kind, _U32.pack(value))


def be32(kind: int, value: int) -> bytes:
    """An attribute in network byte order, as netfilter wants it."""
    return attr(kind, _BE32.pack(value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    return attr(kind, _U64BE.pack(value))


def text(kind: int, value: str) -> bytes:
    return attr(kind, value.encode() + b"\0")


def each(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The attributes in order, types without their flag bits; stops at what is cut short."""
    at, end = 0, len(data)
    while at + 4 <= end:
        size, kind = _ATTR.unpack_from(data, at)
        if size < 4 or at + size > end:
            return
        yield kind & TYPE_MASK, data[at + 4 : at + size]
        at += (size + 3) & ~3


def attrs(data: memoryview) -> dict[int, memoryview]:
    """The attributes by type; of a repeated one the last."""
    return dict(each(data))


def string(data: memoryview | None) -> str:
    return "" if data is None else bytes(data).split(b"\0", 1)[0].decode(errors="replace")


def int_host(data: memoryview | None, default: int = 0) -> int:
    return default if data is None else int.from_bytes(data, sys.byteorder)


def int_be(data: memoryview | None, default: int = 0) -> int:
    return default if data is None else int.from_bytes(data, "big")
