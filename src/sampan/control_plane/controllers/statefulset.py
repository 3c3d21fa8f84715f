"""StatefulSets: pods with names, an order, and claims of their own.

Behaviour: k8s.io/kubernetes pkg/controller/statefulset. The strategy Recreate (alpha, off by default) is not here: the API
does not let it through.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.kinds.model import Resource
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.control import adoption
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.plan import Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control_plane.controllers import ordinals, pods, revisions
from sampan.control_plane.controllers.ordinals import CLAIMS, STATEFULSETS, View
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.revisions import REVISIONS

Object = dict[str, Any]


async def reconcile(context: Context, key: str) -> Outcome:
    sts = context.store(STATEFULSETS).get(key)
    if sts is None:
        return DONE
    try:
        selector = _selector(sts)
    except SelectorError as error:
        return Terminal(error)
    owned = await adoption.claimed(context, sts, STATEFULSETS, selector, PODS)
    await adoption.claimed(context, sts, STATEFULSETS, selector, REVISIONS)
    update, known = await revisions.sync(context, sts, STATEFULSETS)
    view = _view(context, sts, owned, update, known)
    failure = None
    if not sts["metadata"].get("deletionTimestamp"):
        applied = await context.execute.apply(ordinals.plan(view))
        failure = applied.error
    fresh = context.store(STATEFULSETS).get(key)
    if fresh is None:
        return DONE
    mine = [pod for pod in adoption.candidates(context.store(PODS), fresh) if _is_own(pod, fresh)]
    view = _view(context, fresh, mine, update, known)
    made = ordinals.status(view)
    if made != (fresh.get("status") or {}):
        applied = await context.execute.apply([Update(STATEFULSETS, fresh | {"status": made}, "status")])
        failure = failure or applied.error
    if failure is not None:
        return Retry(failure)
    live = {pod["metadata"].get("labels", {}).get(revisions.POD_LABEL, "") for pod in mine}
    live |= {made["currentRevision"], made["updateRevision"]}
    limit = fresh["spec"].get("revisionHistoryLimit", 10)
    await context.execute.apply(revisions.surplus(known, live, limit))
    wait = pods.until_available(mine, fresh["spec"].get("minReadySeconds", 0), view.now)
    return DONE if wait is None else After(wait)


def _view(context: Context, sts: Object, owned: list[Object], update: Object, known: list[Object]) -> View:
    named = (sts.get("status") or {}).get("currentRevision")
    current = next((r for r in known if r["metadata"]["name"] == named), update)
    members = tuple(pod for pod in owned if ordinals.is_member(pod, sts))
    store = context.store(CLAIMS)
    held = {}
    for ordinal in ordinals.all_ordinals(sts, members):
        for name in ordinals.claim_names(sts, ordinal).values():
            claim = store.find(sts["metadata"]["namespace"], name)
            if claim is not None:
                held[name] = claim
    return View(sts, members, held, current, update, context.clock.now())


def _is_own(pod: Object, sts: Object) -> bool:
    return any(
        ref["uid"] == sts["metadata"]["uid"] and ref.get("controller")
        for ref in pod["metadata"].get("ownerReferences") or ()
    )


def _selector(sts: Object) -> Selector:
    return Selector.from_object(sts["spec"].get("selector"))


def _watch(resource: Resource) -> Watch:
    return Watch(
        resource, adoption.both(owner("StatefulSet", "apps"), adoption.adopters(STATEFULSETS, _selector))
    )


CONTROLLER: Final = Controller(
    "statefulset-controller",
    (Watch(STATEFULSETS, own), _watch(PODS), Watch(REVISIONS), Watch(CLAIMS)),
    reconcile,
)
