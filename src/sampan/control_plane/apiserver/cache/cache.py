"""All tables, kept in step with the store; the read view of the API server."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sampan.control_plane.apiserver.cache.record import Object, Record
from sampan.control_plane.apiserver.cache.table import Table
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.storage import Event, Storage, Subscription

log = logging.getLogger(__name__)

CORE: Final = "core"  # stands for the core group in keys
REPLAY: Final = 2000  # past revisions replayed at the start, so that watches survive a restart of the server
SLICE: Final = 500  # objects loaded between two breaths of the loop


def key_of(group: str, plural: str, namespace: str, name: str) -> str:
    return f"/{group or CORE}/{plural}/{namespace}/{name}"


def prefix_of(group: str, plural: str, namespace: str = "") -> str:
    return f"/{group or CORE}/{plural}/{namespace}/" if namespace else f"/{group or CORE}/{plural}/"


def parts_of(key: str) -> tuple[str, str, str, str]:
    """Group, plural, namespace, name."""
    _, group, plural, namespace, name = key.split("/", 4)
    return "" if group == CORE else group, plural, namespace, name


class Cache:
    """`indexes`: for some resources one field by which they can be found, such as a pod's node."""

    def __init__(
        self, storage: Storage, *, indexes: Mapping[tuple[str, str], Callable[[Object], str]] | None = None
    ) -> None:
        self._storage = storage
        self._indexes = indexes or {}
        self._tables: dict[tuple[str, str], Table] = {}
        self._subscription: Subscription | None = None
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._listeners: list[Callable[[str, str, Record, bool], None]] = []
        self.revision = 0
        self._began = 0

    async def start(self) -> None:
        """Loads everything and follows from there."""
        start = max(self._storage.oldest, self._storage.revision - REPLAY)
        page = await self._storage.range("", revision=start)
        for number, entry in enumerate(page.entries):
            group, plural, namespace, name = parts_of(entry.key)
            self.table(group, plural).load(
                Record(entry.key, namespace, name, entry.value, entry.revision, entry.created)
            )
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        self.revision = self._began = start
        for table in self._tables.values():
            table.horizon = start
        self._subscription = await self._storage.follow(start, self._follow)

    def close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        for table in self._tables.values():
            table.drop_watchers()

    def table(self, group: str, plural: str) -> Table:
        """The table of a resource by its storage group; made when first asked for."""
        table = self._tables.get((group, plural))
        if table is None:
            table = Table(group, plural, index=self._indexes.get((group, plural)))
            # had anything happened to it since we follow the store, the table would be there
            table.horizon = self._began
            self._tables[group, plural] = table
        return table

    def tables(self) -> Iterable[Table]:
        return list(self._tables.values())

    def on_change(self, listener: Callable[[str, str, Record, bool], None]) -> None:
        """Called in the loop after each change with group, plural, the record and whether it is a deletion."""
        self._listeners.append(listener)

    def _follow(self, events: Sequence[Event]) -> None:
        for event in events:
            group, plural, namespace, name = parts_of(event.key)
            table = self.table(group, plural)
            self.revision = event.revision
            if event.deleted:
                change = table.remove(namespace, name, event.revision)
            else:
                record = Record(event.key, namespace, name, event.value, event.revision, event.created)
                change = table.put(record)
            if change is not None:
                for listener in self._listeners:
                    try:
                        listener(group, plural, change.record, event.deleted)
                    except Exception:
                        log.exception("a listener failed at %s", event.key)
        while self._waiting and self._waiting[0][0] <= self.revision:
            waiter = heapq.heappop(self._waiting)[2]
            if not waiter.done():
                waiter.set_result(None)

    async def reached(self, revision: int, timeout: float) -> bool:
        """Waits until the cache is as new as the revision; False when that takes too long."""
        if revision <= self.revision:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, id(waiter), waiter))
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        return True

    # -- View

    def get(self, group: str, plural: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        table = self._tables.get((group, plural))
        record = table.get(namespace, name) if table is not None else None
        return record.object if record is not None else None

    def list(self, group: str, plural: str, namespace: str = "") -> Iterable[Mapping[str, Any]]:
        table = self._tables.get((group, plural))
        if table is None:
            return []
        return [record.object for record in table.select(Filter(namespace=namespace))]

    def revision_of(self, group: str, plural: str) -> int:
        table = self._tables.get((group, plural))
        return table.revision if table is not None else 0


class CacheView:
    """The cache as `View`: its `revision` is a resource's, where the cache's own is that of everything."""

    __slots__ = ("_cache",)

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def get(self, group: str, plural: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        return self._cache.get(group, plural, namespace, name)

    def list(self, group: str, plural: str, namespace: str = "") -> Iterable[Mapping[str, Any]]:
        return self._cache.list(group, plural, namespace)

    def revision(self, group: str, plural: str) -> int:
        return self._cache.revision_of(group, plural)
