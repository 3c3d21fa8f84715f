"""CronJobs start Jobs on a schedule. Behaviour: k8s.io/kubernetes pkg/controller/cronjob (cronjob_controllerv2.go)."""

from __future__ import annotations

import datetime
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.ownership import controller_ref, is_controlled_by
from sampan.control.plan import Action, Create, Delete, Emit, Tell, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control.timestamps import parse, parse_or, stamp
from sampan.control_plane.controllers import conditions, jobs
from sampan.control_plane.controllers.cron import CronError, Schedule
from sampan.control_plane.controllers.jobs import JOBS

Object = dict[str, Any]

CRONJOBS: Final = kinds.of("batch/v1", "CronJob")
SCHEDULED_AT: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"
MANY: Final = 100  # missed times after which something is wrong with the clock or the controller
LATE_BY: Final = 0.1  # seconds after the minute, so that the clock is past it for certain


class View(NamedTuple):
    cronjob: Object
    jobs: tuple[Object, ...]  # those that it controls
    now: float


class Due(NamedTuple):
    """`time` is the last time that has come and was not used; `missed` how many there were; `next` the coming one."""

    time: float | None
    missed: int
    next: float | None


class Step(NamedTuple):
    actions: tuple[Action, ...]
    status: Object
    wait: float | None


def due(view: View, schedule: Schedule) -> Due:
    spec, meta = view.cronjob["spec"], view.cronjob["metadata"]
    status = view.cronjob.get("status") or {}
    since = parse_or(status.get("lastScheduleTime"), parse(meta["creationTimestamp"]))
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None:
        since = max(since, view.now - float(deadline))
    time: float | None = None
    missed = 0
    coming = schedule.next(since)
    while coming is not None and coming <= view.now:
        time, missed = coming, missed + 1
        if missed > MANY:  # far behind: only the last one matters
            coming = schedule.next(view.now - 1)
            step = schedule.next(time)
            gap = (step or time) - time
            time = _last_before(schedule, view.now, gap) or time
            break
        coming = schedule.next(coming)
    if coming is not None and coming <= view.now:
        coming = schedule.next(view.now)
    return Due(time, missed, coming)


def _last_before(schedule: Schedule, now: float, gap: float) -> float | None:
    """The last time at or before `now`, looked for from a few gaps back."""
    found: float | None = None
    coming = schedule.next(now - 3 * max(gap, 60.0))
    while coming is not None and coming <= now:
        found, coming = coming, schedule.next(coming)
    return found


def plan(view: View, schedule: Schedule) -> Step:
    cronjob, spec = view.cronjob, view.cronjob["spec"]
    actions: list[Action] = []
    status, events = _active(view)
    actions += events
    actions += _history(view)
    when = due(view, schedule)
    wait = None if when.next is None else when.next - view.now + LATE_BY
    if cronjob["metadata"].get("deletionTimestamp") or spec.get("suspend"):
        return Step(tuple(actions), status, None)
    if when.missed > MANY:
        text = (
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        )
        actions.append(Emit(cronjob, "Warning", "TooManyMissedTimes", text))
    if when.time is None:
        return Step(tuple(actions), status, wait)
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None and when.time + float(deadline) < view.now:
        text = f"Missed scheduled time to start a job: {_rfc1123(when.time)}"
        actions.append(Emit(cronjob, "Warning", "MissSchedule", text))
        return Step(tuple(actions), status, wait)
    policy = spec.get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and status.get("active"):
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        actions.append(Emit(cronjob, "Normal", "JobAlreadyActive", text))
        return Step(tuple(actions), status, wait)
    if policy == "Replace":
        running = {ref["uid"] for ref in status.get("active") or ()}
        actions += [_delete(view, job) for job in view.jobs if job["metadata"]["uid"] in running]
        status.pop("active", None)
    name = _name(view, when.time)
    if all(job["metadata"]["name"] != name for job in view.jobs):
        actions.append(_create(view, when.time, name))
    status["lastScheduleTime"] = stamp(when.time)
    return Step(tuple(actions), status, wait)


