"""NodePorts: host ports are taken once per address and protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NODE_ADDED, POD_GONE, NodeFilter, Reason
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

REASON: Final = (Reason("node(s) didn't have free ports for the requested pod ports"),)
ANY: Final = "0.0.0.0"  # noqa: S104  # the address that stands for all


class NodePorts:
    name = "NodePorts"
    weight = 0
    wakes = frozenset({NODE_ADDED, POD_GONE})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        if not pod.ports:
            return None
        return lambda node: REASON if any(_taken(port, node) for port in pod.ports) else ()

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> None:
        return None


def _taken(port: tuple[str, str, int], node: NodeInfo) -> bool:
    address, protocol, number = port
    if address != ANY:
        return port in node.ports or (ANY, protocol, number) in node.ports
    return any(held[1:] == (protocol, number) for held in node.ports)
