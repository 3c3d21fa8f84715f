"""NodeAffinity: nodeSelector and required node affinity reject, preferred affinity scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sampan.api.selector import nodes as node_selector
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NODE_ADDED, NODE_CHANGED, NodeFilter, Reason, normalized
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

REASON: Final = (Reason("node(s) didn't match Pod's node affinity/selector", resolvable=False),)


class NodeAffinity:
    name = "NodeAffinity"
    weight = 2
    wakes = frozenset({NODE_ADDED, NODE_CHANGED})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        spec = pod.spec
        affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
        if not spec.get("nodeSelector") and not affinity.get(
            "requiredDuringSchedulingIgnoredDuringExecution"
        ):
            return None
        return lambda node: () if node_selector.pod_matches(spec, node.obj) else REASON

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
        preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution")
        if not preferred:
            return None
        raw = [
            sum(
                term["weight"]
                for term in preferred
                if _empty(term["preference"]) or node_selector.term_matches(term["preference"], node.obj)
            )
            for node in nodes
        ]
        return normalized(raw)


def _empty(term: dict[str, object]) -> bool:
    """A preference without conditions prefers every node."""
    return not term.get("matchExpressions") and not term.get("matchFields")
