"""Which claims get which volume, and which volumes go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sampan.addons.localpath import plan
from sampan.addons.localpath.model import Config

CONFIG = Config("n1", Path("/data/storage"))
CLASS = plan.storage_class(CONFIG)


def claim(**spec: Any) -> dict[str, Any]:
    annotations = {plan.SELECTED_NODE: spec.pop("node", "n1")}
    return {
        "metadata": {"name": "data", "namespace": "shop", "uid": "u1", "annotations": annotations},
        "spec": {
            "storageClassName": "local-path",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }


def test_a_claim_with_our_node_gets_a_volume_bound_to_it() -> None:
    made = plan.volume(CONFIG, claim(), CLASS)
    assert isinstance(made, dict)
    assert made["metadata"]["name"] == "pvc-u1"
    assert made["spec"]["capacity"] == {"storage": "1Gi"}
    assert made["spec"]["hostPath"]["path"] == "/data/storage/pvc-u1_shop_data"
    assert made["spec"]["claimRef"]["uid"] == "u1"
    assert plan.on_node(made, "n1") and not plan.on_node(made, "n2")


@pytest.mark.parametrize(
    "obj, its_class",
    [
        (claim(node="n2"), CLASS),
        (claim(volumeName="pv"), CLASS),
        (claim(), None),
        (claim(), {**CLASS, "provisioner": "other"}),
        ({**claim(), "metadata": {**claim()["metadata"], "annotations": {}}}, CLASS),
        ({**claim(), "metadata": {**claim()["metadata"], "deletionTimestamp": "now"}}, CLASS),
    ],
)
def test_other_claims_are_left_alone(obj: dict[str, Any], its_class: dict[str, Any] | None) -> None:
    assert plan.volume(CONFIG, obj, its_class) is None


def test_an_immediate_class_needs_no_node() -> None:
    obj = claim()
    obj["metadata"]["annotations"] = {}
    assert isinstance(plan.volume(CONFIG, obj, {**CLASS, "volumeBindingMode": "Immediate"}), dict)


def test_what_cannot_be_served_is_refused_with_everything_that_is_wrong() -> None:
    refused = plan.volume(
        CONFIG, claim(accessModes=["ReadWriteMany"], volumeMode="Block", selector={"a": 1}), CLASS
    )
    assert isinstance(refused, plan.Refused)
    for word in ("ReadWriteMany", "Block", "selector"):
        assert word in refused.why


def released(**spec: Any) -> dict[str, Any]:
    made = plan.volume(CONFIG, claim(), CLASS)
    assert isinstance(made, dict)
    made["spec"].update(spec)
    return {**made, "status": {"phase": "Released"}}


def test_a_released_volume_goes() -> None:
    assert plan.to_remove(CONFIG, released()) == Path("/data/storage/pvc-u1_shop_data")


@pytest.mark.parametrize(
    "pv",
    [
        {**released(), "status": {"phase": "Bound"}},
        released(persistentVolumeReclaimPolicy="Retain"),
        released(hostPath={"path": "/data/storage/../other"}),
        released(hostPath={"path": "/data/storage/pvc-u2_shop_data"}),
        released(hostPath={}),
        {**released(), "metadata": {"name": "pvc-u1"}},
        released(nodeAffinity={}),
    ],
)
def test_nothing_else_is_removed(pv: dict[str, Any]) -> None:
    assert plan.to_remove(CONFIG, pv) is None
