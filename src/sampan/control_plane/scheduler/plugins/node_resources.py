"""NodeResourcesFit with the LeastAllocated score, and NodeResourcesBalancedAllocation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import (
    MAX_SCORE,
    NODE_ADDED,
    NODE_CHANGED,
    POD_GONE,
    NodeFilter,
    Reason,
)
from sampan.control_plane.scheduler.model import CPU, MEMORY, PODS, NodeInfo, PodInfo

TOO_MANY: Final = Reason("Too many pods")


class Fit:
    name = "NodeResourcesFit"
    weight = 1
    wakes = frozenset({NODE_ADDED, NODE_CHANGED, POD_GONE})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter:
        requests = tuple(pod.requests.items())

        def fits(node: NodeInfo) -> Sequence[Reason]:
            allocatable, requested = node.allocatable, node.requested
            reasons = [TOO_MANY] if len(node.pods) + 1 > allocatable.get(PODS, 0) else []
            for name, wanted in requests:
                total = allocatable.get(name, 0)
                if wanted > total - requested[name]:
                    # what is more than the whole node has will not fit whoever leaves
                    reasons.append(Reason(f"Insufficient {name}", resolvable=wanted <= total))
            return reasons

        return fits

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int]:
        """The more of cpu and memory stays free, the better."""
        scores = []
        for node in nodes:
            parts = [
                (total - used) * MAX_SCORE // total
                for total, used in (
                    (node.allocatable.get(CPU, 0), node.cpu_score + pod.cpu_score),
                    (node.allocatable.get(MEMORY, 0), node.memory_score + pod.memory_score),
                )
                if total and used <= total
            ]
            scores.append(sum(parts) // 2)
        return scores


class BalancedAllocation:
    name = "NodeResourcesBalancedAllocation"
    weight = 1
    wakes: frozenset[str] = frozenset()

    def filter(self, pod: PodInfo, cluster: Cluster) -> None:
        return None

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        """Nodes whose cpu and memory are used alike; a pod that asks for nothing has no say."""
        if not pod.requests:
            return None
        return [_balance(pod, node) for node in nodes]


def _balance(pod: PodInfo, node: NodeInfo) -> int:
    """Around 75; towards 100 when the pod makes the node's use more even, towards 50 when less."""
    before = int((1 - _evenness(node, 0, 0)) * MAX_SCORE)
    after = int((1 - _evenness(node, pod.requests.get(CPU, 0), pod.requests.get(MEMORY, 0))) * MAX_SCORE)
    return MAX_SCORE // 2 + (MAX_SCORE // 2 + after - before) // 2


def _evenness(node: NodeInfo, cpu: int, memory: int) -> float:
    """Standard deviation of the used fractions; 0 is even."""
    fractions = [
        min(1.0, (node.requested[name] + more) / total)
        for name, more in ((CPU, cpu), (MEMORY, memory))
        if (total := node.allocatable.get(name, 0))
    ]
    return abs(fractions[0] - fractions[1]) / 2 if len(fractions) == 2 else 0.0
