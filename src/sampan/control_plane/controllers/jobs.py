"""A Job's pods counted without losing one, the next step, and the status: pure.

Behaviour: k8s.io/kubernetes pkg/controller/job. A finished pod keeps the finalizer batch.kubernetes.io/job-tracking until
status.uncountedTerminatedPods (or completedIndexes) says that it has been seen; only when the finalizer is gone it moves
into the counters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control import finalizer
from sampan.control.ownership import controller_ref
from sampan.control.plan import Action, Create, Delete, Tell
from sampan.control.timestamps import parse, parse_or, stamp
from sampan.control_plane.controllers import conditions, indexes, job_policy, pods
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

JOBS: Final = kinds.of("batch/v1", "Job")
TRACKING: Final = "batch.kubernetes.io/job-tracking"
INDEX: Final = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED: Final = "batch.kubernetes.io/job-index-ignored-failure-count"
BURST: Final = 500  # pods created or deleted in one go
BACKOFF_FIRST: Final = 10.0
BACKOFF_CAP: Final = 600.0


class View(NamedTuple):
    job: Object
    pods: tuple[Object, ...]  # the job's
    now: float
    failures: int = 0  # pods that failed in a row, as far as this process has seen
    last_failure: float = 0.0

    @property
    def spec(self) -> Object:
        found: Object = self.job["spec"]
        return found

    @property
    def status(self) -> Object:
        found: Object = self.job.get("status") or {}
        return found

    @property
    def suspended(self) -> bool:
        return bool(self.spec.get("suspend"))

    @property
    def indexed(self) -> bool:
        return bool(self.spec.get("completionMode") == "Indexed")

    @property
    def per_index(self) -> bool:
        return self.spec.get("backoffLimitPerIndex") is not None

    @property
    def completions(self) -> int | None:
        found: int | None = self.spec.get("completions")
        return found

    def active(self) -> list[Object]:
        return [pod for pod in self.pods if pods.is_active(pod)]

    def terminating(self) -> list[Object]:
        return [pod for pod in self.pods if pods.is_terminating(pod) and not pods.is_terminal(pod)]

    def uncounted(self, kind: str) -> list[str]:
        return list((self.status.get("uncountedTerminatedPods") or {}).get(kind) or ())

    def is_failed(self, pod: Object) -> bool:
        """Whether the pod counts as failed; a pod that is deleted does, unless only finished ones are replaced."""
        if pods.phase(pod) == "Failed":
            return True
        if self.spec.get("podReplacementPolicy") == "Failed":
            return False
        return pods.is_terminating(pod) and pods.phase(pod) != "Succeeded"

    def in_range(self, pod: Object) -> bool:
        index = index_of(pod)
        return not self.indexed or (index is not None and index < (self.completions or 0))

    def new_succeeded(self) -> list[Object]:
        seen = set(self.uncounted("succeeded")) | set(self.uncounted("failed"))
        return [p for p in self._tracked(seen) if pods.phase(p) == "Succeeded"]

    def new_failed(self) -> list[Object]:
        """Failed pods that no status tells of yet, ignored ones left out."""
        return [
            pod
            for pod in self._tracked(set(self.uncounted("failed")))
            if self.is_failed(pod) and job_policy.of_pod(self.spec.get("podFailurePolicy"), pod).counts
        ]

    def _tracked(self, seen: set[str]) -> list[Object]:
        return [
            pod
            for pod in self.pods
            if finalizer.has(pod, TRACKING) and pod["metadata"]["uid"] not in seen and self.in_range(pod)
        ]

    def succeeded_indexes(self) -> frozenset[int]:
        told = indexes.parse(self.status.get("completedIndexes"), self.completions or 0)
        return told | {i for pod in self.new_succeeded() if (i := index_of(pod)) is not None}

    def failed_indexes(self) -> frozenset[int]:
        told = indexes.parse(self.status.get("failedIndexes"), self.completions or 0)
        return told | {
            i
            for pod in self.pods
            if (i := index_of(pod)) is not None and self.in_range(pod) and self._fails_index(pod)
        }

    def _fails_index(self, pod: Object) -> bool:
        if not self.is_failed(pod) or not finalizer.has(pod, TRACKING):
            return False
        verdict = job_policy.of_pod(self.spec.get("podFailurePolicy"), pod)
        if verdict.action == "FailIndex":
            return True
        return bool(verdict.counts) and count_in(pod, INDEX_FAILURES) >= int(
            self.spec["backoffLimitPerIndex"]
        )

    def succeeded(self) -> int:
        if self.indexed:
            return len(self.succeeded_indexes())
        told = self.status.get("succeeded", 0) + len(self.uncounted("succeeded"))
        return int(told) + len(self.new_succeeded())

    def failed(self) -> int:
        return int(self.status.get("failed", 0)) + len(self.uncounted("failed")) + len(self.new_failed())


# --- how it ends


def verdict(view: View) -> Object | None:
    """The condition SuccessCriteriaMet or FailureTarget, once it is known how the job ends."""
    for kind in ("SuccessCriteriaMet", "FailureTarget"):
        found = conditions.find(view.status, kind)
        if found is not None and found["status"] == "True":
            return found
    return _failure(view) or _success(view)


def _failure(view: View) -> Object | None:
    policy = view.spec.get("podFailurePolicy")
    for pod in view.pods if policy else ():
        if view.is_failed(pod):
            ruling = job_policy.of_pod(policy, pod)
            if ruling.action == "FailJob":
                return condition("FailureTarget", "PodFailurePolicy", ruling.message, view.now)
    limit = view.spec.get("backoffLimit", 6)
    if view.failed() > limit or _restarts_exceed(view, limit):
        text = "Job has reached the specified backoff limit"
        return condition("FailureTarget", "BackoffLimitExceeded", text, view.now)
    left = until_deadline(view)
    if left is not None and left <= 0:
        text = "Job was active longer than specified deadline"
        return condition("FailureTarget", "DeadlineExceeded", text, view.now)
    if view.indexed and view.per_index:
        failed = view.failed_indexes()
        most = view.spec.get("maxFailedIndexes")
        if most is not None and len(failed) > most:
            text = "Job has exceeded the specified maximal number of failed indexes"
            return condition("FailureTarget", "MaxFailedIndexesExceeded", text, view.now)
        if failed and len(failed | view.succeeded_indexes()) >= (view.completions or 0):
            return condition("FailureTarget", "FailedIndexes", "Job has failed indexes", view.now)
    return None


def _success(view: View) -> Object | None:
    if view.indexed:
        completions = view.completions or 0
        text = job_policy.success(view.spec.get("successPolicy"), completions, view.succeeded_indexes())
        if text is not None:
            return condition("SuccessCriteriaMet", "SuccessPolicy", text, view.now)
    succeeded, completions_wanted = view.succeeded(), view.completions
    enough = succeeded > 0 if completions_wanted is None else succeeded >= completions_wanted
    if enough and not view.active():
        text = "Reached expected number of succeeded pods"
        return condition("SuccessCriteriaMet", "CompletionsReached", text, view.now)
    return None


def _restarts_exceed(view: View, limit: int) -> bool:
    """With restartPolicy OnFailure the restarts of containers count."""
    if view.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        each.get("restartCount", 0)
        for pod in view.pods
        if pods.phase(pod) in ("Running", "Pending")
        for key in ("containerStatuses", "initContainerStatuses")
        for each in (pod.get("status") or {}).get(key) or ()
    )
    return bool(restarts > 0 if limit == 0 else restarts >= limit)


def until_deadline(view: View) -> float | None:
    """Seconds until activeDeadlineSeconds have passed; None when none runs."""
    limit, start = view.spec.get("activeDeadlineSeconds"), view.status.get("startTime")
    if limit is None or not start or view.suspended:
        return None
    return parse(start) + float(limit) - view.now


def is_finished(job: Object) -> bool:
    status = job.get("status") or {}
    return conditions.is_true(status, "Complete") or conditions.is_true(status, "Failed")


# --- the next step


def plan(view: View, ends: Object | None) -> list[Action]:
    """Pods to create and delete. `ends` is the verdict."""
    if view.job["metadata"].get("deletionTimestamp") and ends is None:
        return []
    active = view.active()
    if ends is not None:
        return [_delete(view, pod) for pod in active]
    if view.suspended:
        return _drop(view, active)
    wanted = _wanted(view, len(active))
    if view.indexed:
        surplus, active = _surplus_indexes(view, active)
        if surplus:
            return _drop(view, surplus)
    if len(active) > wanted:
        return _drop(view, pods.doomed(active, active, len(active) - wanted, view.now))
    running = len(active)
    if view.spec.get("podReplacementPolicy") == "Failed":
        running += len(view.terminating())
    missing = min(wanted - running, BURST)
    if missing <= 0 or (not view.per_index and _backoff_left(view) > 0):
        return []
    if view.indexed:
        return [_create(view, index) for index in _pending_indexes(view, missing)]
    return [_create(view, None)] * missing


def _wanted(view: View, active: int) -> int:
    parallelism = int(view.spec.get("parallelism", 1))
    if view.completions is None:
        return min(active, parallelism) if view.succeeded() > 0 else parallelism
    left = view.completions - view.succeeded()
    if view.per_index:
        left -= len(view.failed_indexes())
    return max(0, min(parallelism, left))


def _surplus_indexes(view: View, active: list[Object]) -> tuple[list[Object], list[Object]]:
    """(active pods of an index that another pod has, or that is out of range; the others)."""
    kept: dict[int, Object] = {}
    surplus: list[Object] = []
    for pod in sorted(active, key=lambda p: p["metadata"].get("creationTimestamp", "")):
        index = index_of(pod)
        if index is None or not view.in_range(pod) or index in kept:
            surplus.append(pod)
        else:
            kept[index] = pod
    return surplus, list(kept.values())


def _pending_indexes(view: View, count: int) -> list[int]:
    taken = set(view.succeeded_indexes()) | {index_of(pod) for pod in view.active()}
    if view.spec.get("podReplacementPolicy") == "Failed":
        taken |= {index_of(pod) for pod in view.terminating()}
    if view.per_index:
        taken |= view.failed_indexes()
        taken |= {i for i, pod in replaced(view).items() if _index_backoff_left(view, pod) > 0}
    return [i for i in range(view.completions or 0) if i not in taken][:count]


def replaced(view: View) -> dict[int, Object]:
    """The failed pod of each index that has no other: kept until its replacement carries its count on."""
    busy = view.succeeded_indexes() | view.failed_indexes() | {index_of(pod) for pod in view.active()}
    found: dict[int, Object] = {}
    for pod in view.pods:
        index = index_of(pod)
        if index is None or index in busy or not view.in_range(pod) or not view.is_failed(pod):
            continue
        if finalizer.has(pod, TRACKING) and (index not in found or _failures(pod) >= _failures(found[index])):
            found[index] = pod
    return found


def _backoff_left(view: View) -> float:
    if not view.failures:
        return 0.0
    delay = min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(view.failures - 1, 10))
    return view.last_failure + delay - view.now


def _index_backoff_left(view: View, pod: Object) -> float:
    delay = min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(_failures(pod), 10))
    return finished_at(pod, view.now) + delay - view.now


def until_retry(view: View) -> float | None:
    """Seconds until a failed pod is replaced; None when nothing waits for that."""
    waits = [_backoff_left(view)]
    if view.per_index:
        waits = [_index_backoff_left(view, pod) for pod in replaced(view).values()]
    due = [wait for wait in waits if wait > 0]
    return min(due) if due else None


def _create(view: View, index: int | None) -> Create:
    job = view.job
    meta = job["metadata"]
    name = meta["name"] if index is None else f"{meta['name']}-{index}"
    pod = pods.from_template(
        job["spec"]["template"], controller_ref(job, JOBS), generate=pods.prefix(name[:246])
    )
    pod["metadata"]["finalizers"] = [*pod["metadata"].get("finalizers", ()), TRACKING]
    if index is not None:
        _mark_index(pod, view, index, name)
    tell = Tell(job, "SuccessfulCreate", "Created pod: {name}", "FailedCreate", "Error creating: {error}")
    return Create(PODS, pod, meta["namespace"], tell)


def _mark_index(pod: Object, view: View, index: int, name: str) -> None:
    meta = pod["metadata"]
    meta.setdefault("annotations", {})[INDEX] = str(index)
    meta.setdefault("labels", {})[INDEX] = str(index)
    if view.per_index:
        before = replaced(view).get(index)
        counts = job_policy.of_pod(view.spec.get("podFailurePolicy"), before).counts if before else True
        failures = count_in(before, INDEX_FAILURES) + counts if before else 0
        ignored = count_in(before, INDEX_IGNORED) + (not counts) if before else 0
        meta["annotations"][INDEX_FAILURES] = str(failures)
        if ignored:
            meta["annotations"][INDEX_IGNORED] = str(ignored)
    spec = pod["spec"]
    spec["hostname"] = name[:63].rstrip("-.")
    variable = {
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}},
    }
    for key in ("containers", "initContainers"):
        if key in spec:
            spec[key] = [_with_variable(container, variable) for container in spec[key]]


def _with_variable(container: Object, variable: Object) -> Object:
    given = container.get("env") or []
    if any(each["name"] == variable["name"] for each in given):
        return container
    return container | {"env": [*given, variable]}


def _delete(view: View, pod: Object) -> Delete:
    meta = pod["metadata"]
    tell = Tell(
        view.job, "SuccessfulDelete", "Deleted pod: {name}", "FailedDelete", "Error deleting: {error}"
    )
    return Delete(PODS, meta["namespace"], meta["name"], meta["uid"], tell=tell)


def _drop(view: View, several: Sequence[Object]) -> list[Action]:
    """Pods that are taken back are no failures: their finalizer goes first."""
    released: list[Action] = [
        finalizer.remove(p, PODS, TRACKING) for p in several if finalizer.has(p, TRACKING)
    ]
    return released + [_delete(view, pod) for pod in several[:BURST]]


# --- small readings


def index_of(pod: Object) -> int | None:
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def count_in(pod: Object, annotation: str) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(annotation, "0")
    return int(text) if text.isdigit() else 0


def _failures(pod: Object) -> int:
    return count_in(pod, INDEX_FAILURES) + count_in(pod, INDEX_IGNORED)


def finished_at(pod: Object, default: float) -> float:
    """When the last container ended; the deletion's time for a pod that never ran."""
    ends = [
        parse_or(ended.get("finishedAt"), default)
        for each in (pod.get("status") or {}).get("containerStatuses") or ()
        if (ended := (each.get("state") or {}).get("terminated"))
    ]
    return max(ends) if ends else parse_or(pod["metadata"].get("deletionTimestamp"), default)


def condition(kind: str, reason: str, text: str, now: float) -> Object:
    return {
        "type": kind,
        "status": "True",
        "lastProbeTime": stamp(now),
        "lastTransitionTime": stamp(now),
        "reason": reason,
        "message": text,
    }
