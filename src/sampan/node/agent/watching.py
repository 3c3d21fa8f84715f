"""The probes of one pod's containers, and the messages that ended containers left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from sampan.node.agent import probes, starting, status
from sampan.node.agent.context import Context
from sampan.node.agent.logs import last_lines
from sampan.node.agent.plan import Look, Probed
from sampan.node.agent.translate import container_spec
from sampan.spec import cri

MESSAGE_LIMIT = 4096
"""Bytes of a termination message (pkg/kubelet/container, MaxContainerTerminationMessageLength)."""

Object = Mapping[str, Any]


class Watches:
    """One `probes.Watched` per running container; `changed()` is called when a result turns."""

    def __init__(self, context: Context, changed: Callable[[], None]) -> None:
        self._context = context
        self._changed = changed
        self._watched: dict[str, probes.Watched] = {}

    def update(self, pod: Object, look: Look, pod_ip: str) -> None:
        """Watches what runs; what does no more is watched no more."""
        alive: set[str] = set()
        for name, history in look.containers.items():
            newest = history[0]
            if newest.state == cri.ContainerState.CONTAINER_RUNNING:
                alive.add(newest.id)
                if newest.id not in self._watched:
                    self._watch(pod, name, newest.id, pod_ip)
        for identity in [identity for identity in self._watched if identity not in alive]:
            self.drop(identity)

    def _watch(self, pod: Object, name: str, identity: str, pod_ip: str) -> None:
        spec = container_spec(pod, name)
        watched = self._watched[identity] = probes.Watched(
            spec,
            probes.Target(identity, pod_ip, probes.named_ports(spec)),
            self._context.prober.probe,
            clock=self._context.clock,
            tasks=self._context.tasks,
            changed=self._changed,
            event=lambda kind, reason, message: self._context.event(pod, kind, reason, message),
        )
        # The agent may have come back: what was ready stays so until a probe says no.
        if before := _shown(pod, identity):
            watched.resume(started=bool(before.get("started")), ready=bool(before.get("ready")))

    def drop(self, identity: str) -> None:
        if watched := self._watched.pop(identity, None):
            watched.stop()

    def stop(self) -> None:
        for identity in list(self._watched):
            self.drop(identity)

    @property
    def probed(self) -> Probed:
        failed = {identity: w.failed for identity, w in self._watched.items() if w.failed}
        return Probed(failed, self.started)

    @property
    def started(self) -> frozenset[str]:
        return frozenset(identity for identity, w in self._watched.items() if w.started)

    @property
    def ready(self) -> frozenset[str]:
        return frozenset(identity for identity, w in self._watched.items() if w.ready)


def _shown(pod: Object, identity: str) -> Object | None:
    """The container's status as the API has it."""
    for group in ("containerStatuses", "initContainerStatuses"):
        for shown in (pod.get("status") or {}).get(group) or ():
            if shown.get("containerID") == status.ID_SCHEME + identity:
                found: Object = shown
                return found
    return None


class Messages:
    """Termination messages by container id, each read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read: dict[str, str] = {}

    def of(self, pod: Object, look: Look) -> Mapping[str, str]:
        known: dict[str, str] = {}
        for name, history in look.containers.items():
            for ended in history:
                if ended.state == cri.ContainerState.CONTAINER_EXITED:
                    before = self._read.get(ended.id)
                    known[ended.id] = self._message(pod, name, ended) if before is None else before
        self._read = known
        return known

    def _message(self, pod: Object, name: str, ended: cri.ContainerStatus) -> str:
        attempt = ended.metadata.attempt
        text = ""
        with (
            contextlib.suppress(OSError),
            starting.message_file(self._context, pod, name, attempt).open("rb") as file,
        ):
            text = file.read(MESSAGE_LIMIT).decode(errors="replace")
        policy = container_spec(pod, name).get("terminationMessagePolicy")
        if not text and ended.exit_code and policy == "FallbackToLogsOnError":
            meta = pod["metadata"]
            folder = self._context.config.log_dir(meta["namespace"], meta["name"], meta["uid"])
            text = last_lines(folder / name / f"{attempt}.log")
        return text
