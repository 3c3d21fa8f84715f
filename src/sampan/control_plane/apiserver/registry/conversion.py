"""One kind in several versions: there is one stored form, and a function each way for every other that is served.

Two built-in kinds need it: HorizontalPodAutoscaler (stored v2, also v1) and Event (stored core/v1, also events.k8s.io/v1).
Facts: k8s.io/kubernetes v1.37.2 pkg/apis/autoscaling/v1/conversion.go, pkg/apis/core/v1 and pkg/apis/events/v1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from sampan.api.status import bad_request

Object = dict[str, Any]
Convert = Callable[[Object], Object]

_METRICS: Final = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT: Final = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS: Final = "autoscaling.alpha.kubernetes.io/conditions"
_BEHAVIOR: Final = "autoscaling.alpha.kubernetes.io/behavior"

_EVENT_FIELDS: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_EVENT_FIELDS_BACK: Final = {new: old for old, new in _EVENT_FIELDS.items()}


def _event_to_events_v1(obj: Object) -> Object:
    converted = {_EVENT_FIELDS.get(key, key): value for key, value in obj.items()}
    for field in ("reportingController", "reportingInstance"):
        if not converted.get(field):
            converted.pop(field, None)
    return converted | {"apiVersion": "events.k8s.io/v1"}


def _event_to_core(obj: Object) -> Object:
    converted = {_EVENT_FIELDS_BACK.get(key, key): value for key, value in obj.items()}
    converted.setdefault("involvedObject", {})
    converted.setdefault("reportingComponent", "")
    converted.setdefault("reportingInstance", "")
    return converted | {"apiVersion": "v1"}


def _is_cpu_target(metric: Any) -> bool:
    resource = metric.get("resource") or {}
    return (
        metric.get("type") == "Resource"
        and resource.get("name") == "cpu"
        and (resource.get("target") or {}).get("averageUtilization") is not None
    )


def _hpa_to_v1(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = dict(obj.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    others = []
    for metric in spec.pop("metrics", None) or []:
        if _is_cpu_target(metric) and "targetCPUUtilizationPercentage" not in spec:
            spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
        else:
            others.append(metric)
    current = status.pop("currentMetrics", None) or []
    for metric in current:
        resource = metric.get("resource") or {}
        if resource.get("name") == "cpu" and "averageUtilization" in (resource.get("current") or {}):
            status["currentCPUUtilizationPercentage"] = resource["current"]["averageUtilization"]
    for name, value in (
        (_METRICS, others),
        (_CURRENT, current),
        (_CONDITIONS, status.pop("conditions", None)),
        (_BEHAVIOR, spec.pop("behavior", None)),
    ):
        if value:
            annotations[name] = orjson.dumps(value).decode()
    if annotations:
        metadata["annotations"] = annotations
    converted = {**obj, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec}
    if "status" in obj:
        converted["status"] = {"currentReplicas": 0, "desiredReplicas": 0, **status}
    return converted


def _hpa_to_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = dict(obj.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    metrics = _annotated(annotations, _METRICS) or []
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}
        metrics = [{"type": "Resource", "resource": resource}, *metrics]
    if metrics:
        spec["metrics"] = metrics
    if behavior := _annotated(annotations, _BEHAVIOR):
        spec["behavior"] = behavior
    status.pop("currentCPUUtilizationPercentage", None)
    if current := _annotated(annotations, _CURRENT):
        status["currentMetrics"] = current
    if conditions := _annotated(annotations, _CONDITIONS):
        status["conditions"] = conditions
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    converted = {**obj, "apiVersion": "autoscaling/v2", "metadata": metadata, "spec": spec}
    if "status" in obj or status:
        if not status.get("currentReplicas"):
            status.pop("currentReplicas", None)
        converted["status"] = {"currentMetrics": None, "desiredReplicas": 0, **status}
    return converted


def _annotated(annotations: dict[str, str], name: str) -> Any:
    text = annotations.pop(name, None)
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None  # as upstream: what cannot be read there is dropped


_TABLE: Final[dict[tuple[str, str, str], Convert]] = {
    ("Event", "v1", "events.k8s.io/v1"): _event_to_events_v1,
    ("Event", "events.k8s.io/v1", "v1"): _event_to_core,
    ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1"): _hpa_to_v1,
    ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2"): _hpa_to_v2,
}


def convert(obj: Object, kind: str, to: str, *, custom: bool = False) -> Object:
    """The object in the version `to`, itself when it is in it. The original is not changed.

    Custom kinds change their apiVersion only (conversion strategy None). Raises ApiError 400 for a pair not in the table.
    """
    given = obj.get("apiVersion")
    if given == to:
        return obj
    if custom:
        return {**obj, "apiVersion": to}
    function = _TABLE.get((kind, str(given), to))
    if function is None:
        raise bad_request(f"{kind} cannot be converted from version {given!r} to {to!r}")
    return function(obj)
