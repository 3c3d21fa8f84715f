"""Why something is not ready: what its pods say of themselves, and the last events. For people, beside Helm's own text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.kube.objects import Target
from sampan.client.rest import Client

Object = Mapping[str, Any]

PODS = 5
EVENTS = 3
SECONDS = 10.0
"""How many pods and events of each target are shown, and how long finding out may take."""

_WORKLOADS = {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"}


async def why(client: Client, targets: list[Target]) -> list[str]:
    """Lines on the targets; none where nothing can be found out."""
    lines: list[str] = []
    try:
        async with asyncio.timeout(SECONDS):
            for target in targets:
                lines += await _of(client, target)
    except (ApiError, TimeoutError):
        pass
    return lines


async def _of(client: Client, target: Target) -> list[str]:
    pods = await _pods(client, target)
    found = [line for pod in pods[:PODS] for line in pod_lines(pod)]
    names = {target.name, *(str(pod["metadata"]["name"]) for pod in pods)}
    listed = await client.list(kinds.of("v1", "Event"), target.namespace or "default")
    events = [e for e in listed.get("items") or () if (e.get("involvedObject") or {}).get("name") in names]
    events.sort(key=_moment)
    found += [event_line(event) for event in events[-EVENTS:]]
    return [f"{target.shown}: {line}" for line in found]


async def _pods(client: Client, target: Target) -> list[Object]:
    pods = kinds.of("v1", "Pod")
    if target.resource.kind == "Pod":
        try:
            return [await client.get(pods, target.name, target.namespace)]
        except ApiError:
            return []
    if target.resource.kind not in _WORKLOADS:
        return []
    if target.resource.kind == "Job":
        selector = f"job-name={target.name}"
    else:
        chosen = (target.obj.get("spec") or {}).get("selector") or {}
        labels = (
            chosen if target.resource.kind == "ReplicationController" else chosen.get("matchLabels") or {}
        )
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
    if not selector:
        return []
    listed = await client.list(pods, target.namespace, label_selector=selector)
    return list(listed.get("items") or ())


def pod_lines(pod: Object) -> Iterator[str]:
    """What keeps a pod from being ready: scheduling, containers that wait or ended badly, probes."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"pod {name} is not scheduled: {condition.get('message') or condition.get('reason')}"
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        who = f"pod {name}, container {container.get('name')}"
        state = container.get("state") or {}
        if "waiting" in state:
            yield f"{who} waits: {_said(state['waiting'])}"
        ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            yield f"{who} ended with exit code {ended['exitCode']}: {_said(ended)}"
        elif "running" in state and not container.get("ready"):
            yield f"{who} runs and is not ready"


def _said(state: Mapping[str, Any]) -> str:
    reason, message = state.get("reason") or "", state.get("message") or ""
    return f"{reason}: {message}" if reason and message else reason or message or "no reason given"


def event_line(event: Object) -> str:
    about = event.get("involvedObject") or {}
    times = event.get("count") or (event.get("series") or {}).get("count") or 1
    often = f" ({times} times)" if times > 1 else ""
    return f"{event.get('type', 'Normal')} {event.get('reason', '')} of {about.get('kind')} {about.get('name')}: {event.get('message', '')}{often}"


def _moment(event: Object) -> str:
    """Time of the last occurrence; RFC 3339 texts in UTC sort as they are."""
    return str(
        event.get("lastTimestamp")
        or (event.get("series") or {}).get("lastObservedTime")
        or event.get("eventTime")
        or (event.get("metadata") or {}).get("creationTimestamp")
        or ""
    )
