"""The gate that every scheduling plug-in passes, ours as anybody's.

A plug-in is asked once per pod and extension point and answers with a function over nodes, so that what it has to count
is counted once. Upstream's names: `filter` is PreFilter and Filter, `score` is PreScore, Score and NormalizeScore.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

MAX_SCORE: Final = 100

# cluster events that may make a pod schedulable
NODE_ADDED = "node added"
NODE_CHANGED = "node changed"
POD_ASSIGNED = "pod assigned"
POD_GONE = "pod gone"
STORAGE_CHANGED = "storage changed"


class Reason(NamedTuple):
    """Why a node does not fit. `resolvable`: removing pods from it might help."""

    text: str
    resolvable: bool = True


class Rejection(NamedTuple):
    """Why no node fits: the pod itself cannot be scheduled now."""

    text: str


NodeFilter: TypeAlias = Callable[[NodeInfo], Sequence[Reason]]


class Plugin(Protocol):
    """`wakes` names the cluster events after which a pod that this plug-in rejected is worth another try."""

    name: str
    weight: int
    wakes: frozenset[str]

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | Rejection | None:
        """None when the plug-in has nothing to say about this pod."""

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        """0 to MAX_SCORE for each node; None when it does not matter."""


def check(plugins: Sequence[Plugin]) -> None:
    """Raises ValueError naming both owners of a name that occurs twice."""
    seen: dict[str, Plugin] = {}
    for plugin in plugins:
        if plugin.name in seen:
            first, second = (
                f"{type(p).__module__}.{type(p).__qualname__}" for p in (seen[plugin.name], plugin)
            )
            raise ValueError(f"scheduler plug-in {plugin.name!r} is claimed by {first} and {second}")
        seen[plugin.name] = plugin


def normalized(raw: Sequence[int], *, reverse: bool = False) -> list[int]:
    """Scaled so that the largest becomes MAX_SCORE (helper.DefaultNormalizeScore)."""
    largest = max(raw, default=0)
    if largest == 0:
        return [MAX_SCORE if reverse else 0] * len(raw)
    scaled = [MAX_SCORE * value // largest for value in raw]
    return [MAX_SCORE - value for value in scaled] if reverse else scaled
