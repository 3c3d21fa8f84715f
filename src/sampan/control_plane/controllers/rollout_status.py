"""What a Deployment's status says: pure.

Behaviour, conditions, reasons: k8s.io/kubernetes pkg/controller/deployment (sync.go, progress.go) and its util.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.control.timestamps import parse, stamp
from sampan.control_plane.controllers import conditions
from sampan.control_plane.controllers.rollout import (
    HISTORY,
    REVISION,
    View,
    available,
    count,
    is_complete,
    notes,
    total,
)

Object = dict[str, Any]

NO_DEADLINE: Final = 2**31 - 1


def updated(view: View) -> Object:
    """The deployment with its status, and its revision annotation, as they should be now."""
    deployment, new = view.deployment, view.new()
    old_status = deployment.get("status") or {}
    made = _counts(view, new)
    _set_available(view, made)
    if deployment["metadata"].get("deletionTimestamp") is None:
        _set_progressing(view, new, old_status, made)
        _set_failure(view, new, made)
    result = deployment | {"status": made}
    revision = notes(new).get(REVISION) if new is not None else None
    if revision is not None and notes(deployment).get(REVISION) != revision:
        meta = deployment["metadata"]
        result["metadata"] = meta | {"annotations": notes(deployment) | {REVISION: revision}}
    return result


def _counts(view: View, new: Object | None) -> Object:
    every = view.replicasets
    up = sum(available(rs) for rs in every)
    counts = {
        "observedGeneration": view.deployment["metadata"].get("generation", 0),
        "replicas": sum(count(rs, "replicas") for rs in every),
        "updatedReplicas": count(new, "replicas") if new is not None else 0,
        "readyReplicas": sum(count(rs, "readyReplicas") for rs in every),
        "availableReplicas": up,
        "unavailableReplicas": max(0, total(every) - up),
    }
    made = {key: value for key, value in counts.items() if value}
    synced = [rs for rs in every if count(rs, "observedGeneration")]
    if all("terminatingReplicas" in rs["status"] for rs in synced):
        made["terminatingReplicas"] = sum(count(rs, "terminatingReplicas") for rs in every)
    old = view.deployment.get("status") or {}
    for key in ("collisionCount", "conditions"):
        if key in old:
            made[key] = old[key]
    return made


def _set_available(view: View, made: Object) -> None:
    if made.get("availableReplicas", 0) >= view.replicas - view.bounds()[1]:
        text = "Deployment has minimum availability."
        _set(view, made, "Available", "True", "MinimumReplicasAvailable", text)
    else:
        text = "Deployment does not have minimum availability."
        _set(view, made, "Available", "False", "MinimumReplicasUnavailable", text)


def _set_progressing(view: View, new: Object | None, old: Object, made: Object) -> None:
    spec = view.deployment["spec"]
    if _deadline(view) is None:
        conditions.drop(made, "Progressing")
        return
    current = conditions.find(old, "Progressing")
    reason = current.get("reason") if current else None
    if spec.get("paused"):
        if reason not in ("ProgressDeadlineExceeded", "DeploymentPaused"):
            _set(view, made, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
        return
    if reason == "DeploymentPaused":
        _set(view, made, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        return
    subject = (
        f'ReplicaSet "{new["metadata"]["name"]}"'
        if new
        else f'Deployment "{view.deployment["metadata"]["name"]}"'
    )
    if new is not None and (current is None or _is_fresh(view, new)):
        text = f'Created new replica set "{new["metadata"]["name"]}"'
        _set(view, made, "Progressing", "True", "NewReplicaSetCreated", text)
    current = conditions.find(made, "Progressing")
    reason = current.get("reason") if current else None
    if made.get("replicas", 0) == made.get("updatedReplicas", 0) and reason == "NewReplicaSetAvailable":
        return  # the last roll-out is over: a resync says nothing about progress
    if is_complete(view, made):
        text = f"{subject} has successfully progressed."
        _set(view, made, "Progressing", "True", "NewReplicaSetAvailable", text)
    elif _is_progressing(old, made):
        _progress(view, current, made, f"{subject} is progressing.")
    elif _is_late(view, made):
        _set(
            view,
            made,
            "Progressing",
            "False",
            "ProgressDeadlineExceeded",
            f"{subject} has timed out progressing.",
        )


def _is_fresh(view: View, new: Object) -> bool:
    """Whether the new ReplicaSet was made since the last status was written."""
    told = notes(view.deployment).get(REVISION)
    return HISTORY not in notes(new) and notes(new).get(REVISION) != told


def _progress(view: View, current: Object | None, made: Object, text: str) -> None:
    """Every progress moves lastUpdateTime, from which the deadline counts."""
    time = stamp(view.now)
    since = current["lastTransitionTime"] if current and current["status"] == "True" else time
    condition = {
        "type": "Progressing",
        "status": "True",
        "lastUpdateTime": time,
        "lastTransitionTime": since,
        "reason": "ReplicaSetUpdated",
        "message": text,
    }
    conditions.put(made, condition)


def _set_failure(view: View, new: Object | None, made: Object) -> None:
    ordered = [new, *view.replicasets] if new is not None else list(view.replicasets)
    for rs in ordered:
        found = conditions.find(rs.get("status") or {}, "ReplicaFailure")
        if found is not None:
            _set(
                view,
                made,
                "ReplicaFailure",
                found["status"],
                found.get("reason", ""),
                found.get("message", ""),
            )
            return
    conditions.drop(made, "ReplicaFailure")


def _set(view: View, made: Object, kind: str, value: str, reason: str, text: str) -> None:
    conditions.set_condition(made, kind, value, reason, text, view.now, updates=True)


def collided(deployment: Object) -> Object:
    """With one collision more, so that the next name differs."""
    status = deployment.get("status") or {}
    return deployment | {"status": status | {"collisionCount": status.get("collisionCount", 0) + 1}}


def create_failed(view: View, text: str) -> Object:
    made = dict(view.deployment.get("status") or {})
    if _deadline(view) is not None:
        _set(view, made, "Progressing", "False", "ReplicaSetCreateError", text)
    return view.deployment | {"status": made}


def until_deadline(view: View) -> float | None:
    """Seconds until the progress deadline passes; None when nothing is awaited."""
    deadline, status = _deadline(view), view.deployment.get("status") or {}
    current = conditions.find(status, "Progressing")
    if deadline is None or current is None or view.deployment["spec"].get("paused"):
        return None
    if is_complete(view, status) or current.get("reason") in (
        "ProgressDeadlineExceeded",
        "NewReplicaSetAvailable",
    ):
        return None
    return max(1.0, parse(current["lastUpdateTime"]) + deadline - view.now + 1.0)


def _is_late(view: View, made: Object) -> bool:
    current, deadline = conditions.find(made, "Progressing"), _deadline(view)
    if current is None or deadline is None or current.get("reason") == "NewReplicaSetAvailable":
        return False
    if current.get("reason") == "ProgressDeadlineExceeded":
        return True
    return parse(current["lastUpdateTime"]) + deadline < view.now


def _is_progressing(old: Object, made: Object) -> bool:
    def n(status: Object, key: str) -> int:
        return int(status.get(key, 0))

    return (
        n(made, "updatedReplicas") > n(old, "updatedReplicas")
        or n(made, "replicas") - n(made, "updatedReplicas") < n(old, "replicas") - n(old, "updatedReplicas")
        or n(made, "readyReplicas") > n(old, "readyReplicas")
        or n(made, "availableReplicas") > n(old, "availableReplicas")
    )


def _deadline(view: View) -> int | None:
    given = view.deployment["spec"].get("progressDeadlineSeconds")
    return None if given is None or given == NO_DEADLINE else int(given)
