"""What pods get when they are created. Source: pkg/registry/core/pod/strategy.go, pkg/apis/core/v1/helper/qos."""

from __future__ import annotations

from typing import Any, Final

from sampan.api import quantity
from sampan.api.strategy.model import Object

_MANAGED: Final = ("cpu", "memory")  # the resources that make a QoS class


def create(pod: Object) -> None:
    spec = pod["spec"]
    status: Object = {"phase": "Pending"}
    if spec.get("schedulingGates"):
        status["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": pod["metadata"].get("creationTimestamp"),
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }
        ]
    _affinity_label_keys(pod)
    status["qosClass"] = qos_class(spec)
    pod["status"] = status


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    whole = spec.get("resources")
    if whole and (whole.get("requests") or whole.get("limits")):
        return _class(whole)
    found = {
        _class(container.get("resources") or {})
        for kind in ("initContainers", "containers")
        for container in spec.get(kind) or ()
    }
    if not found:
        return "BestEffort"
    return found.pop() if len(found) == 1 else "Burstable"


def _class(resources: Object) -> str:
    requests, limits = _amounts(resources.get("requests")), _amounts(resources.get("limits"))
    if not requests and not limits:
        return "BestEffort"
    if limits.keys() == set(_MANAGED) and all(
        requests.get(name, limits[name]) == limits[name] for name in limits
    ):
        return "Guaranteed"
    return "Burstable"


def _amounts(listed: Object | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in _MANAGED:
        try:
            amount = quantity.parse((listed or {}).get(name, 0)).nanos
        except quantity.QuantityError:
            continue
        if amount > 0:
            found[name] = amount
    return found


def _affinity_label_keys(pod: Object) -> None:
    """matchLabelKeys and mismatchLabelKeys become expressions of the term's selector."""
    labels = pod["metadata"].get("labels") or {}
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        terms: list[Any] = list(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        terms += [
            weighted.get("podAffinityTerm") or {}
            for weighted in found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ]
        for term in terms:
            selector = term.get("labelSelector")
            if selector is None:
                continue
            _expressions(selector, labels, term.get("matchLabelKeys"), "In")
            _expressions(selector, labels, term.get("mismatchLabelKeys"), "NotIn")
    for constraint in pod["spec"].get("topologySpreadConstraints") or ():
        if constraint.get("labelSelector") is not None:
            _expressions(constraint["labelSelector"], labels, constraint.get("matchLabelKeys"), "In")


def _expressions(selector: Object, labels: Object, keys: Any, operator: str) -> None:
    for key in keys or ():
        if key in labels:
            selector.setdefault("matchExpressions", []).append(
                {"key": key, "operator": operator, "values": [labels[key]]}
            )


def update_status(pod: Object, old: Object, now: str) -> None:
    metadata, before = pod["metadata"], old["metadata"]
    metadata.pop("deletionTimestamp", None)
    if "ownerReferences" in before:
        metadata["ownerReferences"] = before["ownerReferences"]
    else:
        metadata.pop("ownerReferences", None)
    status = pod.setdefault("status", {})
    past = old.get("status") or {}
    for field in ("qosClass", "resourceClaimStatuses", "extendedResourceClaimStatus", "observedGeneration"):
        if status.get(field) is None and past.get(field) is not None:
            status[field] = past[field]
