"""One WATCH: what it wants to see, how it wants to see it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from sampan.api.selector.fields import FieldSelector
from sampan.api.selector.labels import Selector
from sampan.control_plane.apiserver.cache.record import Object, Record

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
ERROR = "ERROR"

FieldReader = Callable[[Object], str]


class Representation(Protocol):
    """How an object looks to a client. Equal keys give equal bytes, so what was encoded once is shared."""

    key: object

    def encode(self, record: Record) -> bytes: ...

    def bookmark(self, revision: int, *, initial: bool) -> bytes:
        """The object of a BOOKMARK; `initial`: annotated as the end of the initial events."""


class Filter(NamedTuple):
    """What a LIST or WATCH selects. `readers` gives for every selectable field of the resource how to read it."""

    namespace: str = ""
    name: str = ""
    labels: Selector | None = None
    fields: FieldSelector | None = None  # without what `namespace`, `name` and `indexed` say already
    indexed: str | None = None  # required value of the table's indexed field
    readers: Mapping[str, FieldReader] = {}

    @property
    def selective(self) -> bool:
        """Whether an object may begin or cease to match while it exists."""
        return self.labels is not None or self.fields is not None or self.indexed is not None

    def matches(self, record: Record) -> bool:
        if self.namespace and record.namespace != self.namespace:
            return False
        if self.name and record.name != self.name:
            return False
        if self.indexed is not None and record.index != self.indexed:
            return False
        if self.labels is not None and not self.labels.matches(record.labels):
            return False
        return self.fields is None or self.fields.matches(lambda field: self._read(record, field))

    def _read(self, record: Record, field: str) -> str:
        if field == "metadata.name":
            return record.name
        if field == "metadata.namespace":
            return record.namespace
        return self.readers[field](record.object)


class Change:
    """One event of a table. `record` is the object after it (for a deletion the last state, under the new revision)."""

    __slots__ = ("_events", "_old_at", "kind", "old", "record", "revision")

    def __init__(self, kind: str, record: Record, old: Record | None) -> None:
        self.kind = kind
        self.record = record
        self.old = old
        self.revision = record.revision
        self._events: dict[object, bytes] = {}
        self._old_at: Record | None = None

    def seen_by(self, wanted: Filter) -> str:
        """ADDED, MODIFIED or DELETED as somebody with this filter sees it, or "" for not at all."""
        if not wanted.selective:
            return self.kind if wanted.matches(self.record) else ""
        now = self.kind != DELETED and wanted.matches(self.record)
        before = self.old is not None and wanted.matches(self.old)
        if now:
            return MODIFIED if before else ADDED
        return DELETED if before else ""

    def event(self, kind: str, representation: Representation) -> bytes:
        """The line of the watch stream, encoded once for all who see it alike."""
        key = (kind, representation.key)
        line = self._events.get(key)
        if line is None:
            record = self.record
            if kind == DELETED and self.kind != DELETED and self.old is not None:
                # it left the selection: its last state inside, with the revision at which it left
                if self._old_at is None:
                    self._old_at = self.old.at(self.revision)
                record = self._old_at
            line = self._events[key] = event_line(kind, representation.encode(record))
        return line


def event_line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


class Watcher:
    """Gets the changes of a table that pass its filter. `send` gives False when the reader is too slow.

    close: cuts the reader off; end: lets it have what was sent and tells it that this was all.
    While `waiting` is a list, changes are kept there: the initial events are still on their way.
    """

    __slots__ = ("bookmarks", "close", "end", "reached", "representation", "send", "waiting", "wanted")

    def __init__(
        self,
        wanted: Filter,
        representation: Representation,
        send: Callable[[bytes], bool],
        close: Callable[[], None],
        end: Callable[[], None],
        *,
        bookmarks: bool,
        since: int,
    ) -> None:
        self.wanted = wanted
        self.representation = representation
        self.send = send
        self.close = close
        self.end = end
        self.bookmarks = bookmarks
        self.reached = since
        self.waiting: list[Change] | None = []

    def give(self, change: Change) -> bool:
        """False: the watcher cannot keep up and is to be dropped."""
        if self.waiting is not None:
            self.waiting.append(change)
            return len(self.waiting) < 10_000
        if change.revision <= self.reached:
            return True
        kind = change.seen_by(self.wanted)
        self.reached = change.revision
        return not kind or self.send(change.event(kind, self.representation))

    def caught_up(self) -> bool:
        """The initial events are out: hands over what happened meanwhile."""
        waiting, self.waiting = self.waiting or [], None
        return all(self.give(change) for change in waiting)

    def bookmark(self, revision: int, *, initial: bool = False) -> bool:
        return self.send(event_line(BOOKMARK, self.representation.bookmark(revision, initial=initial)))
