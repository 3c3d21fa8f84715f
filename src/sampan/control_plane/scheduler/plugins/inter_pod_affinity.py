"""InterPodAffinity: pods that must, must not, would rather or would rather not run beside others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import (
    MAX_SCORE,
    NODE_ADDED,
    NODE_CHANGED,
    POD_ASSIGNED,
    POD_GONE,
    NodeFilter,
    Reason,
)
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo, Term

EXISTING: Final = (Reason("node(s) didn't satisfy existing pods anti-affinity rules"),)
AFFINITY: Final = (Reason("node(s) didn't match pod affinity rules", resolvable=False),)
ANTI_AFFINITY: Final = (Reason("node(s) didn't match pod anti-affinity rules"),)
HARD_WEIGHT: Final = 1  # what a required term of a running pod counts for in scores

Place = tuple[str, str]  # topology key and value


class InterPodAffinity:
    name = "InterPodAffinity"
    weight = 2
    wakes = frozenset({NODE_ADDED, NODE_CHANGED, POD_ASSIGNED, POD_GONE})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        forbidden = _forbidden_by_others(pod, cluster)
        if not pod.affinity and not pod.anti_affinity:
            if not forbidden:
                return None
            return lambda node: EXISTING if _in_any(node, forbidden) else ()
        wanted = _places(pod.affinity, cluster, all_terms=True)
        avoided = set(_places(pod.anti_affinity, cluster, all_terms=False))
        first = not wanted and all(term.matches(pod, cluster.namespaces) for term in pod.affinity)

        def fits(node: NodeInfo) -> Sequence[Reason]:
            if pod.affinity and not _satisfied(pod, node, wanted, first):
                return AFFINITY
            if _in_any(node, avoided):
                return ANTI_AFFINITY
            return EXISTING if _in_any(node, forbidden) else ()

        return fits

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        weights = _weights(pod, cluster)
        if not weights:
            return None
        raw = [sum(weights[place] for place in node.labels.items() if place in weights) for node in nodes]
        least, most = min(raw), max(raw)
        if most == least:
            return [0] * len(nodes)
        return [MAX_SCORE * (value - least) // (most - least) for value in raw]


def _forbidden_by_others(pod: PodInfo, cluster: Cluster) -> set[Place]:
    """Places that pods which run already keep this one away from."""
    found: set[Place] = set()
    for node in cluster:
        for other in node.with_anti_affinity.values():
            for term in other.anti_affinity:
                value = node.labels.get(term.topology_key)
                if value is not None and term.matches(pod, cluster.namespaces):
                    found.add((term.topology_key, value))
    return found


def _places(terms: Sequence[Term], cluster: Cluster, *, all_terms: bool) -> Counter[Place]:
    """Where pods run that match the terms: every one of them, or each for itself."""
    found: Counter[Place] = Counter()
    if not terms:
        return found
    for node in cluster:
        keys = [(term, node.labels[term.topology_key]) for term in terms if term.topology_key in node.labels]
        if not keys:
            continue
        for other in node.pods.values():
            if all_terms:
                if all(term.matches(other, cluster.namespaces) for term in terms):
                    found.update((term.topology_key, value) for term, value in keys)
            else:
                found.update(
                    (term.topology_key, value)
                    for term, value in keys
                    if term.matches(other, cluster.namespaces)
                )
    return found


def _satisfied(pod: PodInfo, node: NodeInfo, wanted: Counter[Place], first: bool) -> bool:
    """Every term finds company here; the first pod of a group that wants its own kind may start anywhere."""
    if any(term.topology_key not in node.labels for term in pod.affinity):
        return False
    return first or all((t.topology_key, node.labels[t.topology_key]) in wanted for t in pod.affinity)


def _in_any(node: NodeInfo, places: Iterable[Place]) -> bool:
    return any(node.labels.get(key) == value for key, value in places)


def _weights(pod: PodInfo, cluster: Cluster) -> Counter[Place]:
    weights: Counter[Place] = Counter()
    for node in cluster:
        others = node.pods.values() if pod.preferred else node.with_affinity.values()
        for other in others:
            for term in pod.preferred:
                _weigh(weights, term, term.weight, other, node, cluster)
            for term in other.preferred:
                _weigh(weights, term, term.weight, pod, node, cluster)
            for term in other.affinity:
                _weigh(weights, term, HARD_WEIGHT, pod, node, cluster)
    return weights


def _weigh(
    weights: Counter[Place], term: Term, weight: int, whom: PodInfo, node: NodeInfo, cluster: Cluster
) -> None:
    value = node.labels.get(term.topology_key)
    if value is not None and term.matches(whom, cluster.namespaces):
        weights[term.topology_key, value] += weight
