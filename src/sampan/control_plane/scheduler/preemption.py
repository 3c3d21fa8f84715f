"""Room made for a pod of higher priority: which node, and which pods there have to go.

Behaviour: k8s.io/kubernetes pkg/scheduler/framework/preemption. Every node is tried, not a sample; of equally good nodes
the first counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sampan.api.selector.labels import Selector
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.cycle import NoFit, message, prepare
from sampan.control_plane.scheduler.framework import Plugin, Reason
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

Object = dict[str, Any]

NO_VICTIMS = Reason("No preemption victims found for incoming pod")
NO_HELP = Reason("Preemption is not helpful for scheduling")


class Victims(NamedTuple):
    """Pods to delete on `node`, the most important first; `violations` of disruption budgets among them."""

    node: str
    pods: tuple[PodInfo, ...]
    violations: int


class Nothing(NamedTuple):
    """No room can be made; `text` goes behind the reasons of the nodes."""

    text: str


def preempt(
    pod: PodInfo, cluster: Cluster, plugins: Sequence[Plugin], why: NoFit, budgets: Iterable[Object]
) -> Victims | Nothing:
    """The node that suffers least when room is made there."""
    if pod.spec.get("preemptionPolicy") == "Never":
        return Nothing("preemption: not eligible due to preemptionPolicy=Never.")
    if _is_under_way(pod, cluster):
        return Nothing("preemption: not eligible due to a terminating pod on the nominated node.")
    reasons: dict[str, tuple[Reason, ...]] = {}
    found: list[Victims] = []
    listed = tuple(budgets)
    for node in list(cluster):
        against = why.nodes.get(node.name, ())
        if not against or not all(reason.resolvable for reason in against):
            reasons[node.name] = (NO_HELP,)
            continue
        victims = _victims_on(node, pod, cluster, plugins, listed)
        if victims is None:
            reasons[node.name] = (NO_VICTIMS,)
        else:
            found.append(victims)
    if not found:
        return Nothing(f"preemption: {message(len(cluster), reasons)}")
    return min(found, key=_cost)


def _is_under_way(pod: PodInfo, cluster: Cluster) -> bool:
    """Its victims of last time are still leaving."""
    nominated = (pod.obj.get("status") or {}).get("nominatedNodeName")
    node = cluster.node(nominated) if nominated else None
    return node is not None and any(
        other.priority < pod.priority and other.obj["metadata"].get("deletionTimestamp")
        for other in node.pods.values()
    )


def _victims_on(
    node: NodeInfo, pod: PodInfo, cluster: Cluster, plugins: Sequence[Plugin], budgets: Sequence[Object]
) -> Victims | None:
    """Without all lesser pods it must fit; then as many as possible come back, the important ones first."""
    lesser = [other for other in node.pods.values() if other.priority < pod.priority]
    if not lesser:
        return None
    removed: dict[str, PodInfo] = {}
    try:
        for other in lesser:
            cluster.remove_pod(other.uid)
            removed[other.uid] = other
        if not _fits(node, pod, cluster, plugins):
            return None
        ranked = sorted(lesser, key=lambda other: (-other.priority, _started(other)))
        violating = _violating(ranked, budgets)
        for other in sorted(ranked, key=lambda each: each.uid not in violating):
            cluster.set_pod(other)
            del removed[other.uid]
            if not _fits(node, pod, cluster, plugins):
                cluster.remove_pod(other.uid)
                removed[other.uid] = other
        victims = tuple(other for other in ranked if other.uid in removed)
        return Victims(node.name, victims, sum(other.uid in violating for other in victims))
    finally:
        for other in removed.values():
            cluster.set_pod(other)


def _fits(node: NodeInfo, pod: PodInfo, cluster: Cluster, plugins: Sequence[Plugin]) -> bool:
    filters = prepare(pod, cluster, plugins)
    return not isinstance(filters, NoFit) and not any(fits(node) for _, fits in filters)


def _violating(ranked: Sequence[PodInfo], budgets: Sequence[Object]) -> set[str]:
    """UIDs of pods whose going would break a PodDisruptionBudget, if all before them in the list go as well."""
    allowed = {
        budget["metadata"]["uid"]: int((budget.get("status") or {}).get("disruptionsAllowed") or 0)
        for budget in budgets
    }
    used: Counter[str] = Counter()
    found: set[str] = set()
    for pod in ranked:
        for budget in budgets:
            meta = budget["metadata"]
            if meta["namespace"] != pod.namespace:
                continue
            if not Selector.from_object(budget["spec"].get("selector")).matches(pod.labels):
                continue
            used[meta["uid"]] += 1
            if used[meta["uid"]] > allowed[meta["uid"]]:
                found.add(pod.uid)
    return found


def _cost(victims: Victims) -> tuple[Any, ...]:
    """Fewest broken budgets, least important victims, fewest of them, those that ran the shortest."""
    priorities = [pod.priority for pod in victims.pods]
    top = max(priorities, default=0)
    latest = max((_started(pod) for pod in victims.pods if pod.priority == top), default="")
    return victims.violations, top, sum(p + 2**31 for p in priorities), len(priorities), _descending(latest)


def _descending(text: str) -> tuple[int, ...]:
    return tuple(-ord(char) for char in text)


def _started(pod: PodInfo) -> str:
    status = pod.obj.get("status") or {}
    return str(status.get("startTime") or pod.obj["metadata"].get("creationTimestamp") or "")
