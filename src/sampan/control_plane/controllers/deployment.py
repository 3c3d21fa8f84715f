"""Deployments roll ReplicaSets out.

Behaviour, conditions, reasons: k8s.io/kubernetes pkg/controller/deployment. Each reconcile takes one step (`plan`),
then writes the status as it is now (`status`); the ReplicaSets' changes bring the next one.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.status import ApiError
from sampan.client.cache import key_of
from sampan.control import adoption
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.ownership import controller_of
from sampan.control.plan import Create, Emit, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control_plane.controllers import pods, rollout, rollout_status
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.replicaset import REPLICASETS
from sampan.control_plane.controllers.rollout import DEPLOYMENTS, View

Object = dict[str, Any]


async def reconcile(context: Context, key: str) -> Outcome:
    deployment = context.store(DEPLOYMENTS).get(key)
    if deployment is None:
        return DONE
    try:
        selector = Selector.from_object(deployment["spec"].get("selector"))
    except SelectorError as error:
        return Terminal(error)
    if selector.empty:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        await context.execute.apply([Emit(deployment, "Warning", "SelectingAll", message)])
        return DONE
    owned = await adoption.claimed(context, deployment, DEPLOYMENTS, selector, REPLICASETS)
    view = _view(context, deployment, owned)
    if not deployment["metadata"].get("deletionTimestamp"):
        applied = await context.execute.apply(rollout.plan(view))
        if applied.failures:
            return await _failed(context, view, applied.failures[0].action, applied.failures[0].error)
    fresh = context.store(DEPLOYMENTS).get(key)
    if fresh is None:
        return DONE
    return await _write_status(context, fresh)


async def _write_status(context: Context, deployment: Object) -> Outcome:
    store = context.store(REPLICASETS)
    owned = [rs for rs in store.by("owner", deployment["metadata"]["uid"]) if controller_of(rs)]
    view = _view(context, deployment, owned)
    made = rollout_status.updated(view)
    if made != deployment:
        applied = await context.execute.apply([Update(DEPLOYMENTS, made, "status")])
        return Retry(applied.error) if applied.error else _next(view._replace(deployment=made))
    return _next(view)


def _next(view: View) -> Outcome:
    wait = rollout_status.until_deadline(view)
    return DONE if wait is None else After(wait)


def _view(context: Context, deployment: Object, owned: list[Object]) -> View:
    running = frozenset(
        rs["metadata"]["uid"]
        for rs in owned
        if any(not pods.is_terminal(pod) for pod in context.store(PODS).by("owner", rs["metadata"]["uid"]))
    )
    return View(deployment, tuple(owned), running, context.clock.now())


async def _failed(context: Context, view: View, action: Any, error: ApiError) -> Outcome:
    """A ReplicaSet that cannot be made is a collision of hashes, or news for the status."""
    if not isinstance(action, Create) or any(c.reason == "NamespaceTerminating" for c in error.causes):
        return Retry(error)
    deployment, name = view.deployment, action.obj["metadata"]["name"]
    if error.reason == "AlreadyExists":
        meta = deployment["metadata"]
        found = await context.client.get(REPLICASETS, name, meta["namespace"])
        ref = controller_of(found)
        if ref and ref["uid"] == meta["uid"] and rollout.same_template(deployment, found):
            context.execute.observe(REPLICASETS, found)
            return Retry(error)
        made = rollout_status.collided(deployment)
    else:
        text = f'Failed to create new replica set "{name}": {error.message}'
        await context.execute.apply([Emit(deployment, "Warning", "ReplicaSetCreateError", text)])
        made = rollout_status.create_failed(view, text)
    if made != deployment:
        await context.execute.apply([Update(DEPLOYMENTS, made, "status")])
    return Retry(error)


def _selector(deployment: Object) -> Selector:
    return Selector.from_object(deployment["spec"].get("selector"))


def _of_pod(context: Context, old: Object | None, new: Object | None) -> list[str]:
    """Recreate waits until the last old pod is gone or finished."""
    if old is None or (new is not None and not (pods.is_terminal(new) and not pods.is_terminal(old))):
        return []
    ref = controller_of(old)
    if ref is None or ref["kind"] != "ReplicaSet":
        return []
    rs = context.store(REPLICASETS).find(old["metadata"]["namespace"], ref["name"])
    above = controller_of(rs) if rs is not None and rs["metadata"]["uid"] == ref["uid"] else None
    if above is None or above["kind"] != "Deployment":
        return []
    deployment = context.store(DEPLOYMENTS).find(old["metadata"]["namespace"], above["name"])
    if deployment is None or (deployment["spec"].get("strategy") or {}).get("type") != "Recreate":
        return []
    return [key_of(deployment)]


CONTROLLER: Final = Controller(
    "deployment-controller",
    (
        Watch(DEPLOYMENTS, own),
        Watch(
            REPLICASETS, adoption.both(owner("Deployment", "apps"), adoption.adopters(DEPLOYMENTS, _selector))
        ),
        Watch(PODS, _of_pod),
    ),
    reconcile,
    workers=8,
)
