"""Pods and nodes as the scheduler reads them: parsed once, compared often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sampan.api import quantity
from sampan.api.selector.labels import EVERYTHING, NOTHING, Requirement, Selector
from sampan.control.timestamps import parse_or

Object = dict[str, Any]

CPU: Final = "cpu"  # counted in thousandths
MEMORY: Final = "memory"
PODS: Final = "pods"
# what a container counts for in scores when it asks for nothing (pkg/scheduler/util/pod_resources.go)
DEFAULT_CPU: Final = 100
DEFAULT_MEMORY: Final = 200 * 1024 * 1024


def amount(name: str, text: Any) -> int:
    parsed = quantity.parse(text)
    return parsed.milli_value if name == CPU else parsed.value


def amounts(listed: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: amount(name, text) for name, text in (listed or {}).items()}


class Term(NamedTuple):
    """One pod (anti-)affinity term."""

    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector
    topology_key: str
    weight: int = 0

    def matches(self, pod: PodInfo, namespace_labels: Mapping[str, Mapping[str, str]]) -> bool:
        if pod.namespace not in self.namespaces and not (
            self.namespace_selector is not NOTHING
            and self.namespace_selector.matches(namespace_labels.get(pod.namespace))
        ):
            return False
        return self.selector.matches(pod.labels)


class PodInfo:
    """A pod; `node` is where it runs or is assumed to run."""

    __slots__ = (
        "affinity",
        "anti_affinity",
        "cpu_score",
        "key",
        "labels",
        "memory_score",
        "name",
        "namespace",
        "node",
        "obj",
        "ports",
        "preferred",
        "priority",
        "requests",
        "uid",
    )

    def __init__(self, obj: Object, node: str = "") -> None:
        meta, spec = obj["metadata"], obj["spec"]
        self.obj = obj
        self.name: str = meta["name"]
        self.namespace: str = meta.get("namespace", "")
        self.key = f"{self.namespace}/{self.name}"
        self.uid: str = meta.get("uid") or self.key
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.node: str = node or spec.get("nodeName") or ""
        self.priority = int(spec.get("priority") or 0)
        self.requests = requests_of(spec)
        self.cpu_score, self.memory_score = _score_requests(spec, self.requests)
        self.ports = tuple(_host_ports(spec))
        affinity = spec.get("affinity") or {}
        self.affinity = _required(affinity.get("podAffinity"), self)
        self.anti_affinity = _required(affinity.get("podAntiAffinity"), self)
        self.preferred = (
            *_preferred(affinity.get("podAffinity"), self, 1),
            *_preferred(affinity.get("podAntiAffinity"), self, -1),
        )

    @property
    def spec(self) -> Object:
        found: Object = self.obj["spec"]
        return found

    @property
    def created(self) -> float:
        return parse_or(self.obj["metadata"].get("creationTimestamp"), 0.0)

    @property
    def has_affinity(self) -> bool:
        return bool(self.affinity or self.anti_affinity or self.preferred)


class NodeInfo:
    """A node and the sums of what runs on it."""

    __slots__ = (
        "allocatable",
        "cpu_score",
        "labels",
        "memory_score",
        "name",
        "obj",
        "pods",
        "ports",
        "requested",
        "taints",
        "with_affinity",
        "with_anti_affinity",
    )

    def __init__(self, obj: Object) -> None:
        self.pods: dict[str, PodInfo] = {}
        self.with_affinity: dict[str, PodInfo] = {}
        self.with_anti_affinity: dict[str, PodInfo] = {}
        self.requested: Counter[str] = Counter()
        self.cpu_score = 0
        self.memory_score = 0
        self.ports: Counter[tuple[str, str, int]] = Counter()
        self.name: str = obj["metadata"]["name"]
        self.read(obj)

    def read(self, obj: Object) -> None:
        """Takes a newer state of the node; its pods stay."""
        self.obj = obj
        self.labels: dict[str, str] = obj["metadata"].get("labels") or {}
        self.taints: list[Object] = obj["spec"].get("taints") or []
        self.allocatable = amounts((obj.get("status") or {}).get("allocatable"))

    def add(self, pod: PodInfo) -> None:
        self.pods[pod.uid] = pod
        self.requested.update(pod.requests)
        self.cpu_score += pod.cpu_score
        self.memory_score += pod.memory_score
        self.ports.update(pod.ports)
        if pod.has_affinity:
            self.with_affinity[pod.uid] = pod
        if pod.anti_affinity:
            self.with_anti_affinity[pod.uid] = pod

    def remove(self, uid: str) -> PodInfo | None:
        pod = self.pods.pop(uid, None)
        if pod is None:
            return None
        self.requested.subtract(pod.requests)
        self.cpu_score -= pod.cpu_score
        self.memory_score -= pod.memory_score
        self.ports.subtract(pod.ports)
        self.ports += Counter()  # drops what is zero
        self.with_affinity.pop(uid, None)
        self.with_anti_affinity.pop(uid, None)
        return pod


def requests_of(spec: Object) -> dict[str, int]:
    """What a pod asks of a node: the larger of its containers together and of any moment of its start.

    k8s.io/component-helpers resource.PodRequests: sidecars count from their start on, overhead is added, requests of the
    pod as a whole take the place of the sums.
    """
    total: Counter[str] = Counter()
    for container in spec.get("containers") or ():
        total.update(_of_container(container))
    running: Counter[str] = Counter()
    peak: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        asked = _of_container(container)
        if container.get("restartPolicy") == "Always":
            total.update(asked)
            running.update(asked)
            peak |= running
        else:
            peak |= running + Counter(asked)
    total |= peak
    whole = amounts((spec.get("resources") or {}).get("requests"))
    result = {**total, **whole}
    for name, value in amounts(spec.get("overhead")).items():
        result[name] = result.get(name, 0) + value
    return {name: value for name, value in result.items() if value}


def _of_container(container: Object) -> dict[str, int]:
    return amounts((container.get("resources") or {}).get("requests"))


def _score_requests(spec: Object, requests: Mapping[str, int]) -> tuple[int, int]:
    cpu, memory = requests.get(CPU, 0), requests.get(MEMORY, 0)
    if "resources" not in spec:
        for container in spec.get("containers") or ():
            asked = (container.get("resources") or {}).get("requests") or {}
            cpu += 0 if CPU in asked else DEFAULT_CPU
            memory += 0 if MEMORY in asked else DEFAULT_MEMORY
    return cpu, memory


def _host_ports(spec: Object) -> Iterable[tuple[str, str, int]]:
    """(address, protocol, port) of each host port; 0.0.0.0 stands for every address."""
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", int(port["hostPort"])  # noqa: S104


def _required(affinity: Object | None, pod: PodInfo) -> tuple[Term, ...]:
    listed = (affinity or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(each, pod, 0) for each in listed)


def _preferred(affinity: Object | None, pod: PodInfo, sign: int) -> Iterable[Term]:
    for each in (affinity or {}).get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield _term(each["podAffinityTerm"], pod, sign * int(each["weight"]))


def _term(term: Object, pod: PodInfo, weight: int) -> Term:
    selector = Selector.from_object(term.get("labelSelector"))
    extra = [
        Requirement(key, op, (pod.labels[key],))
        for name, op in (("matchLabelKeys", "in"), ("mismatchLabelKeys", "notin"))
        for key in term.get(name) or ()
        if key in pod.labels
    ]
    if extra and selector.requirements is not None:
        selector = Selector((*selector.requirements, *extra))
    given = term.get("namespaces") or ()
    over = term.get("namespaceSelector")
    spaces = frozenset(given) if given or over is not None else frozenset((pod.namespace,))
    by_label = NOTHING if over is None else Selector.from_object(over) if over else EVERYTHING
    return Term(selector, spaces, by_label, term["topologyKey"], weight)
