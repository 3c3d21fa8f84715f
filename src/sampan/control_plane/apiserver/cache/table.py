"""All objects of one resource: by name in order, by namespace, by one indexed field; recent history; watchers."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sampan.control_plane.apiserver.cache.record import Object, Record, decoded
from sampan.control_plane.apiserver.cache.watcher import ADDED, DELETED, MODIFIED, Change, Filter, Watcher

HISTORY: Final = 4096  # changes kept for watches that resume
HISTORY_BYTES: Final = 16 * 1024 * 1024  # of one table's history; big objects shorten it

Bucket = tuple[str, str, str]
EVERYWHERE: Final[Bucket] = ("", "", "")


class Table:
    """`horizon`: a watch may resume from this revision or a later one; before it, changes have been forgotten."""

    def __init__(self, group: str, plural: str, *, index: Callable[[Object], str] | None = None) -> None:
        self.group = group
        self.plural = plural
        self.revision = 0
        self.horizon = 0
        self._index = index
        self._records: dict[tuple[str, str], Record] = {}
        self._names: dict[str, list[str]] = {}  # namespace -> sorted names
        self._indexed: dict[str, dict[tuple[str, str], Record]] = {}
        self._history: deque[Change] = deque()
        self._history_bytes = 0
        self._watchers: dict[Bucket, dict[Watcher, None]] = {}

    # -- reads

    def get(self, namespace: str, name: str) -> Record | None:
        return self._records.get((namespace, name))

    def __len__(self) -> int:
        return len(self._records)

    def select(self, wanted: Filter, *, after: str = "") -> Iterator[Record]:
        """Records in order of their keys (namespace/name) that may match; `after`: behind this namespace/name.

        Narrowed by namespace, name and index only: the caller asks `wanted.matches`. Not to be held across changes.
        """
        if wanted.name:
            yield from self._named(wanted, after)
        elif wanted.indexed is not None:
            found = self._indexed.get(wanted.indexed, {})
            for record in sorted(found.values(), key=lambda record: record.key):
                if not after or f"{record.namespace}/{record.name}" > after:
                    yield record
        else:
            namespaces: Iterable[str] = (
                [wanted.namespace] if wanted.namespace else sorted(self._names, key=_namespace_order)
            )
            for namespace in namespaces:
                yield from self._of_namespace(namespace, after)

    def _named(self, wanted: Filter, after: str) -> Iterator[Record]:
        namespaces = [wanted.namespace] if wanted.namespace else sorted(self._names, key=_namespace_order)
        for namespace in namespaces:
            record = self._records.get((namespace, wanted.name))
            if record is not None and f"{namespace}/{wanted.name}" > after:
                yield record

    def _of_namespace(self, namespace: str, after: str) -> Iterator[Record]:
        names = self._names.get(namespace, [])
        start = 0
        if after:
            prefix = f"{namespace}/"
            if after.startswith(prefix):
                start = bisect.bisect_right(names, after[len(prefix) :])
            elif after > prefix:
                return
        for name in names[start:]:
            yield self._records[namespace, name]

    # -- changes

    def load(self, record: Record) -> None:
        """An object that was there when the cache started."""
        self._insert(record, None)
        self.revision = max(self.revision, record.revision)

    def put(self, record: Record) -> Change:
        old = self._records.get((record.namespace, record.name))
        self._insert(record, old)
        return self._changed(Change(MODIFIED if old is not None else ADDED, record, old))

    def remove(self, namespace: str, name: str, revision: int) -> Change | None:
        old = self._records.pop((namespace, name), None)
        if old is None:
            return None
        names = self._names[namespace]
        del names[bisect.bisect_left(names, name)]
        if not names:
            del self._names[namespace]
        self._drop_index(old)
        last = old.at(revision)
        last.index = old.index
        decoded.forget(old)
        return self._changed(Change(DELETED, last, old))

    def _insert(self, record: Record, old: Record | None) -> None:
        place = (record.namespace, record.name)
        self._records[place] = record
        if old is None:
            bisect.insort(self._names.setdefault(record.namespace, []), record.name)
        else:
            self._drop_index(old)
        if self._index is not None:
            record.index = self._index(record.object)
            if record.index:
                self._indexed.setdefault(record.index, {})[place] = record

    def _drop_index(self, record: Record) -> None:
        if record.index:
            found = self._indexed[record.index]
            found.pop((record.namespace, record.name), None)
            if not found:
                del self._indexed[record.index]

    def _changed(self, change: Change) -> Change:
        self.revision = change.revision
        self._history.append(change)
        self._history_bytes += len(change.record.body)
        while len(self._history) > HISTORY or (
            self._history_bytes > HISTORY_BYTES and len(self._history) > 1
        ):
            gone = self._history.popleft()
            self._history_bytes -= len(gone.record.body)
            self.horizon = gone.revision
        for bucket in self._buckets(change):
            watchers = self._watchers.get(bucket)
            if watchers:
                for watcher in list(watchers):
                    if not watcher.give(change):
                        self.unwatch(watcher)
                        watcher.close()
        return change

    # -- watches

    def since(self, revision: int) -> list[Change] | None:
        """Changes after a revision, or None when some of them have been forgotten."""
        if revision < self.horizon:
            return None
        found: list[Change] = []
        for change in reversed(self._history):
            if change.revision <= revision:
                break
            found.append(change)
        found.reverse()
        return found

    def watch(self, watcher: Watcher) -> None:
        """From now on the watcher gets every change; what came before is its own affair."""
        self._watchers.setdefault(_bucket(watcher.wanted), {})[watcher] = None

    def unwatch(self, watcher: Watcher) -> None:
        bucket = _bucket(watcher.wanted)
        watchers = self._watchers.get(bucket)
        if watchers is not None and watchers.pop(watcher, watcher) is None and not watchers:
            del self._watchers[bucket]

    def watchers(self) -> Iterator[Watcher]:
        for watchers in list(self._watchers.values()):
            yield from list(watchers)

    def drop_watchers(self) -> None:
        """The resource is served no more (or otherwise than before): its watches end."""
        for watcher in self.watchers():
            self.unwatch(watcher)
            watcher.end()

    def _buckets(self, change: Change) -> Iterator[Bucket]:
        record = change.record
        yield EVERYWHERE
        if record.namespace:
            yield ("namespace", record.namespace, "")
        yield ("name", record.namespace, record.name)
        if self._index is not None:
            if record.index:
                yield ("index", record.index, "")
            if change.old is not None and change.old.index and change.old.index != record.index:
                yield ("index", change.old.index, "")


def _namespace_order(namespace: str) -> str:
    # by key, as the store has it: "a-b/x" comes before "a/x"
    return namespace + "/"


def _bucket(wanted: Filter) -> Bucket:
    """Where a watcher hangs: each change looks into few buckets instead of asking every watcher."""
    if wanted.indexed:
        return ("index", wanted.indexed, "")
    if wanted.name and wanted.namespace:
        return ("name", wanted.namespace, wanted.name)
    if wanted.namespace:
        return ("namespace", wanted.namespace, "")
    return EVERYWHERE
