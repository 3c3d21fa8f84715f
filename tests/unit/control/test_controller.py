"""The loop of a controller over a fake API on virtual time: outcomes, retries, adoption, the executor's ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fake_api import FakeApi
from sampan.api import kinds
from sampan.api.selector.labels import Selector, parse
from sampan.api.status import ApiError, Cause, bad_request, conflict
from sampan.base.aio.clock import VirtualClock, settle
from sampan.client.cache import Informers
from sampan.control import adoption, finalizer, manager, ownership
from sampan.control.controller import Context, Controller, Loop, Watch, own, owner
from sampan.control.events import Recorder
from sampan.control.plan import Create, Delete, Emit, Patch, Tell, Update
from sampan.control.reconcile import DONE, After, Done, Outcome, Retry, Terminal, soonest

Object = dict[str, Any]

PODS = kinds.of("v1", "Pod")
REPLICASETS = kinds.of("apps/v1", "ReplicaSet")


def pod(name: str, **meta: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "ns", **meta}, "spec": {}}


def ref(obj: Object, *, controller: bool = True) -> Object:
    meta = obj["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": controller,
    }


def with_context(
    test: Callable[[Context, FakeApi, VirtualClock], Awaitable[None]], *resources: Any
) -> FakeApi:
    api = FakeApi()

    async def main() -> None:
        clock = VirtualClock()
        async with Informers(api, clock=clock) as informers:  # type: ignore[arg-type]
            recorder = Recorder(api, clock, "test")  # type: ignore[arg-type]
            context = Context(api, informers, clock, recorder, name="test")  # type: ignore[arg-type]
            for resource in resources or (PODS,):
                informers.of(resource)
            informers.start()
            async with asyncio.timeout(5):
                await informers.wait_synced()
                await test(context, api, clock)

    asyncio.run(main())
    return api


def looped(outcomes: list[Outcome | Exception]) -> tuple[list[float], list[Outcome]]:
    """Runs a controller whose reconciles end as told; when each came, and how."""
    at: list[float] = []
    ended: list[Outcome] = []

    async def reconcile(context: Context, key: str) -> Outcome:
        at.append(context.clock.monotonic())
        outcome = outcomes.pop(0) if outcomes else DONE
        if isinstance(outcome, Exception):
            raise outcome
        ended.append(outcome)
        return outcome

    async def test(context: Context, api: FakeApi, clock: VirtualClock) -> None:
        loop = Loop(Controller("test", (Watch(PODS, own),), reconcile, workers=1), context)
        work = asyncio.create_task(loop.run())
        start = clock.monotonic()
        api.put(PODS, pod("a"))
        for _ in range(40):
            await clock.advance(0.5)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        at[:] = [round(time - start, 3) for time in at]

    with_context(test)
    return at, ended


def test_done_ends_it() -> None:
    assert looped([])[0] == [0.0]


def test_after_comes_back_then() -> None:
    assert looped([After(3), After(2)])[0] == [0.0, 3.0, 5.0]


def test_errors_back_off_and_a_success_resets() -> None:
    times, _ = looped([Retry(RuntimeError("x")), bad_request("y"), RuntimeError("z"), After(1)])
    assert times == [0.0, 0.005, 0.015, 0.035, 1.035]


def test_terminal_gives_up() -> None:
    assert looped([Terminal(RuntimeError("never"))])[0] == [0.0]


def test_a_namespace_that_ends_is_not_retried() -> None:
    error = ApiError(403, "Forbidden", "no", causes=[Cause("NamespaceTerminating", "ends")])
    assert looped([Retry(error)])[0] == [0.0]


def test_soonest() -> None:
    failed, hopeless = Retry(RuntimeError()), Terminal(RuntimeError())
    assert soonest(DONE, After(5), After(2)) == After(2)
    assert soonest(DONE, Done()) == DONE
    assert soonest(After(1), failed, hopeless) is failed
    assert soonest(hopeless, After(1)) is hopeless


def test_owners_are_found_by_their_references() -> None:
    rs = {"metadata": {"name": "rs", "uid": "u"}}
    mine = pod("a", ownerReferences=[ref(rs)])
    other = pod("a", ownerReferences=[ref(rs, controller=False)])
    keys = owner("ReplicaSet", "apps")
    assert list(keys(None, None, mine)) == ["ns/rs"]  # type: ignore[arg-type]
    assert list(keys(None, mine, None)) == ["ns/rs"]  # type: ignore[arg-type]
    assert list(keys(None, mine, mine)) == ["ns/rs"]  # type: ignore[arg-type]
    assert list(keys(None, None, other)) == []  # type: ignore[arg-type]
    assert list(owner("ReplicaSet", "other")(None, None, mine)) == []  # type: ignore[arg-type]


# --- the executor


def test_a_plan_is_carried_out_in_order_and_seen_at_once() -> None:
    async def test(context: Context, api: FakeApi, clock: VirtualClock) -> None:
        made = api.put(PODS, pod("old"))
        await settle()
        applied = await context.execute.apply(
            [
                Create(PODS, pod("new"), "ns", Tell(made, "Made", "made {name}")),
                Patch(PODS, "ns", "old", {"metadata": {"labels": {"a": "b"}}}),
                Patch(PODS, "ns", "missing", {}, missing_ok=True),
                Emit(made, "Normal", "Why", "because"),
                Delete(PODS, "ns", "gone"),
            ]
        )
        assert applied.error is None
        assert [o["metadata"]["name"] for o in applied.objects] == ["new", "old"]
        store = context.store(PODS)
        assert store.get("ns/new") is not None
        assert store.get("ns/old")["metadata"]["labels"] == {"a": "b"}  # type: ignore[index]
        sender = asyncio.create_task(context.recorder.run())
        await context.recorder.flush()
        sender.cancel()

    api = with_context(test)
    events = [o for (plural, _, _), o in api.objects.items() if plural == "events"]
    assert [(e["reason"], e["message"]) for e in events] == [("Made", "made new"), ("Why", "because")]


def test_the_first_failure_ends_a_plan_and_is_told() -> None:
    async def test(context: Context, api: FakeApi, clock: VirtualClock) -> None:
        held = api.put(PODS, pod("a"))
        tell = Tell(held, "", "", "Failed", "no {name}: {error}")
        stale = {**held, "metadata": {**held["metadata"], "resourceVersion": "1"}}
        applied = await context.execute.apply([Update(PODS, stale, tell=tell), Create(PODS, pod("b"), "ns")])
        assert applied.error is not None
        assert applied.error.reason == "Conflict"
        assert api.find("pods", "b", "ns") is None

    with_context(test)


def test_creates_start_slowly() -> None:
    sizes: list[int] = []

    class Counting(FakeApi):
        running = 0

        async def create(self, resource: Any, obj: Any, namespace: Any = None, **options: Any) -> Any:
            Counting.running += 1
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if Counting.running:
                sizes.append(Counting.running)
                Counting.running = 0
            return await super().create(resource, obj, namespace, **options)

    async def main() -> None:
        clock = VirtualClock()
        api = Counting()
        async with Informers(api, clock=clock) as informers:  # type: ignore[arg-type]
            recorder = Recorder(api, clock, "test")  # type: ignore[arg-type]
            context = Context(api, informers, clock, recorder, name="test")  # type: ignore[arg-type]
            await context.execute.apply([Create(PODS, pod(f"p{i}"), "ns") for i in range(10)])

    asyncio.run(main())
    assert sizes == [1, 2, 4, 3]


# --- ownership


def test_claims() -> None:
    rs = {"metadata": {"name": "rs", "namespace": "ns", "uid": "me"}}
    other = {"metadata": {"name": "other", "uid": "else"}}
    base = {"uid": "u", "resourceVersion": "1"}
    yes, no = {"app": "x"}, {"app": "y"}
    listed = [
        pod("mine", labels=yes, ownerReferences=[ref(rs)], **base),
        pod("strayed", labels=no, ownerReferences=[ref(rs)], **base),
        pod("orphan", labels=yes, **base),
        pod("dying", labels=yes, deletionTimestamp="t", **base),
        pod("theirs", labels=yes, ownerReferences=[ref(other)], **base),
        pod("stranger", labels=no, **base),
    ]
    claim = ownership.claim(rs, REPLICASETS, parse("app=x"), listed, PODS)
    assert [p["metadata"]["name"] for p in claim.owned] == ["mine", "orphan"]
    assert [(a.name, a.body["metadata"]["ownerReferences"]) for a in claim.actions] == [
        ("strayed", None),
        ("orphan", [ownership.controller_ref(rs, REPLICASETS)]),
    ]
    ends = {"metadata": {**rs["metadata"], "deletionTimestamp": "t"}}
    assert ownership.claim(ends, REPLICASETS, parse("app=x"), listed, PODS).actions == ()


def test_adoption_asks_whether_the_owner_lives() -> None:
    async def test(context: Context, api: FakeApi, clock: VirtualClock) -> None:
        rs = api.put(REPLICASETS, {"metadata": {"name": "rs", "namespace": "ns"}, "spec": {}})
        api.put(PODS, pod("orphan", labels={"app": "x"}))
        await settle()
        owned = await adoption.claimed(context, rs, REPLICASETS, parse("app=x"), PODS)
        assert owned[0]["metadata"]["ownerReferences"][0]["uid"] == rs["metadata"]["uid"]
        api.put(PODS, pod("second", labels={"app": "x"}))
        api.remove(REPLICASETS, "rs", "ns")
        await settle()
        with pytest.raises(ApiError):
            await adoption.claimed(context, rs, REPLICASETS, parse("app=x"), PODS)
        assert "ownerReferences" not in api.find("pods", "second", "ns")["metadata"]  # type: ignore[index]

    with_context(test, PODS, REPLICASETS)


def test_orphans_name_those_who_would_adopt_them() -> None:
    async def test(context: Context, api: FakeApi, clock: VirtualClock) -> None:
        for name, label in (("a", "x"), ("b", "y")):
            spec = {"selector": {"matchLabels": {"app": label}}}
            api.put(REPLICASETS, {"metadata": {"name": name, "namespace": "ns"}, "spec": spec})
        await settle()
        keys = adoption.adopters(REPLICASETS, lambda rs: Selector.from_object(rs["spec"]["selector"]))
        orphan = pod("p", labels={"app": "x"})
        assert list(keys(context, None, orphan)) == ["ns/a"]
        assert list(keys(context, orphan, orphan)) == []
        assert (
            list(keys(context, None, pod("p", labels={"app": "x"}, ownerReferences=[{"controller": True}])))
            == []
        )

    with_context(test, PODS, REPLICASETS)


def test_finalizers() -> None:
    obj = pod("a", uid="u", resourceVersion="5", finalizers=["x", "y"])
    assert finalizer.has(obj, "x")
    assert finalizer.remove(obj, PODS, "x").body["metadata"]["finalizers"] == ["y"]
    assert finalizer.add(obj, PODS, "z").body["metadata"]["finalizers"] == ["x", "y", "z"]
    last = pod("a", uid="u", resourceVersion="5", finalizers=["x"])
    assert finalizer.remove(last, PODS, "x").body["metadata"]["finalizers"] is None


# --- the manager


def test_names_of_controllers_are_unique() -> None:
    async def reconcile(context: Context, key: str) -> Outcome:
        return DONE

    twin = Controller("twin", (), reconcile)
    with pytest.raises(ValueError, match="twin"):
        asyncio.run(manager.run(FakeApi(), [twin, twin]))  # type: ignore[arg-type]


def test_the_manager_starts_everything_and_stops_when_cancelled() -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        seen: list[str] = []
        other = asyncio.Event()

        async def reconcile(context: Context, key: str) -> Outcome:
            seen.append(key)
            return DONE

        async def loop(context: Context) -> None:
            other.set()
            await asyncio.sleep(60)

        started = asyncio.Event()
        work = asyncio.create_task(
            manager.run(
                api,  # type: ignore[arg-type]
                [Controller("one", (Watch(PODS, own),), reconcile)],
                others=[("two", loop)],
                started=started.set,
            )
        )
        async with asyncio.timeout(5):
            await started.wait()
            await other.wait()
            await settle()
        assert seen == ["ns/a"]
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert api._watchers["pods"] == []

    asyncio.run(main())


def test_a_conflict_is_an_error_like_others() -> None:
    assert looped([conflict("", "pods", "a", "changed")])[0] == [0.0, 0.005]
