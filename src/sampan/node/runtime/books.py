"""What the runtime works with and what it knows: its tools, and all sandboxes and containers by id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sampan.base.linux.cgroups import Hierarchy
from sampan.node.runtime import state
from sampan.node.runtime.broadcast import Broadcast
from sampan.node.runtime.config import Config
from sampan.node.runtime.filters import Filters
from sampan.node.runtime.image.store import Store
from sampan.node.runtime.link import Link
from sampan.node.runtime.oci import Facts
from sampan.node.runtime.state import Container, Sandbox
from sampan.spec import cni, cri

_T = TypeVar("_T", Sandbox, Container)
_R = TypeVar("_R")
_log = logging.getLogger(__name__)
# Mounts and the like: they wait for the kernel more than for a processor.
_THREADS = 16


class Books:
    """Tools are set once at start. The dicts change only on the event loop; put() writes to disk as well."""

    def __init__(
        self,
        config: Config,
        facts: Facts,
        oci: Path,
        cgroups: Hierarchy,
        store: Store,
        network: cni.Network | None,
        boot: str,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.config = config
        self.facts = facts
        self.oci = oci
        self.cgroups = cgroups
        self.store = store
        self.network = network
        self.boot = boot
        self.clock = clock
        self.link: Link
        self.crun = "crun" in oci.name
        self.filters = Filters(config.run / "seccomp")
        self.uncompiled: set[str] = set()
        self.broadcast = Broadcast()
        self.sandboxes: dict[str, Sandbox] = {}
        self.containers: dict[str, Container] = {}
        self.exits: dict[str, asyncio.Future[None]] = {}
        self.cleanups: dict[str, asyncio.Task[None]] = {}
        self.execs: dict[int, asyncio.Future[int]] = {}
        # Not the loop's own pool: a few long downloads would hold up every start.
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="runtime")
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    async def in_thread(self, work: Callable[..., _R], *args: Any) -> _R:
        """Blocking work off the loop; it ends even when the caller is cancelled meanwhile, so nothing is half done."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, work, *args))

    def background(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """For what nobody waits for; a failure is logged."""

        async def body() -> None:
            try:
                await work
            except cri.Error as error:
                _log.warning("%s failed, going on: %s", name, error)

        task = asyncio.get_running_loop().create_task(body(), name=f"runtime: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def lock(self, object_id: str) -> asyncio.Lock:
        """Serialises what changes one sandbox or container."""
        return self._locks.setdefault(object_id, asyncio.Lock())

    def forget(self, object_id: str) -> None:
        self._locks.pop(object_id, None)

    def sandbox(self, sandbox_id: str) -> Sandbox:
        return _one(self.sandboxes, sandbox_id, "sandbox")

    def container(self, container_id: str) -> Container:
        found = _one(self.containers, container_id, "container")
        if found.hidden:
            raise cri.Error("NotFound", f"container {container_id!r} not found")
        return found

    def put_sandbox(self, sandbox: Sandbox) -> None:
        self.sandboxes[sandbox.id] = sandbox
        state.save(self.config.sandbox_file(sandbox.id), sandbox)

    def put_container(self, container: Container) -> None:
        self.containers[container.id] = container
        state.save(self.config.container_file(container.id), container)

    def members(self, sandbox_id: str, *, hidden: bool = True) -> list[Container]:
        return [
            c for c in self.containers.values() if c.sandbox_id == sandbox_id and (hidden or not c.hidden)
        ]

    def exit_of(self, container_id: str) -> asyncio.Future[None]:
        """Done as soon as the container has exited and its state says so."""
        future = self.exits.get(container_id)
        if future is None:
            future = self.exits[container_id] = asyncio.get_running_loop().create_future()
        return future


def _one(known: dict[str, _T], wanted: str, kind: str) -> _T:
    """By id or unique prefix."""
    found = known.get(wanted)
    if found is not None:
        return found
    matching = [value for key, value in known.items() if wanted and key.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    problem = "is not unique" if matching else "not found"
    raise cri.Error("NotFound", f"{kind} {wanted!r} {problem}")
