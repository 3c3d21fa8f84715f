from __future__ import annotations

import asyncio
import logging

import pytest

from sampan.base.aio import Backoff, Tasks, VirtualClock
from sampan.base.aio.clock import settle


def test_everything_ends_with_the_block() -> None:
    async def main() -> None:
        ended: list[str] = []

        async def work(name: str) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(name)

        async with Tasks("test") as tasks:
            tasks.spawn("a", work("a"))
            tasks.spawn("b", work("b"))
            await asyncio.sleep(0)
            assert len(tasks) == 2
        assert sorted(ended) == ["a", "b"]

    asyncio.run(main())


def test_what_a_task_spawns_while_ending_ends_too() -> None:
    async def main() -> None:
        ended: list[str] = []
        async with Tasks("test") as tasks:

            async def late() -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append("late")

            async def work() -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    tasks.spawn("late", late())

            tasks.spawn("work", work())
            await asyncio.sleep(0)
        assert len(tasks) == 0

    asyncio.run(main())


def test_a_failure_is_logged_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async def broken() -> None:
            raise ValueError("no")

        async with Tasks("owner") as tasks:
            tasks.spawn("broken", broken())
            await settle()

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert "owner/broken" in caplog.text


def test_a_vital_failure_is_the_owners() -> None:
    async def main() -> None:
        async def broken() -> None:
            raise ValueError("no")

        async with Tasks("owner") as tasks:
            tasks.spawn("broken", broken(), vital=True)
            with pytest.raises(ValueError, match="no"):
                await tasks.wait()

    asyncio.run(main())


def test_kept_work_starts_again_after_growing_delays() -> None:
    async def main() -> None:
        clock = VirtualClock(0.0)
        tries: list[float] = []

        async def fails() -> None:
            tries.append(clock.now())
            raise OSError("gone")

        async with Tasks("owner") as tasks:
            backoff = Backoff(first=1, cap=4, jitter=0)
            tasks.keep("fails", fails, backoff=backoff, clock=clock)
            await clock.advance(12)
        assert tries == [0, 1, 3, 7, 11]

    asyncio.run(main())
