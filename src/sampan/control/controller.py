"""A controller: what it watches, which keys a change concerns, how one key is reconciled; and the loop that runs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.base.aio.clock import Clock
from sampan.base.aio.tasks import Tasks
from sampan.client.cache import Informer, Informers, key_of
from sampan.client.rest import Client
from sampan.control import workqueue
from sampan.control.events import Recorder
from sampan.control.execute import Executor
from sampan.control.ownership import controller_of
from sampan.control.reconcile import DONE, After, Done, Outcome, Retry, Terminal

log = logging.getLogger(__name__)

Object = dict[str, Any]


class Context:
    """What a reconcile works with. One per controller; informers are shared."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        recorder: Recorder,
        *,
        name: str,
        config: Any = None,
    ) -> None:
        self.client = client
        self.informers = informers
        self.clock = clock
        self.recorder = recorder
        self.config = config
        self.memory: dict[str, Any] = {}  # what the controller may forget when it starts anew
        self.execute = Executor(client, informers, recorder, name)

    def store(self, resource: Resource) -> Informer:
        """The local copy of a resource that the controller watches. Raises KeyError for one it does not."""
        found = self.informers.whole(resource)
        if found is None:
            raise KeyError(f"{resource.plural} is read but not watched")
        return found


Keys: TypeAlias = Callable[["Context", Object | None, Object | None], Iterable[str]]
Reconcile: TypeAlias = Callable[["Context", str], Awaitable[Outcome]]


class Watch(NamedTuple):
    """`keys(context, old, new)` names what a change concerns; without it the resource is only read."""

    resource: Resource
    keys: Keys | None = None


class Controller(NamedTuple):
    name: str
    watches: tuple[Watch, ...]
    reconcile: Reconcile
    workers: int = 4


def own(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """The changed object's own key."""
    obj = new or old
    return (key_of(obj),) if obj else ()


def owner(kind: str, group: str) -> Keys:
    """The key of the controller of that kind, old and new, when the object has one."""

    def keys(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
        found: list[str] = []
        for obj in (old, new):
            ref = controller_of(obj) if obj else None
            if obj and ref and ref["kind"] == kind and ref["apiVersion"].rpartition("/")[0] == group:
                namespace = obj["metadata"].get("namespace")
                key = f"{namespace}/{ref['name']}" if namespace else ref["name"]
                if key not in found:
                    found.append(key)
        return found

    return keys


class Loop:
    """One controller at work."""

    def __init__(self, controller: Controller, context: Context) -> None:
        self.controller = controller
        self.context = context
        self.queue: workqueue.Queue[str] = workqueue.Queue(context.clock)
        for watch in controller.watches:
            informer = context.informers.of(watch.resource)
            if watch.keys is not None:
                informer.on_change(self._handler(watch.keys))

    def _handler(self, keys: Keys) -> Callable[[Object | None, Object | None], None]:
        def handle(old: Object | None, new: Object | None) -> None:
            for key in keys(self.context, old, new):
                self.queue.add(key)

        return handle

    async def run(self) -> None:
        """Works until cancelled; begins when all that the controller reads is there."""
        for watch in self.controller.watches:
            await self.context.informers.of(watch.resource).wait_synced()
        async with Tasks(self.controller.name) as tasks:
            for number in range(self.controller.workers):
                tasks.spawn(f"worker-{number}", self._work(), vital=True)
            try:
                await tasks.wait()
            finally:
                self.queue.shutdown()

    async def _work(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except workqueue.Shutdown:
                return
            try:
                await self.work_on(key)
            finally:
                self.queue.done(key)

    async def work_on(self, key: str) -> Outcome:
        """One reconcile, and what its outcome means for the queue."""
        name = self.controller.name
        try:
            outcome = await self.controller.reconcile(self.context, key)
        except ApiError as error:
            outcome = Retry(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("%s failed at %s", name, key)
            outcome = Retry(error)
        if isinstance(outcome, Retry) and _namespace_ends(outcome.error):
            outcome = DONE
        match outcome:
            case Done():
                self.queue.forget(key)
            case After(seconds):
                self.queue.forget(key)
                self.queue.add_after(key, seconds)
            case Retry(failure):
                delay = self.queue.add_rate_limited(key)
                conflict = isinstance(failure, ApiError) and failure.code == 409
                level = logging.DEBUG if conflict or self.queue.failures(key) < 4 else logging.WARNING
                log.log(level, "%s tries %s again in %.3g s: %s", name, key, delay, failure)
            case Terminal(failure):
                self.queue.forget(key)
                log.error("%s gives %s up until it changes: %s", name, key, failure)
        return outcome


def outcome_of(error: Exception | None) -> Outcome:
    return DONE if error is None else Retry(error)


def _namespace_ends(error: Exception) -> bool:
    """Nothing can be made there any more, and what is there goes: trying again is no use."""
    return isinstance(error, ApiError) and any(
        cause.reason == "NamespaceTerminating" for cause in error.causes
    )
