"""What the runtime has of one pod, and taking away what is no longer needed of it."""

from __future__ import annotations

from sampan.node.agent import translate
from sampan.node.agent.plan import Look
from sampan.spec import cri

KEPT = 2
"""Containers of one name that are kept: the newest, and the one before it for `logs --previous`."""


def _sandboxes(uid: str) -> cri.PodSandboxFilter:
    return cri.PodSandboxFilter(label_selector={translate.POD_UID: uid})


def _containers(uid: str) -> cri.ContainerFilter:
    return cri.ContainerFilter(label_selector={translate.POD_UID: uid})


async def observe(runtime: cri.Runtime, uid: str) -> Look:
    """The newest sandbox and every container by name, newest first. Raises cri.Error."""
    sandboxes = await runtime.list_pod_sandbox(_sandboxes(uid))
    newest = max(sandboxes, key=lambda s: (s.metadata.attempt, s.created_at), default=None)
    sandbox = await runtime.pod_sandbox_status(newest.id) if newest else None
    found: dict[str, list[cri.ContainerStatus]] = {}
    for container in await runtime.list_containers(_containers(uid)):
        try:
            known = await runtime.container_status(container.id)
        except cri.Error as error:
            if error.code != "NotFound":
                raise
            continue
        found.setdefault(container.metadata.name, []).append(known)
    for history in found.values():
        history.sort(key=lambda s: (s.metadata.attempt, s.created_at), reverse=True)
    return Look(sandbox, {name: tuple(history) for name, history in found.items()})


async def sweep(runtime: cri.Runtime, uid: str, look: Look) -> None:
    """Removes containers beyond the kept ones, and the older sandboxes in which no kept container lies."""
    for history in look.containers.values():
        for old in history[KEPT:]:
            await runtime.remove_container(old.id)
    used = {container.pod_sandbox_id for container in await runtime.list_containers(_containers(uid))}
    if look.sandbox is not None:
        used.add(look.sandbox.id)
    for sandbox in await runtime.list_pod_sandbox(_sandboxes(uid)):
        if sandbox.id not in used:
            await runtime.remove_pod_sandbox(sandbox.id)


async def remove(runtime: cri.Runtime, uid: str) -> None:
    """Removes all of the pod, by force."""
    for sandbox in await runtime.list_pod_sandbox(_sandboxes(uid)):
        await runtime.remove_pod_sandbox(sandbox.id)
