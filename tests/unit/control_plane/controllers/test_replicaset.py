"""ReplicaSets: plan tables."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.api.status import too_many_requests
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.replicaset import REPLICASET, REPLICATION, View, plan, status
from workloads import NOW, TEMPLATE, conditions_of, meta, owned, pod, said

Object = dict[str, Any]


def rs(replicas: int, **more: Any) -> Object:
    spec = {"replicas": replicas, "template": TEMPLATE, "selector": {"matchLabels": {"app": "x"}}}
    return {"metadata": meta("rs"), "spec": spec | more, "status": {}}


def view(replicas: int, *listed: Object, related: tuple[Object, ...] = (), **more: Any) -> View:
    return View(rs(replicas, **more), listed, related or listed, NOW)


@pytest.mark.parametrize(
    ("replicas", "listed", "expected"),
    [
        (2, [], ["create pods rs-", "create pods rs-"]),
        (1, [pod("a")], []),
        (1, [pod("a", "Failed"), pod("b", "Succeeded"), pod("c", going=True)], ["create pods rs-"]),
        (1, [pod("a"), pod("b", "Pending")], ["delete pods b"]),
        (0, [pod("a"), pod("b")], ["delete pods a", "delete pods b"]),
    ],
)
def test_as_many_pods_as_told(replicas: int, listed: list[Object], expected: list[str]) -> None:
    assert said(plan(view(replicas, *listed), REPLICASET)) == expected


def test_a_pod_as_the_template_says() -> None:
    made = view(1)
    (action,) = plan(made, REPLICASET)
    assert action.obj["metadata"]["labels"] == {"app": "x"}  # type: ignore[union-attr]
    assert action.obj["metadata"]["ownerReferences"] == owned(made.owner, "ReplicaSet")  # type: ignore[union-attr]
    assert action.obj["spec"] == TEMPLATE["spec"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (pod("z", "Pending", node=""), pod("a", "Pending"), "not assigned"),
        (pod("z", "Pending"), pod("a", "Running", ready=False), "pending"),
        (pod("z", ready=False), pod("a"), "not ready"),
        (pod("z", annotations={pods.DELETION_COST: "-1"}), pod("a"), "cheaper"),
        (pod("z", ready_for=10), pod("a", ready_for=5000), "ready for a shorter time"),
        (pod("z", age=10), pod("a", age=5000), "younger"),
    ],
)
def test_who_goes_first(first: Object, second: Object, why: str) -> None:
    assert [p["metadata"]["name"] for p in pods.doomed([second, first], [], 1, NOW)] == ["z"], why


def test_nodes_with_many_of_the_kind_lose_theirs() -> None:
    here, there = pod("z", node="full"), pod("a", node="empty")
    sibling = pod("s", node="full", ownerReferences=[])
    assert pods.doomed([there, here], [there, here, sibling], 1, NOW) == [here]


def test_restarts_count() -> None:
    restless = pod("z")
    restless["status"]["containerStatuses"] = [{"restartCount": 3}]
    assert pods.doomed([pod("a"), restless], [], 1, NOW) == [restless]


def test_status_counts() -> None:
    listed = (
        pod("a"),
        pod("b", ready_for=5),
        pod("c", ready=False, labels={"app": "y"}),
        pod("d", going=True),
        pod("e", "Failed"),
    )
    made = status(view(3, *listed, minReadySeconds=10), REPLICASET, None)
    assert made == {
        "replicas": 3,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 1,
        "terminatingReplicas": 1,
    }
    assert "terminatingReplicas" not in status(view(3, *listed), REPLICATION, None)


def test_a_failure_is_shown_and_taken_back() -> None:
    made = status(view(2), REPLICASET, too_many_requests("quota"))
    assert conditions_of(made) == {"ReplicaFailure": ("True", "FailedCreate")}
    owner = rs(0) | {"status": made}
    after = status(View(owner, (), (), NOW), REPLICASET, None)
    assert "conditions" not in after


def test_waiting_for_availability() -> None:
    assert pods.until_available([pod("a", ready_for=4), pod("b", ready_for=7)], 10, NOW) == 3.0
    assert pods.until_available([pod("a", ready_for=40)], 10, NOW) is None
    assert pods.until_available([pod("a")], 0, NOW) is None


def test_conditions_change_only_with_status_or_reason() -> None:
    made: Object = {}
    conditions.set_condition(made, "A", "True", "R", "first", NOW)
    conditions.set_condition(made, "A", "True", "R", "second", NOW + 60)
    assert made["conditions"][0]["message"] == "first"
    conditions.set_condition(made, "A", "True", "Other", "third", NOW + 60)
    assert made["conditions"][0]["lastTransitionTime"] == "2023-11-14T22:13:20Z"
    conditions.set_condition(made, "A", "False", "Other", "fourth", NOW + 60)
    assert made["conditions"][0]["lastTransitionTime"] == "2023-11-14T22:14:20Z"
    assert conditions.find(made, "B") is None
    conditions.drop(made, "A")
    assert made == {}
