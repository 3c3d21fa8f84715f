"""The conformance suite of the storage seam, run over every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sampan.base.aio import VirtualClock
from sampan.base.aio.clock import settle
from sampan.control_plane.apiserver.storage import Compacted, Event, Outcome, Storage, StorageError
from sampan.control_plane.apiserver.storage.memory import MemoryStorage
from sampan.control_plane.apiserver.storage.sqlite import SqliteStorage

Check = Callable[[Storage], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite"])
def clock_and_store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[VirtualClock, Storage]:
    clock = VirtualClock()
    store: Storage
    if request.param == "memory":
        store = MemoryStorage(clock=clock)
    else:
        store = SqliteStorage(tmp_path / "state.db", clock=clock)
    return clock, store


@pytest.fixture
def drive(clock_and_store: tuple[VirtualClock, Storage]) -> Callable[[Check], None]:
    store = clock_and_store[1]

    def run(check: Check) -> None:
        async def main() -> None:
            await store.start()
            try:
                await check(store)
            finally:
                await store.close()

        asyncio.run(main())

    return run


def test_revisions_count_successful_writes(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        assert store.revision == 1
        assert await store.put("/a", b"1") == Outcome(True, 2)
        assert await store.put("/b", b"1") == Outcome(True, 3)
        assert await store.put("/a", b"2", expected=0) == Outcome(False, 2)
        assert await store.put("/a", b"2", expected=2) == Outcome(True, 4)
        assert store.revision == 4
        entry = await store.get("/a")
        assert entry is not None
        assert (entry.value, entry.revision, entry.created) == (b"2", 4, 2)

    drive(check)


def test_a_write_that_expects_another_revision_loses(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/a", b"1")
        assert await store.put("/a", b"x", expected=99) == Outcome(False, 2)
        assert await store.delete("/a", expected=99) == Outcome(False, 2)
        assert await store.delete("/missing") == Outcome(False, 0)
        assert await store.put("/missing", b"x", expected=2) == Outcome(False, 0)
        entry = await store.get("/a")
        assert entry is not None and entry.value == b"1"

    drive(check)


def test_of_two_writers_at_once_one_wins(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/a", b"0")
        outcomes = await asyncio.gather(*(store.put("/a", b"%d" % i, expected=2) for i in range(10)))
        assert [outcome.ok for outcome in outcomes] == [True] + [False] * 9

    drive(check)


def test_created_again_after_a_deletion(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/a", b"1")
        assert await store.delete("/a", expected=2) == Outcome(True, 3)
        assert await store.get("/a") is None
        assert await store.put("/a", b"2", expected=0) == Outcome(True, 4)
        entry = await store.get("/a")
        assert entry is not None and entry.created == 4

    drive(check)


def test_range_pages_in_order_of_keys(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        for key in ("/p/c", "/p/a", "/q/z", "/p/b", "/o/x"):
            await store.put(key, key.encode())
        page = await store.range("/p/", limit=2)
        assert [entry.key for entry in page.entries] == ["/p/a", "/p/b"]
        assert page.more and page.revision == 6
        rest = await store.range("/p/", after="/p/b", limit=2)
        assert [entry.key for entry in rest.entries] == ["/p/c"]
        assert not rest.more
        assert len((await store.range("")).entries) == 5

    drive(check)


def test_range_at_a_past_revision(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/p/a", b"1")
        await store.put("/p/b", b"1")
        await store.put("/p/a", b"2")
        await store.delete("/p/b")
        await store.put("/p/c", b"1")
        past = await store.range("/p/", revision=3)
        assert [(entry.key, entry.value, entry.revision) for entry in past.entries] == [
            ("/p/a", b"1", 2),
            ("/p/b", b"1", 3),
        ]
        now = await store.range("/p/")
        assert [(entry.key, entry.value) for entry in now.entries] == [("/p/a", b"2"), ("/p/c", b"1")]
        entry = await store.get("/p/b", revision=4)
        assert entry is not None and entry.revision == 3
        with pytest.raises(StorageError, match="future"):
            await store.range("/p/", revision=99)

    drive(check)


def test_following_has_no_gap_between_past_and_present(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/a", b"1")
        await store.put("/a", b"2")
        seen: list[Event] = []
        subscription, *_ = await asyncio.gather(
            store.follow(2, seen.extend), *(store.put(f"/k{i}", b"x") for i in range(20))
        )
        await store.delete("/a")
        assert [event.revision for event in seen] == list(range(3, 25))
        last = seen[-1]
        assert last == Event("/a", b"2", 24, 2, 3, True)
        subscription.close()
        await store.put("/a", b"3")
        assert seen[-1] is last

    drive(check)


def test_the_follower_is_told_before_the_writer(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        seen: list[Event] = []
        await store.follow(store.revision, seen.extend)
        for number in range(5):
            outcome = await store.put("/a", b"%d" % number)
            assert seen[-1].revision == outcome.revision

    drive(check)


def test_compaction_forgets_the_past_and_keeps_the_present(drive: Callable[[Check], None]) -> None:
    async def check(store: Storage) -> None:
        await store.put("/a", b"1")
        await store.put("/a", b"2")
        await store.put("/b", b"1")
        await store.delete("/b")
        await store.put("/c", b"1")
        await store.compact(5)
        assert store.oldest == 5
        with pytest.raises(Compacted) as caught:
            await store.range("/", revision=4)
        assert (caught.value.asked, caught.value.oldest) == (4, 5)
        with pytest.raises(Compacted):
            await store.follow(4, lambda events: None)
        at = await store.range("/", revision=5)
        assert [(entry.key, entry.value) for entry in at.entries] == [("/a", b"2")]
        assert [entry.key for entry in (await store.range("/")).entries] == ["/a", "/c"]
        with pytest.raises(StorageError, match="newest is 6"):
            await store.compact(7)

    drive(check)


def test_a_lease_ends_as_a_deletion(
    clock_and_store: tuple[VirtualClock, Storage], drive: Callable[[Check], None]
) -> None:
    clock = clock_and_store[0]

    async def check(store: Storage) -> None:
        seen: list[Event] = []
        await store.follow(1, seen.extend)
        await store.put("/short", b"1", ttl=60)
        await store.put("/renewed", b"1", ttl=60)
        await store.put("/kept", b"1")
        await clock.advance(50)
        await store.put("/renewed", b"2", ttl=60)
        await clock.advance(15)
        for _ in range(100):
            if seen[-1].deleted:
                break
            await asyncio.sleep(0.01)
        await settle()
        assert [event.key for event in seen if event.deleted] == ["/short"]
        assert await store.get("/short") is None
        assert await store.get("/renewed") is not None

    drive(check)


def test_a_closed_store_refuses(clock_and_store: tuple[VirtualClock, Storage]) -> None:
    store = clock_and_store[1]

    async def main() -> None:
        with pytest.raises(StorageError, match="not open"):
            await store.put("/a", b"1")
        await store.start()
        waiting = asyncio.gather(*(store.put(f"/{i}", b"1") for i in range(10)))
        await store.close()
        assert all(outcome.ok for outcome in await waiting)
        with pytest.raises(StorageError):
            await store.put("/a", b"1")

    asyncio.run(main())
