"""A store in one SQLite file: a log of revisions, written by one thread that commits in groups.

Who wins a write is decided by the ledger in the loop, at once; the thread only makes it durable. All writes that
arrive while one commit is on its way to the disk go into the next, so the cost of a flush is shared.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sampan.base.aio import Clock, SystemClock
from sampan.base.sql import Refused, Shape, Worker, open_database
from sampan.control_plane.apiserver.storage.feed import Feed, Follower
from sampan.control_plane.apiserver.storage.ledger import Ledger, Mark
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

log = logging.getLogger(__name__)

LEASE_TICK: Final = 5.0  # seconds between looks at the leases
COMPACT_EVERY: Final = 300.0  # seconds, as kube-apiserver's --etcd-compaction-interval
COMPACT_SLICE: Final = 500  # rows deleted per commit, so that writes are never held up for long
GROUP: Final = 1000  # writes per commit at most
BACKLOG: Final = 20_000  # writes waiting for the disk after which more are refused

SHAPE: Final = Shape(
    application_id=0x53414D50,  # "SAMP"
    version=1,
    schema="""
    CREATE TABLE log (
      revision INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      value BLOB NOT NULL,
      created INTEGER NOT NULL,
      previous INTEGER NOT NULL,
      deleted INTEGER NOT NULL,
      expires REAL NOT NULL
    );
    CREATE INDEX log_key ON log (key, revision);
    CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO mark VALUES ('compacted', 1)
    """,
)

INSERT: Final = "INSERT INTO log VALUES (?, ?, ?, ?, ?, 0, ?)"
# a deletion keeps the last value, so that followers of the past can tell what went away
BURY: Final = "INSERT INTO log SELECT ?, key, value, created, revision, 1, 0 FROM log WHERE revision = ?"
LIVE: Final = """
    SELECT log.key, log.value, log.revision, log.created FROM log JOIN
      (SELECT MAX(revision) AS last FROM log
       WHERE key >= ?1 AND key > ?2 AND (?3 = '' OR key < ?3) AND revision <= ?4 GROUP BY key)
    ON log.revision = last WHERE deleted = 0 ORDER BY log.key LIMIT ?5
    """


class _Write(NamedTuple):
    done: asyncio.Future[Outcome]
    outcome: Outcome
    event: Event | None  # None: the write lost, there is nothing to do but to answer in order
    expires: float


class SqliteStorage:
    """Storage in the file `path`, which nobody else may use meanwhile. Parent folders must exist."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._ledger = Ledger()
        self._feed = Feed()
        self._writer = Worker("storage-write", lambda: open_database(path, SHAPE))
        self._reader = Worker("storage-read", lambda: open_database(path, SHAPE))
        self._lock: int | None = None
        self._pending: list[_Write] = []
        self._flying = False
        self._scheduled = False
        self._committed = 1
        self._oldest = 1
        self._refusal: str = "the store is not open"
        self._background: list[asyncio.Task[None]] = []

    # -- open and close

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._take_lock()
        try:
            await self._writer.start()
            await self._reload()
            await self._reader.start()
        except (Refused, sqlite3.Error) as error:
            await self._writer.stop()
            self._drop_lock()
            text = (
                str(error)
                if isinstance(error, Refused)
                else f"database {str(self.path)!r} is damaged: {error}"
            )
            raise StorageError(text) from error
        except BaseException:
            self._drop_lock()
            raise
        self._background = [
            self._loop.create_task(self._expire(), name="storage/leases"),
            self._loop.create_task(self._compact_regularly(), name="storage/compaction"),
        ]

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._background = []
        while (self._pending or self._flying) and not self._refusal:
            self._flush()
            await asyncio.sleep(0.001)
        self._refusal = "the store is closed"
        await self._reader.stop()
        await self._writer.stop()
        self._drop_lock()

    def _take_lock(self) -> None:
        path = self.path.with_name(self.path.name + ".lock")
        try:
            self._lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"lock file {str(path)!r} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._drop_lock()
            raise StorageError(f"database {str(self.path)!r} is in use by another process") from error

    def _drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _reload(self) -> None:
        """The ledger from the file: at the start, and after a write that failed."""
        ledger, self._oldest = await self._writer.run(_read_ledger)
        self._ledger = ledger
        self._committed = ledger.revision
        self._refusal = ""

    @property
    def revision(self) -> int:
        return self._committed

    @property
    def oldest(self) -> int:
        return self._oldest

    # -- writes

    def put(self, key: str, value: bytes, *, expected: int = ANY, ttl: float = 0) -> Awaitable[Outcome]:
        self._check_writable()
        expires = self._clock.now() + ttl if ttl else 0.0
        outcome, mark, previous = self._ledger.put(key, expected, expires)
        event = Event(key, value, mark.revision, mark.created, previous) if outcome.ok else None
        return self._enqueue(outcome, event, expires)

    def delete(self, key: str, *, expected: int = ANY) -> Awaitable[Outcome]:
        self._check_writable()
        outcome, mark = self._ledger.delete(key, expected)
        event = None
        if outcome.ok:
            event = Event(key, b"", outcome.revision, mark.created, mark.revision, deleted=True)
        return self._enqueue(outcome, event, 0.0)

    def _check_writable(self) -> None:
        if self._refusal:
            raise StorageError(self._refusal)
        if len(self._pending) >= BACKLOG:
            raise StorageError(f"{len(self._pending)} writes wait for the disk, no more are taken")

    def _enqueue(self, outcome: Outcome, event: Event | None, expires: float) -> asyncio.Future[Outcome]:
        done: asyncio.Future[Outcome] = self._loop.create_future()
        self._pending.append(_Write(done, outcome, event, expires))
        if not self._flying and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)
        return done

    def _flush(self) -> None:
        self._scheduled = False
        if self._flying or not self._pending or self._refusal:
            return
        group, self._pending = self._pending[:GROUP], self._pending[GROUP:]
        if all(write.event is None for write in group):
            self._answer(group, {})
            return
        self._flying = True
        self._writer.run(lambda connection: _commit(connection, group)).add_done_callback(
            lambda future: self._committed_group(group, future)
        )

    def _committed_group(self, group: list[_Write], future: asyncio.Future[dict[int, bytes]]) -> None:
        self._flying = False
        if future.cancelled() or (error := future.exception()) is not None:
            self._fail(group, None if future.cancelled() else error)
            return
        self._answer(group, future.result())
        self._flush()

    def _answer(self, group: list[_Write], buried: dict[int, bytes]) -> None:
        events = [
            write.event._replace(value=buried[write.event.revision]) if write.event.deleted else write.event
            for write in group
            if write.event is not None
        ]
        if events:
            self._committed = events[-1].revision
            self._feed.publish(events)
        for write in group:
            if not write.done.done():
                write.done.set_result(write.outcome)

    def _fail(self, group: list[_Write], error: BaseException | None) -> None:
        """Nothing of the group is stored; what was decided after it stood on it, so it fails as well."""
        self._refusal = f"database {str(self.path)!r} cannot be written: {error}"
        log.error("%s; the store reads its state again", self._refusal)
        failed, self._pending = [*group, *self._pending], []
        for write in failed:
            if not write.done.done():
                write.done.set_exception(StorageError(self._refusal))
        self._background.append(self._loop.create_task(self._recover(), name="storage/recover"))

    async def _recover(self) -> None:
        while self._refusal:
            await asyncio.sleep(0.2)
            try:
                await self._reload()
            except (sqlite3.Error, RuntimeError) as error:
                log.error("database %r cannot be read, tried again: %s", str(self.path), error)

    # -- reads

    async def get(self, key: str, *, revision: int = 0) -> Entry | None:
        at = self._check_readable(revision)
        rows = await self._reader.run(
            lambda connection: connection.execute(
                "SELECT key, value, revision, created, deleted FROM log WHERE key = ? AND revision <= ?"
                " ORDER BY revision DESC LIMIT 1",
                (key, at),
            ).fetchall()
        )
        return Entry(*rows[0][:4]) if rows and not rows[0][4] else None

    async def range(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        at = self._check_readable(revision)
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else ""
        bounds = (prefix, after, end, at, limit + 1 if limit else -1)
        rows = await self._reader.run(lambda connection: connection.execute(LIVE, bounds).fetchall())
        if at < self._oldest:
            raise Compacted(at, self._oldest)  # while we were reading
        more = bool(limit) and len(rows) > limit
        return Page([Entry(*row) for row in (rows[:limit] if more else rows)], at, more)

    def _check_readable(self, revision: int) -> int:
        if self._refusal and not self._flying:
            raise StorageError(self._refusal)
        at = revision or self._committed
        if at < self._oldest:
            raise Compacted(at, self._oldest)
        if at > self._committed:
            raise StorageError(f"revision {at} is in the future, the newest is {self._committed}")
        return at

    async def follow(self, since: int, sink: Sink) -> Follower:
        if since < self._oldest:
            raise Compacted(since, self._oldest)
        follower = self._feed.open(sink, since)
        try:
            rows = await self._reader.run(
                lambda connection: connection.execute(
                    "SELECT key, value, revision, created, previous, deleted FROM log WHERE revision > ?"
                    " ORDER BY revision",
                    (since,),
                ).fetchall()
            )
        except BaseException:
            follower.close()
            raise
        past = [Event(k, v, r, c, p, bool(d)) for k, v, r, c, p, d in rows if r <= self._committed]
        follower.caught_up(past)
        return follower

    # -- in the background

    async def compact(self, revision: int) -> None:
        if revision > self._committed:
            raise StorageError(f"cannot compact to revision {revision}, the newest is {self._committed}")
        if revision <= self._oldest:
            return
        self._oldest = revision
        await self._writer.run(
            lambda connection: connection.execute(
                "UPDATE mark SET value = ? WHERE name = 'compacted'", (revision,)
            ).close()
        )
        gone = 1
        while gone:
            gone = await self._writer.run(lambda connection: _forget(connection, revision))

    async def _compact_regularly(self) -> None:
        seen = self._committed
        while True:
            await self._clock.sleep(COMPACT_EVERY)
            try:
                await self.compact(seen)
            except (StorageError, sqlite3.Error) as error:
                log.warning("compaction to revision %d failed, tried again later: %s", seen, error)
            seen = self._committed

    async def _expire(self) -> None:
        while True:
            await self._clock.sleep(LEASE_TICK)
            while due := self._ledger.expired(self._clock.now()):
                try:
                    await asyncio.gather(*(self.delete(key, expected=revision) for key, revision in due))
                except StorageError as error:
                    # the leases are read again with the ledger when the store recovers
                    log.warning("expired keys could not be deleted: %s", error)
                    break


def _read_ledger(connection: sqlite3.Connection) -> tuple[Ledger, int]:
    oldest = int(connection.execute("SELECT value FROM mark WHERE name = 'compacted'").fetchone()[0])
    newest = connection.execute("SELECT MAX(revision) FROM log").fetchone()[0] or 1
    ledger = Ledger(max(oldest, newest))
    rows = connection.execute(
        "SELECT log.key, log.revision, created, expires FROM log JOIN"
        " (SELECT MAX(revision) AS last FROM log GROUP BY key) ON log.revision = last WHERE deleted = 0"
    )
    for key, revision, created, expires in rows:
        ledger.load(key, Mark(revision, created, expires))
    return ledger, oldest


def _commit(connection: sqlite3.Connection, group: Sequence[_Write]) -> dict[int, bytes]:
    """One transaction for the group. Gives the last value of what was deleted, by revision of the deletion."""
    buried: dict[int, bytes] = {}
    puts: list[tuple[object, ...]] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for _, _, event, expires in group:
            if event is None:
                continue
            if not event.deleted:
                puts.append((event.revision, event.key, event.value, event.created, event.previous, expires))
                continue
            if puts:
                connection.executemany(INSERT, puts)
                puts = []
            connection.execute(BURY, (event.revision, event.previous))
            row = connection.execute("SELECT value FROM log WHERE revision = ?", (event.revision,)).fetchone()
            if row is None:
                raise StorageError(f"the log has lost revision {event.previous} of key {event.key!r}")
            buried[event.revision] = row[0]
        if puts:
            connection.executemany(INSERT, puts)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return buried


def _forget(connection: sqlite3.Connection, revision: int) -> int:
    """Deletes a slice of what was replaced or deleted up to `revision`; the number of rows deleted."""
    gone = connection.execute(
        "DELETE FROM log WHERE revision IN ("
        " SELECT old.revision FROM log JOIN log AS old ON old.revision = log.previous WHERE log.revision <= ?1"
        " LIMIT ?2)",
        (revision, COMPACT_SLICE),
    ).rowcount
    if not gone:
        gone = connection.execute(
            "DELETE FROM log WHERE revision IN (SELECT revision FROM log WHERE deleted = 1 AND revision <= ?1 LIMIT ?2)",
            (revision, COMPACT_SLICE),
        ).rowcount
    if not gone:
        connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()
    return int(gone)
