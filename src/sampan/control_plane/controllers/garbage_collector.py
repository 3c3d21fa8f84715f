"""The garbage collector: deletes what has lost its owners, and carries foreground and orphaning deletions through.

It watches the metadata of every kind that can be listed, watched and deleted; kinds that come and go with their CRDs are
found again by discovery. An owner that the copies do not show is asked for at the API server before anything is deleted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.kinds.model import GroupVersion, Resource
from sampan.api.status import ApiError
from sampan.base.aio.tasks import Tasks
from sampan.client.cache import Informer, key_of, split
from sampan.control import workqueue
from sampan.control.controller import Context
from sampan.control_plane.controllers import garbage
from sampan.control_plane.controllers.garbage import Disown, Nothing, Owner, Push, Release, Remove, View

log = logging.getLogger(__name__)

Object = dict[str, Any]

NAME: Final = "garbage-collector-controller"
IGNORED: Final = frozenset({("", "events"), ("events.k8s.io", "events")})
CRDS: Final = kinds.of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
SERVICES: Final = kinds.of("apiregistration.k8s.io/v1", "APIService")
WORKERS: Final = 16
SETTLE: Final = (
    0.2  # seconds after a change of the served kinds before discovery is asked; several come together
)
SYNC_SECONDS: Final = 30.0
AGAIN: Final = 10.0  # seconds between tries while a group cannot be discovered


class Item(NamedTuple):
    """The key of the queue: one object, by the resource in which it is watched."""

    group: str
    plural: str
    key: str


class Collector:
    """One run of the collector."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue: workqueue.Queue[Item] = workqueue.Queue(context.clock)
        self._watched: dict[tuple[str, str], tuple[Resource, Informer]] = {}
        self._own: set[tuple[str, str]] = set()  # informers that nobody else uses
        self._by_kind: dict[tuple[str, str], tuple[str, str]] = {}
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()

    async def run(self) -> None:
        for resource in (CRDS, SERVICES):
            self._context.informers.of(resource).on_change(lambda old, new: self._changed.set())
        self._context.informers.start()
        async with Tasks(NAME) as tasks:
            tasks.keep("kinds", self._follow_kinds, clock=self._context.clock)
            for number in range(WORKERS):
                tasks.spawn(f"worker-{number}", self._work(), vital=True)
            await tasks.wait()

    # --- which kinds there are

    async def _follow_kinds(self) -> None:
        while True:
            self._changed.clear()
            stale = await self.sync_kinds()
            if stale:
                try:
                    async with asyncio.timeout(AGAIN):
                        await self._changed.wait()
                except TimeoutError:
                    continue
            else:
                await self._changed.wait()
            await self._context.clock.sleep(SETTLE)

    async def sync_kinds(self) -> bool:
        """Starts and ends informers as discovery says; whether some group could not be discovered."""
        discovery = self._context.client.discovery
        found = {
            (resource.group, resource.plural): resource
            for resource in await discovery.preferred(fresh=True)
            if {"list", "watch", "delete"} <= set(resource.verbs)
            and (resource.group, resource.plural) not in IGNORED
        }
        self._by_kind = {(r.group, r.kind): (r.group, r.plural) for r in found.values()}
        informers = self._context.informers
        for place, resource in found.items():
            if place not in self._watched or self._watched[place][0].version != resource.version:
                whole = informers.whole(resource)
                informer = whole or informers.of(resource, metadata_only=True)
                if whole is None:
                    self._own.add(place)
                self._watched[place] = (resource, informer)
                informer.on_change(self._handler(place))
        for place in [place for place in self._watched if place not in found]:
            group = self._watched[place][0].group
            if any(name.split("/")[0] == group for name in discovery.stale):
                continue
            _, informer = self._watched.pop(place)
            if place in self._own:
                self._own.discard(place)
                await informers.stop_one(informer)
        informers.start()
        await self._wait_synced()
        return bool(discovery.stale)

    async def _wait_synced(self) -> None:
        """What is not seen yet may be a dependent; a kind that cannot be listed holds the others up only so long."""
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                for _, informer in list(self._watched.values()):
                    await informer.wait_synced()
        except TimeoutError:
            late = [place for place, (_, informer) in self._watched.items() if not informer.synced]
            log.warning("garbage collection goes on without %s, which cannot be listed", late)
        self._ready.set()

    def _handler(self, place: tuple[str, str]) -> Callable[[Object | None, Object | None], None]:
        def handle(old: Object | None, new: Object | None) -> None:
            if place not in self._watched:
                return
            if new is not None:
                if garbage.concerns(new) and (old is None or garbage.shown(old) != garbage.shown(new)):
                    self._queue.add(Item(*place, key_of(new)))
                return
            if old is not None:
                for where, dependent in self._dependents(old["metadata"]["uid"]):
                    self._queue.add(Item(*where, key_of(dependent)))
                for owner in self._waiting_owners(old):
                    self._queue.add(owner)

        return handle

    # --- the graph, read from the informers' indexes

    def _dependents(self, uid: str) -> Iterable[tuple[tuple[str, str], Object]]:
        for place, (_, informer) in self._watched.items():
            for dependent in informer.by("owner", uid):
                yield place, dependent

    def _waiting_owners(self, obj: Object) -> Iterable[Item]:
        for ref in obj["metadata"].get("ownerReferences") or ():
            item = self._item_of(ref, obj)
            found = self._watched[item.group, item.plural][1].get(item.key) if item else None
            if item is not None and found is not None and garbage.is_waiting(found):
                yield item

    def _item_of(self, ref: Object, dependent: Object) -> Item | None:
        """Where the owner would be; None when its kind is not watched, or namespaced and the dependent is not."""
        place = self._by_kind.get(_kind_of(ref))
        if place is None or place not in self._watched:
            return None
        if not self._watched[place][0].namespaced:
            return Item(*place, ref["name"])
        namespace = dependent["metadata"].get("namespace")
        return Item(*place, f"{namespace}/{ref['name']}") if namespace else None

    async def _owner(self, ref: Object, dependent: Object) -> Owner:
        item = self._item_of(ref, dependent)
        if item is None:
            return Owner.UNKNOWN
        resource, informer = self._watched[item.group, item.plural]
        found = informer.get(item.key)
        if found is None or found["metadata"]["uid"] != ref["uid"]:
            namespace, name = split(item.key)
            try:
                found = await self._context.client.get(resource, name, namespace or None, metadata_only=True)
            except ApiError as error:
                if error.code == 404:
                    return Owner.ABSENT
                raise
            if found["metadata"]["uid"] != ref["uid"]:
                return Owner.ABSENT
        return Owner.WAITING if garbage.is_waiting(found) else Owner.SOLID

    # --- work

    async def _work(self) -> None:
        await self._ready.wait()
        while True:
            item = await self._queue.get()
            try:
                await self.collect(item)
                self._queue.forget(item)
            except ApiError as error:
                delay = self._queue.add_rate_limited(item)
                level = logging.DEBUG if error.code == 409 else logging.WARNING
                log.log(
                    level,
                    "collecting %s %s is tried again in %.3g s: %s",
                    item.plural,
                    item.key,
                    delay,
                    error,
                )
            except Exception:
                log.exception("collecting %s %s failed", item.plural, item.key)
                self._queue.add_rate_limited(item)
            finally:
                self._queue.done(item)

    async def collect(self, item: Item) -> None:
        """Looks at one object and takes the step that is due."""
        place = (item.group, item.plural)
        if place not in self._watched:
            return
        resource, informer = self._watched[place]
        obj = informer.get(item.key)
        if obj is None or not garbage.concerns(obj):
            return
        refs = obj["metadata"].get("ownerReferences") or ()
        ending = bool(obj["metadata"].get("deletionTimestamp"))
        owners = () if ending else tuple([(ref, await self._owner(ref, obj)) for ref in refs])
        self._warn(obj, resource, owners)
        located = list(self._dependents(obj["metadata"]["uid"]))
        step = garbage.plan(View(obj, owners, tuple(dependent for _, dependent in located)))
        if not isinstance(step, Nothing):
            await self._act(step, resource, obj, {d["metadata"]["uid"]: where for where, d in located})

    def _warn(self, obj: Object, resource: Resource, owners: Iterable[tuple[Object, Owner]]) -> None:
        """An owner of a namespaced kind can only be in the dependent's own namespace."""
        namespace = obj["metadata"].get("namespace", "")
        for ref, owner in owners:
            held = self._watched.get(self._by_kind.get(_kind_of(ref), ("", "")))
            if held is None or owner not in (Owner.ABSENT, Owner.UNKNOWN):
                continue
            if owner is Owner.ABSENT and not any(o["metadata"]["uid"] == ref["uid"] for o in held[1]):
                continue
            text = (
                f"ownerRef [{ref['apiVersion']}/{ref['kind']}, namespace: {namespace}, name: {ref['name']}, "
                f'uid: {ref["uid"]}] does not exist in namespace "{namespace}"'
            )
            regarding = obj | {"kind": resource.kind, "apiVersion": resource.api_version}
            self._context.recorder.emit(regarding, "Warning", "OwnerRefInvalidNamespace", text)

    async def _act(
        self,
        step: Remove | Disown | Release | Push,
        resource: Resource,
        obj: Object,
        places: dict[str, tuple[str, str]],
    ) -> None:
        """`places` tells where each dependent is watched, by its UID."""
        client, meta = self._context.client, obj["metadata"]

        def resource_of(dependent: Object) -> Resource:
            return self._watched[places[dependent["metadata"]["uid"]]][0]

        match step:
            case Push(dependents):
                for dependent in dependents:
                    self._queue.add(Item(*places[dependent["metadata"]["uid"]], key_of(dependent)))
            case Disown(uids):
                await self._set_owners(resource, obj, uids)
            case Release(finalizer, orphans):
                for dependent in orphans:
                    await self._set_owners(resource_of(dependent), dependent, frozenset({meta["uid"]}))
                left = [name for name in meta.get("finalizers") or () if name != finalizer]
                await self._patch(resource, obj, {"finalizers": left or None})
            case Remove(propagation, unblock):
                for dependent in unblock:
                    await self._unblock(resource_of(dependent), dependent, meta["uid"])
                guard = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
                try:
                    await client.delete(
                        resource,
                        meta["name"],
                        meta.get("namespace"),
                        propagation=propagation,
                        preconditions=guard,
                    )
                except ApiError as error:
                    if error.code != 404:
                        raise

    async def _unblock(self, resource: Resource, dependent: Object, owner_uid: str) -> None:
        refs = [
            ref | {"blockOwnerDeletion": False} if ref["uid"] == owner_uid else ref
            for ref in dependent["metadata"].get("ownerReferences") or ()
        ]
        await self._patch(resource, dependent, {"ownerReferences": refs})

    async def _set_owners(self, resource: Resource, obj: Object, gone: frozenset[str]) -> None:
        refs = [ref for ref in obj["metadata"].get("ownerReferences") or () if ref["uid"] not in gone]
        await self._patch(resource, obj, {"ownerReferences": refs or None})

    async def _patch(self, resource: Resource, obj: Object, change: Object) -> None:
        meta = obj["metadata"]
        body = {"metadata": change | {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}
        try:
            await self._context.client.patch(resource, meta["name"], body, meta.get("namespace"))
        except ApiError as error:
            if error.code != 404:
                raise


def _kind_of(ref: Object) -> tuple[str, str]:
    return GroupVersion.parse(ref["apiVersion"]).group, ref["kind"]


async def run(context: Context) -> None:
    await Collector(context).run()
