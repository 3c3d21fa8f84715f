"""What controllers know about pods: states, pods from templates, which to delete first.

Rules: k8s.io/kubernetes pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sampan.api import kinds
from sampan.control.timestamps import parse, parse_or
from sampan.control_plane.controllers import conditions

Object = dict[str, Any]

PODS: Final = kinds.of("v1", "Pod")
DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_PHASES: Final = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def is_terminal(pod: Object) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Object) -> bool:
    return pod["metadata"].get("deletionTimestamp") is not None


def is_active(pod: Object) -> bool:
    return not is_terminal(pod) and not is_terminating(pod)


def is_ready(pod: Object) -> bool:
    return conditions.is_true(pod.get("status") or {}, "Ready")


def ready_since(pod: Object) -> float | None:
    """When the pod became ready; None when it is not."""
    found = conditions.find(pod.get("status") or {}, "Ready")
    if found is None or found["status"] != "True":
        return None
    return parse_or(found.get("lastTransitionTime"), 0.0)


def is_available(pod: Object, min_ready_seconds: int, now: float) -> bool:
    since = ready_since(pod)
    return since is not None and (min_ready_seconds == 0 or (since > 0 and since + min_ready_seconds <= now))


def until_available(pods: Iterable[Object], min_ready_seconds: int, now: float) -> float | None:
    """Seconds until the next ready pod becomes available; None when there is none to wait for."""
    waits = []
    for pod in pods:
        since = ready_since(pod)
        if min_ready_seconds and since is not None and since + min_ready_seconds > now:
            waits.append(since + min_ready_seconds - now)
    return min(waits) if waits else None


def from_template(template: Object, owner_ref: Object, *, name: str = "", generate: str = "") -> Object:
    """A pod of its owner, by template."""
    given = template.get("metadata") or {}
    meta: Object = {"name": name} if name else {"generateName": generate}
    for key in ("labels", "annotations"):
        if given.get(key):
            meta[key] = dict(given[key])
    if given.get("finalizers"):
        meta["finalizers"] = list(given["finalizers"])
    meta["ownerReferences"] = [owner_ref]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": dict(template["spec"])}


def prefix(name: str) -> str:
    """generateName for an owner's pods."""
    return f"{name}-"


def doomed(active: Sequence[Object], related: Iterable[Object], count: int, now: float) -> list[Object]:
    """The `count` pods to delete first: the least far along, and those whose node has most of their kind."""
    if count >= len(active):
        return list(active)
    crowd = Counter(pod["spec"].get("nodeName", "") for pod in related if is_active(pod))
    ranked = sorted(active, key=lambda pod: _worth(pod, crowd[pod["spec"].get("nodeName", "")], now))
    return ranked[:count]


def _worth(pod: Object, crowd: int, now: float) -> tuple[Any, ...]:
    """Sorts what is deleted first to the front."""
    meta = pod["metadata"]
    since = ready_since(pod)
    restarts = [c.get("restartCount", 0) for c in (pod.get("status") or {}).get("containerStatuses") or ()]
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(phase(pod), 0),
        since is not None,
        _cost(meta),
        -crowd,
        _age(since, now) if since is not None else 0,
        -max(restarts, default=0),
        _age(parse(meta["creationTimestamp"]), now) if meta.get("creationTimestamp") else 0,
        meta.get("uid", ""),
    )


def _cost(meta: Object) -> int:
    text = (meta.get("annotations") or {}).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _age(since: float, now: float) -> int:
    """Ages that differ by less than a factor of two count as equal (LogarithmicScaleDown)."""
    age = now - since
    return int(math.log2(age * 1e9)) if age > 0 else -1
