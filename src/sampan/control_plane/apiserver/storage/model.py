"""The storage seam: keys, values and one revision counter, as etcd has them.

Every successful write makes one revision, one more than the last. A write names the revision that it expects to replace.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

ANY: Final = -1
"""As `expected` of a write: whatever is there."""


class StorageError(Exception):
    """The store cannot do what was asked (disk full, file damaged, closed). Nothing of the failed write is kept."""


class Compacted(StorageError):
    """The revision asked for has been compacted away. `oldest` is the first that can still be read."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} has been compacted, the oldest that can be read is {oldest}")
        self.asked = asked
        self.oldest = oldest


class Entry(NamedTuple):
    """A key as it stands at some revision. `revision` is that of its last change, `created` that of its first."""

    key: str
    value: bytes
    revision: int
    created: int


class Event(NamedTuple):
    """One change. For a deletion `value` is what was there, `previous` the revision at which it had been written."""

    key: str
    value: bytes
    revision: int
    created: int
    previous: int  # 0: the key was not there
    deleted: bool = False


class Outcome(NamedTuple):
    """What became of a write. `revision`: of the write if ok, else of what stands in its way (0: nothing is there)."""

    ok: bool
    revision: int


class Page(NamedTuple):
    """Entries in order of their keys. `more`: there are others behind the last one."""

    entries: Sequence[Entry]
    revision: int  # at which this was read
    more: bool


Sink = Callable[[Sequence[Event]], None]


class Subscription(Protocol):
    def close(self) -> None: ...


class Storage(Protocol):
    """A Storage is open when `start` returns and is used from one event loop.

    Writes take effect in the order of their calls; an `Outcome` is given only after the write is durable, and after every
    sink that follows the store has been called with it.
    """

    async def start(self) -> None:
        """Opens. Raises StorageError with one clear line where it cannot."""

    async def close(self) -> None:
        """Writes what was promised and closes. Later calls raise StorageError."""

    @property
    def revision(self) -> int:
        """Of the last durable write; 1 for an empty store, as in etcd."""

    @property
    def oldest(self) -> int:
        """The first revision that can still be read or followed from: that of the last compaction."""

    def put(self, key: str, value: bytes, *, expected: int = ANY, ttl: float = 0) -> Awaitable[Outcome]:
        """Writes if the key's revision is `expected` (0: the key must not be there).

        `ttl` seconds later the key is deleted unless it was written again; 0 keeps it for good.
        """

    def delete(self, key: str, *, expected: int = ANY) -> Awaitable[Outcome]:
        """Removes. Not ok when the key is not there."""

    async def get(self, key: str, *, revision: int = 0) -> Entry | None:
        """The key at a revision, 0: now. Raises Compacted."""

    async def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        """The keys that begin with `prefix` and come after the key `after`, at a revision. Raises Compacted."""

    async def follow(self, since: int, sink: Sink) -> Subscription:
        """Calls `sink` with every event of a revision greater than `since`, in order, without a gap, in the loop.

        Past events are handed over before this returns. Raises Compacted.
        """

    async def compact(self, revision: int) -> None:
        """Forgets what was overwritten or deleted before `revision`. Of each key the state at `revision` stays."""
