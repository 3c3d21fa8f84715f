from __future__ import annotations

import json

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.registry.conversion import convert

EVENT = {
    "kind": "Event",
    "apiVersion": "v1",
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "p"},
    "message": "hello",
    "source": {"component": "kubelet"},
    "count": 3,
    "reportingComponent": "",
    "reportingInstance": "",
    "type": "Normal",
}
METRIC = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}},
}


def test_events_go_there_and_back() -> None:
    new = convert(EVENT, "Event", "events.k8s.io/v1")
    assert (new["note"], new["regarding"]["name"], new["deprecatedCount"]) == ("hello", "p", 3)
    assert new["deprecatedSource"] == {"component": "kubelet"}
    assert convert(new, "Event", "v1") == EVENT


def test_autoscalers_go_there_and_back() -> None:
    old = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
        "status": {"currentReplicas": 1, "desiredReplicas": 2},
    }
    new = convert(old, "HorizontalPodAutoscaler", "autoscaling/v2")
    assert new["spec"]["metrics"] == [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
        }
    ]
    assert convert(new, "HorizontalPodAutoscaler", "autoscaling/v1") == old


def test_what_v1_cannot_say_is_kept_in_annotations() -> None:
    new = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": "h", "annotations": {"mine": "x"}},
        "spec": {"maxReplicas": 3, "metrics": [METRIC], "behavior": {"scaleUp": {}}},
        "status": {"desiredReplicas": 2, "currentMetrics": None, "conditions": [{"type": "AbleToScale"}]},
    }
    old = convert(new, "HorizontalPodAutoscaler", "autoscaling/v1")
    annotations = old["metadata"]["annotations"]
    assert json.loads(annotations["autoscaling.alpha.kubernetes.io/metrics"]) == [METRIC]
    assert annotations["mine"] == "x"
    assert "metrics" not in old["spec"]
    back = convert(old, "HorizontalPodAutoscaler", "autoscaling/v2")
    assert back == new


def test_custom_kinds_change_their_version_only() -> None:
    boat = {"kind": "Boat", "apiVersion": "example.dev/v1", "metadata": {}, "spec": {"a": 1}}
    assert convert(boat, "Boat", "example.dev/v2", custom=True) == {**boat, "apiVersion": "example.dev/v2"}


def test_the_same_version_is_the_same_object() -> None:
    assert convert(EVENT, "Event", "v1") is EVENT


def test_what_is_not_converted_is_refused_by_name() -> None:
    with pytest.raises(ApiError, match="Pod cannot be converted from version 'v1' to 'v2'"):
        convert({"kind": "Pod", "apiVersion": "v1"}, "Pod", "v2")
