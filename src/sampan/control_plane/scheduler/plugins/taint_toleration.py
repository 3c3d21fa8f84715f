"""TaintToleration: NoSchedule and NoExecute taints reject, PreferNoSchedule ones cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.api.selector import taints
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NODE_ADDED, NODE_CHANGED, NodeFilter, Reason, normalized
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

REASON: Final = (Reason("node(s) had untolerated taint(s)", resolvable=False),)
HARD: Final = (taints.NO_SCHEDULE, taints.NO_EXECUTE)


class TaintToleration:
    name = "TaintToleration"
    weight = 3
    wakes = frozenset({NODE_ADDED, NODE_CHANGED})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        tolerations = pod.spec.get("tolerations") or ()

        def fits(node: NodeInfo) -> Sequence[Reason]:
            return REASON if node.taints and taints.untolerated(node.taints, tolerations, HARD) else ()

        return fits

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        if not any(taint["effect"] == taints.PREFER_NO_SCHEDULE for node in nodes for taint in node.taints):
            return None
        soft = [
            t
            for t in pod.spec.get("tolerations") or ()
            if not t.get("effect") or t["effect"] == taints.PREFER_NO_SCHEDULE
        ]
        counts = [
            sum(
                taint["effect"] == taints.PREFER_NO_SCHEDULE and not taints.is_tolerated(taint, soft)
                for taint in node.taints
            )
            for node in nodes
        ]
        return normalized(counts, reverse=True)
