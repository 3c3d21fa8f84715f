"""Jobs that have finished are deleted after ttlSecondsAfterFinished. Behaviour: pkg/controller/ttlafterfinished."""

from __future__ import annotations

from typing import Any, Final

from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Delete
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import parse
from sampan.control_plane.controllers import conditions
from sampan.control_plane.controllers.jobs import JOBS

Object = dict[str, Any]


def due(job: Object) -> float | None:
    """When the job is to be deleted (seconds since 1970); None when it is not, or not yet known."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    if ttl is None or job["metadata"].get("deletionTimestamp"):
        return None
    status = job.get("status") or {}
    for kind in ("Complete", "Failed"):
        found = conditions.find(status, kind)
        if found is not None and found["status"] == "True":
            return parse(found["lastTransitionTime"]) + float(ttl)
    return None


def plan(job: Object, now: float) -> list[Action]:
    when = due(job)
    if when is None or when > now:
        return []
    meta = job["metadata"]
    return [Delete(JOBS, meta["namespace"], meta["name"], meta["uid"], propagation="Foreground")]


async def reconcile(context: Context, key: str) -> Outcome:
    job = context.store(JOBS).get(key)
    when = due(job) if job is not None else None
    if job is None or when is None:
        return DONE
    now = context.clock.now()
    if when > now:
        return After(when - now)
    applied = await context.execute.apply(plan(job, now))
    return Retry(applied.error) if applied.error else DONE


CONTROLLER: Final = Controller("ttl-after-finished-controller", (Watch(JOBS, own),), reconcile, workers=2)
