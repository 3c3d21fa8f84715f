"""A netlink socket: sends requests in batches, reads the verdicts, dumps tables."""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Sequence

from sampan.base.netlink import netns as namespaces
from sampan.base.netlink import wire
from sampan.base.netlink.wire import Message, NetlinkError, Request

ROUTE, NETFILTER = 0, 12

_SOL_NETLINK = 270
_CAP_ACK, _EXT_ACK, _STRICT_DUMP = 10, 11, 12
_SNDBUFFORCE, _RCVBUFFORCE = 32, 33

BUFFER = 1 << 16
"""The kernel makes datagrams of at most 32 kB for a dump."""
REPLY_SECONDS = 10.0
"""The kernel answers at once; a socket that stays silent this long has lost its answer."""
AT_ONCE_BYTES = 128_000
"""What one send of rtnetlink carries; under the default wmem_max of 212992 bytes."""
DUMP_TRIES = 5


class Socket:
    """A netlink socket in a network namespace. Synchronous (a request takes microseconds); one thread at a time."""

    def __init__(self, protocol: int, netns: str = "") -> None:
        with namespaces.inside(netns):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        for option in (_CAP_ACK, _EXT_ACK, _STRICT_DUMP) if protocol == ROUTE else (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        # not settimeout: the socket stays blocking, so that MSG_DONTWAIT means what it says
        limit = struct.pack("@ll", int(REPLY_SECONDS), 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._seq = int(time.time()) & 0x7FFFFFFF
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._room = 0

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, *requests: Request) -> None:
        """Executes the requests in order, many per send; each stands alone (those before an error stay done).

        Raises NetlinkError with the first refusal that the request does not ignore, after all were tried.
        """
        failed: NetlinkError | None = None
        for chunk in _chunks(requests):
            failed = self._run_chunk(chunk) or failed
        if failed:
            raise failed

    def _run_chunk(self, chunk: Sequence[Request]) -> NetlinkError | None:
        first = self._seq + 1
        last = first + len(chunk) - 1
        self._seq = last
        # only the last asks for an answer; errors come unasked
        self._socket.send(
            b"".join(
                wire.pack(r, first + i, wire.F_ACK if first + i == last else 0) for i, r in enumerate(chunk)
            )
        )
        failed: NetlinkError | None = None
        while True:
            for message in self._receive():
                if message.kind != wire.NLMSG_ERROR or not first <= message.seq <= last:
                    continue
                request = chunk[message.seq - first]
                failed = failed or _refusal(message, request)
                if message.seq == last:
                    return failed

    def transaction(self, requests: Sequence[Request], begin: bytes, end: bytes) -> None:
        """Netfilter's batch: all requests or none. The kernel reads it from one datagram and answers in the call.

        `begin` and `end` are the packed brackets, without a header's sequence number of their own.
        Raises NetlinkError for the first refusal; then nothing has changed.
        """
        first = self._seq + 1
        self._seq += len(requests)
        data = begin + b"".join([wire.pack(r, first + i) for i, r in enumerate(requests)]) + end
        self._make_room(len(data))
        self._socket.send(data)
        failed: NetlinkError | None = None
        while True:
            try:
                # the kernel works within send(), so what it has to say is here already
                size = self._socket.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                failed = failed or NetlinkError(errno.ENOBUFS, "read the kernel's answer to a transaction")
                continue
            for message in wire.messages(self._view[:size]):
                if message.kind != wire.NLMSG_ERROR:
                    continue
                at = message.seq - first
                request = (
                    requests[at] if 0 <= at < len(requests) else Request(0, 0, b"", "commit a transaction")
                )
                failed = failed or _refusal(message, request)
        if failed:
            raise failed

    def dump(self, request: Request) -> list[Message]:
        """Every object that the request asks for. Starts again when the table changed meanwhile."""
        for _ in range(DUMP_TRIES):
            found, whole = self._dump_once(request)
            if whole:
                return found
        raise NetlinkError(errno.EINTR, request.what, "the table changed during every try")

    def get(self, request: Request) -> Message | None:
        """The one object that the request asks for; None when the kernel has none (ENOENT, ENODEV)."""
        self._seq += 1
        self._socket.send(wire.pack(request, self._seq))
        while True:
            for message in self._receive():
                if message.seq != self._seq:
                    continue
                if message.kind != wire.NLMSG_ERROR:
                    return _kept(message)
                failed = _refusal(message, request)
                if failed is None or failed.errno in (errno.ENOENT, errno.ENODEV):
                    return None
                raise failed

    def _dump_once(self, request: Request) -> tuple[list[Message], bool]:
        self._seq += 1
        self._socket.send(wire.pack(request, self._seq, wire.F_DUMP))
        found: list[Message] = []
        whole = True
        while True:
            for message in self._receive():
                if message.seq != self._seq:
                    continue
                whole = whole and not message.flags & wire.F_DUMP_INTERRUPTED
                if message.kind == wire.NLMSG_DONE:
                    return found, whole
                if message.kind == wire.NLMSG_ERROR:
                    failed = _refusal(message, request)
                    if failed is None or failed.errno == errno.ENOENT:
                        return found, whole
                    if failed.errno == errno.EINTR:
                        return found, False
                    raise failed
                found.append(_kept(message))

    def _receive(self) -> list[Message]:
        try:
            size = self._socket.recv_into(self._buffer)
        except BlockingIOError:
            raise NetlinkError(errno.ETIMEDOUT, "read the kernel's answer") from None
        return list(wire.messages(self._view[:size]))

    def _make_room(self, size: int) -> None:
        """A transaction is one datagram: the send buffer takes all of it (CAP_NET_ADMIN, as nf_tables itself)."""
        if size <= self._room:
            return
        wanted = max(size + (size >> 2), 1 << 20)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, wanted)
            self._socket.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 20)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, wanted)
        self._room = wanted


def _kept(message: Message) -> Message:
    """The message with bytes of its own: the buffer is used again."""
    return message._replace(body=memoryview(bytes(message.body)))


def _chunks(requests: Sequence[Request]) -> list[Sequence[Request]]:
    chunks: list[Sequence[Request]] = []
    start, size = 0, 0
    for i, request in enumerate(requests):
        size += len(request.body) + 20
        if size > AT_ONCE_BYTES and i > start:
            chunks.append(requests[start:i])
            start, size = i, len(request.body) + 20
    if start < len(requests):
        chunks.append(requests[start:])
    return chunks


def _refusal(message: Message, request: Request) -> NetlinkError | None:
    """The error that an NLMSG_ERROR tells of, None for an acknowledgement or an errno that does not matter."""
    (code,) = struct.unpack_from("=i", message.body)
    if code == 0 or -code in request.ignore:
        return None
    hint = ""
    if message.flags & wire.F_ACK_TLVS:
        at = 20 if message.flags & wire.F_CAPPED else 4 + _original_size(message)
        hint = wire.string(wire.attrs(message.body[at:]).get(1))
    return NetlinkError(-code, request.what, hint)


def _original_size(message: Message) -> int:
    (size,) = struct.unpack_from("=I", message.body, 4)
    return (int(size) + 3) & ~3