def _active(view: View) -> tuple[Object, list[Action]]:
    """The status without jobs that have finished or gone, and what to tell of them."""
    status = dict(view.cronjob.get("status") or {})
    listed = status.get("active") or []
    events: list[Action] = []
    by_uid = {job["metadata"]["uid"]: job for job in view.jobs}
    kept: list[Object] = []
    for ref in listed:
        job = by_uid.get(ref["uid"])
        if job is None:
            events.append(
                Emit(view.cronjob, "Normal", "MissingJob", f"Active job went missing: {ref['name']}")
            )
        elif jobs.is_finished(job):
            kind = "Complete" if conditions.is_true(job["status"], "Complete") else "Failed"
            text = f"Saw completed job: {ref['name']}, condition: {kind}"
            events.append(Emit(view.cronjob, "Normal", "SawCompletedJob", text))
        else:
            kept.append(ref)
    # a job that was created but whose reference was not written any more
    known = {ref["uid"] for ref in listed}
    kept += [_reference(job) for uid, job in by_uid.items() if uid not in known and not jobs.is_finished(job)]
    for job in view.jobs:
        ended = (job.get("status") or {}).get("completionTime")
        if (
            ended
            and conditions.is_true(job["status"], "Complete")
            and ended > status.get("lastSuccessfulTime", "")
        ):
            status["lastSuccessfulTime"] = ended
    status.pop("active", None)
    if kept:
        status["active"] = kept
    return status, events


def _history(view: View) -> list[Action]:
    """Finished jobs beyond the limits, the oldest first."""
    spec = view.cronjob["spec"]
    actions: list[Action] = []
    for kind, limit in (
        ("Complete", spec.get("successfulJobsHistoryLimit", 3)),
        ("Failed", spec.get("failedJobsHistoryLimit", 1)),
    ):
        done = [job for job in view.jobs if conditions.is_true(job.get("status") or {}, kind)]
        done.sort(key=lambda job: ((job.get("status") or {}).get("startTime", ""), job["metadata"]["name"]))
        actions += [_delete(view, job) for job in done[: max(0, len(done) - limit)]]
    return actions


def _name(view: View, time: float) -> str:
    return f"{view.cronjob['metadata']['name'][:52]}-{int(time) // 60}"


def _create(view: View, time: float, name: str) -> Create:
    cronjob = view.cronjob
    template = cronjob["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    meta: Object = {
        "name": name,
        "namespace": cronjob["metadata"]["namespace"],
        "annotations": {**(given.get("annotations") or {}), SCHEDULED_AT: _local(cronjob, time)},
        "ownerReferences": [controller_ref(cronjob, CRONJOBS)],
    }
    if given.get("labels"):
        meta["labels"] = dict(given["labels"])
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
    tell = Tell(
        cronjob, "SuccessfulCreate", "Created job {name}", "FailedCreate", "Error creating job: {error}"
    )
    return Create(JOBS, job, meta["namespace"], tell)


def _local(cronjob: Object, time: float) -> str:
    """RFC 3339 in the schedule's own time zone."""
    import zoneinfo

    zone = cronjob["spec"].get("timeZone")
    if not zone:
        return stamp(time)
    text = datetime.datetime.fromtimestamp(int(time), zoneinfo.ZoneInfo(zone)).isoformat()
    return text.replace("+00:00", "Z")


def _rfc1123(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def _delete(view: View, job: Object) -> Delete:
    meta = job["metadata"]
    tell = Tell(
        view.cronjob, "SuccessfulDelete", "Deleted job {name}", "FailedDelete", "Deleted job: {error}"
    )
    return Delete(JOBS, meta["namespace"], meta["name"], meta["uid"], propagation="Background", tell=tell)


def _reference(job: Object) -> Object:
    meta = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }


async def reconcile(context: Context, key: str) -> Outcome:
    cronjob = context.store(CRONJOBS).get(key)
    if cronjob is None:
        return DONE
    spec = cronjob["spec"]
    try:
        schedule = Schedule(spec["schedule"], spec.get("timeZone") or "")
    except CronError as error:
        text = f'unparseable schedule: "{spec["schedule"]}" : {error}'
        await context.execute.apply([Emit(cronjob, "Warning", "UnparseableSchedule", text)])
        return Terminal(error)
    step = plan(_view(context, cronjob), schedule)
    applied = await context.execute.apply(step.actions)
    if applied.error is not None and applied.error.reason != "AlreadyExists":
        return Retry(applied.error)
    cronjob = context.store(CRONJOBS).get(key)
    if cronjob is None:
        return DONE
    # jobs made just now are in the copy: their references belong into the same write
    made, _ = _active(_view(context, cronjob | {"status": step.status}))
    if made != (cronjob.get("status") or {}):
        update = Update(CRONJOBS, cronjob | {"status": made}, "status")
        applied = await context.execute.apply([update])
        if applied.error is not None:
            return Retry(applied.error)
    return DONE if step.wait is None else After(step.wait)


def _view(context: Context, cronjob: Object) -> View:
    owned = context.store(JOBS).by("owner", cronjob["metadata"]["uid"])
    mine = tuple(job for job in owned if is_controlled_by(job, cronjob))
    return View(cronjob, mine, context.clock.now())


CONTROLLER: Final = Controller(
    "cronjob-controller", (Watch(CRONJOBS, own), Watch(JOBS, owner("CronJob", "batch"))), reconcile
)
