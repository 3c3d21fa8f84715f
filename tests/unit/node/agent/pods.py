"""Words to speak of pods in tests: specs, and what a runtime has of them."""

from __future__ import annotations

from typing import Any

from sampan.node.agent.plan import Look
from sampan.node.agent.translate import HASH, spec_hash
from sampan.spec import cri

NOW = 1_700_000_000.0
READY = cri.PodSandboxState.SANDBOX_READY
NOT_READY = cri.PodSandboxState.SANDBOX_NOTREADY
CREATED, RUNNING, EXITED, UNKNOWN = (cri.ContainerState(n) for n in range(4))


def container(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "sampan.local/host:latest", **more}


def pod(
    *containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), policy: str = "Always", **spec: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "containers": list(containers) or [container("main")],
        "restartPolicy": policy,
        **spec,
    }
    if init:
        body["initContainers"] = list(init)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "boat", "namespace": "sea", "uid": "u-1", "labels": {"app": "boat"}},
        "spec": body,
    }


def sandbox(
    state: cri.PodSandboxState = READY, attempt: int = 0, ip: str = "10.42.0.5"
) -> cri.PodSandboxStatus:
    return cri.PodSandboxStatus(
        f"s{attempt}",
        cri.PodSandboxMetadata("boat", "u-1", "sea", attempt),
        state,
        created_at=int(NOW * 1e9),
        network=cri.PodSandboxNetworkStatus(ip),
    )


def has(
    spec: dict[str, Any],
    state: cri.ContainerState = RUNNING,
    *,
    attempt: int = 0,
    code: int = 0,
    finished: float = 0.0,
    reason: str = "",
) -> cri.ContainerStatus:
    return cri.ContainerStatus(
        id=f"{spec['name']}-{attempt}",
        metadata=cri.ContainerMetadata(spec["name"], attempt),
        state=state,
        created_at=int((NOW - 60) * 1e9),
        started_at=int((NOW - 50) * 1e9) if state != CREATED else 0,
        finished_at=int(finished * 1e9),
        exit_code=code,
        reason=reason,
        image=cri.ImageSpec("sha256:1", user_specified_image=spec["image"]),
        image_ref="sha256:1",
        annotations={HASH: spec_hash(spec)},
    )


def look(*statuses: cri.ContainerStatus, box: cri.PodSandboxStatus | None = None, gone: bool = False) -> Look:
    """What the runtime has; newest first where a name comes twice."""
    found: dict[str, list[cri.ContainerStatus]] = {}
    for status in statuses:
        found.setdefault(status.metadata.name, []).append(status)
    return Look(
        None if gone else (box or sandbox()), {name: tuple(history) for name, history in found.items()}
    )
