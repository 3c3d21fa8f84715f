from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson

from sampan.control_plane.apiserver.cache import cache as cache_module
from sampan.control_plane.apiserver.cache.cache import Cache, CacheView, key_of, parts_of, prefix_of
from sampan.control_plane.apiserver.cache.record import encode
from sampan.control_plane.apiserver.storage.memory import MemoryStorage


def value(name: str, **data: str) -> bytes:
    return encode({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": data})


def drive(check: Callable[[MemoryStorage, Cache], Awaitable[None]]) -> None:
    async def main() -> None:
        storage = MemoryStorage()
        await storage.start()
        cache = Cache(storage)
        try:
            await check(storage, cache)
        finally:
            cache.close()
            await storage.close()

    asyncio.run(main())


def test_keys_come_apart_as_they_went_together() -> None:
    for parts in (("", "pods", "default", "a"), ("apps", "deployments", "x", "y"), ("", "nodes", "", "n")):
        assert parts_of(key_of(*parts)) == parts
        assert key_of(*parts).startswith(prefix_of(*parts[:3]))
    assert prefix_of("", "pods") == "/core/pods/"


def test_a_write_is_in_the_cache_when_its_writer_is_told() -> None:
    async def check(storage: MemoryStorage, cache: Cache) -> None:
        await cache.start()
        outcome = await storage.put(key_of("", "configmaps", "default", "a"), value("a", k="v"))
        view = CacheView(cache)
        found = view.get("", "configmaps", "default", "a")
        assert found is not None
        assert found["data"] == {"k": "v"}
        assert cache.revision == view.revision("", "configmaps") == outcome.revision
        assert view.revision("", "secrets") == 0
        assert view.get("", "configmaps", "default", "b") is None
        assert [obj["metadata"]["name"] for obj in view.list("", "configmaps", "default")] == ["a"]
        assert list(view.list("", "secrets")) == []

    drive(check)


def test_what_was_there_before_is_loaded_with_its_recent_past() -> None:
    async def check(storage: MemoryStorage, cache: Cache) -> None:
        key = key_of("", "configmaps", "default", "a")
        await storage.put(key, value("a", k="1"))
        await storage.put(key, value("a", k="2"))
        await storage.put(key_of("", "configmaps", "default", "b"), value("b"))
        await storage.delete(key_of("", "configmaps", "default", "b"))
        await cache.start()
        table = cache.table("", "configmaps")
        record = table.get("default", "a")
        assert record is not None
        assert orjson.loads(record.body)["data"] == {"k": "2"}
        assert table.get("default", "b") is None
        # a watch from before the restart of the server goes on without a gap
        assert [(change.kind, change.revision) for change in table.since(2) or ()] == [
            ("MODIFIED", 3),
            ("ADDED", 4),
            ("DELETED", 5),
        ]

    drive(check)


def test_the_past_before_the_replay_is_expired() -> None:
    async def check(storage: MemoryStorage, cache: Cache) -> None:
        for number in range(6):
            await storage.put(key_of("", "configmaps", "default", f"n{number}"), value(f"n{number}"))
        kept, cache_module.REPLAY = cache_module.REPLAY, 2  # type: ignore[misc]
        try:
            await cache.start()
        finally:
            cache_module.REPLAY = kept  # type: ignore[misc]
        table = cache.table("", "configmaps")
        assert len(table) == 6
        assert table.horizon == 5
        assert table.since(4) is None
        assert len(table.since(5) or ()) == 2
        # of a resource that nobody has written to nothing is forgotten
        assert cache.table("", "secrets").since(5) == []

    drive(check)


def test_waiting_for_a_revision() -> None:
    async def check(storage: MemoryStorage, cache: Cache) -> None:
        await cache.start()
        waiting = asyncio.create_task(cache.reached(3, 5))
        await asyncio.sleep(0)
        for name in ("a", "b"):
            await storage.put(key_of("", "configmaps", "default", name), value(name))
        assert await waiting
        assert await cache.reached(1, 0)
        assert not await cache.reached(99, 0.01)

    drive(check)


def test_listeners_hear_of_every_change_and_their_failures_stay_theirs() -> None:
    async def check(storage: MemoryStorage, cache: Cache) -> None:
        await cache.start()
        heard: list[tuple[str, str, bool]] = []

        def broken(*args: object) -> None:
            raise ValueError("mine")

        cache.on_change(broken)
        cache.on_change(lambda group, plural, record, gone: heard.append((plural, record.name, gone)))
        key = key_of("", "configmaps", "default", "a")
        await storage.put(key, value("a"))
        await storage.delete(key)
        assert heard == [("configmaps", "a", False), ("configmaps", "a", True)]

    drive(check)
