"""Finished answers say byte for byte what the long way says."""

from __future__ import annotations

import pytest

from sampan.addons.dns import answers, records
from sampan.addons.dns.answers import Answers
from sampan.addons.dns.records import Zone
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question
from unit.addons.dns.cluster import Small, endpoints, service

ZONE = Zone(wire.name("cluster.local"), "10.43.0.10")
VIEW = Small(
    [service("web", "10.43.0.1"), service("head")],
    [endpoints("head", "10.42.0.1", "10.42.0.2", "10.42.0.3")],
)


def put(cache: Answers, name: str, kind: int) -> Question:
    question = Question(wire.name(name), kind)
    found = records.lookup(VIEW, ZONE, wire.lower(question.name), kind)
    assert found is not None
    cache.put(answers.key(question), found.depends, answers.finish(ZONE, question, found))
    return question


@pytest.mark.parametrize("edns", [(), (wire.edns(),)])
@pytest.mark.parametrize(
    "name, kind",
    [
        ("web.default.svc.cluster.local", wire.A),
        ("web.default.svc.cluster.local", wire.AAAA),
        ("nothing.default.svc.cluster.local", wire.A),
        ("_http._tcp.web.default.svc.cluster.local", wire.SRV),
    ],
)
def test_a_quick_reply_is_the_long_one(name: str, kind: int, edns: tuple[wire.Record, ...]) -> None:
    cache = Answers(100)
    put(cache, name, kind)
    asked = Question(wire.name(name.replace("web", "WeB")), kind)
    query = Message(77, wire.RD, (asked,), additional=edns)
    quick = cache.reply(wire.pack(query))
    assert quick is not None
    found = records.lookup(VIEW, ZONE, wire.lower(asked.name), kind)
    assert found is not None
    slow = answers.message(ZONE, asked, found, query.flags)._replace(id=77)
    slow = slow._replace(additional=slow.additional + edns)
    assert wire.parse(quick) == wire.parse(wire.pack(slow))
    assert quick[12 : 12 + len(asked.name)] == asked.name


def test_addresses_take_turns() -> None:
    cache = Answers(100)
    question = put(cache, "head.default.svc.cluster.local", wire.A)
    query = wire.pack(Message(1, wire.RD, (question,)))
    firsts = set()
    for _ in range(6):
        reply = cache.reply(query)
        assert reply is not None
        parsed = wire.parse(reply)
        assert len(parsed.answers) == 3
        firsts.add(parsed.answers[0].data)
    assert len(firsts) == 3


@pytest.mark.parametrize(
    "query",
    [
        Message(1, wire.RD, (Question(wire.name("web.default.svc.cluster.local"), wire.AAAA),)),
        Message(1, wire.RD, (Question(wire.name("web.default.svc.cluster.local"), wire.A, wire.CHAOS),)),
        Message(1, wire.RD, (Question(wire.name("web.default.svc.cluster.local"), wire.A),) * 2),
        Message(1, wire.QR, (Question(wire.name("web.default.svc.cluster.local"), wire.A),)),
        Message(
            1,
            wire.RD,
            (Question(wire.name("web.default.svc.cluster.local"), wire.A),),
            additional=(wire.edns()._replace(ttl=1 << 16),),
        ),
    ],
)
def test_unusual_queries_go_the_long_way(query: Message) -> None:
    cache = Answers(100)
    put(cache, "web.default.svc.cluster.local", wire.A)
    assert cache.reply(wire.pack(query)) is None


def test_types_that_look_like_letters_are_kept_apart() -> None:
    cache = Answers(100)
    question = put(cache, "web.default.svc.cluster.local", ord("a"))
    assert cache.reply(wire.pack(Message(1, wire.RD, (question,)))) is not None
    assert cache.reply(wire.pack(Message(1, wire.RD, (question._replace(type=ord("A")),)))) is None


def test_answers_go_when_what_they_rest_on_changes() -> None:
    cache = Answers(100)
    question = put(cache, "web.default.svc.cluster.local", wire.A)
    put(cache, "head.default.svc.cluster.local", wire.A)
    query = wire.pack(Message(1, wire.RD, (question,)))
    assert cache.reply(query) is not None
    cache.drop(["default/head", "default/other"])
    assert len(cache) == 1
    cache.drop(["default/web"])
    assert cache.reply(query) is None
    assert cache.hits() == {wire.NOERROR: 1}


def test_the_cache_is_bounded() -> None:
    cache = Answers(10)
    for i in range(100):
        put(cache, f"s{i}.default.svc.cluster.local", wire.A)
        assert len(cache) <= 10


def test_what_does_not_fit_goes_the_long_way() -> None:
    many = [f"10.42.1.{i}" for i in range(1, 60)]
    view = Small([service("big")], [endpoints("big", *many)])
    question = Question(wire.name("big.default.svc.cluster.local"), wire.A)
    found = records.lookup(view, ZONE, question.name, wire.A)
    assert found is not None
    cache = Answers(10)
    cache.put(answers.key(question), found.depends, answers.finish(ZONE, question, found))
    assert cache.reply(wire.pack(Message(1, wire.RD, (question,)))) is None
    assert cache.reply(wire.pack(Message(1, wire.RD, (question,), additional=(wire.edns(1232),)))) is not None
