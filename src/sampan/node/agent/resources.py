"""Requests and limits to cgroup values; quality of service. Pure.

Constants: pkg/kubelet/cm/helpers_linux.go (shares, quota), pkg/apis/core/v1/helper/qos, pkg/kubelet/qos/policy.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sampan.api import quantity
from sampan.spec import cri

MIN_SHARES = 2
MAX_SHARES = 262144
QUOTA_PERIOD = 100_000
MIN_QUOTA = 1000
GUARANTEED_ADJ = -997
BEST_EFFORT_ADJ = 1000

Pod = Mapping[str, Any]


def milli(text: Any) -> int:
    """A quantity in thousandths: cpu "1.5" is 1500."""
    return quantity.parse(text).milli_value


def whole(text: Any) -> int:
    """A quantity in whole units: memory "1Ki" is 1024."""
    return quantity.parse(text).value


def all_containers(pod: Pod) -> list[Mapping[str, Any]]:
    """Init containers first, then the others, as upstream walks them."""
    spec = pod["spec"]
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def qos_class(pod: Pod) -> str:
    """Guaranteed, Burstable or BestEffort."""
    requested = False
    guaranteed = True
    for container in all_containers(pod):
        resources = container.get("resources") or {}
        requests = resources.get("requests") or {}
        limits = resources.get("limits") or {}
        for name in ("cpu", "memory"):
            limit = limits.get(name)
            request = requests.get(name, limit)
            if request is not None and milli(request) > 0:
                requested = True
            if limit is None or milli(limit) == 0 or milli(request) != milli(limit):
                guaranteed = False
            if limit is not None and milli(limit) > 0:
                requested = True
    if not requested:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def cgroup_parent(root: str, pod: Pod) -> str:
    """The pod's cgroup: ROOT/podUID for Guaranteed, ROOT/burstable/podUID and ROOT/besteffort/podUID."""
    qos = qos_class(pod)
    middle = "" if qos == "Guaranteed" else f"/{qos.lower()}"
    return f"{root}{middle}/pod{pod['metadata']['uid']}"


def shares(milli: int) -> int:
    return min(MAX_SHARES, max(MIN_SHARES, milli * 1024 // 1000))


def quota(milli: int) -> int:
    """CFS quota in microseconds for QUOTA_PERIOD; 0 for none."""
    return max(MIN_QUOTA, milli * QUOTA_PERIOD // 1000) if milli else 0


def oom_score_adj(pod: Pod, container: Mapping[str, Any], node_memory: int) -> int:
    qos = qos_class(pod)
    if qos == "Guaranteed":
        return GUARANTEED_ADJ
    if qos == "BestEffort":
        return BEST_EFFORT_ADJ
    requests = (container.get("resources") or {}).get("requests") or {}
    request = whole(requests.get("memory", 0))
    adjust = 1000 - (1000 * request) // max(1, node_memory)
    return max(1000 + GUARANTEED_ADJ, min(int(adjust), BEST_EFFORT_ADJ - 1))


def container_resources(
    pod: Pod, container: Mapping[str, Any], node_memory: int
) -> cri.LinuxContainerResources:
    """What the runtime writes into the container's cgroup."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    cpu_limit = milli(limits.get("cpu", 0))
    cpu_request = milli(requests["cpu"]) if "cpu" in requests else cpu_limit
    memory = whole(limits.get("memory", 0))
    return cri.LinuxContainerResources(
        cpu_period=QUOTA_PERIOD if cpu_limit else 0,
        cpu_quota=quota(cpu_limit),
        cpu_shares=shares(cpu_request),
        memory_limit_in_bytes=memory,
        oom_score_adj=oom_score_adj(pod, container, node_memory),
    )


def pod_totals(pod: Pod) -> dict[str, int]:
    """Effective requests of a pod: cpu in thousandths of a core, memory in bytes."""

    def of(container: Mapping[str, Any]) -> tuple[int, int]:
        requests = (container.get("resources") or {}).get("requests") or {}
        return milli(requests.get("cpu", 0)), whole(requests.get("memory", 0))

    def total(containers: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
        pairs = [of(c) for c in containers]
        return sum(p[0] for p in pairs), sum(p[1] for p in pairs)

    spec = pod["spec"]
    cpu, memory = total(spec.get("containers") or ())
    for container in spec.get("initContainers") or ():
        init_cpu, init_memory = of(container)
        cpu, memory = max(cpu, init_cpu), max(memory, init_memory)
    return {"cpu": cpu, "memory": memory}
