"""Pods that nobody will ever finish: their node is gone, or they end before they had one; and finished ones beyond a limit.

Behaviour: k8s.io/kubernetes pkg/controller/podgc.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api.status import ApiError
from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch
from sampan.control.plan import Action, Delete, Patch
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.node_lifecycle import NODES
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

QUARANTINE: Final = 40.0  # seconds that a node may be missing before its pods are given up
FINISHED_LIMIT: Final = 12500
FINISHED: Final = "finished"  # the one key that stands for all finished pods together


class View(NamedTuple):
    pod: Object
    node_gone: bool  # missing for longer than the quarantine, and the API server says so as well
    now: float


def plan(view: View) -> list[Action]:
    pod, meta = view.pod, view.pod["metadata"]
    gone = Delete(PODS, meta["namespace"], meta["name"], meta["uid"], grace_period=0)
    if view.node_gone:
        return [*_fail(pod, "PodGC: node no longer exists", view.now), gone]
    if pods.is_terminating(pod) and not pod["spec"].get("nodeName"):
        return [*_fail(pod, "", view.now), gone]
    return []


def _fail(pod: Object, why: str, now: float) -> list[Action]:
    if pods.is_terminal(pod):
        return []
    meta = pod["metadata"]
    status: Object = {"conditions": list((pod.get("status") or {}).get("conditions") or ())}
    if why:
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastTransitionTime": stamp(now),
            "reason": "DeletionByPodGC",
            "message": why,
        }
        conditions.put(status, condition)
    status["phase"] = "Failed"
    body = {"metadata": {"uid": meta["uid"]}, "status": status}
    return [Patch(PODS, meta["namespace"], meta["name"], body, subresource="status", missing_ok=True)]


def surplus(finished: Iterable[Object], limit: int) -> list[Action]:
    """The oldest of the finished pods beyond the limit."""
    ordered = sorted(
        finished, key=lambda p: (p["metadata"].get("creationTimestamp", ""), p["metadata"]["name"])
    )
    return [
        Delete(PODS, p["metadata"]["namespace"], p["metadata"]["name"], p["metadata"]["uid"], grace_period=0)
        for p in ordered[: max(0, len(ordered) - limit)]
    ]


async def reconcile(context: Context, key: str) -> Outcome:
    store = context.store(PODS)
    if key == FINISHED:
        finished = [pod for pod in store if pods.is_terminal(pod)]
        applied = await context.execute.apply(surplus(finished, FINISHED_LIMIT))
        return Retry(applied.error) if applied.error else DONE
    pod = store.get(key)
    if pod is None:
        return DONE
    name = pod["spec"].get("nodeName")
    missing: dict[str, float] = context.memory
    gone = False
    if name and context.store(NODES).get(name) is None:
        left = missing.setdefault(name, context.clock.monotonic()) + QUARANTINE - context.clock.monotonic()
        if left > 0:
            return After(left)
        gone = await _is_gone(context, name)
    elif name:
        missing.pop(name, None)
    applied = await context.execute.apply(plan(View(pod, gone, context.clock.now())))
    return Retry(applied.error) if applied.error else DONE


async def _is_gone(context: Context, node: str) -> bool:
    try:
        await context.client.get(NODES, node, metadata_only=True)
    except ApiError as error:
        if error.code == 404:
            return True
        raise
    return False


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None:
        return ()
    name = new["spec"].get("nodeName")
    if pods.is_terminal(new) and len(context.store(PODS)) > FINISHED_LIMIT:
        return (FINISHED, key_of(new))
    if (pods.is_terminating(new) and not name) or (name and context.store(NODES).get(name) is None):
        return (key_of(new),)
    return ()


def _of_node(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is not None or old is None:
        return ()
    return [key_of(pod) for pod in context.store(PODS).by("node", old["metadata"]["name"])]


CONTROLLER: Final = Controller(
    "pod-garbage-collector-controller", (Watch(PODS, _of_pod), Watch(NODES, _of_node)), reconcile, workers=2
)
