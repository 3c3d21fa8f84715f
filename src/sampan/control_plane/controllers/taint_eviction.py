"""Pods that do not tolerate a node's NoExecute taints are deleted, at once or when their toleration runs out.

Behaviour: k8s.io/kubernetes pkg/controller/tainteviction. The time counts from the taint's timeAdded, so that a restart of
the controller does not prolong it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api.selector import taints
from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch
from sampan.control.plan import Action, Delete, Emit, Patch
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import parse_or, stamp
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.node_lifecycle import NODES
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]


class View(NamedTuple):
    pod: Object
    taints: tuple[Object, ...]  # NoExecute taints of the pod's node
    now: float


def due(view: View) -> float | None:
    """When the pod has to go (seconds since 1970); None when it may stay."""
    if pods.is_terminal(view.pod) or pods.is_terminating(view.pod) or not view.taints:
        return None
    tolerations = view.pod["spec"].get("tolerations") or ()
    times = []
    for taint in view.taints:
        used = [t for t in tolerations if taints.tolerates(t, taint)]
        since = parse_or(taint.get("timeAdded"), view.now)
        if not used:
            return since
        limits = [max(0, t["tolerationSeconds"]) for t in used if t.get("tolerationSeconds") is not None]
        if limits:
            times.append(since + min(limits))
    return min(times) if times else None


def plan(view: View) -> list[Action]:
    when = due(view)
    if when is None or when > view.now:
        return []
    pod, meta = view.pod, view.pod["metadata"]
    status = {"conditions": list((pod.get("status") or {}).get("conditions") or ())}
    text = "Taint manager: deleting due to NoExecute taint"
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastTransitionTime": stamp(view.now),
        "reason": "DeletionByTaintManager",
        "message": text,
    }
    conditions.put(status, condition)
    body = {"metadata": {"uid": meta["uid"]}, "status": status}
    return [
        Emit(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key_of(pod)}"),
        Patch(PODS, meta["namespace"], meta["name"], body, subresource="status", missing_ok=True),
        Delete(PODS, meta["namespace"], meta["name"], meta["uid"]),
    ]


async def reconcile(context: Context, key: str) -> Outcome:
    pod = context.store(PODS).get(key)
    node = context.store(NODES).get(pod["spec"].get("nodeName", "")) if pod is not None else None
    if pod is None or node is None:
        return DONE
    view = View(pod, _no_execute(node), context.clock.now())
    when = due(view)
    if when is not None and when > view.now:
        return After(when - view.now)
    applied = await context.execute.apply(plan(view))
    return Retry(applied.error) if applied.error else DONE


def _no_execute(node: Object) -> tuple[Object, ...]:
    return tuple(t for t in node["spec"].get("taints") or () if t["effect"] == taints.NO_EXECUTE)


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None:
        return ()
    node = context.store(NODES).get(new["spec"].get("nodeName", ""))
    return (key_of(new),) if node is not None and _no_execute(node) else ()


def _of_node(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None or not _no_execute(new) or (old is not None and _no_execute(old) == _no_execute(new)):
        return ()
    return [key_of(pod) for pod in context.store(PODS).by("node", new["metadata"]["name"])]


CONTROLLER: Final = Controller(
    "taint-eviction-controller", (Watch(PODS, _of_pod), Watch(NODES, _of_node)), reconcile, workers=4
)
