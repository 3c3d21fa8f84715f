"""Jobs run pods until enough have succeeded. Behaviour: k8s.io/kubernetes pkg/controller/job; decisions are in `jobs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.status import ApiError
from sampan.client.cache import key_of
from sampan.control import adoption, finalizer
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.ownership import controller_of, is_controlled_by
from sampan.control.plan import Emit, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control_plane.controllers import conditions, job_status, jobs
from sampan.control_plane.controllers.jobs import JOBS, TRACKING, View
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

OURS: Final = "kubernetes.io/job-controller"


async def reconcile(context: Context, key: str) -> Outcome:
    job = context.store(JOBS).get(key)
    if job is None or jobs.is_finished(job) or job["spec"].get("managedBy", OURS) != OURS:
        context.memory.pop(key, None)
        return await _release_finished(context, job) if job is not None else DONE
    try:
        selector = _selector(job)
    except SelectorError as error:
        return Terminal(error)
    await adoption.claimed(context, job, JOBS, selector, PODS)
    view = _view(context, key, job)
    ends = jobs.verdict(view)
    failure = (await context.execute.apply(jobs.plan(view, ends))).error
    failure = await _account(context, key) or failure
    if failure is not None:
        return Retry(failure)
    job = context.store(JOBS).get(key)
    if job is None:
        return DONE
    view = _view(context, key, job)
    waits = [w for w in (jobs.until_deadline(view), jobs.until_retry(view)) if w is not None]
    return After(max(0.1, min(waits))) if waits and not jobs.is_finished(job) else DONE


async def _account(context: Context, key: str) -> ApiError | None:
    """Tells of finished pods, takes their finalizers, counts them: two rounds see all of it through."""
    for _ in range(2):
        job = context.store(JOBS).get(key)
        if job is None:
            return None
        view = _view(context, key, job)
        ends = jobs.verdict(view)
        made = job_status.status(view, ends)
        if made != view.status:
            applied = await context.execute.apply([Update(JOBS, job | {"status": made}, "status")])
            if applied.error is not None:
                return applied.error
            context.memory[key] = job_status.failures_in_a_row(view, view.failures)
            await context.execute.apply(_told(job, made))
            job = context.store(JOBS).get(key) or job
            view = _view(context, key, job)
        actions = job_status.releases(view, ends)
        if not actions:
            return None
        applied = await context.execute.apply(actions)
        if applied.error is not None:
            return applied.error
    return None


async def _release_finished(context: Context, job: Object) -> Outcome:
    """Pods of a finished job that still carry the finalizer, after a controller that broke off in between."""
    pods = [p for p in context.store(PODS).by("owner", job["metadata"]["uid"]) if finalizer.has(p, TRACKING)]
    applied = await context.execute.apply([finalizer.remove(pod, PODS, TRACKING) for pod in pods])
    return Retry(applied.error) if applied.error else DONE


def _told(job: Object, made: Object) -> list[Emit]:
    """Events for conditions that the new status has and the old one had not."""
    old = job.get("status") or {}
    events = []
    for kind, event, reason, text in (
        ("Complete", "Normal", "Completed", "Job completed"),
        ("Failed", "Warning", "", ""),
        ("Suspended", "Normal", "Suspended", "Job suspended"),
    ):
        found = conditions.find(made, kind)
        if found is not None and found["status"] == "True" and not conditions.is_true(old, kind):
            events.append(Emit(job, event, reason or found["reason"], text or found["message"]))
    if conditions.is_true(old, "Suspended") and not conditions.is_true(made, "Suspended"):
        events.append(Emit(job, "Normal", "Resumed", "Job resumed"))
    return events


def _view(context: Context, key: str, job: Object) -> View:
    store = context.store(PODS)
    mine = tuple(pod for pod in store.by("owner", job["metadata"]["uid"]) if is_controlled_by(pod, job))
    failures, last = context.memory.get(key, (0, 0.0))
    return View(job, mine, context.clock.now(), failures, last)


def _selector(job: Object) -> Selector:
    return Selector.from_object(job["spec"].get("selector"))


CONTROLLER: Final = Controller(
    "job-controller",
    (
        Watch(JOBS, own),
        Watch(PODS, adoption.both(owner("Job", "batch"), adoption.adopters(JOBS, _selector))),
    ),
    reconcile,
)


# --- pods whose job is gone


async def release(context: Context, key: str) -> Outcome:
    """Takes the finalizer off a pod that no job will ever count."""
    pod = context.store(PODS).get(key)
    if pod is None or not finalizer.has(pod, TRACKING) or _has_job(context, pod):
        return DONE
    applied = await context.execute.apply([finalizer.remove(pod, PODS, TRACKING)])
    return Retry(applied.error) if applied.error else DONE


def _has_job(context: Context, pod: Object) -> bool:
    ref = controller_of(pod)
    if ref is None or ref["kind"] != "Job":
        return False
    job = context.store(JOBS).find(pod["metadata"]["namespace"], ref["name"])
    return job is not None and job["metadata"]["uid"] == ref["uid"]


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    return (
        (key_of(new),)
        if new is not None and finalizer.has(new, TRACKING) and not _has_job(context, new)
        else ()
    )


def _of_job(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is not None or old is None:
        return ()
    return [key_of(pod) for pod in context.store(PODS).by("owner", old["metadata"]["uid"])]


ORPHANS: Final = Controller(
    "job-orphan-pod-controller", (Watch(PODS, _of_pod), Watch(JOBS, _of_job)), release, workers=2
)
