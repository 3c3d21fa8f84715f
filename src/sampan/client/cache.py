"""Informers: a local copy of what a list and watch shows, with indexes and handlers.

A copy is kept current by watch-list where the server has it, else by list and watch; it resumes after a broken
connection and starts anew after 410. Behaviour: k8s.io/client-go tools/cache (reflector.go, thread_safe_store.go).

Read your writes: `observe` and `observe_deleted` put the answer of a write into the copy at once, and events that are
older than what the copy holds are passed over. So a controller sees what it did a moment ago, and needs no count of
expected events. This rests on resourceVersions being comparable numbers, which Kubernetes guarantees (KEP-5504).

Objects in a copy are shared by everyone in the process: never change them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.base.aio.backoff import Backoff
from sampan.base.aio.clock import Clock, SystemClock
from sampan.base.aio.tasks import Tasks
from sampan.client.rest import Client, Object, Unreachable

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Object | None, Object | None], None]
Index: TypeAlias = Callable[[Object], Iterable[str]]

PAGE: Final = 500  # client-go's pager
TURN: Final = 100  # events after which other tasks get a turn
FIRST_BATCH_SILENCE: Final = (
    10.0  # seconds without an event after which a server is held not to know watch-list
)
NOT_ABOUT_WATCH_LIST: Final = (401, 403, 404, 410, 429)
INITIAL_END: Final = "k8s.io/initial-events-end"


def key_of(obj: Object) -> str:
    """namespace/name, or name."""
    meta = obj["metadata"]
    namespace = meta.get("namespace")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


def split(key: str) -> tuple[str, str]:
    """(namespace, name); the namespace is "" for what has none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def version_of(obj: Object) -> int:
    version = obj["metadata"].get("resourceVersion") or "0"
    return int(version) if version.isdigit() else 0


def slim(obj: Object) -> Object:
    """Without managedFields, often a third of an object and of no use to a controller."""
    obj["metadata"].pop("managedFields", None)
    return obj


def by_namespace(obj: Object) -> Iterable[str]:
    return (obj["metadata"].get("namespace", ""),)


def by_owner(obj: Object) -> Iterable[str]:
    """UIDs of all owners."""
    return [ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ()]


def by_label(obj: Object) -> Iterable[str]:
    """namespace/key=value of each label."""
    meta = obj["metadata"]
    namespace = meta.get("namespace", "")
    return [f"{namespace}/{key}={value}" for key, value in (meta.get("labels") or {}).items()]


def by_orphanage(obj: Object) -> Iterable[str]:
    """The namespace of what has no controller."""
    meta = obj["metadata"]
    if any(ref.get("controller") for ref in meta.get("ownerReferences") or ()):
        return ()
    return (meta.get("namespace", ""),)


def by_node(obj: Object) -> Iterable[str]:
    """The node that a pod is bound to."""
    node = (obj.get("spec") or {}).get("nodeName")
    return (node,) if node else ()


INDEXES: Final[dict[str, Index]] = {
    "namespace": by_namespace,
    "owner": by_owner,
    "orphan": by_orphanage,
    "label": by_label,
    "node": by_node,
}


