"""From `create` to Running through the whole cluster, as a client over TLS sees it, and pods a second.

    sudo python bench/pod_latency.py [--pods 30] [--burst 20]

One pod after the other: the clock starts when the watcher sees the pod ADDED (the API has it on disk) and stops when
the same watcher sees its phase Running; beside it the time from sending the create, and to Ready. Then a burst of pods
at once, and the end of all. The image is present; scheduler, admission, network and cgroups are those of every pod.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from typing import Any

import machine  # puts src and tests on the path

# isort: split
import clusters
from sampan import client
from sampan.api import kinds
from sampan.client import kubeconfig

PODS = kinds.of("v1", "Pod")


def pod(name: str) -> dict[str, Any]:
    main = {"name": "main", "image": "sampan.local/host", "command": ["sleep", "3600"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [main]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


class Seen:
    """When a watcher saw each pod added, scheduled, Running, Ready and gone, by the clock of this process."""

    def __init__(self) -> None:
        self.at: dict[str, dict[str, float]] = {}
        self._changed = asyncio.Event()

    async def watch(self, api: Any) -> None:
        async for event in api.watch(PODS, "default", resource_version="0"):
            if event.type == "BOOKMARK":
                continue
            now, marks = time.perf_counter(), self.at.setdefault(event.object["metadata"]["name"], {})
            status = event.object.get("status") or {}
            conditions = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
            marks.setdefault("added", now)
            if event.type == "DELETED":
                marks.setdefault("gone", now)
            if "PodScheduled" in conditions:
                marks.setdefault("scheduled", now)
            if status.get("phase") == "Running":
                marks.setdefault("running", now)
            if "Ready" in conditions:
                marks.setdefault("ready", now)
            self._changed.set()

    async def until(self, name: str, mark: str) -> None:
        async with asyncio.timeout(60):
            while mark not in self.at.get(name, {}):
                self._changed.clear()
                await self._changed.wait()


async def measure(cluster: clusters.Cluster, options: argparse.Namespace) -> None:
    async with client.connect(kubeconfig.load([cluster.kubeconfig])) as api:
        seen = Seen()
        watching = asyncio.create_task(seen.watch(api))
        await one_by_one(api, seen, options.pods)
        await burst(api, seen, options.burst)
        watching.cancel()


async def one_by_one(api: Any, seen: Seen, count: int) -> None:
    sent: dict[str, float] = {}
    for name in [f"warm-{number}" for number in range(3)] + [f"pod-{number}" for number in range(count)]:
        sent[name] = time.perf_counter()
        await api.create(PODS, pod(name), "default")
        await seen.until(name, "ready")
        await api.delete(PODS, name, "default")
        await seen.until(name, "gone")
        await asyncio.sleep(0.1)  # the end of one is not the beginning of the next
    rows = [seen.at[name] | {"sent": sent[name]} for name in sent if name.startswith("pod-")]
    for first, last in (
        ("sent", "added"),
        ("added", "scheduled"),
        ("scheduled", "running"),
        ("added", "ready"),
    ):
        spans = [1000 * (row[last] - row[first]) for row in rows]
        print(f"    {first} to {last}: {machine.spread(spans)} ms")
    spans = [1000 * (row["running"] - row["added"]) for row in rows]
    print(f"    added to running: {machine.spread(spans)} ms")
    machine.report(
        "create seen by the API to Running seen by a watcher, p50", statistics.median(spans), "ms", 100
    )


async def burst(api: Any, seen: Seen, count: int) -> None:
    names = [f"burst-{number}" for number in range(count)]
    began = time.perf_counter()
    await asyncio.gather(*(api.create(PODS, pod(name), "default") for name in names))
    await asyncio.gather(*(seen.until(name, "running") for name in names))
    machine.report(f"{count} pods at once: Running", count / (time.perf_counter() - began), "pods/s")
    began = time.perf_counter()
    await asyncio.gather(*(api.delete(PODS, name, "default") for name in names))
    await asyncio.gather(*(seen.until(name, "gone") for name in names))
    machine.report(f"{count} pods at once: gone", count / (time.perf_counter() - began), "pods/s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pods", type=int, default=30)
    parser.add_argument("--burst", type=int, default=20)
    options = parser.parse_args()
    print(machine.facts())
    cluster = clusters.make("bench")
    port = machine.reserve(cluster)
    try:
        cluster.up(port)
        clusters.eventually(lambda: cluster.kubectl("get", "sa", "default", code=None).code == 0)
        asyncio.run(measure(cluster, options))
    finally:
        clusters.stop(cluster)


if __name__ == "__main__":
    main()
