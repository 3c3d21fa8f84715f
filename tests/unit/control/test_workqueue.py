"""The work queue on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sampan.base.aio.clock import VirtualClock
from sampan.control import workqueue
from sampan.control.workqueue import Queue, Shutdown


def on_virtual_time(test: Callable[[Queue[str], VirtualClock], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = VirtualClock()
        queue: Queue[str] = Queue(clock)
        async with asyncio.timeout(5):
            await test(queue, clock)
        queue.shutdown()

    asyncio.run(main())


async def drain(queue: Queue[str]) -> list[str]:
    found = []
    while len(queue):
        key = await queue.get()
        found.append(key)
        queue.done(key)
    return found


def test_a_key_waits_once_in_the_order_of_coming() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        for key in "abac":
            queue.add(key)
        assert await drain(queue) == ["a", "b", "c"]

    on_virtual_time(test)


def test_a_key_is_never_worked_on_twice_at_the_same_time() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await drain(queue) == ["a"]

    on_virtual_time(test)


def test_delays_and_the_earliest_of_several() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        queue.add_after("late", 10)
        queue.add_after("a", 5)
        queue.add_after("a", 2)
        queue.add_after("a", 8)
        await clock.advance(1.9)
        assert len(queue) == 0
        await clock.advance(0.1)
        assert await drain(queue) == ["a"]
        await clock.advance(7.9)
        assert len(queue) == 0
        await clock.advance(0.1)
        assert await drain(queue) == ["late"]

    on_virtual_time(test)


def test_failures_wait_twice_as_long_each_time() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        delays = [queue.add_rate_limited("a") for _ in range(30)]
        assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
        assert delays[-1] == workqueue.RETRY_CAP
        assert queue.failures("a") == 30
        queue.forget("a")
        assert queue.add_rate_limited("a") == 0.005

    on_virtual_time(test)


def test_getters_are_served_and_a_cancelled_one_loses_nothing() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()  # after it was woken
        assert await second == "a"

    on_virtual_time(test)


def test_shutdown_gives_out_what_is_left_and_takes_no_more() -> None:
    async def test(queue: Queue[str], clock: VirtualClock) -> None:
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        assert await waiting == "a"
        queue.add("b")
        queue.add_after("c", 1)
        queue.shutdown()
        queue.add("d")
        assert await queue.get() == "b"
        with pytest.raises(Shutdown):
            await queue.get()

    on_virtual_time(test)