class Informer:
    """The local copy of one resource. Made and run by `Informers`, or alone by `run`."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        watch_list: bool = True,
        keep: Callable[[Object], Object] = slim,
        clock: Clock | None = None,
    ) -> None:
        self.resource = resource
        self.namespace = namespace
        self.resource_version = ""
        self._client = client
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._metadata_only = metadata_only
        self._watch_list = watch_list
        self._keep = keep
        self._clock = clock or SystemClock()
        self._objects: dict[str, Object] = {}
        self._indexes: dict[str, tuple[Index, dict[str, dict[str, Object]]]] = {}
        self._handlers: list[Handler] = []
        self._gone: dict[str, str] = {}  # key -> uid of what we deleted and whose DELETED has not come yet
        self._synced = asyncio.Event()

    # --- reading

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))

    def get(self, key: str) -> Object | None:
        return self._objects.get(key)

    def find(self, namespace: str | None, name: str) -> Object | None:
        return self._objects.get(f"{namespace}/{name}" if namespace else name)

    def by(self, index: str, value: str) -> list[Object]:
        """The objects under `value` of an index, in order of their keys."""
        found = self._indexes[index][1].get(value)
        return [found[key] for key in sorted(found)] if found else []

    def index(self, name: str, function: Index) -> None:
        """Adds an index (one of INDEXES by name, or your own); the same name again is the same index."""
        if name in self._indexes:
            return
        self._indexes[name] = (function, {})
        for key, obj in self._objects.items():
            self._put_in_index(name, key, obj)

    @property
    def synced(self) -> bool:
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        await self._synced.wait()

    # --- following

    def on_change(self, handler: Handler) -> None:
        """`handler(old, new)`: old is None for a new object, new is None for one that is gone. It must not block.

        What is there already is shown at once as new.
        """
        self._handlers.append(handler)
        for obj in list(self._objects.values()):
            handler(None, obj)

    def observe(self, obj: Object) -> None:
        """Takes the server's answer to a write.

        Where the watch has come as far as that already, it has shown the write and perhaps the object's end: taking the
        answer then would bring back an object that is gone.
        """
        passed = self.resource_version.isdigit() and version_of(obj) <= int(self.resource_version)
        if not self._metadata_only and not passed:
            self._set(self._keep(dict(obj, metadata=dict(obj["metadata"]))))

    def observe_deleted(self, key: str, uid: str) -> None:
        """Takes the server's word that the object with this UID is gone."""
        held = self._objects.get(key)
        if held is not None and held["metadata"].get("uid") == uid:
            self._gone[key] = uid
            self._remove(key)

    async def run(self) -> None:
        """Keeps the copy current until cancelled."""
        backoff = Backoff(first=0.2, cap=30.0)
        while True:
            try:
                if not self.resource_version:
                    await self._fill()
                    backoff.reset()
                async for event in self._client.watch(
                    self.resource,
                    self.namespace,
                    resource_version=self.resource_version,
                    label_selector=self._label_selector,
                    field_selector=self._field_selector,
                    metadata_only=self._metadata_only,
                ):
                    self._take(event.type, event.object)
                    backoff.reset()
            except ApiError as error:
                if error.code == 410:
                    self.resource_version = ""
                    continue
                delay = backoff.next()
                level = logging.DEBUG if error.code == 503 and backoff.failures < 3 else logging.WARNING
                log.log(
                    level, "watch of %s broke and resumes in %.1f s: %s", self.resource.plural, delay, error
                )
                await self._clock.sleep(delay)

    # --- filling

    async def _fill(self) -> None:
        if self._watch_list:
            try:
                return await self._fill_by_watch()
            except ApiError as error:
                if isinstance(error, Unreachable) or error.code in NOT_ABOUT_WATCH_LIST:
                    raise
            except TimeoutError:
                pass
            log.info("%s: the server has no watch-list, listing instead", self.resource.plural)
            self._watch_list = False
        await self._fill_by_list()
        return None

    async def _fill_by_watch(self) -> None:
        """One watch that begins with everything there is; what it did not show is gone."""
        seen: set[str] = set()
        watch = self._client.watch(
            self.resource,
            self.namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            metadata_only=self._metadata_only,
            send_initial_events=True,
        )
        turns = 0
        async with contextlib.aclosing(watch):
            while True:
                limit = None if self.synced else FIRST_BATCH_SILENCE
                async with asyncio.timeout(limit):
                    event = await anext(watch, None)
                if event is None:
                    return
                if event.type == "BOOKMARK" and not self.resource_version:
                    meta = event.object["metadata"]
                    if (meta.get("annotations") or {}).get(INITIAL_END) == "true":
                        self._drop_unseen(seen, int(meta["resourceVersion"]))
                        self.resource_version = meta["resourceVersion"]
                        self._synced.set()
                        seen.clear()
                    continue
                if not self.resource_version:
                    obj = self._keep(event.object)
                    seen.add(key_of(obj))
                    self._set(obj) if event.type != "DELETED" else self._delete(obj)
                else:
                    self._take(event.type, event.object)
                turns += 1
                if turns % TURN == 0:
                    await asyncio.sleep(0)

    async def _fill_by_list(self) -> None:
        seen: set[str] = set()
        version = ""
        try:
            version = await self._list(seen, PAGE)
        except ApiError as error:
            if error.code != 410:
                raise
            seen.clear()
            version = await self._list(seen, 0)  # the continue token expired: everything at once
        self._drop_unseen(seen, int(version) if version.isdigit() else 0)
        self.resource_version = version
        self._synced.set()

    async def _list(self, seen: set[str], limit: int) -> str:
        version = ""
        async for page in self._client.pages(
            self.resource,
            self.namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            limit=limit,
            metadata_only=self._metadata_only,
        ):
            version = page["metadata"]["resourceVersion"]
            kind = {"apiVersion": self.resource.api_version, "kind": self.resource.kind}
            for obj in page.get("items") or ():
                made = self._keep(kind | obj)
                seen.add(key_of(made))
                self._set(made)
            await asyncio.sleep(0)
        return version

    def _drop_unseen(self, seen: set[str], version: int) -> None:
        for key, obj in list(self._objects.items()):
            if key not in seen and version_of(obj) <= version:
                self._remove(key)
        for key in [key for key in self._gone if key not in seen]:
            del self._gone[key]

    # --- the copy

    def _take(self, kind: str, obj: Object) -> None:
        if kind == "BOOKMARK":
            self.resource_version = obj["metadata"]["resourceVersion"]
            return
        self._delete(obj) if kind == "DELETED" else self._set(self._keep(obj))
        self.resource_version = obj["metadata"]["resourceVersion"]

    def _set(self, obj: Object) -> None:
        key = key_of(obj)
        meta = obj["metadata"]
        if self._gone.get(key) == meta.get("uid"):
            return
        old = self._objects.get(key)
        if old is not None and version_of(obj) <= version_of(old):
            return
        self._gone.pop(key, None)
        if old is not None:
            self._take_from_indexes(key, old)
        self._objects[key] = obj
        for name in self._indexes:
            self._put_in_index(name, key, obj)
        self._tell(old, obj)

    def _delete(self, obj: Object) -> None:
        key = key_of(obj)
        if self._gone.get(key) == obj["metadata"].get("uid"):
            del self._gone[key]
        old = self._objects.get(key)
        if old is not None and version_of(old) <= version_of(obj):
            self._remove(key)

    def _remove(self, key: str) -> None:
        old = self._objects.pop(key)
        self._take_from_indexes(key, old)
        self._tell(old, None)

    def _tell(self, old: Object | None, new: Object | None) -> None:
        for handler in self._handlers:
            try:
                handler(old, new)
            except Exception:
                log.exception("handler of %s failed at %s", self.resource.plural, key_of(new or old or {}))

    def _put_in_index(self, name: str, key: str, obj: Object) -> None:
        function, entries = self._indexes[name]
        for value in function(obj):
            entries.setdefault(value, {})[key] = obj

    def _take_from_indexes(self, key: str, obj: Object) -> None:
        for function, entries in self._indexes.values():
            for value in function(obj):
                held = entries.get(value)
                if held is not None:
                    held.pop(key, None)
                    if not held:
                        del entries[value]


