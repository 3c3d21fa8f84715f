"""Nodes that stop sending heartbeats become Unknown, and what a node's conditions say becomes taints.

Behaviour, reasons, texts: k8s.io/kubernetes pkg/controller/nodelifecycle. Left out: zones and the rate limit of evictions;
as there, nothing is evicted while no node at all is ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Emit, Patch
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

NODES: Final = kinds.of("v1", "Node")
LEASES: Final = kinds.of("coordination.k8s.io/v1", "Lease")
LEASE_NAMESPACE: Final = "kube-node-lease"
GRACE: Final = 50.0  # seconds without a heartbeat
STARTUP_GRACE: Final = 60.0
WATCHED: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
TAINTS: Final = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
OURS: Final = frozenset({*TAINTS.values(), UNSCHEDULABLE})


class View(NamedTuple):
    node: Object
    silence: float  # seconds since the last heartbeat was seen
    any_ready: bool  # whether any other node of the cluster is
    pods: tuple[Object, ...]  # on this node
    now: float


def plan(view: View) -> list[Action]:
    """Conditions first: taints and pods follow what they say."""
    node = view.node
    name = node["metadata"]["name"]
    status = dict(node.get("status") or {})
    actions: list[Action] = []
    if view.silence > _grace(node) and _mark_unknown(node, status, view.now):
        body = {"status": {"conditions": status["conditions"]}}
        actions.append(Patch(NODES, "", name, body, subresource="status"))
        was = conditions.find(node.get("status") or {}, "Ready")
        if was is not None and was["status"] == "True":
            actions.append(Emit(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady"))
    wanted = _taints(node, status, view)
    if wanted != (node["spec"].get("taints") or []):
        meta = node["metadata"]
        body = {"metadata": {"uid": meta["uid"]}, "spec": {"taints": wanted or None}}
        if not actions:  # after our own status write the version is another one
            body["metadata"]["resourceVersion"] = meta["resourceVersion"]
        actions.append(Patch(NODES, "", name, body))
    ready = conditions.find(status, "Ready")
    if ready is not None and ready["status"] != "True":
        for pod in view.pods:
            actions += _unready(pod, view.now)
    return actions


def _grace(node: Object) -> float:
    ready = conditions.find(node.get("status") or {}, "Ready")
    return STARTUP_GRACE if ready is None else GRACE


def _mark_unknown(node: Object, status: Object, now: float) -> bool:
    changed = False
    for kind in WATCHED:
        current = conditions.find(status, kind)
        if current is None:
            reason, text, seen = "NodeStatusNeverUpdated", "Kubelet never posted node status.", None
        elif current["status"] != "Unknown":
            reason, text, seen = "NodeStatusUnknown", "Kubelet stopped posting node status.", current
        else:
            continue
        heartbeat = (seen or {}).get("lastHeartbeatTime") or node["metadata"].get("creationTimestamp")
        made = {
            "type": kind,
            "status": "Unknown",
            "lastHeartbeatTime": heartbeat,
            "lastTransitionTime": stamp(now),
            "reason": reason,
            "message": text,
        }
        listed = list(status.get("conditions") or ())
        at = next((i for i, c in enumerate(listed) if c["type"] == kind), len(listed))
        status["conditions"] = [*listed[:at], made, *listed[at + 1 :]]
        changed = True
    return changed


def _taints(node: Object, status: Object, view: View) -> list[Object]:
    """The taints that the node should have; those that others set stay where they are."""
    wanted: dict[tuple[str, str], None] = {}
    for condition in status.get("conditions") or ():
        key = TAINTS.get((condition["type"], condition["status"]))
        if key:
            wanted[key, "NoSchedule"] = None
            if condition["type"] == "Ready" and view.any_ready:
                wanted[key, "NoExecute"] = None
    if node["spec"].get("unschedulable"):
        wanted[UNSCHEDULABLE, "NoSchedule"] = None
    kept = []
    for taint in node["spec"].get("taints") or ():
        key, effect = taint["key"], taint["effect"]
        managed = key in OURS and (
            effect == "NoSchedule" or (effect == "NoExecute" and key in (NOT_READY, UNREACHABLE))
        )
        if not managed or (key, effect) in wanted:
            kept.append(taint)
            wanted.pop((key, effect), None)
    time = stamp(view.now)
    added = [
        {"key": key, "effect": effect}
        | ({"timeAdded": time} if effect == "NoExecute" or key != UNSCHEDULABLE else {})
        for key, effect in wanted
    ]
    return kept + added


def _unready(pod: Object, now: float) -> list[Action]:
    """A pod of a node that is not ready is not ready."""
    if not pods.is_ready(pod):
        return []
    meta = pod["metadata"]
    listed = [
        c | {"status": "False", "lastTransitionTime": stamp(now)} if c["type"] == "Ready" else c
        for c in pod["status"]["conditions"]
    ]
    body = {"metadata": {"uid": meta["uid"]}, "status": {"conditions": listed}}
    return [
        Patch(PODS, meta["namespace"], meta["name"], body, subresource="status", missing_ok=True),
        Emit(pod, "Warning", "NodeNotReady", "Node is not ready"),
    ]


async def reconcile(context: Context, key: str) -> Outcome:
    node = context.store(NODES).get(key)
    seen: dict[str, tuple[Any, float]] = context.memory
    if node is None:
        seen.pop(key, None)
        return DONE
    lease = context.store(LEASES).find(LEASE_NAMESPACE, key)
    ready = conditions.find(node.get("status") or {}, "Ready") or {}
    beat = ((lease or {}).get("spec") or {}).get("renewTime"), ready.get("lastHeartbeatTime")
    now = context.clock.monotonic()
    if key not in seen or seen[key][0] != beat:
        seen[key] = (beat, now)
    silence = now - seen[key][1]
    any_ready = any(_is_ready(other) for other in context.store(NODES) if other["metadata"]["name"] != key)
    on_node = tuple(context.store(PODS).by("node", key))
    view = View(node, silence, any_ready, on_node, context.clock.now())
    applied = await context.execute.apply(plan(view))
    if applied.error is not None:
        return Retry(applied.error)
    left = _grace(node) - silence
    return After(left + 0.1) if left > 0 else DONE


def _is_ready(node: Object) -> bool:
    return conditions.is_true(node.get("status") or {}, "Ready")


def _of_node(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """A node that becomes ready, or the last one that ceases to be, concerns those that are not."""
    keys = set(own(context, old, new))
    if (old is not None and _is_ready(old)) != (new is not None and _is_ready(new)):
        keys |= {node["metadata"]["name"] for node in context.store(NODES) if not _is_ready(node)}
    return keys


def _of_lease(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Renewals are read when the grace period ends; only a first lease or a node that had been lost is worth a look."""
    if new is None or new["metadata"]["namespace"] != LEASE_NAMESPACE:
        return ()
    name = new["metadata"]["name"]
    node = context.store(NODES).get(name)
    return (name,) if node is not None and (old is None or not _is_ready(node)) else ()


CONTROLLER: Final = Controller(
    "node-lifecycle-controller",
    (Watch(NODES, _of_node), Watch(LEASES, _of_lease), Watch(PODS)),
    reconcile,
    workers=2,
)
