"""A store that lasts as long as its process: for tests, and for clusters that are thrown away."""

from __future__ import annotations

import asyncio
import bisect
from collections import deque
from collections.abc import Awaitable
from typing import Final

from sampan.base.aio import Clock, SystemClock
from sampan.control_plane.apiserver.storage.feed import Feed, Follower
from sampan.control_plane.apiserver.storage.ledger import Ledger
from sampan.control_plane.apiserver.storage.model import (
    ANY,
    Compacted,
    Entry,
    Event,
    Outcome,
    Page,
    Sink,
    StorageError,
)

KEEP: Final = 10_000  # past revisions after which the oldest are forgotten
LEASE_TICK: Final = 5.0  # seconds between looks at the leases


class MemoryStorage:
    """Storage in dicts. Reads at a past revision walk the log back from now."""

    def __init__(self, *, clock: Clock | None = None, keep: int = KEEP) -> None:
        self._clock = clock or SystemClock()
        self._keep = keep
        self._ledger = Ledger()
        self._values: dict[str, bytes] = {}
        self._log: deque[tuple[Event, bytes | None]] = deque()  # with the value that the event replaced
        self._oldest = 1
        self._feed = Feed()
        self._open = False
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._open = True
        self._sweeper = asyncio.get_running_loop().create_task(self._expire(), name="storage/leases")

    async def close(self) -> None:
        self._open = False
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None

    @property
    def revision(self) -> int:
        return self._ledger.revision

    @property
    def oldest(self) -> int:
        return self._oldest

    def put(self, key: str, value: bytes, *, expected: int = ANY, ttl: float = 0) -> Awaitable[Outcome]:
        self._check_open()
        expires = self._clock.now() + ttl if ttl else 0.0
        outcome, mark, previous = self._ledger.put(key, expected, expires)
        if outcome.ok:
            replaced = self._values.get(key)
            self._values[key] = value
            self._record(Event(key, value, mark.revision, mark.created, previous), replaced)
        return _done(outcome)

    def delete(self, key: str, *, expected: int = ANY) -> Awaitable[Outcome]:
        self._check_open()
        outcome, mark = self._ledger.delete(key, expected)
        if outcome.ok:
            value = self._values.pop(key)
            event = Event(key, value, outcome.revision, mark.created, mark.revision, deleted=True)
            self._record(event, value)
        return _done(outcome)

    async def get(self, key: str, *, revision: int = 0) -> Entry | None:
        page = await self.range(key, revision=revision)
        return next((entry for entry in page.entries if entry.key == key), None)

    async def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        self._check_open()
        entries = self._entries_at(prefix, revision or self.revision)
        keys = sorted(entries)
        start = bisect.bisect_right(keys, after) if after else 0
        end = start + limit if limit else len(keys)
        return Page([entries[key] for key in keys[start:end]], revision or self.revision, end < len(keys))

    async def follow(self, since: int, sink: Sink) -> Follower:
        self._check_open()
        if since < self._oldest:
            raise Compacted(since, self._oldest)
        follower = self._feed.open(sink, since)
        follower.caught_up([event for event, _ in self._log if event.revision > since])
        return follower

    async def compact(self, revision: int) -> None:
        self._check_open()
        if revision > self.revision:
            raise StorageError(f"cannot compact to revision {revision}, the newest is {self.revision}")
        self._forget_before(revision)

    def _entries_at(self, prefix: str, revision: int) -> dict[str, Entry]:
        if revision < self._oldest:
            raise Compacted(revision, self._oldest)
        if revision > self.revision:
            raise StorageError(f"revision {revision} is in the future, the newest is {self.revision}")
        marks = self._ledger.marks
        entries = {
            key: Entry(key, value, marks[key].revision, marks[key].created)
            for key, value in self._values.items()
            if key.startswith(prefix)
        }
        for event, replaced in reversed(self._log):
            if event.revision <= revision:
                break
            if not event.key.startswith(prefix):
                continue
            if replaced is None:
                entries.pop(event.key, None)
            else:
                entries[event.key] = Entry(event.key, replaced, event.previous, event.created)
        return entries

    def _record(self, event: Event, replaced: bytes | None) -> None:
        self._log.append((event, replaced))
        if len(self._log) > self._keep:
            self._forget_before(self._log[0][0].revision)
        self._feed.publish((event,))

    def _forget_before(self, revision: int) -> None:
        while self._log and self._log[0][0].revision <= revision:
            self._log.popleft()
        self._oldest = max(self._oldest, revision)

    def _check_open(self) -> None:
        if not self._open:
            raise StorageError("the store is not open")

    async def _expire(self) -> None:
        while True:
            await self._clock.sleep(LEASE_TICK)
            for key, revision in self._ledger.expired(self._clock.now()):
                await self.delete(key, expected=revision)


def _done(outcome: Outcome) -> asyncio.Future[Outcome]:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    return future
