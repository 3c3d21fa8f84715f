"""NodeName: a pod that names its node goes there or nowhere. (Such pods rarely come by: they count as bound.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NODE_ADDED, NodeFilter, Reason
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

REASON: Final = (Reason("node(s) didn't match the requested node name", resolvable=False),)


class NodeName:
    name = "NodeName"
    weight = 0
    wakes = frozenset({NODE_ADDED})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        wanted = pod.spec.get("nodeName")
        return (lambda node: () if node.name == wanted else REASON) if wanted else None

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> None:
        return None
