"""ImageLocality: nodes that hold a pod's large images already are preferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import MAX_SCORE
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

SMALL: Final = 23 * 1024 * 1024  # below this an image is not worth a thought
LARGE: Final = 1000 * 1024 * 1024  # per container


class ImageLocality:
    name = "ImageLocality"
    weight = 1
    wakes: frozenset[str] = frozenset()

    def filter(self, pod: PodInfo, cluster: Cluster) -> None:
        return None

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        containers = [*(pod.spec.get("initContainers") or ()), *(pod.spec.get("containers") or ())]
        wanted = [_normalized(c.get("image", "")) for c in containers]
        sizes = [_sizes(node, wanted) for node in nodes]
        if not any(sizes):
            return None
        spread = Counter(name for held in sizes for name in held)
        most = LARGE * max(1, len(containers))
        scores = []
        for held in sizes:
            total = int(sum(size * spread[name] / len(nodes) for name, size in held.items()))
            scores.append(MAX_SCORE * (max(SMALL, min(total, most)) - SMALL) // (most - SMALL))
        return scores


def _sizes(node: NodeInfo, wanted: Sequence[str]) -> dict[str, int]:
    return {
        name: int(image.get("sizeBytes") or 0)
        for image in (node.obj.get("status") or {}).get("images") or ()
        for name in image.get("names") or ()
        if name in wanted
    }


def _normalized(image: str) -> str:
    """With a tag, as node statuses list them."""
    return image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"
