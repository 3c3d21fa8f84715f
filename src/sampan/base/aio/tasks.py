"""Background tasks with an owner: each has a name, none is lost, a failure is seen, stopping is orderly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from sampan.base.aio.backoff import Backoff
from sampan.base.aio.clock import Clock, SystemClock

log = logging.getLogger(__name__)
T = TypeVar("T")


class Tasks:
    """`async with Tasks("name") as tasks:` - everything spawned ends before the block does.

    A task that fails is logged with its name. `spawn(..., vital=True)` makes its failure the owner's: `wait` raises it.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._running: set[asyncio.Task[Any]] = set()
        self._failed: asyncio.Future[BaseException] | None = None

    def spawn(self, name: str, work: Coroutine[Any, Any, T], *, vital: bool = False) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=f"{self.owner}/{name}")
        self._running.add(task)
        task.add_done_callback(self._ended_vital if vital else self._ended)
        return task

    def keep(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        backoff: Backoff | None = None,
        clock: Clock | None = None,
    ) -> asyncio.Task[None]:
        """Runs `work` again and again: at once after a return, after a growing delay after a failure."""
        return self.spawn(name, self._keep(name, work, backoff or Backoff(), clock or SystemClock()))

    async def _keep(
        self, name: str, work: Callable[[], Awaitable[None]], backoff: Backoff, clock: Clock
    ) -> None:
        while True:
            try:
                await work()
                backoff.reset()
                delay = 0.0
            except Exception as error:
                delay = backoff.next()
                log.warning("%s/%s failed and starts again in %.1f s: %r", self.owner, name, delay, error)
            await clock.sleep(delay)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)

    def _ended_vital(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        failed = self._failure()
        if failed.done():
            log.error("task %s failed", task.get_name(), exc_info=error)
        else:
            failed.set_result(error)

    def _failure(self) -> asyncio.Future[BaseException]:
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        return self._failed

    def __len__(self) -> int:
        return len(self._running)

    async def wait(self) -> None:
        """Until cancelled, or until a vital task fails: then raises its error."""
        raise await asyncio.shield(self._failure())

    async def stop(self) -> None:
        """Cancels what runs and waits for it; what those spawn while ending is cancelled as well."""
        current = asyncio.current_task()
        while left := [task for task in self._running if task is not current]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            # done callbacks run on the next turn; without it the loop would see the same tasks again
            await asyncio.sleep(0)

    async def __aenter__(self) -> Tasks:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
