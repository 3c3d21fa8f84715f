"""The component: the API's pods and nodes into the cluster and the queue, decisions back as bindings."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio.clock import Clock, SystemClock
from sampan.base.aio.tasks import Tasks
from sampan.client.cache import Informers
from sampan.client.rest import STRATEGIC_MERGE_PATCH, Client
from sampan.control.events import Recorder
from sampan.control.timestamps import stamp
from sampan.control_plane.scheduler import framework, plugins, preemption
from sampan.control_plane.scheduler.binding import Binder
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.cycle import Choice, NoFit, decide
from sampan.control_plane.scheduler.framework import Plugin
from sampan.control_plane.scheduler.model import PodInfo
from sampan.control_plane.scheduler.queue import Queue, Waiting
from sampan.control_plane.scheduler.storage import Storage

log = logging.getLogger(__name__)

Object = dict[str, Any]

PODS: Final = kinds.of("v1", "Pod")
NODES: Final = kinds.of("v1", "Node")
NAMESPACES: Final = kinds.of("v1", "Namespace")
BUDGETS: Final = kinds.of("policy/v1", "PodDisruptionBudget")
IN_FLIGHT: Final = 1024  # pods that are decided and whose outcome is not written yet; some wait for volumes
CALLS: Final = 32  # requests at once


class Config(NamedTuple):
    """`name` is what pods say in schedulerName. `more` plug-ins run after ours."""

    name: str = "default-scheduler"
    host: str = ""
    more: tuple[Plugin, ...] = ()


async def run(
    client: Client,
    config: Config,
    started: Callable[[], None],
    *,
    informers: Informers | None = None,
    clock: Clock | None = None,
    pick: Callable[[int], int] = random.randrange,
) -> None:
    """Until cancelled. With `informers` the caller's copies are used, and the caller stops them."""
    time = clock or SystemClock()
    shared = informers if informers is not None else Informers(client, clock=clock)
    scheduler = Scheduler(client, config, shared, time, pick)
    try:
        async with Tasks("scheduler") as tasks:
            tasks.keep("events", scheduler.recorder.run, clock=time)
            shared.start()
            await shared.wait_synced()
            scheduler.connect()
            tasks.spawn("cycle", scheduler.run(tasks), vital=True)
            started()
            await tasks.wait()
    finally:
        scheduler.queue.close()
        if informers is None:
            await shared.stop()


