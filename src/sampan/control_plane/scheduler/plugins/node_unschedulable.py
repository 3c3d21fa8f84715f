"""NodeUnschedulable: cordoned nodes take only pods that tolerate it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.api.selector import taints
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NODE_ADDED, NODE_CHANGED, NodeFilter, Reason
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

TAINT: Final = {"key": "node.kubernetes.io/unschedulable", "effect": taints.NO_SCHEDULE}
REASON: Final = (Reason("node(s) were unschedulable", resolvable=False),)


class NodeUnschedulable:
    name = "NodeUnschedulable"
    weight = 0
    wakes = frozenset({NODE_ADDED, NODE_CHANGED})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        if taints.is_tolerated(TAINT, pod.spec.get("tolerations") or ()):
            return None
        return lambda node: REASON if node.obj["spec"].get("unschedulable") else ()

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> None:
        return None
