"""What PodDisruptionBudgets allow now. Behaviour: k8s.io/kubernetes pkg/controller/disruption."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.status import ApiError
from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.ownership import controller_of
from sampan.control.plan import Emit, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import parse, stamp
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.amounts import scaled
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.replicaset import REPLICASETS
from sampan.control_plane.controllers.rollout import DEPLOYMENTS

Object = dict[str, Any]

BUDGETS: Final = kinds.of("policy/v1", "PodDisruptionBudget")
FORGOTTEN: Final = (
    120.0  # seconds after which a pod that was to be evicted and is still there counts as healthy again
)


class View(NamedTuple):
    budget: Object
    pods: tuple[Object, ...]  # those that the budget selects
    scale: (
        int | None
    )  # replicas that their controllers want; None when a pod has no controller that can be scaled
    now: float


class Result(NamedTuple):
    status: Object
    wait: float | None


def status(view: View) -> Result:
    spec, old = view.budget["spec"], view.budget.get("status") or {}
    expected, desired = _wanted(view)
    disrupted, wait = _disrupted(view)
    healthy = sum(
        pods.is_ready(pod) and not pods.is_terminating(pod) and pod["metadata"]["name"] not in disrupted
        for pod in view.pods
    )
    allowed = 0 if expected <= 0 else max(0, healthy - desired)
    made: Object = {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": view.budget["metadata"].get("generation", 0),
    }
    if disrupted:
        made["disruptedPods"] = disrupted
    if old.get("conditions"):
        made["conditions"] = old["conditions"]
    generation = view.budget["metadata"].get("generation", 0)
    if view.scale is None and _needs_scale(spec):
        text = "pods have no controller with a scale: set minAvailable to a number"
        _set(made, "False", "SyncFailed", text, generation, view.now)
    elif allowed > 0:
        _set(made, "True", "SufficientPods", "", generation, view.now)
    else:
        _set(made, "False", "InsufficientPods", "", generation, view.now)
    return Result(made, wait)


def _set(made: Object, value: str, reason: str, text: str, generation: int, now: float) -> None:
    current = conditions.find(made, "DisruptionAllowed")
    told = (value, reason, generation)
    if current and (current["status"], current["reason"], current.get("observedGeneration")) == told:
        return
    since = current["lastTransitionTime"] if current and current["status"] == value else stamp(now)
    condition = {
        "type": "DisruptionAllowed",
        "status": value,
        "observedGeneration": generation,
        "lastTransitionTime": since,
        "reason": reason,
        "message": text,
    }
    conditions.put(made, condition)


def _wanted(view: View) -> tuple[int, int]:
    """(pods that are expected, pods that must stay healthy)."""
    spec = view.budget["spec"]
    if spec.get("maxUnavailable") is not None:
        expected = view.scale or 0
        return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
    least = spec.get("minAvailable")
    if isinstance(least, int):
        return len(view.pods), least
    if least is not None:
        expected = view.scale or 0
        return expected, scaled(least, expected, up=True)
    return len(view.pods), 0


def _needs_scale(spec: Object) -> bool:
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def _disrupted(view: View) -> tuple[dict[str, str], float | None]:
    """Evictions that the API server let through and whose pods are still there, and when the next one is forgotten."""
    told = (view.budget.get("status") or {}).get("disruptedPods") or {}
    kept: dict[str, str] = {}
    waits: list[float] = []
    for pod in view.pods:
        name = pod["metadata"]["name"]
        if name not in told or pods.is_terminating(pod):
            continue
        left = parse(told[name]) + FORGOTTEN - view.now
        if left > 0:
            kept[name] = told[name]
            waits.append(left)
    return kept, min(waits) if waits else None


async def reconcile(context: Context, key: str) -> Outcome:
    budget = context.store(BUDGETS).get(key)
    if budget is None:
        return DONE
    try:
        selector = Selector.from_object(budget["spec"].get("selector"))
    except SelectorError as error:
        return Retry(error)
    found = tuple(_selected(context, budget, selector))
    try:
        scale = await _scale(context, found) if _needs_scale(budget["spec"]) else None
    except ApiError as error:
        return Retry(error)
    if not found:
        await context.execute.apply([Emit(budget, "Normal", "NoPods", "No matching pods found")])
    result = status(View(budget, found, scale, context.clock.now()))
    if result.status != (budget.get("status") or {}):
        applied = await context.execute.apply([Update(BUDGETS, budget | {"status": result.status}, "status")])
        if applied.error is not None:
            return Retry(applied.error)
    return DONE if result.wait is None else After(result.wait)


def _selected(context: Context, budget: Object, selector: Selector) -> Iterable[Object]:
    for pod in context.store(PODS).by("namespace", budget["metadata"]["namespace"]):
        if selector.matches(pod["metadata"].get("labels")) and not pods.is_terminal(pod):
            yield pod


async def _scale(context: Context, found: Iterable[Object]) -> int | None:
    """The sum of what the pods' controllers want; None when one of them cannot be asked."""
    wanted: dict[str, int] = {}
    for pod in found:
        ref = controller_of(pod)
        if ref is None:
            return None
        if ref["uid"] not in wanted:
            size = await _size(context, pod["metadata"]["namespace"], ref)
            if size is None:
                return None
            wanted |= size
    return sum(wanted.values())


async def _size(context: Context, namespace: str, ref: Object) -> dict[str, int] | None:
    """Replicas by the UID of what holds the number: a ReplicaSet's Deployment, else the controller by its scale."""
    if ref["kind"] == "ReplicaSet":
        rs = context.store(REPLICASETS).find(namespace, ref["name"])
        above = controller_of(rs) if rs is not None else None
        if above is not None and above["kind"] == "Deployment":
            deployment = context.store(DEPLOYMENTS).find(namespace, above["name"])
            if deployment is not None:
                # its pods share one number, whichever of its sets they are in
                return {ref["uid"]: 0, above["uid"]: deployment["spec"].get("replicas", 1)}
        if rs is not None:
            return {ref["uid"]: rs["spec"].get("replicas", 1)}
    try:
        resource = await context.client.resource_for(ref["apiVersion"], ref["kind"])
        scale = await context.client.get(resource, ref["name"], namespace, subresource="scale")
    except ApiError as error:
        if error.code in (404, 405):
            return None
        raise
    return {ref["uid"]: int(scale["spec"].get("replicas", 0))}


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    found: dict[str, None] = {}
    for pod in (old, new):
        if pod is None:
            continue
        for budget in context.store(BUDGETS).by("namespace", pod["metadata"]["namespace"]):
            try:
                selector = Selector.from_object(budget["spec"].get("selector"))
            except SelectorError:
                continue
            if selector.matches(pod["metadata"].get("labels")):
                found[key_of(budget)] = None
    return found


def _of_scaled(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Budgets beside something whose number of replicas has changed."""
    if old is not None and new is not None and old["spec"].get("replicas") == new["spec"].get("replicas"):
        return ()
    obj = new or old or {"metadata": {"namespace": ""}}
    return [key_of(budget) for budget in context.store(BUDGETS).by("namespace", obj["metadata"]["namespace"])]


CONTROLLER: Final = Controller(
    "disruption-controller",
    (
        Watch(BUDGETS, own),
        Watch(PODS, _of_pod),
        Watch(DEPLOYMENTS, _of_scaled),
        Watch(REPLICASETS, _of_scaled),
    ),
    reconcile,
    workers=2,
)
