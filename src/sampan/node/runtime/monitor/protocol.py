"""What the runtime and the monitor say to each other: one JSON object per packet of a unix SEQPACKET socket.

A request has `id` and `op`; its answer has the same `id` and either its fields or `error`. Packets without `id`
are events. Operations, with their fields:

hello      version -> version, pid
run        cid, argv, pid_file, run_log, console, stdout, stderr, stdin, stdin_once, log, exit, oom -> pid, at
exec       argv, pid_file, run_log and three descriptors (stdin, stdout, stderr) -> pid
signal     pid, signal -> gone (pid is a container's or an exec's, not yet reaped)
attach     cid, stdout, stderr and a descriptor for each -> terminal; with a terminal one descriptor, its master
close      cid: the container's stdin ends
reopen     cid: opens the log file again
state      cid -> pid and exited (None while it runs); pid 0 when the monitor does not know it
forget     cid
quit       ends monitor and holder; containers are left alone

Events: {"event": "exit", "cid": ..., "exited": {...}} and {"event": "exec", "pid": ..., "code": ...}.
`exited` is {"code": 0..255, "signal": number, "oom": bool, "at": nanoseconds, "known": bool}, and the same object is the exit file.
"""

from __future__ import annotations

import array
import json
import socket
from typing import Any

VERSION = 1
SOCKET = "monitor.sock"
RECORDS = "monitor"
# A packet may not be larger than the socket's send buffer (212,992 bytes by default); argv is all that grows.
PACKET_MAX = 128 * 1024
_FDS_MAX = 4


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def decode(packet: bytes) -> dict[str, Any]:
    message = json.loads(packet)
    if not isinstance(message, dict):
        raise ValueError(f"not a message: expected an object, got {packet[:40]!r}")
    return message


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and its descriptors, or None at the end. Raises BlockingIOError when there is none."""
    packet, fds = receive_fds(sock, PACKET_MAX, _FDS_MAX)
    return (decode(packet), fds) if packet else None


def receive_fds(sock: socket.socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """Like socket.recv_fds, which drops its flags (Python 3.11): without CLOEXEC they would leak into containers."""
    fds = array.array("i")
    space = socket.CMSG_SPACE(most * fds.itemsize)
    packet, ancillary, _, _ = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return packet, list(fds)


def exited(status: int, *, at: int, oom: bool = False, known: bool = True) -> dict[str, Any]:
    """The exit object from a wait status."""
    signal = status & 0x7F
    code = 128 + signal if signal else status >> 8 & 0xFF
    return {"code": code, "signal": signal, "oom": oom, "at": at, "known": known}


def unknown(at: int) -> dict[str, Any]:
    """The exit object of a process whose status nobody saw. 255 is what containerd reports as well."""
    return {"code": 255, "signal": 0, "oom": False, "at": at, "known": False}
