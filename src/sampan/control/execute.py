"""The one executor of plans: acts in order, many creates or deletes in a row at once, and shows the answers to the informers."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.client.cache import Informers
from sampan.client.rest import Client
from sampan.control.events import Recorder
from sampan.control.plan import Action, Create, Delete, Emit, Patch, Tell, Update

log = logging.getLogger(__name__)

Object = dict[str, Any]

AT_ONCE: Final = 64  # requests in flight for one plan


class Failure(NamedTuple):
    action: Action
    error: ApiError


class Applied(NamedTuple):
    """What became of a plan: answers of the writes, and what failed (the rest of the plan was not tried)."""

    objects: tuple[Object, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def error(self) -> ApiError | None:
        return self.failures[0].error if self.failures else None


class Executor:
    """Carries plans out as one field manager. The first failure ends a plan."""

    def __init__(self, client: Client, informers: Informers, recorder: Recorder, manager: str) -> None:
        self._client = client
        self._informers = informers
        self._recorder = recorder
        self._manager = manager

    async def apply(self, actions: Iterable[Action]) -> Applied:
        objects: list[Object] = []
        for kind, group in itertools.groupby(actions, key=type):
            batch = list(group)
            if kind is Create:
                applied = await self._slow_start(batch)
            elif kind is Delete:
                applied = await self._at_once(batch)
            else:
                applied = await self._one_by_one(batch)
            objects += applied.objects
            if applied.failures:
                return Applied(tuple(objects), applied.failures)
        return Applied(tuple(objects))

    async def _slow_start(self, batch: Sequence[Action]) -> Applied:
        """1, 2, 4 ... creates at once: a quota or a webhook that says no is asked few times (upstream slowStartBatch)."""
        objects: list[Object] = []
        at, size = 0, 1
        while at < len(batch):
            applied = await self._at_once(batch[at : at + size])
            objects += applied.objects
            if applied.failures:
                return Applied(tuple(objects), applied.failures)
            at, size = at + size, min(size * 2, AT_ONCE)
        return Applied(tuple(objects))

    async def _at_once(self, batch: Sequence[Action]) -> Applied:
        objects: list[Object] = []
        failures: list[Failure] = []
        for at in range(0, len(batch), AT_ONCE):
            part = batch[at : at + AT_ONCE]
            if len(part) == 1:
                results: list[Object | Failure | None] = [await self._act(part[0])]
            else:
                results = await asyncio.gather(*(self._act(action) for action in part))
            failures += [r for r in results if isinstance(r, Failure)]
            objects += [r for r in results if isinstance(r, dict)]
            if failures:
                break
        return Applied(tuple(objects), tuple(failures))

    async def _one_by_one(self, batch: Sequence[Action]) -> Applied:
        objects: list[Object] = []
        for action in batch:
            result = await self._act(action)
            if isinstance(result, Failure):
                return Applied(tuple(objects), (result,))
            if result is not None:
                objects.append(result)
        return Applied(tuple(objects))

    async def _act(self, action: Action) -> Object | Failure | None:
        try:
            match action:
                case Emit():
                    self._recorder.emit(action.regarding, action.type, action.reason, action.message)
                    return None
                case Create():
                    result = await self._client.create(
                        action.resource, action.obj, action.namespace or None, field_manager=self._manager
                    )
                case Update():
                    result = await self._client.replace(
                        action.resource,
                        action.obj,
                        subresource=action.subresource or None,
                        field_manager=self._manager,
                    )
                case Patch():
                    result = await self._client.patch(
                        action.resource,
                        action.name,
                        action.body,
                        action.namespace or None,
                        content_type=action.content_type,
                        subresource=action.subresource or None,
                        field_manager=self._manager,
                    )
                case Delete():
                    return await self._delete(action)
        except ApiError as error:
            if isinstance(action, Patch) and action.missing_ok and error.code == 404:
                return None
            return self._failed(action, error)
        self.observe(action.resource, result)
        self._told(action.tell, result["metadata"]["name"])
        return result

    async def _delete(self, action: Delete) -> Object | None:
        try:
            result = await self._client.delete(
                action.resource,
                action.name,
                action.namespace or None,
                propagation=action.propagation,
                grace_period=action.grace_period,
                preconditions={"uid": action.uid} if action.uid else None,
            )
        except ApiError as error:
            if error.code == 404 or (error.code == 409 and action.uid):  # gone, or a namesake now
                return None
            raise
        if result.get("kind") == "Status":
            informer = self._informers.whole(action.resource)
            if informer is not None and action.uid:
                key = f"{action.namespace}/{action.name}" if action.namespace else action.name
                informer.observe_deleted(key, action.uid)
        else:
            self.observe(action.resource, result)
        self._told(action.tell, action.name)
        return result

    def observe(self, resource: Resource, obj: Object) -> None:
        informer = self._informers.whole(resource)
        if informer is not None and obj.get("kind") == resource.kind:
            informer.observe(obj)

    def _told(self, tell: Tell | None, name: str) -> None:
        if tell is not None and tell.done_reason:
            self._recorder.emit(tell.regarding, "Normal", tell.done_reason, tell.done.format(name=name))

    def _failed(self, action: Action, error: ApiError) -> Failure:
        tell = getattr(action, "tell", None)
        if tell is not None and tell.failed_reason and not _namespace_ends(error):
            text = tell.failed.format(name=getattr(action, "name", ""), error=error.message)
            self._recorder.emit(tell.regarding, "Warning", tell.failed_reason, text)
        return Failure(action, error)


def _namespace_ends(error: ApiError) -> bool:
    return any(cause.reason == "NamespaceTerminating" for cause in error.causes)
