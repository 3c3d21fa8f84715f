"""What runs where, pods that are assumed to be bound included; kept current by single changes."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sampan.api.selector.labels import Selector
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

Object = dict[str, Any]

TALLIES: Final = 512  # selectors whose matches per node are kept counted


class Tally:
    """How many pods of a namespace match a selector, per node."""

    __slots__ = ("namespace", "per_node", "selector")

    def __init__(self, namespace: str, selector: Selector, cluster: Cluster) -> None:
        self.namespace = namespace
        self.selector = selector
        self.per_node: Counter[str] = Counter()
        for node in cluster:
            for pod in node.pods.values():
                self.count(pod, 1)

    def count(self, pod: PodInfo, by: int) -> None:
        if pod.namespace != self.namespace or pod.obj["metadata"].get("deletionTimestamp"):
            return
        if self.selector.matches(pod.labels):
            self.per_node[pod.node] += by


class Cluster:
    """Nodes by name. Changes go through the methods, so that all sums stay right."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._homeless: dict[str, dict[str, PodInfo]] = {}  # pods whose node is not known (yet)
        self._pods: dict[str, PodInfo] = {}
        self._tallies: OrderedDict[tuple[str, Selector], Tally] = OrderedDict()
        self.namespaces: dict[str, Mapping[str, str]] = {}  # labels by name
        self.nominated: dict[str, tuple[PodInfo, str]] = {}  # by uid, the node a preemptor waits for

    def __iter__(self) -> Iterator[NodeInfo]:
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, name: str) -> NodeInfo | None:
        return self._nodes.get(name)

    def pod(self, uid: str) -> PodInfo | None:
        return self._pods.get(uid)

    def set_node(self, obj: Object) -> None:
        name = obj["metadata"]["name"]
        known = self._nodes.get(name)
        if known is not None:
            known.read(obj)
            return
        made = self._nodes[name] = NodeInfo(obj)
        for pod in self._homeless.pop(name, {}).values():
            made.add(pod)
            self._tally(pod, 1)

    def remove_node(self, name: str) -> None:
        node = self._nodes.pop(name, None)
        if node is not None and node.pods:
            for pod in node.pods.values():
                self._tally(pod, -1)
            self._homeless[name] = dict(node.pods)

    def set_pod(self, pod: PodInfo) -> None:
        """A pod that has a node, bound or assumed."""
        self.remove_pod(pod.uid)
        self._pods[pod.uid] = pod
        node = self._nodes.get(pod.node)
        if node is None:
            self._homeless.setdefault(pod.node, {})[pod.uid] = pod
            return
        node.add(pod)
        self._tally(pod, 1)

    def remove_pod(self, uid: str) -> PodInfo | None:
        pod = self._pods.pop(uid, None)
        if pod is None:
            return None
        node = self._nodes.get(pod.node)
        if node is not None:
            node.remove(uid)
            self._tally(pod, -1)
        elif (homeless := self._homeless.get(pod.node)) is not None:
            homeless.pop(uid, None)
            if not homeless:
                del self._homeless[pod.node]
        return pod

    def tally(self, namespace: str, selector: Selector) -> Mapping[str, int]:
        """Pods of the namespace that match, per node; 0 where there are none."""
        key = (namespace, selector)
        found = self._tallies.get(key)
        if found is None:
            found = self._tallies[key] = Tally(namespace, selector, self)
            if len(self._tallies) > TALLIES:
                self._tallies.popitem(last=False)
        else:
            self._tallies.move_to_end(key)
        return found.per_node

    def _tally(self, pod: PodInfo, by: int) -> None:
        for tally in self._tallies.values():
            tally.count(pod, by)
