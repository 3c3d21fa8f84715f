"""DaemonSets: plan tables over nodes and templates."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.control.plan import Create
from sampan.control_plane.controllers import daemons, revisions
from sampan.control_plane.controllers.daemons import View
from sampan.control_plane.controllers.daemonset import CONTROLLER
from workloads import NOW, TEMPLATE, meta, node, pod, said

Object = dict[str, Any]

UPDATE = {"metadata": meta("ds-new", labels={revisions.HASH: "new"}), "revision": 2}


def ds(spec: Object | None = None, **more: Any) -> Object:
    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], **(spec or {})}}
    body = {
        "template": template,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    }
    return {"metadata": meta("ds"), "spec": body | more, "status": {}}


def daemon(name: str, on: str, revision: str = "new", phase: str = "Running", **more: Any) -> Object:
    return pod(name, phase, node=on, labels={"app": "x", revisions.POD_LABEL: revision}, **more)


def view(owner: Object, nodes: list[Object], *listed: Object, held: frozenset[str] = frozenset()) -> View:
    return View(owner, listed, tuple(nodes), UPDATE, held, NOW)


NODES = [node("n1"), node("n2"), node("n3")]


def on(actions: Any) -> list[str]:
    """Nodes for which pods are created."""
    return [daemons.node_of(a.obj) for a in actions if isinstance(a, Create)]


def test_one_pod_on_every_node() -> None:
    actions = daemons.plan(view(ds(), NODES, daemon("a", "n1")))
    assert on(actions) == ["n2", "n3"]
    made = actions[0].obj  # type: ignore[union-attr]
    assert made["metadata"]["generateName"] == "ds-"
    assert made["metadata"]["labels"][revisions.POD_LABEL] == "new"
    assert {t["key"] for t in made["spec"]["tolerations"]} >= {"node.kubernetes.io/not-ready"}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([daemon("a", "n1"), daemon("b", "n1", age=10)], ["delete pods b"]),
        ([daemon("a", "n1", phase="Failed")], ["tell FailedDaemonPod", "delete pods a"]),
        ([daemon("a", "n1", phase="Succeeded")], ["tell SucceededDaemonPod", "delete pods a"]),
        ([daemon("a", "n1", going=True)], []),
        ([daemon("a", "n1"), daemon("b", "gone", phase="Pending")], []),
    ],
)
def test_one_node(listed: list[Object], expected: list[str]) -> None:
    assert said(daemons.plan(view(ds(), NODES[:1], *listed))) == expected


def test_a_pod_that_waits_for_a_node_that_is_gone_goes() -> None:
    waiting = pod("w", "Pending", node="", spec={"affinity": daemons._bound_to({}, "gone")})
    assert said(daemons.plan(view(ds(), NODES[:1], daemon("a", "n1"), waiting))) == ["delete pods w"]


def test_a_pod_that_fails_again_and_again_is_held_back() -> None:
    failed = daemon("a", "n1", phase="Failed")
    assert daemons.plan(view(ds(), NODES[:1], failed, held=frozenset({"u-a"}))) == []


TAINT = {"key": "k", "effect": "NoSchedule"}
EVICT = {"key": "k", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("spec", "target", "expected"),
    [
        ({}, node("n"), (True, True)),
        ({}, node("n", taints=[TAINT]), (False, True)),
        ({}, node("n", taints=[EVICT]), (False, False)),
        ({"tolerations": [{"operator": "Exists"}]}, node("n", taints=[TAINT, EVICT]), (True, True)),
        ({}, node("n", unschedulable=True), (True, True)),
        (
            {},
            node("n", taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]),
            (True, True),
        ),
        ({"nodeSelector": {"a": "b"}}, node("n"), (False, False)),
        ({"nodeSelector": {"a": "b"}}, node("n", labels={"a": "b"}), (True, True)),
        ({"nodeName": "other"}, node("n"), (False, False)),
    ],
)
def test_where_daemons_run(spec: Object, target: Object, expected: tuple[bool, bool]) -> None:
    assert daemons.should_run(target, ds(spec)) == expected


def test_pods_leave_nodes_that_no_longer_fit() -> None:
    owner = ds({"nodeSelector": {"a": "b"}})
    assert said(daemons.plan(view(owner, NODES[:1], daemon("a", "n1")))) == ["delete pods a"]


@pytest.mark.parametrize(
    ("most", "listed", "expected"),
    [
        (1, [daemon(f"p{n}", f"n{n}", "old") for n in (1, 2, 3)], ["delete pods p1"]),
        (2, [daemon(f"p{n}", f"n{n}", "old") for n in (1, 2, 3)], ["delete pods p1", "delete pods p2"]),
        (
            "100%",
            [daemon(f"p{n}", f"n{n}", "old") for n in (1, 2, 3)],
            [f"delete pods p{n}" for n in (1, 2, 3)],
        ),
        # one is down already: only that one may go
        (
            1,
            [daemon("p1", "n1", "old"), daemon("p2", "n2", "old", ready=False), daemon("p3", "n3")],
            ["delete pods p2"],
        ),
        (1, [daemon("p1", "n1", "old"), daemon("p2", "n2", ready=False), daemon("p3", "n3")], []),
    ],
)
def test_rolling_within_bounds(most: Any, listed: list[Object], expected: list[str]) -> None:
    owner = ds(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": most}})
    assert said(daemons.plan(view(owner, NODES, *listed))) == expected


def test_surging_starts_the_new_before_the_old_ends() -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    owner = ds(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    old = [daemon(f"p{n}", f"n{n}", "old") for n in (1, 2, 3)]
    assert on(daemons.plan(view(owner, NODES, *old))) == ["n1"]
    starting = daemon("q1", "n1", ready=False)
    assert daemons.plan(view(owner, NODES, *old, starting)) == []
    assert said(daemons.plan(view(owner, NODES, *old, daemon("q1", "n1"))))[-1] == "delete pods p1"


def test_on_delete_leaves_old_pods() -> None:
    owner = ds(updateStrategy={"type": "OnDelete"})
    assert daemons.plan(view(owner, NODES[:1], daemon("a", "n1", "old"))) == []


def test_status() -> None:
    nodes = [*NODES, node("n4", taints=[EVICT]), node("n5")]
    listed = (
        daemon("a", "n1"),
        daemon("b", "n2", "old"),
        daemon("c", "n3", ready=False),
        daemon("d", "n4"),
    )
    assert daemons.status(view(ds(), nodes, *listed)) == {
        "currentNumberScheduled": 3,
        "numberMisscheduled": 1,
        "desiredNumberScheduled": 4,
        "numberReady": 2,
        "observedGeneration": 1,
        "updatedNumberScheduled": 2,
        "numberAvailable": 2,
        "numberUnavailable": 2,
    }


def test_the_controller_reads_what_it_needs() -> None:
    assert [w.resource.plural for w in CONTROLLER.watches] == [
        "daemonsets",
        "pods",
        "nodes",
        "controllerrevisions",
    ]
