"""Whether an object is ready. Pure: kstatus' rules over its status and conditions.

github.com/fluxcd/cli-utils 1.2.2 pkg/kstatus/status (core.go, generic.go); helm 4.3 internal/statusreaders for what
hooks have to reach. The time is passed in: a pod may be unscheduled for a while before that counts as a failure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

Object = Mapping[str, Any]

SCHEDULE_SECONDS = 15.0
_NO_DEADLINE = 2**31 - 1
"""progressDeadlineSeconds that means none."""


class State(Enum):
    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"


class Status(NamedTuple):
    state: State
    message: str


def _current(message: str = "Resource is current") -> Status:
    return Status(State.CURRENT, message)


def _progress(message: str) -> Status:
    return Status(State.IN_PROGRESS, message)


def _failed(message: str) -> Status:
    return Status(State.FAILED, message)


def _conditions(obj: Object) -> list[Mapping[str, Any]]:
    return list((obj.get("status") or {}).get("conditions") or ())


def _condition(obj: Object, kind: str) -> Mapping[str, Any] | None:
    return next((c for c in _conditions(obj) if c.get("type") == kind), None)


def _is(obj: Object, kind: str, value: str = "True") -> bool:
    condition = _condition(obj, kind)
    return condition is not None and condition.get("status") == value


def _number(value: Any, default: int = 0) -> int:
    return default if value is None else int(value)


def _deployment(obj: Object) -> Status:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    progressing = _condition(obj, "Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed("Progress deadline exceeded")
    wanted = _number(spec.get("replicas"), 1)
    total, updated = _number(status.get("replicas")), _number(status.get("updatedReplicas"))
    ready, available = _number(status.get("readyReplicas")), _number(status.get("availableReplicas"))
    if wanted > total:
        return _progress(f"Replicas: {total}/{wanted}")
    if wanted > updated:
        return _progress(f"Updated: {updated}/{wanted}")
    if total > wanted:
        return _progress(f"Pending termination: {total - wanted}")
    if updated > available:
        return _progress(f"Available: {available}/{updated}")
    if wanted > ready:
        return _progress(f"Ready: {ready}/{wanted}")
    done = progressing.get("status") == "True" and progressing.get("reason") == "NewReplicaSetAvailable"
    if not done and _number(spec.get("progressDeadlineSeconds"), _NO_DEADLINE) != _NO_DEADLINE:
        return _progress("ReplicaSet not Available")
    if not _is(obj, "Available"):
        return _progress("Deployment not Available")
    return _current(f"Deployment is available. Replicas: {total}")


def _stateful_set(obj: Object) -> Status:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return _current("StatefulSet is using the ondelete update strategy")
    wanted = _number(spec.get("replicas"), 1)
    total, ready = _number(status.get("replicas")), _number(status.get("readyReplicas"))
    current, updated = _number(status.get("currentReplicas")), _number(status.get("updatedReplicas"))
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if wanted > total:
        return _progress(f"Replicas: {total}/{wanted}")
    if wanted > ready:
        return _progress(f"Ready: {ready}/{wanted}")
    if total > wanted:
        return _progress(f"Pending termination: {total - wanted}")
    if partition is not None:
        if updated < wanted - int(partition):
            return _progress(f"updated: {updated}/{wanted - int(partition)}")
        return _current(f"Partition rollout complete. updated: {updated}")
    if wanted > current:
        return _progress(f"current: {current}/{wanted}")
    if status.get("currentRevision") != status.get("updateRevision"):
        return _progress("Waiting for updated revision to match current")
    return _current(f"All replicas scheduled as expected. Replicas: {total}")


def _daemon_set(obj: Object) -> Status:
    status = obj.get("status") or {}
    if "generation" not in (obj.get("metadata") or {}):
        return _progress("DaemonSet metadata.generation not found")
    if "observedGeneration" not in status:
        return _progress("DaemonSet status.observedGeneration not found")
    if "desiredNumberScheduled" not in status:
        return _progress("Missing .status.desiredNumberScheduled")
    wanted = _number(status.get("desiredNumberScheduled"))
    for field, label in (
        ("currentNumberScheduled", "Current"),
        ("updatedNumberScheduled", "Updated"),
        ("numberAvailable", "Available"),
        ("numberReady", "Ready"),
    ):
        have = _number(status.get(field))
        if wanted > have:
            return _progress(f"{label}: {have}/{wanted}")
    return _current(f"All replicas scheduled as expected. Replicas: {wanted}")


def _replica_set(obj: Object) -> Status:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if _is(obj, "ReplicaFailure"):
        return _progress("Replica Failure condition. Check Pods")
    wanted = _number(spec.get("replicas"), 1)
    for field, label in (
        ("fullyLabeledReplicas", "Labelled"),
        ("availableReplicas", "Available"),
        ("readyReplicas", "Ready"),
    ):
        have = _number(status.get(field))
        if wanted > have:
            return _progress(f"{label}: {have}/{wanted}")
    total = _number(status.get("replicas"))
    if total > wanted:
        return _progress(f"Pending termination: {total - wanted}")
    return _current(f"ReplicaSet is available. Replicas: {total}")


def _crash_looping(obj: Object) -> list[str]:
    return [
        str(c.get("name"))
        for c in (obj.get("status") or {}).get("containerStatuses") or ()
        if ((c.get("state") or {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    ]


def _pod(obj: Object, now: float) -> Status:
    phase = (obj.get("status") or {}).get("phase") or ""
    match phase:
        case "Succeeded":
            return _current("Pod has completed successfully")
        case "Failed":
            return _current("Pod has completed, but not successfully")
        case "Running":
            if _is(obj, "Ready"):
                return _current("Pod is Ready")
            if looping := _crash_looping(obj):
                return _failed(f"Containers in CrashLoop state: {','.join(looping)}")
            return _progress("Pod is running but is not Ready")
        case "Pending":
            return _pending(obj, now)
    return _progress("Pod phase not available")


def _pending(obj: Object, now: float) -> Status:
    scheduled = _condition(obj, "PodScheduled") or {}
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        if now - _seconds((obj.get("metadata") or {}).get("creationTimestamp")) < SCHEDULE_SECONDS:
            return _progress("Pod has not been scheduled")
        return _failed("Pod could not be scheduled")
    return _progress("Pod is in the Pending phase")


def _seconds(text: Any) -> float:
    return dt.datetime.fromisoformat(str(text)).timestamp() if text else 0.0


def _counts(obj: Object) -> tuple[int, int, int]:
    """completions wanted, succeeded, failed"""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    wanted = _number(spec.get("completions"), _number(spec.get("parallelism"), 1))
    return wanted, _number(status.get("succeeded")), _number(status.get("failed"))


def _ended(obj: Object) -> Status | None:
    wanted, succeeded, failed = _counts(obj)
    for condition in _conditions(obj):
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return _current(f"Job Completed. succeeded: {succeeded}/{wanted}")
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            return _failed(f"Job Failed. failed: {failed}/{wanted}")
    return None


def _job(obj: Object) -> Status:
    """A job is current once it has started; `job_done` asks for its end."""
    if ended := _ended(obj):
        return ended
    status = obj.get("status") or {}
    if not status.get("startTime"):
        return _progress("Job not started")
    _, succeeded, failed = _counts(obj)
    active = _number(status.get("active"))
    return _current(f"Job in progress. success:{succeeded}, active: {active}, failed: {failed}")


def job_done(obj: Object) -> Status:
    """A job that has to be complete (hooks, --wait-for-jobs)."""
    return _ended(obj) or _progress("Job in progress")


def pod_done(obj: Object) -> Status:
    """A pod that has to end well (hooks, tests)."""
    name = (obj.get("metadata") or {}).get("name")
    phase = (obj.get("status") or {}).get("phase")
    if phase == "Succeeded":
        return _current(f"pod {name} succeeded")
    if phase == "Failed":
        return _failed(f"pod {name} failed")
    return _progress("Pod in progress")


def _claim(obj: Object) -> Status:
    phase = (obj.get("status") or {}).get("phase") or "unknown"
    return _current("PVC is Bound") if phase == "Bound" else _progress(f"PVC is not Bound. phase: {phase}")


def _service(obj: Object) -> Status:
    spec = obj.get("spec") or {}
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return _progress("ClusterIP not set. Service type: LoadBalancer")
    return _current("Service is ready")


def _definition(obj: Object) -> Status:
    for condition in _conditions(obj):
        kind, held = condition.get("type"), condition.get("status")
        if kind == "NamesAccepted" and held == "False":
            return _failed(str(condition.get("message", "")))
        if kind == "Established":
            if held == "False" and condition.get("reason") != "Installing":
                return _failed(str(condition.get("message", "")))
            if held == "True":
                return _current("CRD is established")
    return _progress("Install in progress")


def _always(_: Object) -> Status:
    return _current("Resource is always ready")


def _custom(obj: Object) -> Status:
    """Kinds without rules of their own: by the condition Ready, if they have it."""
    ready = _condition(obj, "Ready")
    if ready is None:
        return _current()
    return (
        _current("Resource is Ready")
        if ready.get("status") == "True"
        else _progress(str(ready.get("message", "")))
    )


_RULES: dict[tuple[str, str], Callable[[Object], Status]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("", "Secret"): _always,
    ("", "ConfigMap"): _always,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _always,
    ("policy", "PodDisruptionBudget"): lambda _: _current("AllowedDisruptions has been computed."),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def compute(obj: Object, now: float) -> Status:
    """The state of an object that is to be up; `now` in seconds since 1970."""
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", ""))
    if found := _generic(obj, kind):
        return found
    if (group, kind) == ("", "Pod"):
        return _pod(obj, now)
    return _RULES.get((group, kind), _custom)(obj)


def _generic(obj: Object, kind: str) -> Status | None:
    """What holds for every kind: deletion, generations, the conditions Reconciling and Stalled."""
    meta = obj.get("metadata") or {}
    if meta.get("deletionTimestamp"):
        return Status(State.TERMINATING, "Resource scheduled for deletion")
    seen, generation = (obj.get("status") or {}).get("observedGeneration"), meta.get("generation")
    if seen is not None and generation is not None and seen != generation:
        return _progress(f"{kind} generation is {generation}, but latest observed generation is {seen}")
    for condition in _conditions(obj):
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Reconciling":
            return _progress(str(condition.get("message", "")))
        if condition.get("type") == "Stalled":
            return _failed(str(condition.get("message", "")))
    return None


def is_paused(obj: Object) -> bool:
    """A paused Deployment is not waited for."""
    return obj.get("kind") == "Deployment" and bool((obj.get("spec") or {}).get("paused"))
