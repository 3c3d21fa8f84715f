"""A thread that owns one connection and runs jobs on it in order, for one event loop."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]


class Worker:
    """`start` opens the connection in the thread; `run` gives a job's result; `stop` ends after the jobs given so far."""

    def __init__(self, name: str, opener: Callable[[], sqlite3.Connection]) -> None:
        self._opener = opener
        self._jobs: queue.SimpleQueue[tuple[Job, asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    async def start(self) -> None:
        """Raises what the opener raises."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        try:
            await self.run(lambda connection: None)
        except BaseException:
            self._stopped = True
            raise

    def run(self, job: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        if self._loop is None or self._stopped:
            raise RuntimeError(f"the thread {self._thread.name!r} does not run")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((job, future))
        return future

    async def stop(self) -> None:
        if self._stopped or self._loop is None:
            return
        last = self.run(lambda connection: None)
        self._stopped = True
        self._jobs.put(None)
        await last
        await self._loop.run_in_executor(None, self._thread.join)

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        refusal: BaseException | None = None
        try:
            connection = self._opener()
        except BaseException as error:
            refusal = error
        while (item := self._jobs.get()) is not None:
            job, future = item
            if connection is None:
                self._tell(future, None, refusal)
                return
            try:
                result = job(connection)
            except BaseException as error:
                self._tell(future, None, error)
            else:
                self._tell(future, result, None)
        if connection is not None:
            connection.close()

    def _tell(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(_settle, future, result, error)
        except RuntimeError:
            pass  # the loop closed meanwhile: nobody waits any more


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
