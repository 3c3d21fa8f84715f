"""What a Job's status says, and which pods it has counted: pure.

A finished pod goes through three states: with the finalizer and unknown, with the finalizer and told of in
uncountedTerminatedPods (or completedIndexes), without the finalizer and in the counters.
Behaviour: k8s.io/kubernetes pkg/controller/job (trackJobStatusAndRemoveFinalizers).
"""

from __future__ import annotations

from typing import Any, Final

from sampan.control import finalizer
from sampan.control.plan import Action
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import conditions, indexes, job_policy, pods
from sampan.control_plane.controllers.jobs import TRACKING, View, condition, finished_at, index_of, replaced
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

MAX_UNCOUNTED: Final = 500


def status(view: View, ends: Object | None) -> Object:
    """The status as the pods are now, terminal once nothing is left to count."""
    old = view.status
    tracked = {pod["metadata"]["uid"] for pod in view.pods if finalizer.has(pod, TRACKING)}
    made: Object = {key: value for key, value in old.items() if key not in ("succeeded", "failed", "active")}
    gone = {kind: [u for u in view.uncounted(kind) if u not in tracked] for kind in ("succeeded", "failed")}
    kept = {kind: [u for u in view.uncounted(kind) if u in tracked] for kind in ("succeeded", "failed")}
    failed_now = _failed_now(view, ends)
    room = MAX_UNCOUNTED - len(kept["succeeded"]) - len(kept["failed"])
    if not view.indexed:
        kept["succeeded"] += [pod["metadata"]["uid"] for pod in view.new_succeeded()][: max(0, room)]
        room -= len(kept["succeeded"])
    kept["failed"] += [pod["metadata"]["uid"] for pod in failed_now][: max(0, room)]
    succeeded = old.get("succeeded", 0) + len(gone["succeeded"])
    if view.indexed:
        complete = view.succeeded_indexes()
        succeeded = len(complete)
        _put_text(made, "completedIndexes", indexes.text(complete))
        if view.per_index:
            made["failedIndexes"] = indexes.text(view.failed_indexes())
    active = view.active()
    counts = {
        "active": len(active),
        "succeeded": succeeded,
        "failed": old.get("failed", 0) + len(gone["failed"]),
    }
    made |= {key: value for key, value in counts.items() if value}
    made["ready"] = sum(pods.is_ready(pod) for pod in active)
    made["terminating"] = len(view.terminating())
    made["uncountedTerminatedPods"] = {kind: uids for kind, uids in kept.items() if uids}
    _set_start(view, made)
    if ends is None:
        _set_suspended(view, made)
    else:
        _set_end(view, made, ends, counted=not any(kept.values()) and not tracked)
    return made


def _failed_now(view: View, ends: Object | None) -> list[Object]:
    if ends is None or ends["type"] == "SuccessCriteriaMet":
        held = {id(pod) for pod in replaced(view).values()} if view.per_index and ends is None else set()
        return [pod for pod in view.new_failed() if id(pod) not in held]
    seen = set(view.uncounted("failed"))
    return [
        pod
        for pod in view.pods
        if finalizer.has(pod, TRACKING)
        and pod["metadata"]["uid"] not in seen
        and view.in_range(pod)
        and pods.phase(pod) != "Succeeded"
        and (not view.is_failed(pod) or job_policy.of_pod(view.spec.get("podFailurePolicy"), pod).counts)
    ]


def _put_text(made: Object, key: str, text: str) -> None:
    if text:
        made[key] = text
    else:
        made.pop(key, None)


def _set_start(view: View, made: Object) -> None:
    if not made.get("startTime") and not view.suspended:
        made["startTime"] = stamp(view.now)


def _set_suspended(view: View, made: Object) -> None:
    current = conditions.find(made, "Suspended")
    if view.suspended:
        if current is None or current["status"] != "True":
            conditions.put(made, condition("Suspended", "JobSuspended", "Job suspended", view.now))
        made.pop("startTime", None)
    elif current is not None and current["status"] == "True":
        resumed = condition("Suspended", "JobResumed", "Job resumed", view.now) | {"status": "False"}
        conditions.put(made, resumed)
        made["startTime"] = stamp(view.now)


def _set_end(view: View, made: Object, ends: Object, *, counted: bool) -> None:
    if conditions.find(made, ends["type"]) is None:
        conditions.put(made, ends)
    if not counted or view.active() or view.terminating():
        return
    kind = "Complete" if ends["type"] == "SuccessCriteriaMet" else "Failed"
    conditions.put(made, condition(kind, ends["reason"], ends["message"], view.now))
    if kind == "Complete":
        made["completionTime"] = stamp(view.now)


def releases(view: View, ends: Object | None) -> list[Action]:
    """Finalizers of the pods that the status has told of."""
    told = set(view.uncounted("succeeded")) | set(view.uncounted("failed"))
    done = indexes.parse(view.status.get("completedIndexes"), view.completions or 0)
    deleted = bool(view.job["metadata"].get("deletionTimestamp"))
    held = {id(pod) for pod in replaced(view).values()} if view.per_index and ends is None else set()
    actions: list[Action] = []
    for pod in view.pods:
        if not finalizer.has(pod, TRACKING) or id(pod) in held:
            continue
        if pods.phase(pod) == "Succeeded":
            idle = view.indexed and (index_of(pod) in done or not view.in_range(pod))
        else:
            idle = view.is_failed(pod) and not _counts(view, pod)
        if deleted or idle or pod["metadata"]["uid"] in told:
            actions.append(finalizer.remove(pod, PODS, TRACKING))
    return actions


def _counts(view: View, pod: Object) -> bool:
    return view.in_range(pod) and job_policy.of_pod(view.spec.get("podFailurePolicy"), pod).counts


def failures_in_a_row(view: View, before: int) -> tuple[int, float]:
    """(failures since the last success, time of the last) when the pods that the status will tell of are added."""
    ended = [(finished_at(p, view.now), False) for p in view.new_failed()]
    ended += [(finished_at(p, view.now), True) for p in view.new_succeeded()]
    count, last = before, view.last_failure
    for time, succeeded in sorted(ended):
        count, last = (0, last) if succeeded else (count + 1, max(last, time))
    return count, last
