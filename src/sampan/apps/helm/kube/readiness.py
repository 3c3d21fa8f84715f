"""Whether an object is ready. Pure: kstatus' rules over its status and conditions.

sigs.k8s.io/cli-utils 1.2 pkg/kstatus/status (core.go, generic.go); helm 4.3 pkg/kube/statuswait.go for jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

Object = Mapping[str, Any]


class State(Enum):
    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class Status(NamedTuple):
    state: State
    message: str


def _current(message: str = "Resource is current") -> Status:
    return Status(State.CURRENT, message)


def _progress(message: str) -> Status:
    return Status(State.IN_PROGRESS, message)


def _condition(obj: Object, kind: str) -> Mapping[str, Any] | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind), None)


def _is(obj: Object, kind: str, value: str = "True") -> bool:
    condition = _condition(obj, kind)
    return condition is not None and condition.get("status") == value


def _number(value: Any, default: int = 0) -> int:
    return default if value is None else int(value)


def _deployment(obj: Object) -> Status:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if (progressing := _condition(obj, "Progressing")) and progressing.get(
        "reason"
    ) == "ProgressDeadlineExceeded":
        return Status(State.FAILED, "Progress deadline exceeded")
    wanted = _number(spec.get("replicas"), 1)
    total, updated = _number(status.get("replicas")), _number(status.get("updatedReplicas"))
    ready, available = _number(status.get("readyReplicas")), _number(status.get("availableReplicas"))
    if wanted > total:
        return _progress(f"replicas: {total}/{wanted}")
    if wanted > updated:
        return _progress(f"Updated: {updated}/{wanted}")
    if total > wanted:
        return _progress(f"Pending termination: {total - wanted}")
    if updated > available:
        return _progress(f"Available: {available}/{updated}")
    if wanted > ready:
        return _progress(f"Ready: {ready}/{wanted}")
    if _condition(obj, "Available") is not None and not _is(obj, "Available"):
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
    if partition:
        if updated < wanted - int(partition):
            return _progress(f"updated: {updated}/{wanted - int(partition)}")
        return _current(f"Partition rollout complete. updated: {updated}")
    if wanted > current and updated < wanted:
        return _progress(f"current: {current}/{wanted}")
    if status.get("currentRevision") != status.get("updateRevision"):
        return _progress("Waiting for updated revision to match current")
    return _current(f"All replicas scheduled as expected. Replicas: {total}")


def _daemon_set(obj: Object) -> Status:
    status = obj.get("status") or {}
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
    return _progress(f"replicas: {total}/{wanted}") if total > wanted else _current()


_STUCK = {
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "CreateContainerConfigError",
    "CreateContainerError",
}


def _pod(obj: Object) -> Status:
    status = obj.get("status") or {}
    phase = status.get("phase")
    if phase == "Succeeded":
        return _current("Pod has completed successfully")
    if phase == "Failed":
        return Status(State.FAILED, "Pod has completed, but not successfully")
    if phase == "Running":
        if _is(obj, "Ready"):
            return _current("Pod is Ready")
        stuck = [
            f"{c['name']} ({c['state']['waiting']['reason']})"
            for c in status.get("containerStatuses") or ()
            if (c.get("state") or {}).get("waiting", {}).get("reason") in _STUCK
        ]
        if stuck:
            return _progress(f"Containers in CrashLoop state: {', '.join(stuck)}")
        return _progress("Pod is running but is not Ready")
    scheduled = _condition(obj, "PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return _progress(f"Pod could not be scheduled: {scheduled.get('message', '')}")
    return _progress("Pod is in the Pending phase")


def _job(obj: Object) -> Status:
    """A job is current once it has started; `job_done` asks for its end."""
    failed = _condition(obj, "Failed")
    if failed and failed.get("status") == "True":
        return Status(State.FAILED, f"Job Failed. failed: {_number((obj.get('status') or {}).get('failed'))}")
    if not (obj.get("status") or {}).get("startTime"):
        return _progress("Job not started")
    return _current("Job in progress")


def job_done(obj: Object) -> Status:
    """A job that has to be complete (hooks, --wait-for-jobs)."""
    status = obj.get("status") or {}
    if _is(obj, "Failed"):
        condition = _condition(obj, "Failed") or {}
        return Status(
            State.FAILED, f"Job Failed. failed: {_number(status.get('failed'))}{_because(condition)}"
        )
    if _is(obj, "Complete"):
        return _current(f"Job Completed. succeeded: {_number(status.get('succeeded'))}")
    return _progress(
        f"Job in progress. success:{_number(status.get('succeeded'))}, active: {_number(status.get('active'))}"
    )


def _because(condition: Mapping[str, Any]) -> str:
    return f" ({condition['reason']}: {condition.get('message', '')})" if condition.get("reason") else ""


def pod_done(obj: Object) -> Status:
    """A pod that has to end well (hooks, tests)."""
    phase = (obj.get("status") or {}).get("phase")
    if phase == "Succeeded":
        return _current("Pod has completed successfully")
    if phase == "Failed":
        return Status(State.FAILED, f"pod {(obj.get('metadata') or {}).get('name')} failed")
    return _progress(f"Pod is in the {phase or 'Pending'} phase")


def _claim(obj: Object) -> Status:
    phase = (obj.get("status") or {}).get("phase", "unknown")
    return _current("PVC is Bound") if phase == "Bound" else _progress(f"PVC is not Bound. phase: {phase}")


def _service(obj: Object) -> Status:
    spec = obj.get("spec") or {}
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return _progress("ClusterIP not set. Service type: LoadBalancer")
    return _current("Service is ready")


def _definition(obj: Object) -> Status:
    if _is(obj, "NamesAccepted", "False"):
        condition = _condition(obj, "NamesAccepted") or {}
        return Status(State.FAILED, str(condition.get("message", "")))
    if _is(obj, "Established"):
        return _current("CRD is established")
    return _progress("Install in progress")


def _generic(obj: Object) -> Status:
    """Custom resources: conditions Reconciling, Stalled and Ready."""
    if _is(obj, "Stalled"):
        return Status(State.FAILED, str((_condition(obj, "Stalled") or {}).get("message", "")))
    if _is(obj, "Reconciling"):
        return _progress(str((_condition(obj, "Reconciling") or {}).get("message", "")))
    ready = _condition(obj, "Ready")
    if ready is not None and ready.get("status") != "True":
        return _progress(str(ready.get("message", "")))
    return _current()


_RULES: dict[tuple[str, str], Callable[[Object], Status]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def compute(obj: Object) -> Status:
    """The state of an object that is to be up."""
    meta = obj.get("metadata") or {}
    if meta.get("deletionTimestamp"):
        return Status(State.TERMINATING, "Resource scheduled for deletion")
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", ""))
    if (group, kind) == ("apps", "Deployment") and (obj.get("spec") or {}).get("paused"):
        return _current("Deployment is paused")
    seen = (obj.get("status") or {}).get("observedGeneration")
    if isinstance(seen, int) and seen != meta.get("generation"):
        return _progress(
            f"{kind} generation is {meta.get('generation')}, but latest observed generation is {seen}"
        )
    if (group, kind) in (
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
    ) and seen is None:
        return _progress(
            f"{kind} generation is {meta.get('generation')}, but latest observed generation is 0"
        )
    return _RULES.get((group, kind), _generic)(obj)