class Scheduler:
    """Handlers feed it, `run` drains it."""

    def __init__(
        self, client: Client, config: Config, informers: Informers, clock: Clock, pick: Callable[[int], int]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        self._pick = pick
        self._informers = informers
        self.cluster = Cluster()
        self.queue = Queue(clock)
        self.recorder = Recorder(client, clock, config.name, config.host)
        self.storage = Storage(informers)
        self.plugins: Sequence[Plugin] = (*plugins.default(self.storage), *config.more)
        framework.check(self.plugins)
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._calls = asyncio.Semaphore(CALLS)
        self._binder = Binder(client, self.storage, self.recorder, self._calls)
        self._budgets = informers.of(BUDGETS)
        for resource in (PODS, NODES, NAMESPACES):
            informers.of(resource)

    def connect(self) -> None:
        """Takes what the informers hold and follows them: namespaces and nodes before the pods on them."""
        self._informers.of(NAMESPACES).on_change(self._on_namespace)
        self._informers.of(NODES).on_change(self._on_node)
        self.storage.on_change(lambda: self._wake(framework.STORAGE_CHANGED))
        self._informers.of(PODS).on_change(self._on_pod)

    async def run(self, tasks: Tasks) -> None:
        while True:
            await self._slots.acquire()
            waiting = await self.queue.pop()
            tasks.spawn(f"pod {waiting.pod.key}", self._finish(self._decide(waiting)))
            await asyncio.sleep(0)

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._slots.release()

    # --- one pod

    def _decide(self, waiting: Waiting) -> Coroutine[Any, Any, None]:
        """Decides at once and returns what is left to do with the API."""
        pod = waiting.pod
        result = decide(pod, self.cluster, self.plugins, self._pick)
        if isinstance(result, Choice):
            placed = PodInfo(pod.obj, result.node)
            self.cluster.set_pod(placed)
            self.cluster.nominated.pop(pod.uid, None)
            return self._bind(waiting, placed)
        return self._reject(waiting, result)

    async def _bind(self, waiting: Waiting, pod: PodInfo) -> None:
        try:
            await self._binder.bind(pod)
        except (ApiError, TimeoutError) as error:
            self.cluster.remove_pod(pod.uid)
            if isinstance(error, ApiError) and error.code == 404:
                self.queue.remove(pod.uid)
                return
            self.queue.retry(waiting)
            log.info("binding %s to %s failed and is tried again: %s", pod.key, pod.node, error)
            self.recorder.emit(pod.obj, "Warning", "FailedScheduling", f"binding rejected: {error}")

    def _reject(self, waiting: Waiting, why: NoFit) -> Coroutine[Any, Any, None]:
        pod, text = waiting.pod, why.message
        victims: preemption.Victims | None = None
        if why.nodes:
            answer = preemption.preempt(pod, self.cluster, self.plugins, why, self._budgets)
            if isinstance(answer, preemption.Victims):
                victims = answer
                self.cluster.nominated[pod.uid] = (pod, answer.node)
                text += (
                    f" preemption: found a potential placement for pod on node {answer.node}, "
                    f"preempting {len(answer.pods)} victims"
                )
            else:
                text += f" {answer.text}"
        self.queue.unschedulable(waiting, why.rejectors)
        self.recorder.emit(pod.obj, "Warning", "FailedScheduling", text)
        return self._tell(pod, text, victims)

    async def _tell(self, pod: PodInfo, text: str, victims: preemption.Victims | None) -> None:
        """The pod's condition, and the end of the victims."""
        try:
            async with self._calls:
                for victim in victims.pods if victims else ():
                    await self._evict(pod, victim)
                await self._write_condition(pod, text, victims.node if victims else "")
        except ApiError as error:
            if error.code != 404:
                log.warning("status of %s is not written: %s", pod.key, error)

    async def _write_condition(self, pod: PodInfo, text: str, node: str) -> None:
        status = pod.obj.get("status") or {}
        held: Object = next((c for c in status.get("conditions") or () if c["type"] == "PodScheduled"), {})
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}
        same = all(held.get(key) == value for key, value in condition.items())
        if same and node in ("", status.get("nominatedNodeName", "")):
            return
        changed = held["lastTransitionTime"] if held.get("status") == "False" else stamp(self._clock.now())
        body: Object = {"conditions": [condition | {"lastTransitionTime": changed}]}
        if node:
            body["nominatedNodeName"] = node
        await self._patch_status(pod, body)

    async def _evict(self, pod: PodInfo, victim: PodInfo) -> None:
        text = f"Preempted by pod {pod.uid} on node {victim.node}"
        self.recorder.emit(victim.obj, "Normal", "Preempted", text)
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{self._config.name}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": stamp(self._clock.now()),
        }
        try:
            await self._patch_status(victim, {"conditions": [condition]})
            guard = {"uid": victim.uid}
            await self._client.delete(PODS, victim.name, victim.namespace, preconditions=guard)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _patch_status(self, pod: PodInfo, status: Object) -> None:
        body = {"metadata": {"uid": pod.uid}, "status": status}
        await self._client.patch(
            PODS,
            pod.name,
            body,
            pod.namespace,
            content_type=STRATEGIC_MERGE_PATCH,
            subresource="status",
            field_manager=self._config.name,
        )

    # --- what the API tells

    def _on_pod(self, old: Object | None, new: Object | None) -> None:
        if new is None or (new.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            self._pod_gone(new or old or {})
            return
        uid = new["metadata"]["uid"]
        if new["spec"].get("nodeName"):
            self.queue.remove(uid)
            self.cluster.nominated.pop(uid, None)
            known = self.cluster.pod(uid)
            if known is None or old is None or _matters(old, new) or known.node != new["spec"]["nodeName"]:
                self.cluster.set_pod(PodInfo(new))
                self._wake(framework.POD_ASSIGNED)
            else:
                known.obj = new
        elif self.cluster.pod(uid) is None:  # else it is being bound
            self._pod_pending(old, new)

    def _pod_pending(self, old: Object | None, new: Object) -> None:
        meta, spec = new["metadata"], new["spec"]
        ours = spec.get("schedulerName", "default-scheduler") == self._config.name
        if not ours or spec.get("schedulingGates") or meta.get("deletionTimestamp"):
            self.queue.remove(meta["uid"])
            return
        pod = PodInfo(new)
        if old is not None and self.queue.holds(meta["uid"]) and not _matters(old, new):
            self.queue.refresh(pod)
        else:
            self.queue.add(pod)

    def _pod_gone(self, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        self.queue.remove(uid)
        self.cluster.nominated.pop(uid, None)
        if self.cluster.remove_pod(uid) is not None:
            self._wake(framework.POD_GONE)

    def _on_node(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self.cluster.remove_node(old["metadata"]["name"])
            return
        self.cluster.set_node(new)
        if old is None:
            self._wake(framework.NODE_ADDED)
        elif _shown(old) != _shown(new):
            self._wake(framework.NODE_CHANGED)

    def _on_namespace(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.cluster.namespaces[new["metadata"]["name"]] = new["metadata"].get("labels") or {}
        elif old is not None:
            self.cluster.namespaces.pop(old["metadata"]["name"], None)

    def _wake(self, event: str) -> None:
        self.queue.wake(frozenset(plugin.name for plugin in self.plugins if event in plugin.wakes))


def _matters(old: Object, new: Object) -> bool:
    """Whether a change may change where a pod can go; its status may not."""
    before, after = old["metadata"], new["metadata"]
    return bool(
        old["spec"] != new["spec"]
        or before.get("labels") != after.get("labels")
        or before.get("deletionTimestamp") != after.get("deletionTimestamp")
    )


def _shown(node: Object) -> Iterable[Any]:
    """All of a node that plug-ins look at; heartbeats are not among it."""
    spec, status = node["spec"], node.get("status") or {}
    return (
        node["metadata"].get("labels"),
        spec.get("taints"),
        spec.get("unschedulable"),
        status.get("allocatable"),
    )
