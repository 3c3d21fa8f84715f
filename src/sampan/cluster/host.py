"""One process of ours: runs its components as tasks, repairs each that fails, tells the parent how they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from sampan.cluster.journal import CURRENT

log = logging.getLogger(__name__)

Started = Callable[[], None]
Runner = Callable[[Started], Awaitable[None]]

STOP_SECONDS = 8.0
"""How long a component may take to stop before its task is left behind."""
BACKOFF_SECONDS = (0.1, 30.0)
HEALTHY_SECONDS = 60.0
"""A component that ran this long starts again with the shortest pause."""


class Unit(NamedTuple):
    """A component within a process: `make` is called for each attempt; `needs` names units of the same process."""

    name: str
    make: Callable[[], Runner]
    needs: tuple[str, ...] = ()


class Host:
    """Runs units until it is told to stop; `report_fd` takes one JSON line per change of state."""

    def __init__(self, units: Sequence[Unit], report_fd: int) -> None:
        self._units = units
        self._report_fd = report_fd
        self._up = {unit.name: asyncio.Event() for unit in units}

    async def run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        tasks = [asyncio.create_task(self._keep(unit), name=unit.name) for unit in self._units]
        await stop.wait()
        for task in reversed(tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), STOP_SECONDS)

    def _report(self, name: str, state: str, reason: str = "") -> None:
        line = json.dumps({"component": name, "state": state, "reason": reason}) + "\n"
        with contextlib.suppress(OSError):  # the parent is gone; it will not ask again
            os.write(self._report_fd, line.encode())

    async def _keep(self, unit: Unit) -> None:
        CURRENT.set(unit.name)
        for needed in unit.needs:
            await self._up[needed].wait()
        shortest, longest = BACKOFF_SECONDS
        pause = shortest
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._report(unit.name, "starting")
            try:
                await unit.make()(lambda: self._started(unit.name))
                reason = "ended without an error"
            except asyncio.CancelledError:
                self._report(unit.name, "stopped")
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                log.exception("%s failed, starts again in %.1f s", unit.name, pause)
            if loop.time() - began > HEALTHY_SECONDS:
                pause = shortest
            self._report(unit.name, "failed", reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    def _started(self, name: str) -> None:
        self._up[name].set()
        log.info("%s is up", name)
        self._report(name, "running")


def run(units: Sequence[Unit], report_fd: int) -> None:
    """The body of a child process; returns when it was told to stop."""

    async def main() -> None:
        await Host(units, report_fd).run()

    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
