"""Asking other resolvers: over whom, how often, what is kept and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sampan.addons.dns import forward
from sampan.addons.dns.forward import Forwarder, Overloaded, Unanswered
from sampan.addons.dns.upstream import Upstream
from sampan.base.aio import VirtualClock
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question, Record
from unit.addons.dns.resolvers import Resolver, a_record

QUESTION = Question(wire.name("Example.com"), wire.A)


def run(work: Callable[[], Awaitable[Any]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(bounded())


def test_an_answer_is_kept_for_its_time_and_grows_older() -> None:
    async def work() -> None:
        clock = VirtualClock()
        async with Resolver(lambda query, tcp: a_record(query)) as other:
            forwarder = Forwarder([other.upstream], clock=clock)
            first = await forwarder.ask(QUESTION)
            assert first.answers[0].ttl == 60 and first.questions == (QUESTION,)
            await clock.advance(20)
            again = await forwarder.ask(Question(wire.lower(QUESTION.name), wire.A))
            assert again.answers[0].ttl == 40
            assert len(other.asked) == 1
            await clock.advance(41)
            await forwarder.ask(QUESTION)
            assert len(other.asked) == 2
            assert (forwarder.hits, forwarder.misses) == (1, 2)
            query, _ = other.asked[0]
            assert query.questions == (QUESTION,) and query.edns is not None and query.flags & wire.RD

    run(work)


@pytest.mark.parametrize(
    "rcode, authority, kept",
    [
        (wire.NXDOMAIN, True, True),
        (wire.NOERROR, True, True),
        (wire.NXDOMAIN, False, False),
        (wire.SERVFAIL, True, False),
    ],
)
def test_what_is_not_there_is_kept_as_its_soa_says(rcode: int, authority: bool, kept: bool) -> None:
    async def work() -> None:
        soa = Record(wire.name("com"), wire.SOA, 900, wire.soa(wire.ROOT, wire.ROOT, (1, 2, 3, 4, 10)))
        clock = VirtualClock()

        def reply(query: Message, tcp: bool) -> Message:
            return wire.reply(query, rcode)._replace(authority=(soa,) if authority else ())

        async with Resolver(reply) as other:
            forwarder = Forwarder([other.upstream], clock=clock)
            assert (await forwarder.ask(QUESTION)).rcode == rcode
            await forwarder.ask(QUESTION)
            assert len(other.asked) == (1 if kept else 2)
            await clock.advance(11)
            await forwarder.ask(QUESTION)
            assert len(other.asked) == (2 if kept else 3)

    run(work)


def test_the_next_resolver_is_asked_when_one_cannot() -> None:
    async def work() -> None:
        refusing = Resolver(lambda query, tcp: wire.reply(query, wire.REFUSED))
        async with refusing as first, Resolver(lambda query, tcp: a_record(query)) as second:
            closed = Upstream("127.0.0.1", 1)
            forwarder = Forwarder([closed, first.upstream, second.upstream])
            assert (await forwarder.ask(QUESTION)).answers
            assert (len(first.asked), len(second.asked)) == (1, 1)

    run(work)


def test_no_answer_is_told_with_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "TRY_SECONDS", 0.05)

    async def work() -> None:
        async with Resolver(lambda query, tcp: None) as silent:
            forwarder = Forwarder([silent.upstream])
            with pytest.raises(Unanswered, match=r"Example\.com\."):
                await forwarder.ask(QUESTION)
            assert len(silent.asked) == forward.ROUNDS
            assert forwarder.failures == 1
        with pytest.raises(Unanswered):
            await Forwarder([]).ask(QUESTION)

    run(work)


@pytest.mark.parametrize(
    "forged",
    [
        lambda m: m._replace(id=(m.id + 1) & 0xFFFF),
        lambda m: m._replace(flags=m.flags & ~wire.QR),
        lambda m: m._replace(questions=(Question(wire.name("evil.example"), wire.A),)),
    ],
)
def test_answers_to_other_questions_are_not_taken(forged: Callable[[Message], Message]) -> None:
    async def work() -> None:
        async with Resolver(lambda query, tcp: forged(a_record(query))) as liar:
            with pytest.raises(Unanswered):
                await Forwarder([liar.upstream]).ask(QUESTION)

    run(work)


def test_equal_questions_are_asked_once_and_a_waiter_may_leave() -> None:
    async def work() -> None:
        async with Resolver(lambda query, tcp: a_record(query)) as other:
            forwarder = Forwarder([other.upstream])
            waiting = [asyncio.create_task(forwarder.ask(QUESTION)) for _ in range(5)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            done = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(done[0], asyncio.CancelledError)
            assert all(isinstance(d, Message) and d.answers for d in done[1:])
            assert len(other.asked) == 1

    run(work)


def test_questions_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "IN_FLIGHT", 2)

    async def work() -> None:
        async with Resolver(lambda query, tcp: None) as silent:
            forwarder = Forwarder([silent.upstream])
            tasks = [
                asyncio.create_task(forwarder.ask(Question(wire.name(f"n{i}"), wire.A))) for i in range(2)
            ]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await forwarder.ask(QUESTION)
            await forwarder.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    run(work)


def test_the_cache_is_bounded() -> None:
    async def work() -> None:
        async with Resolver(lambda query, tcp: a_record(query)) as other:
            forwarder = Forwarder([other.upstream], entries=3)
            for i in range(6):
                await forwarder.ask(Question(wire.name(f"n{i}"), wire.A))
            assert len(forwarder) == 3

    run(work)


def test_what_was_cut_is_asked_by_tcp_and_then_serves_everyone() -> None:
    async def work() -> None:
        def reply(query: Message, tcp: bool) -> Message:
            return a_record(query) if tcp else wire.reply(query, wire.NOERROR, flags=wire.TC)

        async with Resolver(reply) as other:
            forwarder = Forwarder([other.upstream])
            assert (await forwarder.ask(QUESTION)).flags & wire.TC
            assert (await forwarder.ask(QUESTION, tcp=True)).answers
            assert (await forwarder.ask(QUESTION)).answers
            assert [tcp for _, tcp in other.asked] == [False, True]

    run(work)


def test_a_resolver_that_leads_back_to_us_is_dropped() -> None:
    async def work() -> None:
        forwarder = Forwarder([])

        def reply(query: Message, tcp: bool) -> Message:
            forwarder.came_back(wire.lower(query.questions[0].name))
            return wire.reply(query, wire.REFUSED)

        async with (
            Resolver(reply) as looping,
            Resolver(lambda query, tcp: wire.reply(query, wire.NXDOMAIN)) as good,
        ):
            forwarder.upstreams += [looping.upstream, good.upstream]
            await forwarder.probe()
            assert forwarder.upstreams == [good.upstream]
            assert not forwarder.came_back(wire.name("example.com"))

    run(work)
