"""The wire format: what is packed parses to the same; bytes of any kind parse or raise WireError, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question, Record, WireError

labels = st.binary(min_size=1, max_size=63)
names = (
    st.lists(labels, max_size=5)
    .map(lambda parts: b"".join(bytes((len(p),)) + p for p in parts) + b"\0")
    .filter(lambda n: len(n) <= 255)
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(
        st.sampled_from([wire.A, wire.TXT, wire.CNAME, wire.PTR, wire.NS, wire.SRV, wire.MX, wire.SOA, 65])
    )
    data = draw(st.binary(max_size=40))
    if kind in (wire.CNAME, wire.PTR, wire.NS):
        data = draw(names)
    elif kind == wire.SRV:
        data = wire.srv(draw(st.integers(0, 65535)), draw(names))
    elif kind == wire.MX:
        data = b"\0\x0a" + draw(names)
    elif kind == wire.SOA:
        data = wire.soa(draw(names), draw(names), (1, 2, 3, 4, 5))
    return Record(draw(names), kind, draw(st.integers(0, 2**32 - 1)), data)


sections = st.lists(records(), max_size=3).map(tuple)
messages = st.builds(
    Message,
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.lists(st.builds(Question, names, st.integers(0, 65535), st.just(1)), max_size=2).map(tuple),
    sections,
    sections,
    sections,
)


def lowered(message: Message) -> Message:
    """Compression joins names that differ in case only, so that is how they are compared."""
    return message._replace(
        questions=tuple(q._replace(name=wire.lower(q.name)) for q in message.questions),
        **{
            part: tuple(r._replace(name=wire.lower(r.name)) for r in getattr(message, part))
            for part in ("answers", "authority", "additional")
        },
    )


@given(messages)
def test_what_is_packed_parses_to_the_same(message: Message) -> None:
    assert lowered(wire.parse(wire.pack(message))) == lowered(message)


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise_the_one_error(data: bytes) -> None:
    try:
        wire.pack(wire.parse(data))
    except WireError:
        pass


@given(messages, st.data())
def test_damaged_messages_parse_or_raise_the_one_error(message: Message, data: st.DataObject) -> None:
    packed = bytearray(wire.pack(message))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        wire.parse(bytes(packed[: data.draw(st.integers(0, len(packed)))]))
    except WireError:
        pass


@given(messages, st.integers(512, 4000))
def test_truncated_messages_fit_and_say_so(message: Message, limit: int) -> None:
    question = wire.pack(message._replace(answers=(), authority=(), additional=()))
    packed = wire.truncated(message._replace(additional=()), limit)
    short = wire.parse(packed)
    if len(question) <= limit:
        assert len(packed) <= limit
    if short.answers != wire.parse(wire.pack(message)).answers:
        assert short.flags & wire.TC


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "expected at least 12"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0", "message ends within it"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", "expected an earlier place"),
        (b"\0\1\1\0\0\1\0\0\0\0\0\0\x80a\0\0\1\0\1", "is not known"),
        (
            b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1",
            "longer than 255",
        ),
    ],
)
def test_errors_name_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        wire.parse(data)


def test_a_pointer_loop_ends() -> None:
    loop = b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"\x01a\xc0\x0e" + b"\0\1\0\1"
    with pytest.raises(WireError):
        wire.parse(loop)


def test_names_to_and_fro() -> None:
    assert wire.name("a.bc.") == b"\x01a\x02bc\0" == wire.name("a.bc")
    assert wire.text(b"\x03a.b\x01 \0") == "a\\046b.\\032."
    assert wire.name(".") == wire.ROOT
    assert wire.labels(b"\x01a\x02bc\0") == [b"a", b"bc"]
    for bad in ("a..b", "x" * 64, ".".join(["abcdefg"] * 40)):
        with pytest.raises(WireError, match="name"):
            wire.name(bad)


def test_how_much_a_client_takes() -> None:
    plain = Message(1, wire.RD, (Question(wire.ROOT, wire.A),))
    assert wire.udp_limit(plain) == 512
    for offered, taken in ((100, 512), (1000, 1000), (4096, 1232)):
        assert wire.udp_limit(plain._replace(additional=(wire.edns(offered),))) == taken


def test_a_reply_echoes_what_it_must() -> None:
    query = Message(7, wire.RD | wire.CD, (Question(b"\x01A\0", wire.A),), additional=(wire.edns(do=True),))
    reply = wire.reply(query, wire.BADVERS)
    assert (reply.id, reply.questions) == (7, query.questions)
    assert reply.flags & wire.QR and reply.flags & wire.RD and reply.flags & wire.CD
    assert reply.edns is not None
    assert (reply.edns.ttl >> 24, reply.rcode, reply.edns.ttl & 0x8000) == (1, 0, 0x8000)


def test_soa_minimum() -> None:
    assert wire.soa_minimum(wire.soa(wire.ROOT, wire.ROOT, (1, 2, 3, 4, 5))) == 5
    with pytest.raises(WireError):
        wire.soa_minimum(b"short")
