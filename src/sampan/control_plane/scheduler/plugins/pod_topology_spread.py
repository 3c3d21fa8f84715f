"""PodTopologySpread: pods that match a selector are spread over zones, hosts or whatever a label names.

Pods without constraints of their own get upstream's system defaults as a preference. Upstream takes the selector of those
from Services and owners of the pod; here it is the pod's own labels, without those that tell one pod of a set from another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.selector import nodes as node_selector
from sampan.api.selector import taints
from sampan.api.selector.labels import Requirement, Selector
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
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

Object = dict[str, Any]

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"
NO_MATCH: Final = (Reason("node(s) didn't match pod topology spread constraints"),)
NO_LABEL: Final = (
    Reason("node(s) didn't match pod topology spread constraints (missing required label)", resolvable=False),
)
HARD: Final = (taints.NO_SCHEDULE, taints.NO_EXECUTE)
ONE_POD: Final = frozenset(
    {
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "controller-revision-hash",
    }
)


class Constraint(NamedTuple):
    key: str
    max_skew: int
    selector: Selector
    min_domains: int = 0
    honours_affinity: bool = True
    honours_taints: bool = False


class PodTopologySpread:
    name = "PodTopologySpread"
    weight = 2
    wakes = frozenset({NODE_ADDED, NODE_CHANGED, POD_ASSIGNED, POD_GONE})

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | None:
        constraints = _constraints(pod, "DoNotSchedule")
        if not constraints:
            return None
        states = [(c, _domains(c, constraints, pod, cluster)) for c in constraints]
        checks = [(c, counts, _least(c, counts), int(c.selector.matches(pod.labels))) for c, counts in states]

        def fits(node: NodeInfo) -> Sequence[Reason]:
            for constraint, counts, least, itself in checks:
                value = node.labels.get(constraint.key)
                if value is None:
                    return NO_LABEL
                if counts[value] + itself - least > constraint.max_skew:
                    return NO_MATCH
            return ()

        return fits

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        own = bool(pod.spec.get("topologySpreadConstraints"))
        constraints = _constraints(pod, "ScheduleAnyway") if own else _defaults(pod)
        if not constraints or len(nodes) < 2:
            return None
        ignored = [own and not _has_all(node, constraints) for node in nodes]
        raw = [0.0] * len(nodes)
        for constraint in constraints:
            if not any(constraint.key in node.labels for node in nodes):
                continue
            values = [node.labels.get(constraint.key) for node in nodes]
            if constraint.key == HOSTNAME:
                per_node = cluster.tally(pod.namespace, constraint.selector)
                counts = [per_node.get(node.name, 0) for node in nodes]
                size = len(nodes) - sum(ignored)
            else:
                domains = _domains(constraint, constraints if own else (), pod, cluster)
                counts = [domains[value] if value is not None else 0 for value in values]
                size = len({value for value, out in zip(values, ignored, strict=True) if not out})
            weight = math.log(size + 2)
            for at, count in enumerate(counts):
                if values[at] is not None:
                    raw[at] += count * weight + constraint.max_skew - 1
        return _inverted([round(value) for value in raw], ignored)


def _inverted(raw: Sequence[int], ignored: Sequence[bool]) -> list[int]:
    counted = [value for value, out in zip(raw, ignored, strict=True) if not out]
    largest, least = max(counted, default=0), min(counted, default=0)
    return [
        0 if out else MAX_SCORE if largest == 0 else MAX_SCORE * (largest + least - value) // largest
        for value, out in zip(raw, ignored, strict=True)
    ]


def _constraints(pod: PodInfo, action: str) -> list[Constraint]:
    return [
        Constraint(
            given["topologyKey"],
            int(given["maxSkew"]),
            _selector(given, pod.labels),
            int(given.get("minDomains") or 0),
            given.get("nodeAffinityPolicy", "Honor") == "Honor",
            given.get("nodeTaintsPolicy", "Ignore") == "Honor",
        )
        for given in pod.spec.get("topologySpreadConstraints") or ()
        if given["whenUnsatisfiable"] == action
    ]


def _selector(given: Object, labels: Mapping[str, str]) -> Selector:
    selector = Selector.from_object(given.get("labelSelector"))
    extra = [
        Requirement(key, "in", (labels[key],)) for key in given.get("matchLabelKeys") or () if key in labels
    ]
    return (
        Selector((*selector.requirements, *extra))
        if extra and selector.requirements is not None
        else selector
    )


def _defaults(pod: PodInfo) -> list[Constraint]:
    if not pod.obj["metadata"].get("ownerReferences"):
        return []
    labels = {key: value for key, value in pod.labels.items() if key not in ONE_POD}
    if not labels:
        return []
    selector = Selector.from_labels(labels)
    return [Constraint(HOSTNAME, 3, selector), Constraint(ZONE, 5, selector)]


def _domains(
    constraint: Constraint, every: Sequence[Constraint], pod: PodInfo, cluster: Cluster
) -> Counter[str]:
    """Matching pods per value of the topology key, over the nodes that count; values without pods are there with 0."""
    per_node = cluster.tally(pod.namespace, constraint.selector)
    tolerations = pod.spec.get("tolerations") or ()
    counts: Counter[str] = Counter()
    for node in cluster:
        if constraint.key not in node.labels or not _has_all(node, every):
            continue
        if constraint.honours_affinity and not node_selector.pod_matches(pod.spec, node.obj):
            continue
        if constraint.honours_taints and taints.untolerated(node.taints, tolerations, HARD):
            continue
        counts[node.labels[constraint.key]] += per_node.get(node.name, 0)
    return counts


def _least(constraint: Constraint, counts: Counter[str]) -> int:
    """The smallest domain; 0 while there are fewer domains than minDomains asks for."""
    return 0 if len(counts) < constraint.min_domains else min(counts.values(), default=0)


def _has_all(node: NodeInfo, constraints: Sequence[Constraint]) -> bool:
    return all(constraint.key in node.labels for constraint in constraints)