class Informers:
    """Informers shared by everyone in a process: one per resource, namespace and selector."""

    def __init__(self, client: Client, *, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock
        self._made: dict[tuple[Any, ...], Informer] = {}
        self._tasks = Tasks("informers")
        self._running: dict[tuple[Any, ...], asyncio.Task[None]] = {}

    def of(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
    ) -> Informer:
        """The informer of that resource; it runs from the next `start` on."""
        key = (
            resource.group,
            resource.version,
            resource.plural,
            namespace,
            label_selector,
            field_selector,
            metadata_only,
        )
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Informer(
                self._client,
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                metadata_only=metadata_only,
                clock=self._clock,
            )
            for name, function in INDEXES.items():
                if name in ("namespace", "owner") or not metadata_only:
                    made.index(name, function)
        return made

    def whole(self, resource: Resource) -> Informer | None:
        """The informer of whole objects in all namespaces, if somebody asked for it."""
        return self._made.get((resource.group, resource.version, resource.plural, None, "", "", False))

    def start(self) -> None:
        """Runs the informers that do not run yet."""
        for key, informer in self._made.items():
            if key not in self._running:
                name = informer.resource.plural
                self._running[key] = self._tasks.keep(name, informer.run, clock=self._clock)

    async def stop_one(self, informer: Informer) -> None:
        """Ends an informer whose resource is gone."""
        for key, made in list(self._made.items()):
            if made is informer:
                del self._made[key]
                task = self._running.pop(key, None)
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])

    async def wait_synced(self) -> None:
        for informer in list(self._made.values()):
            await informer.wait_synced()

    async def stop(self) -> None:
        await self._tasks.stop()
        self._running.clear()

    async def __aenter__(self) -> Informers:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
