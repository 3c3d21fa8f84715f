"""Claims and volumes finding each other, their protection, ephemeral volumes: plan tables played to the end."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.control.plan import Create, Emit, Update
from sampan.control_plane.controllers import (
    disruption,
    ephemeral_volume,
    volume_binder,
    volume_protection,
    volumes,
)
from sampan.control_plane.controllers.volumes import ClaimView, VolumeView
from workloads import NOW, conditions_of, meta, node, owned, pod, said

Object = dict[str, Any]


def claim(
    size: str = "1Gi", class_name: str | None = "fast", status: Object | None = None, **spec: Any
) -> Object:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    if class_name is not None:
        body["storageClassName"] = class_name
    return {"metadata": meta("c"), "spec": body, "status": status or {"phase": "Pending"}}


def volume(
    name: str, size: str = "1Gi", class_name: str = "fast", phase: str = "Available", **spec: Any
) -> Object:
    body = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": size},
        "storageClassName": class_name,
        **spec,
    }
    return {"metadata": meta(name), "spec": body, "status": {"phase": phase}}


IMMEDIATE = {"metadata": meta("fast"), "provisioner": "a.io/p"}
WAITING = IMMEDIATE | {"volumeBindingMode": "WaitForFirstConsumer"}


def played(
    wanted: Object, *given: Object, storage_class: Object | None = IMMEDIATE, on: Object | None = None
) -> tuple[Object, dict[str, Object], list[str]]:
    """Takes steps until nothing is due; the claim, the volumes by name, and the reasons of events."""
    held = {v["metadata"]["name"]: copy.deepcopy(v) for v in given}
    events: list[str] = []
    for _ in range(volume_binder.STEPS):
        view = ClaimView(wanted, tuple(held.values()), storage_class, on)
        actions = volumes.plan_claim(view)
        events += [a.reason for a in actions if isinstance(a, Emit)]
        writes = [a for a in actions if isinstance(a, Update)]
        if not writes:
            break
        for action in writes:
            if action.resource.plural == "persistentvolumes":
                held[action.obj["metadata"]["name"]] = action.obj
            else:
                wanted = action.obj
    for name, each in held.items():
        for action in volumes.plan_volume(VolumeView(each, wanted if volumes.key_of_ref(each) else None)):
            if isinstance(action, Update):
                held[name] = action.obj
    return wanted, held, events


def test_a_claim_takes_the_smallest_that_suits() -> None:
    bound, held, _ = played(claim("1Gi"), volume("big", "5Gi"), volume("small", "2Gi"), volume("tiny", "1Mi"))
    assert bound["spec"]["volumeName"] == "small"
    assert bound["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "2Gi"},
    }
    assert bound["metadata"]["annotations"] == {
        volumes.BIND_COMPLETED: "yes",
        volumes.BOUND_BY_CONTROLLER: "yes",
    }
    assert held["small"]["status"]["phase"] == "Bound"
    assert held["small"]["spec"]["claimRef"]["uid"] == "u-c"
    assert held["big"]["status"]["phase"] == "Available"


@pytest.mark.parametrize(
    "other",
    [
        volume("v", class_name="slow"),
        volume("v", accessModes=["ReadOnlyMany"]),
        volume("v", volumeMode="Block"),
        volume("v", phase="Released"),
        volume("v", claimRef={"name": "other", "namespace": "ns", "uid": "x"}),
    ],
)
def test_volumes_that_do_not_suit(other: Object) -> None:
    bound, _, events = played(claim(), other)
    assert "volumeName" not in bound["spec"]
    assert events[-1] == "ExternalProvisioning"
    assert bound["metadata"]["annotations"][volumes.PROVISIONER] == "a.io/p"


def test_a_volume_that_was_reserved() -> None:
    reserved = volume("mine", "9Gi", claimRef={"name": "c", "namespace": "ns"})
    bound, held, _ = played(claim(), volume("fit"), reserved, storage_class=WAITING)
    assert bound["spec"]["volumeName"] == "mine"
    assert volumes.BOUND_BY_CONTROLLER not in (held["mine"]["metadata"].get("annotations") or {})


def test_a_claim_that_names_its_volume() -> None:
    assert played(claim(volumeName="v"), volume("v"))[0]["status"]["phase"] == "Bound"
    assert played(claim(volumeName="v"), volume("v", "1Mi"))[2] == ["VolumeMismatch"]
    assert played(claim(volumeName="v"))[0]["status"]["phase"] == "Pending"
    taken = volume("v", claimRef={"name": "o", "namespace": "ns", "uid": "u"})
    assert played(claim(volumeName="v"), taken)[2] == ["FailedBinding"]


@pytest.mark.parametrize(
    ("wanted", "storage_class", "event"),
    [
        (claim(class_name=None), None, "FailedBinding"),
        (claim(class_name="none"), None, "ProvisioningFailed"),
        (claim(), WAITING, "WaitForFirstConsumer"),
        (claim(), {"provisioner": volumes.NO_PROVISIONER}, "ProvisioningFailed"),
    ],
)
def test_what_a_claim_waits_for(wanted: Object, storage_class: Object | None, event: str) -> None:
    bound, _, events = played(wanted, storage_class=storage_class)
    assert events == [event]
    assert bound["status"]["phase"] == "Pending"


def test_the_first_consumer_decides_where() -> None:
    chosen = claim()
    chosen["metadata"]["annotations"] = {volumes.SELECTED_NODE: "n2"}

    def local(name: str, on: str) -> Object:
        term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}]}
        return volume(name, nodeAffinity={"required": {"nodeSelectorTerms": [term]}})

    bound, _, _ = played(chosen, local("v1", "n1"), local("v2", "n2"), storage_class=WAITING, on=node("n2"))
    assert bound["spec"]["volumeName"] == "v2"


def test_a_lost_volume() -> None:
    bound, held, _ = played(claim(), volume("v"))
    lost, _, events = played(bound)
    assert lost["status"]["phase"] == "Lost"
    assert events == ["ClaimLost"]
    thief = held["v"] | {
        "spec": held["v"]["spec"] | {"claimRef": {"name": "c", "namespace": "ns", "uid": "other"}}
    }
    assert played(bound, thief)[2] == ["ClaimMisbound"]


@pytest.mark.parametrize(
    ("policy", "phase"), [("Retain", "Released"), ("Delete", "Released"), ("Recycle", "Failed")]
)
def test_a_volume_whose_claim_is_gone(policy: str, phase: str) -> None:
    ref = {"name": "c", "namespace": "ns", "uid": "u-c"}
    left = volume("v", phase="Bound", claimRef=ref, persistentVolumeReclaimPolicy=policy)
    action = volumes.plan_volume(VolumeView(left, None))[0]
    assert isinstance(action, Update)
    assert action.obj["status"]["phase"] == phase


def test_a_reservation_that_came_too_late_is_taken_back() -> None:
    ref = {"name": "c", "namespace": "ns", "uid": "u-c", "resourceVersion": "1"}
    late = volume("v", claimRef=ref)
    late["metadata"]["annotations"] = {volumes.BOUND_BY_CONTROLLER: "yes"}
    elsewhere = claim(volumeName="w")
    (action,) = volumes.plan_volume(VolumeView(late, elsewhere))
    assert "claimRef" not in action.obj["spec"]  # type: ignore[union-attr]
    by_hand = volume("v", claimRef=ref)
    (action,) = volumes.plan_volume(VolumeView(by_hand, elsewhere))
    assert action.obj["spec"]["claimRef"] == {"name": "c", "namespace": "ns"}  # type: ignore[union-attr]


# --- protection

USER = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}


@pytest.mark.parametrize(
    ("ends", "finalizers", "users", "expected"),
    [
        (False, [], [], ["patch persistentvolumeclaims c"]),
        (False, [volume_protection.CLAIM_FINALIZER], [], []),
        (True, [volume_protection.CLAIM_FINALIZER], [pod("p", spec=USER)], []),
        (
            True,
            [volume_protection.CLAIM_FINALIZER],
            [pod("p", "Succeeded", spec=USER)],
            ["patch persistentvolumeclaims c"],
        ),
        (True, [volume_protection.CLAIM_FINALIZER], [pod("p")], ["patch persistentvolumeclaims c"]),
        (True, [], [], []),
    ],
)
def test_claims_in_use_stay(
    ends: bool, finalizers: list[str], users: list[Object], expected: list[str]
) -> None:
    held = claim()
    held["metadata"] |= {"finalizers": finalizers} | ({"deletionTimestamp": "t"} if ends else {})
    assert said(volume_protection.plan_claim(held, users)) == expected


def test_bound_volumes_stay() -> None:
    held = volume("v", phase="Bound")
    held["metadata"] |= {"finalizers": [volume_protection.VOLUME_FINALIZER], "deletionTimestamp": "t"}
    assert volume_protection.plan_volume(held) == []
    held["status"]["phase"] = "Released"
    assert said(volume_protection.plan_volume(held)) == ["patch persistentvolumes v"]


# --- ephemeral volumes


def test_an_ephemeral_volume_gets_its_claim() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}
    user = pod("p", spec={"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": template}}]})
    (action,) = ephemeral_volume.plan(user, {})
    assert isinstance(action, Create)
    made = action.obj
    assert (made["metadata"]["name"], made["spec"]) == ("p-v", {"x": 1})
    assert made["metadata"]["ownerReferences"] == owned(user, "Pod", "v1")
    assert ephemeral_volume.plan(user, {"p-v": made}) == []
    assert said(ephemeral_volume.plan(user, {"p-v": claim()})) == ["tell EphemeralVolumeFailed"]


# --- disruption budgets


def budget(**spec: Any) -> Object:
    return {"metadata": meta("b"), "spec": spec, "status": {}}


@pytest.mark.parametrize(
    ("spec", "scale", "expected"),
    [
        ({"maxUnavailable": 1}, 3, (2, 2, 0, 3)),
        ({"maxUnavailable": "50%"}, 3, (2, 1, 1, 3)),
        ({"minAvailable": 1}, None, (2, 1, 1, 3)),
        ({"minAvailable": "100%"}, 3, (2, 3, 0, 3)),
        ({"maxUnavailable": 1}, None, (2, 0, 0, 0)),
    ],
)
def test_what_a_budget_allows(spec: Object, scale: int | None, expected: tuple[int, ...]) -> None:
    listed = (pod("a"), pod("b"), pod("c", ready=False))
    made = disruption.status(disruption.View(budget(**spec), listed, scale, NOW)).status
    assert (
        tuple(made[k] for k in ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"))
        == expected
    )
    reason = conditions_of(made)["DisruptionAllowed"][1]
    assert reason == (
        "SufficientPods"
        if expected[2]
        else "SyncFailed"
        if scale is None and expected[3] == 0
        else "InsufficientPods"
    )


def test_evictions_on_their_way_do_not_count_as_healthy() -> None:
    from sampan.control.timestamps import stamp

    held = budget(minAvailable=1)
    held["status"] = {"disruptedPods": {"a": stamp(NOW - 20), "b": stamp(NOW - 500), "gone": stamp(NOW)}}
    result = disruption.status(disruption.View(held, (pod("a"), pod("b")), None, NOW))
    assert result.status["disruptedPods"] == {"a": stamp(NOW - 20)}
    assert (result.status["currentHealthy"], result.wait) == (1, 100.0)
