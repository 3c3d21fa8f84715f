"""Figures of the node and its pods: /stats/summary and /metrics/resource.

Shapes: k8s.io/kubelet pkg/apis/stats/v1alpha1, pkg/kubelet/metrics/collectors/resource_metrics.go.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sampan.node.agent.context import Context
from sampan.spec import cri

if TYPE_CHECKING:
    from sampan.node.agent.agent import Agent

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_cpu_nanoseconds() -> int:
    """CPU time of the machine since boot, all cores, without idling."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    ticks = [int(field) for field in fields]
    busy = sum(ticks[:8]) - ticks[3] - ticks[4]
    return busy * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def node_memory() -> tuple[int, int]:
    """(working set, available) in bytes."""
    values = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    available = values.get("MemAvailable", values.get("MemFree", 0))
    return values["MemTotal"] - available, available


def _cpu(usage: cri.CpuUsage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    shown: dict[str, Any] = {
        "time": _time(usage.timestamp),
        "usageCoreNanoSeconds": usage.usage_core_nano_seconds,
    }
    if usage.usage_nano_cores is not None:
        shown["usageNanoCores"] = usage.usage_nano_cores
    return {"cpu": shown}


def _memory(usage: cri.MemoryUsage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    shown: dict[str, Any] = {
        "time": _time(usage.timestamp),
        "workingSetBytes": usage.working_set_bytes,
        "usageBytes": usage.usage_bytes,
        "rssBytes": usage.rss_bytes,
        "pageFaults": usage.page_faults,
        "majorPageFaults": usage.major_page_faults,
    }
    if usage.available_bytes is not None:
        shown["availableBytes"] = usage.available_bytes
    return {"memory": shown}


async def summary(context: Context, agent: Agent) -> dict[str, Any]:
    """The whole summary; a pod whose figures cannot be had is left out."""
    now = time.time_ns()
    working, available = node_memory()
    pods = []
    for pod in await context.runtime.list_pod_sandbox_stats():
        meta = pod.attributes.metadata
        shown: dict[str, Any] = {
            "podRef": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "startTime": _time(now),
            "containers": [
                {
                    "name": c.attributes.metadata.name,
                    "startTime": _time(now),
                    **_cpu(c.cpu),
                    **_memory(c.memory),
                }
                for c in pod.containers
            ],
            **_cpu(pod.cpu),
            **_memory(pod.memory),
        }
        worker = agent.worker(meta.namespace, meta.name)
        if worker is not None and worker.look.sandbox is not None:
            shown["startTime"] = _time(worker.look.sandbox.created_at)
        if pod.network is not None and pod.network.default_interface is not None:
            port = pod.network.default_interface
            shown["network"] = {
                "time": _time(pod.network.timestamp),
                "name": port.name,
                "rxBytes": port.rx_bytes,
                "rxErrors": port.rx_errors,
                "txBytes": port.tx_bytes,
                "txErrors": port.tx_errors,
            }
        pods.append(shown)
    space = os.statvfs(context.config.root)
    return {
        "node": {
            "nodeName": context.config.node_name,
            "startTime": _time(now),
            "cpu": {"time": _time(now), "usageCoreNanoSeconds": node_cpu_nanoseconds()},
            "memory": {"time": _time(now), "workingSetBytes": working, "availableBytes": available},
            "fs": {
                "time": _time(now),
                "availableBytes": space.f_bavail * space.f_frsize,
                "capacityBytes": space.f_blocks * space.f_frsize,
                "usedBytes": (space.f_blocks - space.f_bfree) * space.f_frsize,
            },
        },
        "pods": pods,
    }


async def resource_metrics(context: Context) -> str:
    """Prometheus text of what metrics-server reads."""
    now = time.time_ns() // 1_000_000
    working, _ = node_memory()
    lines = [
        "# TYPE node_cpu_usage_seconds_total counter",
        f"node_cpu_usage_seconds_total {node_cpu_nanoseconds() / 1e9} {now}",
        "# TYPE node_memory_working_set_bytes gauge",
        f"node_memory_working_set_bytes {working} {now}",
    ]
    cpu = ["# TYPE container_cpu_usage_seconds_total counter"]
    memory = ["# TYPE container_memory_working_set_bytes gauge"]
    for pod in await context.runtime.list_pod_sandbox_stats():
        meta = pod.attributes.metadata
        for container in pod.containers:
            name = container.attributes.metadata.name
            names = f'container="{name}",namespace="{meta.namespace}",pod="{meta.name}"'
            if container.cpu is not None:
                seconds = container.cpu.usage_core_nano_seconds / 1e9
                cpu.append(f"container_cpu_usage_seconds_total{{{names}}} {seconds} {now}")
            if container.memory is not None:
                memory.append(
                    f"container_memory_working_set_bytes{{{names}}} {container.memory.working_set_bytes} {now}"
                )
    return "\n".join([*lines, *cpu, *memory]) + "\n"
