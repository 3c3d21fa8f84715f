"""Runs several controllers over shared informers. Start order: informers, recorder, controllers; stop is the reverse."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
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
    others: Sequence[tuple[str, Callable[[Context], Coroutine[Any, Any, None]]]] = (),
    informers: Informers | None = None,
    config: Any = None,
    clock: Clock | None = None,
    host: str = "",
    started: Callable[[], None] = lambda: None,
) -> None:
    """Until cancelled, or until one controller fails beyond repair. `started` is called when all caches are filled.

    `others` are named loops that are no key-by-key controllers. With `informers` the caller's copies are used.
    """
    names = [controller.name for controller in controllers] + [name for name, _ in others]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"controllers with the same name: {', '.join(sorted(twice))}")
    time = clock or SystemClock()
    shared = informers if informers is not None else Informers(client, clock=clock)
    try:
        async with Tasks("controllers") as tasks:

            def context(name: str) -> Context:
                recorder = Recorder(client, time, name, host)
                tasks.keep(f"{name}/events", recorder.run, clock=time)
                return Context(client, shared, time, recorder, name=name, config=config)

            loops = [Loop(controller, context(controller.name)) for controller in controllers]
            shared.start()
            for loop in loops:
                tasks.spawn(loop.controller.name, loop.run(), vital=True)
            for name, work in others:
                tasks.spawn(name, work(context(name)), vital=True)
            await shared.wait_synced()
            started()
            await tasks.wait()
    finally:
        if informers is None:
            await shared.stop()
