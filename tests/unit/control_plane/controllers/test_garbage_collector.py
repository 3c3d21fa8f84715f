"""The garbage collector: its rules as a table, and the collector over a fake API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fake_api import FakeApi
from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.base.aio.clock import VirtualClock, settle
from sampan.client.cache import Informers
from sampan.control.controller import Context
from sampan.control.events import Recorder
from sampan.control_plane.controllers.garbage import (
    FOREGROUND,
    ORPHAN,
    Disown,
    Nothing,
    Owner,
    Push,
    Release,
    Remove,
    View,
    plan,
)
from sampan.control_plane.controllers.garbage_collector import Collector, Item
from workloads import meta

Object = dict[str, Any]

PODS = kinds.of("v1", "Pod")
SETS = kinds.of("apps/v1", "ReplicaSet")
NODES = kinds.of("v1", "Node")


def ref(name: str, *, blocks: bool = False, kind: str = "ReplicaSet") -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": f"u-{name}",
        "blockOwnerDeletion": blocks,
    }


def thing(name: str = "x", *refs: Object, ends: bool = False, finalizers: tuple[str, ...] = ()) -> Object:
    more: Object = {"ownerReferences": list(refs), "finalizers": list(finalizers)}
    return {"metadata": meta(name, deletionTimestamp="t" if ends else None, **more)}


A, B = ref("a"), ref("b")
BLOCKING = thing("d", ref("x", blocks=True))
FREE = thing("e", ref("x"))
WAITING = thing("w", ref("x", blocks=True), ends=True, finalizers=(FOREGROUND,))


@pytest.mark.parametrize(
    ("obj", "owners", "dependents", "step"),
    [
        # living objects and what is behind their references
        (thing(), (), (), Nothing()),
        (thing("x", A), ((A, Owner.SOLID),), (), Nothing()),
        (thing("x", A), ((A, Owner.ABSENT),), (), Remove("Background")),
        (thing("x", A), ((A, Owner.UNKNOWN),), (), Nothing()),
        (thing("x", A, B), ((A, Owner.ABSENT), (B, Owner.SOLID)), (), Disown(frozenset({"u-a"}))),
        (thing("x", A, B), ((A, Owner.ABSENT), (B, Owner.UNKNOWN)), (), Nothing()),
        (thing("x", A), ((A, Owner.WAITING),), (), Remove("Background")),
        (thing("x", A), ((A, Owner.WAITING),), (FREE,), Remove("Foreground")),
        (thing("x", A), ((A, Owner.WAITING),), (WAITING,), Remove("Foreground", (WAITING,))),
        (thing("x", A, finalizers=(ORPHAN,)), ((A, Owner.ABSENT),), (), Remove("Orphan")),
        # objects that are being deleted
        (thing(ends=True), (), (BLOCKING,), Nothing()),
        (thing(ends=True, finalizers=(ORPHAN,)), (), (FREE,), Release(ORPHAN, (FREE,))),
        (thing(ends=True, finalizers=(FOREGROUND,)), (), (), Release(FOREGROUND)),
        (thing(ends=True, finalizers=(FOREGROUND,)), (), (FREE,), Release(FOREGROUND)),
        (thing(ends=True, finalizers=(FOREGROUND,)), (), (FREE, BLOCKING), Push((BLOCKING,))),
        (thing(ends=True, finalizers=(FOREGROUND,)), (), (WAITING,), Push(())),
    ],
)
def test_rules(obj: Object, owners: Any, dependents: Any, step: Any) -> None:
    assert plan(View(obj, owners, dependents)) == step


class Discovery:
    def __init__(self) -> None:
        self.kinds: list[Resource] = [PODS, SETS, NODES]
        self.stale: tuple[str, ...] = ()

    async def preferred(self, *, fresh: bool = False) -> tuple[Resource, ...]:
        return tuple(self.kinds)


class Api(FakeApi):
    def __init__(self) -> None:
        super().__init__()
        self.discovery = Discovery()


async def collected(api: Api, test: Any) -> None:
    clock = VirtualClock()
    async with Informers(api, clock=clock) as informers:  # type: ignore[arg-type]
        recorder = Recorder(api, clock, "gc")  # type: ignore[arg-type]
        context = Context(api, informers, clock, recorder, name="gc")  # type: ignore[arg-type]
        collector = Collector(context)
        async with asyncio.timeout(5):
            await collector.sync_kinds()
            await test(collector)


def put(api: Api, resource: Resource, obj: Object) -> Object:
    return api.put(resource, obj)


def test_what_has_lost_its_owner_goes_after_the_server_was_asked() -> None:
    async def main() -> None:
        api = Api()
        owner = put(api, SETS, {"metadata": {"name": "a", "namespace": "ns", "uid": "u-a"}})
        put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [A]}})

        async def test(collector: Collector) -> None:
            item = Item("", "pods", "ns/p")
            await collector.collect(item)
            assert api.find("pods", "p", "ns") is not None
            api.remove(SETS, "a", "ns")
            await settle()
            await collector.collect(item)
            assert api.find("pods", "p", "ns") is None

        await collected(api, test)
        assert owner["metadata"]["uid"] == "u-a"

    asyncio.run(main())


def test_an_owner_that_the_copy_has_not_seen_yet_is_no_reason_to_delete() -> None:
    async def main() -> None:
        api = Api()
        put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [A]}})

        async def test(collector: Collector) -> None:
            late = {"metadata": {"name": "a", "namespace": "ns", "uid": "u-a"}}
            api.objects["replicasets", "ns", "a"] = late  # its event has not come yet
            await collector.collect(Item("", "pods", "ns/p"))
            assert api.find("pods", "p", "ns") is not None

        await collected(api, test)

    asyncio.run(main())


def test_an_owner_in_another_namespace_does_not_count() -> None:
    async def main() -> None:
        api = Api()
        put(api, SETS, {"metadata": {"name": "a", "namespace": "other", "uid": "u-a"}})
        put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [A]}})
        put(api, NODES, {"metadata": {"name": "n", "ownerReferences": [A]}})

        async def test(collector: Collector) -> None:
            await collector.collect(Item("", "pods", "ns/p"))
            await collector.collect(Item("", "nodes", "n"))
            assert api.find("pods", "p", "ns") is None
            assert api.find("nodes", "n") is not None  # cannot be told, so it stays

        await collected(api, test)

    asyncio.run(main())


def test_orphaning_frees_the_dependents_first() -> None:
    async def main() -> None:
        api = Api()
        gone = {"deletionTimestamp": "t", "finalizers": [ORPHAN, "mine"]}
        put(api, SETS, {"metadata": {"name": "a", "namespace": "ns", "uid": "u-a", **gone}})
        put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [A]}})

        async def test(collector: Collector) -> None:
            await collector.collect(Item("apps", "replicasets", "ns/a"))

        await collected(api, test)
        assert "ownerReferences" not in api.find("pods", "p", "ns")["metadata"]  # type: ignore[index]
        assert api.find("replicasets", "a", "ns")["metadata"]["finalizers"] == ["mine"]  # type: ignore[index]

    asyncio.run(main())


def test_a_deleted_owner_brings_its_dependents_to_the_queue() -> None:
    async def main() -> None:
        api = Api()
        put(api, SETS, {"metadata": {"name": "a", "namespace": "ns", "uid": "u-a"}})
        put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [A]}})

        async def test(collector: Collector) -> None:
            first = await collector._queue.get()
            collector._queue.done(first)
            api.remove(SETS, "a", "ns")
            await settle()
            assert await collector._queue.get() == first == Item("", "pods", "ns/p")

        await collected(api, test)

    asyncio.run(main())


def test_kinds_come_and_go() -> None:
    boats = Resource("a.io", "v1", "Boat", "boats", "boat", True)

    async def main() -> None:
        api = Api()

        async def test(collector: Collector) -> None:
            api.discovery.kinds.append(boats)
            await collector.sync_kinds()
            owner = {"apiVersion": "a.io/v1", "kind": "Boat", "name": "b", "uid": "u-b"}
            put(api, PODS, {"metadata": {"name": "p", "namespace": "ns", "ownerReferences": [owner]}})
            await settle()
            await collector.collect(Item("", "pods", "ns/p"))
            assert api.find("pods", "p", "ns") is None
            api.discovery.kinds.remove(boats)
            await collector.sync_kinds()
            assert api._watchers["boats"] == []

        await collected(api, test)

    asyncio.run(main())
