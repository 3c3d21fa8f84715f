"""Netlink's format: attributes in and out, messages cut short, errors with names."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.netlink import wire
from sampan.base.netlink.wire import NetlinkError, Request


@given(st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(max_size=50)), max_size=8))
def test_attributes_come_back_in_order(listed: list[tuple[int, bytes]]) -> None:
    packed = b"".join(wire.attr(kind, data) for kind, data in listed)
    assert len(packed) % 4 == 0
    assert [(kind, bytes(data)) for kind, data in wire.each(memoryview(packed))] == listed


@given(st.binary(max_size=100))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    for _ in wire.each(memoryview(data)):
        pass
    for message in wire.messages(memoryview(data)):
        assert len(message.body) <= len(data)


def test_numbers_and_strings() -> None:
    read = wire.attrs(
        memoryview(wire.u32(1, 7) + wire.be32(2, -1) + wire.be64(3, 9) + wire.text(4, "eth0") + wire.u8(5, 3))
    )
    assert wire.int_host(read[1]) == 7
    assert wire.int_be(read[2]) == 0xFFFFFFFF
    assert wire.int_be(read[3]) == 9
    assert wire.string(read[4]) == "eth0"
    assert wire.int_host(read[5]) == 3
    assert (wire.int_host(None, 5), wire.int_be(None, 6), wire.string(None)) == (5, 6, "")


def test_nested_attributes_are_marked_and_read() -> None:
    packed = wire.nest(3, wire.u32(1, 2))
    assert (
        int.from_bytes(packed[2:4], "little") & wire.NESTED
        or int.from_bytes(packed[2:4], "big") & wire.NESTED
    )
    assert wire.int_host(wire.attrs(wire.attrs(memoryview(packed))[3])[1]) == 2


def test_a_message_is_padded_and_read_back() -> None:
    packed = wire.pack(Request(18, 0, b"12345", "get link"), 42, wire.F_ACK)
    assert len(packed) == 24
    (message,) = wire.messages(memoryview(packed))
    assert (message.kind, message.seq, bytes(message.body)) == (18, 42, b"12345")
    assert message.flags == wire.F_REQUEST | wire.F_ACK


def test_too_long_an_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        wire.attr(1, bytes(65532))


def test_an_error_names_its_object_and_the_kernels_hint() -> None:
    error = NetlinkError(errno.ENODEV, "delete link 'x'", "no such thing")
    assert str(error) == "cannot delete link 'x': No such device (no such thing)"
    assert error.errno == errno.ENODEV
