"""Nodes that pretend: pods bound to them run at once, end as their command says, and go when they are deleted."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import SystemClock
from sampan.base.aio.tasks import Tasks
from sampan.client.cache import Informers, key_of
from sampan.client.rest import Client
from sampan.control.timestamps import stamp

Object = dict[str, Any]

PODS = kinds.of("v1", "Pod")
NODES = kinds.of("v1", "Node")
ENDS = {"true": "Succeeded", "false": "Failed"}


class Nodes:
    """`broken` holds image names whose containers never become ready."""

    def __init__(self, client: Client, names: tuple[str, ...]) -> None:
        self._client = client
        self._names = names
        self._addresses = itertools.count(2)
        self.broken: set[str] = set()

    async def register(self) -> None:
        for number, name in enumerate(self._names, 1):
            labels = {"kubernetes.io/hostname": name}
            try:
                await self._client.create(NODES, {"metadata": {"name": name, "labels": labels}})
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
            room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
            now = stamp(SystemClock().now())
            ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": now, "lastTransitionTime": now}
            addresses = [{"type": "InternalIP", "address": f"192.0.2.{number}"}]
            status = {"capacity": room, "allocatable": room, "conditions": [ready], "addresses": addresses}
            await self._client.patch(NODES, name, {"status": status}, subresource="status")

    async def run(self) -> None:
        changed: asyncio.Queue[str] = asyncio.Queue()
        async with Informers(self._client) as informers, Tasks("nodes") as tasks:
            store = informers.of(PODS)
            store.on_change(lambda old, new: changed.put_nowait(key_of(new)) if new else None)
            informers.start()
            while True:
                pod = store.get(await changed.get())
                if pod is not None and pod["spec"].get("nodeName") in self._names:
                    tasks.spawn(key_of(pod), self._sync(pod))

    async def _sync(self, pod: Object) -> None:
        meta = pod["metadata"]
        try:
            if meta.get("deletionTimestamp"):
                await self._client.delete(PODS, meta["name"], meta["namespace"], grace_period=0)
            elif pod["status"].get("phase") == "Pending":
                status = self._started(pod)
                await self._client.patch(
                    PODS, meta["name"], {"status": status}, meta["namespace"], subresource="status"
                )
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _started(self, pod: Object) -> Object:
        now = stamp(SystemClock().now())
        first = pod["spec"]["containers"][0]
        phase = ENDS.get((first.get("command") or [""])[0], "Running")
        ready = "True" if phase == "Running" and first["image"] not in self.broken else "False"
        ip = f"10.1.0.{next(self._addresses)}"
        kept = [c for c in pod["status"].get("conditions") or () if c["type"] == "PodScheduled"]
        conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": now}, *kept]
        return {
            "phase": phase,
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "startTime": now,
            "conditions": conditions,
        }
