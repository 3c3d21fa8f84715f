"""Informers over a scripted server: filling, following, resuming, and reading one's own writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError, gone
from sampan.client.cache import Informer, Informers, key_of
from sampan.client.rest import Event
from sampan.client.transport import Unreachable

PODS = kinds.of("v1", "Pod")
Object = dict[str, Any]


def pod(name: str, version: int, uid: str = "", **meta: Any) -> Object:
    made = {"name": name, "namespace": "ns", "uid": uid or f"u-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made | meta, "spec": {}}


def bookmark(version: int, *, initial: bool = False) -> Event:
    meta: Object = {"resourceVersion": str(version)}
    if initial:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return Event("BOOKMARK", {"metadata": meta})


class Server:
    """Watches and lists as scripted; a watch without a script waits for ever."""

    def __init__(self) -> None:
        self.watches: list[list[Event | Exception]] = []
        self.lists: list[tuple[int, list[Object]]] = []
        self.asked: list[Object] = []
        self.idle = asyncio.Event()
        self.live: asyncio.Queue[Event] = asyncio.Queue()

    async def watch(
        self, resource: Any, namespace: Any = None, **options: Any
    ) -> AsyncGenerator[Event, None]:
        self.asked.append(
            {"watch": options.get("resource_version"), "all": options.get("send_initial_events", False)}
        )
        for event in self.watches.pop(0) if self.watches else ():
            if isinstance(event, Exception):
                raise event
            yield event
        if not self.watches and not self.lists:
            self.idle.set()
            while True:
                yield await self.live.get()

    async def pages(self, resource: Any, namespace: Any = None, **options: Any) -> AsyncIterator[Object]:
        version, items = self.lists.pop(0)
        self.asked.append({"list": options["limit"]})
        yield {"metadata": {"resourceVersion": str(version)}, "items": items}


def follow(prepare: Callable[[Server], None], test: Callable[[Informer, Server], Awaitable[None]]) -> None:
    async def main() -> None:
        server = Server()
        prepare(server)
        async with Informers(server) as informers:  # type: ignore[arg-type]
            informer = informers.of(PODS)
            informers.start()
            async with asyncio.timeout(5):
                await server.idle.wait()
                await test(informer, server)

    asyncio.run(main())


def names(informer: Informer) -> list[str]:
    return sorted(key_of(obj) for obj in informer)


def test_watch_list_fills_and_the_same_watch_goes_on() -> None:
    def prepare(server: Server) -> None:
        server.watches = [
            [
                Event("ADDED", pod("a", 3)),
                Event("ADDED", pod("b", 4)),
                bookmark(9, initial=True),
                Event("DELETED", pod("a", 10)),
                Event("ADDED", pod("c", 11)),
            ]
        ]

    async def test(informer: Informer, server: Server) -> None:
        assert informer.synced
        assert names(informer) == ["ns/b", "ns/c"]
        assert informer.resource_version == "11"
        assert server.asked == [{"watch": None, "all": True}]

    follow(prepare, test)


def test_a_server_without_watch_list_is_listed() -> None:
    def prepare(server: Server) -> None:
        server.watches = [[ApiError(422, "Invalid", "sendInitialEvents is forbidden")], []]
        server.lists = [(7, [{"metadata": pod("a", 3)["metadata"]}])]

    async def test(informer: Informer, server: Server) -> None:
        assert names(informer) == ["ns/a"]
        assert next(iter(informer))["kind"] == "Pod"
        assert server.asked[1:] == [{"list": 500}, {"watch": "7", "all": False}]

    follow(prepare, test)


def test_a_broken_watch_resumes_and_an_expired_one_starts_anew() -> None:
    def prepare(server: Server) -> None:
        first: list[Event | Exception] = [
            Event("ADDED", pod("a", 3)),
            Event("ADDED", pod("b", 3)),
            bookmark(5, initial=True),
        ]
        server.watches = [
            [*first, Unreachable("lost")],
            [Event("MODIFIED", pod("a", 6)), gone("too old")],
            [Event("ADDED", pod("a", 6)), bookmark(8, initial=True)],
        ]

    async def test(informer: Informer, server: Server) -> None:
        assert [entry["watch"] for entry in server.asked] == [None, "5", None]
        assert names(informer) == ["ns/a"]  # b went while nobody looked

    follow(prepare, test)


def told(informer: Informer) -> list[tuple[str | None, str | None]]:
    seen: list[tuple[str | None, str | None]] = []

    def version(obj: Object | None) -> str | None:
        return obj["metadata"]["resourceVersion"] if obj else None

    informer.on_change(lambda old, new: seen.append((version(old), version(new))))
    return seen


def start_with(*objects: Object) -> Callable[[Server], None]:
    def prepare(server: Server) -> None:
        server.watches = [[*(Event("ADDED", obj) for obj in objects), bookmark(20, initial=True)]]

    return prepare


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_handlers_see_what_is_there_and_what_changes() -> None:
    async def test(informer: Informer, server: Server) -> None:
        seen = told(informer)
        for event in (Event("MODIFIED", pod("a", 21)), Event("DELETED", pod("a", 22))):
            server.live.put_nowait(event)
        await settle()
        assert seen == [(None, "3"), ("3", "21"), ("21", None)]

    follow(start_with(pod("a", 3)), test)


def test_a_write_is_seen_at_once_and_its_event_only_once() -> None:
    async def test(informer: Informer, server: Server) -> None:
        seen = told(informer)
        informer.observe(pod("a", 25))
        assert informer.get("ns/a")["metadata"]["resourceVersion"] == "25"  # type: ignore[index]
        for version in (24, 25, 26):  # late, the same, newer
            server.live.put_nowait(Event("MODIFIED", pod("a", version)))
        await settle()
        assert seen == [(None, "3"), ("3", "25"), ("25", "26")]

    follow(start_with(pod("a", 3)), test)


def test_a_deleted_object_does_not_come_back_by_a_late_event() -> None:
    async def test(informer: Informer, server: Server) -> None:
        informer.observe_deleted("ns/a", "u-a")
        server.live.put_nowait(Event("MODIFIED", pod("a", 21)))
        await settle()
        assert informer.get("ns/a") is None
        server.live.put_nowait(Event("DELETED", pod("a", 22)))
        server.live.put_nowait(Event("ADDED", pod("a", 23, uid="other")))
        await settle()
        assert informer.get("ns/a")["metadata"]["uid"] == "other"  # type: ignore[index]

    follow(start_with(pod("a", 3)), test)


def test_an_answer_that_comes_after_the_deletion_brings_nothing_back() -> None:
    async def test(informer: Informer, server: Server) -> None:
        server.live.put_nowait(Event("DELETED", pod("a", 22)))
        await settle()
        informer.observe(pod("a", 21))  # somebody's update before
        informer.observe(pod("a", 22))  # the answer to the deletion itself
        assert informer.get("ns/a") is None
        informer.observe(pod("a", 23, uid="other"))
        assert informer.get("ns/a")["metadata"]["uid"] == "other"  # type: ignore[index]

    follow(start_with(pod("a", 3)), test)


def test_the_deletion_of_a_predecessor_leaves_its_namesake() -> None:
    async def test(informer: Informer, server: Server) -> None:
        informer.observe(pod("a", 30, uid="second"))
        server.live.put_nowait(Event("DELETED", pod("a", 29)))
        await settle()
        assert informer.get("ns/a")["metadata"]["uid"] == "second"  # type: ignore[index]

    follow(start_with(pod("a", 3)), test)


def test_indexes_follow() -> None:
    ref = {"uid": "owner", "controller": True}

    async def test(informer: Informer, server: Server) -> None:
        assert [key_of(o) for o in informer.by("owner", "owner")] == ["ns/a"]
        assert [key_of(o) for o in informer.by("orphan", "ns")] == ["ns/b"]
        assert [key_of(o) for o in informer.by("label", "ns/x=y")] == ["ns/b"]
        informer.observe(pod("b", 21, ownerReferences=[ref]))
        assert [key_of(o) for o in informer.by("owner", "owner")] == ["ns/a", "ns/b"]
        assert informer.by("label", "ns/x=y") == []
        assert informer.by("orphan", "ns") == []

    follow(start_with(pod("a", 3, ownerReferences=[ref]), pod("b", 4, labels={"x": "y"})), test)


def test_managed_fields_are_not_kept() -> None:
    async def test(informer: Informer, server: Server) -> None:
        assert "managedFields" not in informer.get("ns/a")["metadata"]  # type: ignore[index]

    follow(start_with(pod("a", 3, managedFields=[{}])), test)


def test_a_handler_that_fails_stops_nobody() -> None:
    async def test(informer: Informer, server: Server) -> None:
        def broken(old: Object | None, new: Object | None) -> None:
            if old is not None:
                raise RuntimeError("broken")

        informer.on_change(broken)
        seen = told(informer)
        informer.observe(pod("a", 21))
        assert seen[-1] == ("3", "21")

    follow(start_with(pod("a", 3)), test)


def test_informers_are_shared() -> None:
    informers = Informers(Server())  # type: ignore[arg-type]
    assert informers.of(PODS) is informers.of(PODS)
    assert informers.of(PODS) is not informers.of(PODS, metadata_only=True)
    assert informers.whole(PODS) is informers.of(PODS)
    assert informers.whole(kinds.of("v1", "Node")) is None
