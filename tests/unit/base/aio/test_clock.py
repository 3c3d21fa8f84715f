from __future__ import annotations

import asyncio

from sampan.base.aio import SystemClock, VirtualClock
from sampan.base.aio.runner import run


def test_virtual_sleepers_wake_in_order_of_their_time() -> None:
    async def main() -> None:
        clock = VirtualClock(100.0)
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

        tasks = [asyncio.create_task(sleeper("slow", 3)), asyncio.create_task(sleeper("fast", 2))]
        await clock.advance(5)
        assert woken == [("fast", 102.0), ("slow", 103.0), ("fast", 104.0)]
        assert clock.now() == clock.monotonic() == 105.0
        await clock.advance(1)
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_a_cancelled_sleeper_is_no_trouble() -> None:
    async def main() -> None:
        clock = VirtualClock()
        task = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        task.cancel()
        await clock.advance(2)
        assert task.cancelled()

    asyncio.run(main())


def test_no_time_returns_at_once() -> None:
    async def main() -> None:
        await VirtualClock().sleep(0)
        await SystemClock().sleep(-1)

    asyncio.run(main())


def test_runs_on_either_loop() -> None:
    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(main(), fast=False).startswith("asyncio")
    assert run(main()) in ("uvloop", "asyncio.unix_events")
