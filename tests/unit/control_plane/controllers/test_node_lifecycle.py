"""Nodes that fall silent, evictions by taints, and pods that nobody will finish: plan tables."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.control.plan import Delete, Patch
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import node_lifecycle, pod_gc, taint_eviction
from sampan.control_plane.controllers.node_lifecycle import NOT_READY, UNREACHABLE, UNSCHEDULABLE, View
from workloads import NOW, conditions_of, node, pod, said

Object = dict[str, Any]


def view(target: Object, *pods: Object, silence: float = 0, any_ready: bool = True) -> View:
    return View(target, silence, any_ready, pods, NOW)


def taints_after(made: View) -> list[tuple[str, str]] | None:
    for action in node_lifecycle.plan(made):
        if isinstance(action, Patch) and action.resource.plural == "nodes" and "spec" in action.body:
            return [(t["key"], t["effect"]) for t in action.body["spec"]["taints"] or ()]
    return None


def test_a_node_that_is_well_is_left_alone() -> None:
    assert node_lifecycle.plan(view(node("n"))) == []


def test_a_silent_node_becomes_unknown() -> None:
    actions = node_lifecycle.plan(view(node("n"), pod("a"), silence=51))
    assert said(actions) == [
        "patch nodes n status",
        "tell NodeNotReady",
        "patch nodes n",
        "patch pods a status",
        "tell NodeNotReady",
    ]
    status = actions[0].body["status"]  # type: ignore[union-attr]
    assert conditions_of(status)["Ready"] == ("Unknown", "NodeStatusUnknown")
    assert conditions_of(status)["MemoryPressure"] == ("Unknown", "NodeStatusNeverUpdated")
    assert actions[3].body["status"]["conditions"][0]["status"] == "False"  # type: ignore[union-attr]


def test_silence_within_the_grace_period() -> None:
    assert node_lifecycle.plan(view(node("n"), silence=49)) == []
    fresh = node("n")
    fresh["status"] = {}
    assert node_lifecycle.plan(view(fresh, silence=59)) == []
    assert node_lifecycle.plan(view(fresh, silence=61)) != []


@pytest.mark.parametrize(
    ("ready", "any_ready", "expected"),
    [
        ("False", True, [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
        ("Unknown", True, [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
        # nothing is evicted while no other node is ready
        ("Unknown", False, [(UNREACHABLE, "NoSchedule")]),
    ],
)
def test_taints_of_a_sick_node(ready: str, any_ready: bool, expected: list[tuple[str, str]]) -> None:
    assert taints_after(view(node("n", ready=ready), any_ready=any_ready)) == expected


def test_taints_follow_conditions_and_leave_others_alone() -> None:
    mine = {"key": "mine", "effect": "NoSchedule"}
    old = [{"key": NOT_READY, "effect": "NoSchedule"}, mine, {"key": UNREACHABLE, "effect": "NoExecute"}]
    assert taints_after(view(node("n", taints=old))) == [("mine", "NoSchedule")]
    cordoned = node("n", unschedulable=True)
    assert taints_after(view(cordoned)) == [(UNSCHEDULABLE, "NoSchedule")]
    pressed = node("n")
    pressed["status"]["conditions"].append({"type": "DiskPressure", "status": "True"})
    assert taints_after(view(pressed)) == [("node.kubernetes.io/disk-pressure", "NoSchedule")]


# --- evictions


def taint(since: float = 0.0) -> Object:
    return {"key": NOT_READY, "effect": "NoExecute", "timeAdded": stamp(NOW - since)}


def tolerating(*seconds: int | None) -> Object:
    listed = [
        {"key": NOT_READY, "operator": "Exists", "effect": "NoExecute"}
        | ({"tolerationSeconds": s} if s is not None else {})
        for s in seconds
    ]
    return pod("a", spec={"tolerations": listed})


@pytest.mark.parametrize(
    ("listed", "taints", "left"),
    [
        (pod("a"), (), None),
        (pod("a"), (taint(),), 0.0),
        (tolerating(None), (taint(),), None),
        (tolerating(300), (taint(),), 300.0),
        (tolerating(300), (taint(100),), 200.0),
        (tolerating(300, 60), (taint(),), 60.0),
        (tolerating(300), (taint(), {"key": "other", "effect": "NoExecute", "timeAdded": stamp(NOW)}), 0.0),
        (pod("a", going=True), (taint(),), None),
        (pod("a", "Succeeded"), (taint(),), None),
    ],
)
def test_when_a_pod_has_to_go(listed: Object, taints: tuple[Object, ...], left: float | None) -> None:
    found = taint_eviction.due(taint_eviction.View(listed, taints, NOW))
    assert (None if found is None else found - NOW) == left


def test_an_eviction() -> None:
    actions = taint_eviction.plan(taint_eviction.View(pod("a"), (taint(),), NOW))
    assert said(actions) == ["tell TaintManagerEviction", "patch pods a status", "delete pods a"]
    body = actions[1].body["status"]  # type: ignore[union-attr]
    assert conditions_of(body)["DisruptionTarget"] == ("True", "DeletionByTaintManager")
    assert taint_eviction.plan(taint_eviction.View(tolerating(300), (taint(),), NOW)) == []


# --- pods that nobody will finish


@pytest.mark.parametrize(
    ("listed", "node_gone", "expected"),
    [
        (pod("a"), False, []),
        (pod("a"), True, ["patch pods a status", "delete pods a"]),
        (pod("a", "Succeeded"), True, ["delete pods a"]),
        (pod("a", "Pending", node="", going=True), False, ["patch pods a status", "delete pods a"]),
        (pod("a", going=True), False, []),
    ],
)
def test_pods_given_up(listed: Object, node_gone: bool, expected: list[str]) -> None:
    actions = pod_gc.plan(pod_gc.View(listed, node_gone, NOW))
    assert said(actions) == expected
    for action in actions:
        if isinstance(action, Delete):
            assert action.grace_period == 0


def test_finished_pods_beyond_the_limit() -> None:
    listed = [pod(f"p{n}", "Succeeded", age=100 - n) for n in range(5)]
    assert said(pod_gc.surplus(listed, 3)) == ["delete pods p0", "delete pods p1"]
    assert pod_gc.surplus(listed, 5) == []
