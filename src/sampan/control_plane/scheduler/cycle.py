"""The decision about one pod: which nodes fit, which is best, and why none does. Pure but for the choice among equals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import NodeFilter, Plugin, Reason, Rejection
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo


class Choice(NamedTuple):
    node: str


class NoFit(NamedTuple):
    """`nodes` names for each node why it does not fit; empty when the pod as a whole was rejected."""

    message: str
    rejectors: frozenset[str]
    nodes: dict[str, tuple[Reason, ...]]


def decide(
    pod: PodInfo, cluster: Cluster, plugins: Sequence[Plugin], pick: Callable[[int], int]
) -> Choice | NoFit:
    """The best node. `pick(n)` chooses among n equally good ones."""
    if not len(cluster):
        return NoFit("no nodes available to schedule pods", frozenset(), {})
    filters = prepare(pod, cluster, plugins)
    if isinstance(filters, NoFit):
        return filters
    with Nominated(pod, cluster):
        feasible, why, rejectors = _filter(cluster, filters)
    if not feasible:
        return NoFit(message(len(cluster), why), rejectors, why)
    if len(feasible) == 1:
        return Choice(feasible[0].name)
    totals = [0] * len(feasible)
    for plugin in plugins:
        scores = plugin.score(pod, cluster, feasible) if plugin.weight else None
        if scores is not None:
            totals = [total + plugin.weight * score for total, score in zip(totals, scores, strict=True)]
    best = max(totals)
    winners = [node for node, total in zip(feasible, totals, strict=True) if total == best]
    return Choice(winners[pick(len(winners)) if len(winners) > 1 else 0].name)


def prepare(
    pod: PodInfo, cluster: Cluster, plugins: Sequence[Plugin]
) -> list[tuple[str, NodeFilter]] | NoFit:
    """The filters of the plug-ins that have something to say; NoFit when one rejects the pod as a whole."""
    filters: list[tuple[str, NodeFilter]] = []
    for plugin in plugins:
        answer = plugin.filter(pod, cluster)
        if isinstance(answer, Rejection):
            text = f"0/{len(cluster)} nodes are available: {answer.text}."
            return NoFit(text, frozenset({plugin.name}), {})
        if answer is not None:
            filters.append((plugin.name, answer))
    return filters


def _filter(
    cluster: Cluster, filters: Sequence[tuple[str, NodeFilter]]
) -> tuple[list[NodeInfo], dict[str, tuple[Reason, ...]], frozenset[str]]:
    feasible: list[NodeInfo] = []
    why: dict[str, tuple[Reason, ...]] = {}
    rejectors: set[str] = set()
    for node in cluster:
        for name, fits in filters:
            reasons = fits(node)
            if reasons:
                why[node.name] = tuple(reasons)
                rejectors.add(name)
                break
        else:
            feasible.append(node)
    return feasible, why, frozenset(rejectors)


def message(total: int, why: dict[str, tuple[Reason, ...]]) -> str:
    """Upstream's words (framework.FitError): reasons counted and sorted."""
    counts = Counter(reason.text for reasons in why.values() for reason in reasons)
    listed = ", ".join(sorted(f"{count} {text}" for text, count in counts.items()))
    return f"0/{total} nodes are available: {listed}." if listed else f"0/{total} nodes are available:"


class Nominated:
    """While a pod is looked at, those of its priority or above that wait for their victims to go count as running."""

    def __init__(self, pod: PodInfo, cluster: Cluster) -> None:
        self._cluster = cluster
        self._added: list[tuple[NodeInfo, PodInfo]] = []
        for other, name in cluster.nominated.values():
            node = cluster.node(name)
            if node is not None and other.uid != pod.uid and other.priority >= pod.priority:
                self._added.append((node, other))

    def __enter__(self) -> None:
        for node, pod in self._added:
            node.add(pod)

    def __exit__(self, *_: object) -> None:
        for node, pod in self._added:
            node.remove(pod.uid)
