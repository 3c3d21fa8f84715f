"""Runs several controllers over shared informers. Start order: informers, recorder, controllers; stop is the reverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sampan.base.aio.clock import Clock, SystemClock
from sampan.base.aio.tasks import Tasks
from sampan.client.cache import Informers
from sampan.client.rest import Client
from sampan.control.controller import Context, Controller, Loop
from sampan.control.events import Recorder


async def run(
    client: Client,
    controllers: Sequence[Controller],
    *,
    config: Any = None,
    clock: Clock | None = None,
    host: str = "",
    started: Callable[[], None] = lambda: None,
) -> None:
    """Until cancelled, or until one controller fails beyond repair. `started` is called when all caches are filled."""
    names = [controller.name for controller in controllers]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"controllers with the same name: {', '.join(sorted(twice))}")
    time = clock or SystemClock()
    async with Informers(client, clock=clock) as informers, Tasks("controllers") as tasks:
        loops: list[Loop] = []
        for controller in controllers:
            recorder = Recorder(client, time, controller.name, host)
            context = Context(client, informers, time, recorder, name=controller.name, config=config)
            loops.append(Loop(controller, context))
            tasks.keep(f"{controller.name}/events", recorder.run, clock=time)
        informers.start()
        for loop in loops:
            tasks.spawn(loop.controller.name, loop.run(), vital=True)
        await informers.wait_synced()
        started()
        await tasks.wait()
