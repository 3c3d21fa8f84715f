"""Pods: the STATUS and RESTARTS columns (k8s.io/kubernetes pkg/printers/internalversion, printPod)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sampan.api.table import cells as shared
from sampan.api.table import duration
from sampan.api.table.model import Object, Printer, columns, field, items, name, number, text


class _Seen(NamedTuple):
    """What the containers' statuses tell; `initialising` until every init container is through."""

    initialising: bool
    reason: str
    ready: int
    restarts: int
    last_restart: float | None


def summary(pod: Object) -> str:
    """The STATUS column alone."""
    return _seen(pod).reason


def cells(pod: Object, now: float) -> list[Any]:
    seen = _seen(pod)
    total = len(items(pod, "spec", "containers")) + sum(
        _restartable(one) for one in items(pod, "spec", "initContainers")
    )
    restarts = str(seen.restarts)
    if seen.restarts and seen.last_restart is not None:
        restarts = f"{seen.restarts} ({duration.human(now - seen.last_restart)} ago)"
    address = next((text(one, "ip") for one in items(pod, "status", "podIPs")), "")
    return [
        name(pod),
        f"{seen.ready}/{total}",
        seen.reason,
        restarts,
        shared.age(pod, now),
        address or shared.NONE,
        text(pod, "spec", "nodeName") or shared.NONE,
        text(pod, "status", "nominatedNodeName") or shared.NONE,
        _gates(pod),
    ]


def _seen(pod: Object) -> _Seen:
    seen = _initialised(pod, _phase(pod))
    if not seen.initialising:
        seen = _running(pod, seen)
    if field(pod, "metadata", "deletionTimestamp") is not None:
        if text(pod, "status", "reason") == "NodeLost":
            return seen._replace(reason="Unknown")
        if text(pod, "status", "phase") not in ("Succeeded", "Failed"):
            return seen._replace(reason="Terminating")
    return seen


def _phase(pod: Object) -> str:
    for one in items(pod, "status", "conditions"):
        if text(one, "type") == "PodScheduled" and text(one, "reason") == "SchedulingGated":
            return "SchedulingGated"
    return text(pod, "status", "reason") or text(pod, "status", "phase")


def _restartable(container: Any) -> bool:
    return text(container, "restartPolicy") == "Always"


def _later(a: float | None, status: Any) -> float | None:
    b = duration.seconds_of(field(status, "lastState", "terminated", "finishedAt"))
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


def _initialised(pod: Object, reason: str) -> _Seen:
    """Looks at the init containers up to the first that has not finished."""
    specs = items(pod, "spec", "initContainers")
    by_name = {text(one, "name"): one for one in specs}
    ready = restarts = sidecar_restarts = 0
    last: float | None = None
    sidecar_last: float | None = None
    for index, status in enumerate(items(pod, "status", "initContainerStatuses")):
        restarts += number(status, "restartCount")
        last = _later(last, status)
        sidecar = _restartable(by_name.get(text(status, "name")))
        if sidecar:
            sidecar_restarts += number(status, "restartCount")
            sidecar_last = _later(sidecar_last, status)
        ended = field(status, "state", "terminated")
        if ended is not None and not number(ended, "exitCode"):
            continue
        if sidecar and field(status, "started"):
            ready += bool(field(status, "ready"))
            continue
        reason = "Init:" + _unfinished(status, index, len(specs))
        if not shared.is_true(pod, "Initialized"):
            return _Seen(True, reason, ready, restarts, last)
        break
    return _Seen(False, reason, ready, sidecar_restarts, sidecar_last)


def _unfinished(status: Any, index: int, count: int) -> str:
    ended = field(status, "state", "terminated")
    if ended is not None:
        return _end(ended)
    waiting = text(status, "state", "waiting", "reason")
    return waiting if waiting and waiting != "PodInitializing" else f"{index}/{count}"


def _end(ended: Any) -> str:
    if text(ended, "reason"):
        return text(ended, "reason")
    signal = number(ended, "signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{number(ended, 'exitCode')}"


def _running(pod: Object, seen: _Seen) -> _Seen:
    """Looks at the ordinary containers, the last one first, so that the first one has the last word."""
    _, reason, ready, restarts, last = seen
    running, failed = False, ""
    for status in reversed(items(pod, "status", "containerStatuses")):
        restarts += number(status, "restartCount")
        last = _later(last, status)
        waiting = text(status, "state", "waiting", "reason")
        ended = field(status, "state", "terminated")
        if waiting:
            reason = waiting
        elif ended is not None:
            reason = _end(ended)
            if number(ended, "exitCode"):
                failed = reason
        elif field(status, "ready") and isinstance(field(status, "state", "running"), Mapping):
            running = True
            ready += 1
    if reason == "Completed":
        if running and shared.is_true(pod, "Ready"):
            reason = "Running"
        elif failed:
            reason = failed
        elif running:
            reason = "NotReady"
    return _Seen(False, reason, ready, restarts, last)


def _gates(pod: Object) -> str:
    gates = items(pod, "spec", "readinessGates")
    if not gates:
        return shared.NONE
    met = sum(shared.is_true(pod, text(gate, "conditionType")) for gate in gates)
    return f"{met}/{len(gates)}"


PODS = Printer(
    columns(
        "Name", "Ready", "Status", "Restarts", "Age", "IP+", "Node+", "Nominated Node+", "Readiness Gates+"
    ),
    cells,
)
