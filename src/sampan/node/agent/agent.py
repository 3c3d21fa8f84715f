"""The pods of this node: one worker per pod, fed by the API, the runtime's events, and what an earlier agent left."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sampan.base.aio import Backoff
from sampan.node.agent import logs, translate
from sampan.node.agent.context import Context
from sampan.node.agent.worker import Worker
from sampan.spec import cri

log = logging.getLogger(__name__)

Object = Mapping[str, Any]
ROTATE_EVERY = 10.0


class Agent:
    """`apply` and `gone` are the API's news; `run` keeps the runtime's."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._workers: dict[str, Worker] = {}

    def worker(self, namespace: str, name: str) -> Worker | None:
        """The worker of a pod by name, for the server; the newest one if an older namesake is still ending."""
        found = [
            w
            for w in self._workers.values()
            if w.pod["metadata"]["namespace"] == namespace and w.pod["metadata"]["name"] == name
        ]
        return found[-1] if found else None

    @property
    def workers(self) -> list[Worker]:
        return list(self._workers.values())

    # -- news of the API

    def changed(self, old: Object | None, new: Object | None) -> None:
        """An informer's handler: a pod of the same name with another uid is another pod."""
        if old is not None and (new is None or old["metadata"]["uid"] != new["metadata"]["uid"]):
            worker = self._workers.get(old["metadata"]["uid"])
            if worker is not None:
                worker.remove()
        if new is not None:
            self._apply(new)

    def _apply(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker is not None:
            worker.update(pod)
            return
        self._workers[uid] = worker = Worker(self._context, pod)
        task = self._context.tasks.spawn(f"pod/{worker.name}", worker.run())
        task.add_done_callback(lambda _: self._workers.pop(uid, None))

    # -- news of the runtime

    def wake(self, uid: str) -> None:
        if worker := self._workers.get(uid):
            worker.wake()

    async def follow_runtime(self) -> None:
        """Wakes the worker whose containers changed; all of them after a gap."""
        backoff = Backoff(first=0.05, cap=5.0)
        while True:
            try:
                async for event in self._context.runtime.events():
                    backoff.reset()
                    if event.pod_sandbox_status is not None:
                        self.wake(event.pod_sandbox_status.metadata.uid)
                    else:
                        self._wake_all()
            except cri.Error as error:
                log.warning("events of the runtime: %s, listens again", error.message)
            self._wake_all()
            await self._context.clock.sleep(backoff.next())

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.wake()

    async def sweep(self) -> None:
        """Ends what runs in the runtime for pods that the API does not know (any more)."""
        runtime = self._context.runtime
        for sandbox in await runtime.list_pod_sandbox():
            uid = sandbox.labels.get(translate.POD_UID, sandbox.metadata.uid)
            if uid in self._workers:
                continue
            meta = sandbox.metadata
            log.info("pod %s/%s (%s) is not in the API, it ends", meta.namespace, meta.name, uid)
            try:
                await runtime.stop_pod_sandbox(sandbox.id)
                await runtime.remove_pod_sandbox(sandbox.id)
            except cri.Error as error:
                log.warning("sandbox %s cannot be removed: %s", sandbox.id, error.message)
        from sampan.node.agent.volumes import volumes

        folder = self._context.config.root / "pods"
        for left in folder.iterdir() if folder.is_dir() else ():
            if left.name not in self._workers:
                volumes.remove(left)

    async def rotate_logs(self) -> None:
        """Moves logs that have grown too big aside."""
        while True:
            await self._context.clock.sleep(ROTATE_EVERY)
            for worker in self.workers:
                meta = worker.pod["metadata"]
                folder = self._context.config.log_dir(meta["namespace"], meta["name"], meta["uid"])
                for name, history in worker.look.containers.items():
                    newest = history[0]
                    path = folder / name / f"{newest.metadata.attempt}.log"
                    if newest.state == cri.ContainerState.CONTAINER_RUNNING and logs.rotate(path):
                        await self._context.runtime.reopen_container_log(newest.id)


async def why_not_ready(runtime: cri.Runtime) -> str:
    """What keeps the runtime from being ready, "" when nothing does."""
    answer = await runtime.status()
    return "; ".join(f"{c.type}: {c.message or c.reason}" for c in answer.conditions if not c.status)


def resolv_conf(text: str) -> cri.DNSConfig:
    """A resolv.conf as a value."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or line.startswith(("#", ";")):
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            searches = tuple(words[1:])
        elif words[0] == "options":
            options += tuple(words[1:])
    return cri.DNSConfig(tuple(servers), searches, options)
