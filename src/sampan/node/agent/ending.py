"""Ending containers: preStop hook, stop signal, grace, and the order of sidecars.

Rules: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer), pkg/kubelet/lifecycle/handlers.go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from sampan.node.agent import probes, translate
from sampan.node.agent.context import Context
from sampan.node.agent.environment import ConfigError
from sampan.node.agent.plan import Look, order_of_killing
from sampan.spec import cri

log = logging.getLogger(__name__)

MINIMUM_GRACE = 2.0
"""Seconds that a container always gets after its preStop hook has used up the grace."""

Object = Mapping[str, Any]


async def hook(context: Context, action: Object, target: probes.Target) -> None:
    """Runs a lifecycle handler. Raises HookError with what went wrong."""
    if run := action.get("exec"):
        result = await context.runtime.exec_sync(target.container_id, tuple(run.get("command") or ()))
        if result.exit_code != 0:
            text = (result.stdout + result.stderr)[:1024].decode(errors="replace")
            raise HookError(f"command exited with {result.exit_code}: {text}")
    elif pause := action.get("sleep"):
        await context.clock.sleep(float(pause["seconds"]))
    elif get := action.get("httpGet"):
        outcome = await probes.http_get(get, target)
        if not outcome.ok:
            raise HookError(outcome.message)
    else:
        raise HookError(f"handler {sorted(action)!r} is not supported")


class HookError(Exception):
    """A lifecycle hook failed."""


async def container(
    context: Context, pod: Object, status: cri.ContainerStatus, *, grace: float, pod_ip: str, message: str
) -> None:
    """Ends one container: hook within the grace, then the signal, then SIGKILL. Returns when it is gone."""
    name = status.metadata.name
    context.event(pod, "Normal", "Killing", message or f"Stopping container {name}")
    spec = translate.container_spec(pod, name)
    action = (spec.get("lifecycle") or {}).get("preStop")
    left = grace
    if action and grace > 0 and status.state == cri.ContainerState.CONTAINER_RUNNING:
        began = context.clock.monotonic()
        target = probes.Target(status.id, pod_ip, probes.named_ports(spec))
        try:
            async with asyncio.timeout(grace):
                await hook(context, action, target)
        except TimeoutError:
            log.warning("preStop hook of %s did not end within %g s, goes on without it", name, grace)
        except (HookError, ConfigError, OSError, cri.Error) as error:
            context.event(pod, "Warning", "FailedPreStopHook", f"PreStopHook failed: {error}")
        left = max(MINIMUM_GRACE, grace - (context.clock.monotonic() - began))
    await context.runtime.stop_container(status.id, left)


async def everything(context: Context, pod: Object, look: Look, *, grace: float, pod_ip: str) -> None:
    """Ends every container of the pod in order, and takes its sandbox down."""
    began = context.clock.monotonic()
    for group in order_of_killing(pod, look):
        left = max(0.0, grace - (context.clock.monotonic() - began)) if grace else 0.0
        await asyncio.gather(
            *(container(context, pod, status, grace=left, pod_ip=pod_ip, message="") for status in group)
        )
    if look.sandbox is not None:
        await context.runtime.stop_pod_sandbox(look.sandbox.id)
