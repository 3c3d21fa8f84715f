"""The Node object of this machine. Pure but for `machine`, which reads /proc once.

Fields: pkg/kubelet/nodestatus/setters.go; reserved names and labels: k8s.io/api/core/v1 well_known_labels.go.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sampan.node.agent.config import Config

Object = dict[str, Any]
LEASE_SECONDS = 40
PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Machine(NamedTuple):
    """Facts that do not change while the machine runs. `memory` and `disk` in bytes."""

    cpus: int
    memory: int
    disk: int
    machine_id: str
    boot_id: str
    kernel: str
    os_image: str
    architecture: str
    swap: int = 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def machine(config: Config) -> Machine:
    """What /proc and /etc tell; figures in the configuration win."""
    memory = swap = 0
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "MemTotal":
                memory = int(rest.split()[0]) * 1024
            elif name == "SwapTotal":
                swap = int(rest.split()[0]) * 1024
    except OSError:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    release = {}
    for line in _text("/etc/os-release").splitlines():
        key, _, text = line.partition("=")
        release[key] = text.strip('"')
    space = os.statvfs(config.root)
    arch = platform.machine()
    return Machine(
        cpus=config.cpus or len(os.sched_getaffinity(0)),
        memory=config.memory or memory,
        disk=space.f_blocks * space.f_frsize,
        machine_id=_text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        kernel=platform.release(),
        os_image=release.get("PRETTY_NAME", platform.system()),
        architecture=_ARCHITECTURES.get(arch, arch),
        swap=swap,
    )


def labels(config: Config, facts: Machine) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": facts.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": facts.architecture,
        "kubernetes.io/hostname": config.node_name,
        "kubernetes.io/os": "linux",
        **config.labels,
    }


def resources(config: Config, facts: Machine) -> dict[str, str]:
    return {
        "cpu": str(facts.cpus),
        "ephemeral-storage": f"{facts.disk // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{facts.memory // 1024}Ki",
        "pods": str(config.max_pods),
    }


def node(config: Config, facts: Machine) -> Object:
    """The object as it is registered, without status."""
    spec: Object = {}
    if config.pod_cidrs:
        spec = {"podCIDR": config.pod_cidrs[0], "podCIDRs": list(config.pod_cidrs)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": config.node_name,
            "labels": labels(config, facts),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": spec,
    }


def status(
    config: Config,
    facts: Machine,
    *,
    now: str,
    port: int,
    before: Sequence[Mapping[str, Any]],
    ready: bool,
    why: str,
    runtime: str,
    images: Sequence[Object] = (),
) -> Object:
    """The whole status. `why` says what keeps the node from being ready; `runtime` is NAME://VERSION."""
    conditions = [
        _condition(before, kind, "False", reason, message, now) for kind, reason, message in PRESSURES
    ]
    if ready:
        conditions.append(
            _condition(before, "Ready", "True", "KubeletReady", "kubelet is posting ready status", now)
        )
    else:
        conditions.append(_condition(before, "Ready", "False", "KubeletNotReady", why, now))
    return {
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in config.addresses),
            {"type": "Hostname", "address": config.node_name},
        ],
        "allocatable": resources(config, facts),
        "capacity": resources(config, facts),
        "conditions": conditions,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "images": list(images),
        "nodeInfo": {
            "architecture": facts.architecture,
            "bootID": facts.boot_id,
            "containerRuntimeVersion": runtime,
            "kernelVersion": facts.kernel,
            "kubeProxyVersion": "",
            "kubeletVersion": config.version,
            "machineID": facts.machine_id,
            "operatingSystem": "linux",
            "osImage": facts.os_image,
            "systemUUID": facts.machine_id,
        },
    }


def _condition(
    before: Sequence[Mapping[str, Any]], kind: str, value: str, reason: str, message: str, now: str
) -> Object:
    old = next((c for c in before if c.get("type") == kind), None)
    since = old["lastTransitionTime"] if old and old.get("status") == value else now
    return {
        "type": kind,
        "status": value,
        "lastHeartbeatTime": now,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }
