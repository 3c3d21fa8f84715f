from __future__ import annotations

import os
import socket

import pytest

from sampan.node.runtime.monitor import protocol


def test_messages_carry_descriptors() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader, writer = os.pipe()
    try:
        socket.send_fds(ours, [protocol.encode({"id": 1, "op": "x", "é": "ü"})], [writer])
        received = protocol.receive(theirs)
        assert received is not None
        message, fds = received
        assert message == {"id": 1, "op": "x", "é": "ü"} and len(fds) == 1
        assert not os.get_inheritable(fds[0])
        os.write(fds[0], b"hi")
        assert os.read(reader, 2) == b"hi"
        os.close(fds[0])
        ours.close()
        assert protocol.receive(theirs) is None
    finally:
        for fd in (reader, writer):
            os.close(fd)
        theirs.close()


def test_what_is_no_message() -> None:
    with pytest.raises(ValueError, match="object"):
        protocol.decode(b"[1]")


@pytest.mark.parametrize(
    ("status", "code", "signal"), [(0, 0, 0), (3 << 8, 3, 0), (9, 137, 9), (15 | 128, 143, 15)]
)
def test_exits(status: int, code: int, signal: int) -> None:
    assert protocol.exited(status, at=5, oom=True) == {
        "code": code,
        "signal": signal,
        "oom": True,
        "at": 5,
        "known": True,
    }


def test_an_unknown_exit_says_so() -> None:
    assert protocol.unknown(7) == {"code": 255, "signal": 0, "oom": False, "at": 7, "known": False}
