"""What pods get when they are created, and which parts of them a write may change.

Source: pkg/registry/core/pod/strategy.go, pkg/apis/core/v1/helper/qos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sampan.api import quantity
from sampan.api.patch.plain import clone
from sampan.api.strategy import pod_resources
from sampan.api.strategy.model import Object, OnUpdate

_CONTAINERS: Final = ("initContainers", "containers")
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
    pod_resources.complete(spec)
    status["qosClass"] = qos_class(spec)
    pod["status"] = status


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    whole = spec.get("resources")
    if whole and (whole.get("requests") or whole.get("limits")):
        return _class(whole)
    found = {
        _class(container.get("resources") or {}) for kind in _CONTAINERS for container in spec.get(kind) or ()
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


def update_ephemeral(pod: Object, old: Object, now: str) -> None:
    added = pod["spec"].get("ephemeralContainers")
    pod["spec"] = clone(old["spec"])
    pod["spec"].pop("ephemeralContainers", None)
    if added:
        pod["spec"]["ephemeralContainers"] = added


def resize(pod: Object, old: Object, now: str) -> None:
    """Only resources and resize policies are taken over; containers that were moved stay for validation to name."""
    spec, before = pod["spec"], clone(old["spec"])
    if any(len(spec.get(kind) or ()) != len(before.get(kind) or ()) for kind in _CONTAINERS):
        return
    for kind in _CONTAINERS:
        new = spec.get(kind) or []
        if any(
            one.get("name") != other.get("name")
            for one, other in zip(new, before.get(kind) or (), strict=True)
        ):
            before[kind] = new
            continue
        for one, other in zip(new, before.get(kind) or (), strict=True):
            _take(other, one, "resources", "resizePolicy")
    if spec.get("resources") is not None:  # clients that do not know it leave it out
        before["resources"] = spec["resources"]
    pod_resources.complete(before)
    pod["spec"] = before


def _take(obj: Object, other: Object, *fields: str) -> None:
    for field in fields:
        if field in other:
            obj[field] = other[field]
        else:
            obj.pop(field, None)


PARTS: Final[Mapping[str, OnUpdate]] = {"ephemeralcontainers": update_ephemeral, "resize": resize}
