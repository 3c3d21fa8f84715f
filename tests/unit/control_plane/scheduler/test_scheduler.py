"""The cluster's sums, the queue on virtual time, preemption, and the component over a fake API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_api import FakeApi
from sampan.api.kinds.model import Resource
from sampan.api.selector.labels import parse
from sampan.api.status import ApiError
from sampan.base.aio.clock import VirtualClock, settle
from sampan.control_plane.scheduler import binding, plugins, preemption, run, storage
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.cycle import Choice, NoFit, decide
from sampan.control_plane.scheduler.model import PodInfo
from sampan.control_plane.scheduler.queue import FORGOTTEN, Queue
from sampan.control_plane.scheduler.run import NODES, PODS, Config
from workloads import meta, node, pod

Object = dict[str, Any]


class NoStorage:
    def claim(self, namespace: str, name: str) -> None:
        return None

    def volume(self, name: str) -> None:
        return None

    def volumes(self) -> tuple[()]:
        return ()

    def storage_class(self, name: str) -> None:
        return None


DEFAULT = plugins.default(NoStorage())


def asking(name: str, cpu: str = "1", on: str = "", priority: int = 0, **more: Any) -> PodInfo:
    containers = [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]
    body = {"containers": containers, "priority": priority, **more.pop("spec", {})}
    return PodInfo(pod(name, "Running" if on else "Pending", node=on, spec=body, **more))


# --- the cluster

changes = st.lists(
    st.tuples(st.sampled_from(["pod", "gone", "node", "drop"]), st.integers(0, 5), st.integers(0, 2)),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(changes)
def test_sums_are_those_of_a_cluster_built_anew(steps: list[tuple[str, int, int]]) -> None:
    held = Cluster()
    tally = held.tally("ns", parse("app=x"))
    pods: dict[str, PodInfo] = {}
    nodes: set[str] = set()
    for kind, number, place in steps:
        name, on = f"p{number}", f"n{place}"
        if kind == "pod":
            pods[name] = asking(name, f"{number + 1}", on, labels={"app": "x" if number % 2 else "y"})
            held.set_pod(pods[name])
        elif kind == "gone":
            held.remove_pod(f"u-{name}")
            pods.pop(name, None)
        elif kind == "node":
            held.set_node(node(on))
            nodes.add(on)
        else:
            held.remove_node(on)
            nodes.discard(on)
    fresh = Cluster()
    for on in nodes:
        fresh.set_node(node(on))
    for each in pods.values():
        fresh.set_pod(each)
    for each_node in fresh:
        other = held.node(each_node.name)
        assert other is not None
        assert +other.requested == +each_node.requested
        assert set(other.pods) == set(each_node.pods)
        assert (other.cpu_score, other.memory_score) == (each_node.cpu_score, each_node.memory_score)
    again = fresh.tally("ns", parse("app=x"))
    assert {k: v for k, v in tally.items() if v} == {k: v for k, v in again.items() if v}


# --- the queue


def queued(test: Callable[[Queue, VirtualClock], Awaitable[None]]) -> None:
    async def main() -> None:
        clock = VirtualClock()
        queue = Queue(clock)
        async with asyncio.timeout(5):
            await test(queue, clock)
        queue.close()

    asyncio.run(main())


async def popped(queue: Queue) -> list[str]:
    found = []
    while "active" in queue.states().values():
        found.append((await queue.pop()).pod.name)
    return found


def test_priority_then_age() -> None:
    async def test(queue: Queue, clock: VirtualClock) -> None:
        for name, priority in (("a", 0), ("b", 10), ("c", 0)):
            queue.add(asking(name, priority=priority))
            await clock.advance(1)
        assert await popped(queue) == ["b", "a", "c"]

    queued(test)


def test_an_unschedulable_pod_waits_for_the_right_event_and_a_pause() -> None:
    async def test(queue: Queue, clock: VirtualClock) -> None:
        queue.add(asking("a"))
        waiting = await queue.pop()
        queue.unschedulable(waiting, frozenset({"NodeAffinity"}))
        queue.wake(frozenset({"NodePorts"}))
        assert queue.states() == {"u-a": "unschedulable"}
        queue.wake(frozenset({"NodeAffinity"}))
        assert queue.states() == {"u-a": "backoff"}
        await clock.advance(0.9)
        assert queue.states() == {"u-a": "backoff"}
        await clock.advance(0.1)
        assert queue.states() == {"u-a": "active"}

    queued(test)


def test_pauses_double_up_to_a_cap() -> None:
    async def test(queue: Queue, clock: VirtualClock) -> None:
        queue.add(asking("a"))
        pauses = []
        for _ in range(6):
            waiting = await queue.pop()
            queue.retry(waiting)
            start = clock.monotonic()
            while queue.states()["u-a"] != "active":
                await clock.advance(0.5)
            pauses.append(clock.monotonic() - start)
        assert pauses == [1, 2, 4, 8, 10, 10]

    queued(test)


def test_a_forgotten_pod_is_tried_again() -> None:
    async def test(queue: Queue, clock: VirtualClock) -> None:
        queue.add(asking("a"))
        queue.unschedulable(await queue.pop(), frozenset({"X"}))
        await clock.advance(FORGOTTEN - 1)
        assert queue.states() == {"u-a": "unschedulable"}
        await clock.advance(1)
        assert queue.states() == {"u-a": "active"}

    queued(test)


def test_a_changed_pod_is_tried_at_once_and_a_removed_one_never() -> None:
    async def test(queue: Queue, clock: VirtualClock) -> None:
        queue.add(asking("a"))
        waiting = await queue.pop()
        queue.unschedulable(waiting, frozenset())
        queue.refresh(asking("a"))
        assert queue.states() == {"u-a": "unschedulable"}
        queue.add(asking("a"))
        queue.remove("u-a")
        queue.retry(waiting)
        queue.add(asking("b"))
        assert (await queue.pop()).pod.name == "b"
        assert queue.states() == {"u-b": "tried"}

    queued(test)


# --- preemption


def preempted(target: PodInfo, nodes: list[Object], *running: PodInfo, budgets: Any = ()) -> Any:
    held = Cluster()
    for each in nodes:
        held.set_node(each)
    for other in running:
        held.set_pod(other)
    before = {each.name: sorted(each.pods) for each in held}
    why = decide(target, held, DEFAULT, lambda n: 0)
    assert isinstance(why, NoFit)
    answer = preemption.preempt(target, held, DEFAULT, why, budgets)
    assert {each.name: sorted(each.pods) for each in held} == before
    return answer


IMPORTANT = asking("vip", "3", priority=100)


def test_as_few_as_possible_have_to_go() -> None:
    small = [asking(f"s{n}", "1", "n1", priority=n) for n in range(4)]
    found = preempted(IMPORTANT, [node("n1")], *small)
    assert found.node == "n1"
    assert [p.name for p in found.pods] == ["s2", "s1", "s0"]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ([("a", "3", 50)], [("b", "3", 10)], "n2"),
        ([("a", "3", 10), ("c", "1", 10)], [("b", "4", 10)], "n1"),
        ([("a", "2", 10), ("c", "2", 10)], [("b", "4", 10)], "n2"),
        ([("a", "3", 200)], [("b", "3", 10)], "n2"),
    ],
)
def test_the_node_that_suffers_least(here: Any, there: Any, expected: str) -> None:
    running = [asking(n, c, "n1", priority=p) for n, c, p in here]
    running += [asking(n, c, "n2", priority=p) for n, c, p in there]
    assert preempted(IMPORTANT, [node("n1"), node("n2")], *running).node == expected


def test_budgets_are_broken_last() -> None:
    running = [
        asking("a", "3", "n1", labels={"app": "guarded"}),
        asking("b", "3", "n2", priority=50),
    ]
    budget = {
        "metadata": meta("b"),
        "spec": {"selector": {"matchLabels": {"app": "guarded"}}},
        "status": {"disruptionsAllowed": 0},
    }
    assert preempted(IMPORTANT, [node("n1"), node("n2")], *running, budgets=[budget]).node == "n2"


def test_when_nobody_can_make_room() -> None:
    equal = asking("a", "3", "n1", priority=100)
    text = preempted(IMPORTANT, [node("n1"), node("n2", unschedulable=True)], equal).text
    assert text == (
        "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )
    never = asking("vip", "3", priority=100, spec={"preemptionPolicy": "Never"})
    assert "preemptionPolicy=Never" in preempted(never, [node("n1")], asking("a", "3", "n1")).text


def test_victims_that_are_leaving_are_waited_for() -> None:
    target = asking("vip", "3", priority=100)
    target.obj["status"]["nominatedNodeName"] = "n1"
    leaving = asking("a", "3", "n1", going=True)
    assert "terminating pod on the nominated node" in preempted(target, [node("n1")], leaving).text


def test_the_room_of_a_preemptor_is_kept_from_lesser_pods() -> None:
    held = Cluster()
    held.set_node(node("n1"))
    held.nominated["u-vip"] = (IMPORTANT, "n1")
    assert isinstance(decide(asking("lesser", "2"), held, DEFAULT, lambda n: 0), NoFit)
    assert decide(asking("greater", "2", priority=200), held, DEFAULT, lambda n: 0) == Choice("n1")
    assert next(iter(held)).pods == {}


# --- the component


class Api(FakeApi):
    def __init__(self) -> None:
        super().__init__()
        self.fail: list[ApiError] = []
        self.bound: list[tuple[str, str]] = []

    async def create(
        self, resource: Resource, obj: Object, namespace: str | None = None, **options: Any
    ) -> Object:
        if options.get("subresource") != "binding":
            return await super().create(resource, obj, namespace, **options)
        if self.fail:
            raise self.fail.pop(0)
        name, on = obj["metadata"]["name"], obj["target"]["name"]
        self.bound.append((name, on))
        held = await self.get(PODS, name, namespace)
        held["spec"]["nodeName"] = on
        return self.put(PODS, held)


def scheduled(test: Callable[[Api, VirtualClock], Awaitable[None]]) -> Api:
    api = Api()

    async def main() -> None:
        clock = VirtualClock()
        started = asyncio.Event()
        work = asyncio.create_task(
            run.run(api, Config(), started.set, clock=clock, pick=lambda n: 0)  # type: ignore[arg-type]
        )
        async with asyncio.timeout(5):
            await started.wait()
            await test(api, clock)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(main())
    return api


def pending(name: str, **spec: Any) -> Object:
    made = asking(name, spec={"schedulerName": "default-scheduler", **spec}).obj
    del made["metadata"]["uid"], made["metadata"]["resourceVersion"]
    return made


def reasons(api: Api) -> list[str]:
    return [o["reason"] for (plural, _, _), o in api.objects.items() if plural == "events"]


def test_a_pod_is_bound_and_it_is_told() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.put(NODES, node("n1"))
        api.put(PODS, pending("a"))
        await clock.advance(1)

    api = scheduled(test)
    assert api.bound == [("a", "n1")]
    assert reasons(api) == ["Scheduled"]


@pytest.mark.parametrize(
    "spec", [{"schedulerName": "other"}, {"schedulingGates": [{"name": "g"}]}, {"nodeName": "n1"}]
)
def test_pods_that_are_not_ours_to_place(spec: Object) -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.put(NODES, node("n1"))
        api.put(PODS, pending("a", **spec))
        await clock.advance(1)

    assert scheduled(test).bound == []


def test_a_pod_that_fits_nowhere_says_why_and_goes_when_a_node_comes() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.put(NODES, node("n1", unschedulable=True))
        api.put(PODS, pending("a"))
        await clock.advance(0.1)
        (condition,) = api.find("pods", "a", "ns")["status"]["conditions"]  # type: ignore[index]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "PodScheduled",
            "False",
            "Unschedulable",
        )
        assert condition["message"].startswith("0/1 nodes are available: 1 node(s) were unschedulable.")
        api.put(NODES, node("n2"))
        await clock.advance(2)

    api = scheduled(test)
    assert api.bound == [("a", "n2")]
    assert reasons(api) == ["FailedScheduling", "Scheduled"]


def test_a_binding_that_fails_is_tried_again() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.fail.append(ApiError(500, "InternalError", "no"))
        api.put(NODES, node("n1"))
        api.put(PODS, pending("a"))
        await clock.advance(0.5)
        assert api.bound == []
        await clock.advance(2)

    assert scheduled(test).bound == [("a", "n1")]


def test_pods_beyond_the_room_wait_until_one_ends() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.put(NODES, node("n1"))
        for number in range(6):
            api.put(PODS, pending(f"p{number}"))
        await clock.advance(1)
        assert len(api.bound) == 4
        api.remove(PODS, api.bound[0][0], "ns")
        await clock.advance(5)
        assert len(api.bound) == 5

    scheduled(test)


def test_a_victim_goes_and_the_preemptor_takes_its_place() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        api.put(NODES, node("n1", allocatable={"cpu": "1", "memory": "1Gi", "pods": "9"}))
        api.put(PODS, pending("low"))
        await clock.advance(1)
        api.put(PODS, pending("vip", priority=10))
        await clock.advance(5)
        assert api.find("pods", "low", "ns") is None
        await settle()

    api = scheduled(test)
    assert [name for name, _ in api.bound] == ["low", "vip"]
    assert "Preempted" in reasons(api)


def test_claims_are_told_the_node_before_the_pod_is_bound() -> None:
    async def test(api: Api, clock: VirtualClock) -> None:
        waits = {
            "metadata": {"name": "s"},
            "provisioner": "a.io/p",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        api.put(storage.CLASSES, waits)
        claim = {
            "metadata": {"name": "c", "namespace": "ns"},
            "spec": {"storageClassName": "s"},
            "status": {"phase": "Pending"},
        }
        api.put(storage.CLAIMS, claim)
        api.put(NODES, node("n1"))
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
        api.put(PODS, pending("a", volumes=volumes))
        await clock.advance(1)
        held = api.find("persistentvolumeclaims", "c", "ns")
        assert held is not None
        assert held["metadata"]["annotations"] == {binding.SELECTED_NODE: "n1"}
        assert api.bound == []
        api.put(
            storage.CLAIMS, held | {"spec": held["spec"] | {"volumeName": "pv"}, "status": {"phase": "Bound"}}
        )
        await clock.advance(1)

    assert scheduled(test).bound == [("a", "n1")]
