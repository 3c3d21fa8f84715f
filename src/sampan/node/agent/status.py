"""The status of a pod as the API shows it, from its spec and what the runtime has. Pure.

Rules: pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses), pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sampan.node.agent import resources
from sampan.node.agent.plan import Look, Waiting, is_sidecar, should_restart
from sampan.spec import cri

Object = Mapping[str, Any]
ID_SCHEME = "sampan://"


class View(NamedTuple):
    """What is known beside the runtime's own word.

    `waiting` holds containers that are held back and why; `ready` and `started` are ids that their probes passed;
    `messages` are termination messages by id; `failed` is (reason, message) when the agent gave the pod up.
    """

    now: str
    host_ips: tuple[str, ...] = ()
    waiting: Mapping[str, Waiting] = {}
    ready: frozenset[str] = frozenset()
    started: frozenset[str] = frozenset()
    messages: Mapping[str, str] = {}
    failed: tuple[str, str] | None = None


def time_text(nanoseconds: int) -> str:
    """RFC 3339 in whole seconds, as metav1.Time prints."""
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod_ips(look: Look, host_ips: Sequence[str], *, host_network: bool) -> tuple[str, ...]:
    if host_network:
        return tuple(host_ips)
    if look.sandbox is None or not look.sandbox.network.ip:
        return ()
    return (look.sandbox.network.ip, *look.sandbox.network.additional_ips)


def _terminated(status: cri.ContainerStatus, view: View) -> dict[str, Any]:
    unknown = status.state == cri.ContainerState.CONTAINER_UNKNOWN
    reason = status.reason or ("Completed" if status.exit_code == 0 else "Error")
    state: dict[str, Any] = {
        "exitCode": 137 if unknown else status.exit_code,
        "reason": "ContainerStatusUnknown" if unknown else reason,
        "containerID": ID_SCHEME + status.id,
    }
    if status.started_at:
        state["startedAt"] = time_text(status.started_at)
    if status.finished_at:
        state["finishedAt"] = time_text(status.finished_at)
    message = view.messages.get(status.id) or status.message
    if unknown:
        message = "The container could not be located when the pod was terminated"
    if message:
        state["message"] = message
    return {"terminated": state}


def _state(name: str, status: cri.ContainerStatus | None, view: View, initial: str) -> dict[str, Any]:
    held = view.waiting.get(name)
    if status is not None and status.state == cri.ContainerState.CONTAINER_RUNNING:
        return {"running": {"startedAt": time_text(status.started_at)}}
    if held is not None:
        return {"waiting": {"reason": held.reason, **({"message": held.message} if held.message else {})}}
    if status is None or status.state == cri.ContainerState.CONTAINER_CREATED:
        return {"waiting": {"reason": initial}}
    return _terminated(status, view)


def container_status(spec: Object, look: Look, view: View, *, initial: str, init: bool) -> dict[str, Any]:
    """One entry of containerStatuses; `initial` is the waiting reason before the container was ever made."""
    name = spec["name"]
    history = look.containers.get(name, ())
    newest = history[0] if history else None
    state = _state(name, newest, view, initial)
    previous = None
    ended = (cri.ContainerState.CONTAINER_EXITED, cri.ContainerState.CONTAINER_UNKNOWN)
    if "waiting" in state and newest is not None and newest.state in ended:
        previous = newest
    elif len(history) > 1 and history[1].state in ended:
        previous = history[1]
    running = "running" in state
    identity = newest.id if newest else ""
    started = running and identity in view.started
    ready = started and identity in view.ready
    if init and not is_sidecar(spec):
        terminated = state.get("terminated")
        ready = bool(terminated and terminated["exitCode"] == 0)
        started = bool(running)
    result: dict[str, Any] = {
        "name": name,
        "state": state,
        "lastState": _terminated(previous, view) if previous else {},
        "ready": ready,
        "restartCount": newest.metadata.attempt if newest else 0,
        "image": (newest.image.user_specified_image or spec.get("image", ""))
        if newest
        else spec.get("image", ""),
        "imageID": newest.image_ref if newest else "",
        "started": started,
    }
    if newest:
        result["containerID"] = ID_SCHEME + newest.id
    return result


def phase(pod: Object, look: Look, view: View) -> str:
    """Pending, Running, Succeeded or Failed."""
    if view.failed:
        return "Failed"
    spec = pod["spec"]
    policy = spec.get("restartPolicy", "Always")
    for container in spec.get("initContainers") or ():
        status = look.newest(container["name"])
        if is_sidecar(container):
            if status is None and not any(look.newest(c["name"]) for c in spec["containers"]):
                return "Pending"
            continue
        begun = any(look.newest(c["name"]) for c in spec["containers"])
        if status is None or status.state in (
            cri.ContainerState.CONTAINER_CREATED,
            cri.ContainerState.CONTAINER_RUNNING,
        ):
            if not begun:
                return "Pending"
        elif status.exit_code != 0 and not begun:
            return "Failed" if policy == "Never" else "Pending"
    running = succeeded = failed = waiting = 0
    for container in spec.get("containers") or ():
        status = look.newest(container["name"])
        if status is None or status.state == cri.ContainerState.CONTAINER_CREATED:
            waiting += 1
        elif status.state == cri.ContainerState.CONTAINER_RUNNING:
            running += 1
        elif container["name"] in view.waiting or should_restart(policy, status):
            running += (
                1  # it will run again: upstream counts a container in back-off as neither done nor failed
            )
        elif status.exit_code == 0 and status.state == cri.ContainerState.CONTAINER_EXITED:
            succeeded += 1
        else:
            failed += 1
    if waiting:
        return "Pending"
    if running:
        return "Running"
    return "Failed" if failed else "Succeeded"


def _condition(
    old: Sequence[Object], kind: str, ok: bool, view: View, reason: str = "", message: str = ""
) -> dict[str, Any]:
    value = "True" if ok else "False"
    before = next((c for c in old if c.get("type") == kind), None)
    since = before["lastTransitionTime"] if before and before.get("status") == value else view.now
    condition: dict[str, Any] = {
        "type": kind,
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _names(statuses: Sequence[Object]) -> str:
    return "[" + " ".join(s["name"] for s in statuses) + "]"


def conditions(pod: Object, look: Look, view: View, shown: Object) -> list[dict[str, Any]]:
    """The conditions that the agent owns; `shown` is the status made so far (phase and container statuses)."""
    old = (pod.get("status") or {}).get("conditions") or ()
    policy_done = shown["phase"] in ("Succeeded", "Failed")
    inits = list(shown.get("initContainerStatuses") or ())
    specs = {c["name"]: c for c in pod["spec"].get("initContainers") or ()}
    begun = any("waiting" not in s["state"] or s["lastState"] for s in shown["containerStatuses"])
    unfinished = [
        s for s in inits if not begun and not (s["ready"] or (is_sidecar(specs[s["name"]]) and s["started"]))
    ]
    initialized = not unfinished or shown["phase"] == "Succeeded"
    result = [
        _condition(old, "PodReadyToStartContainers", look.ready, view),
        _condition(old, "Initialized", initialized, view)
        if initialized
        else _condition(
            old,
            "Initialized",
            False,
            view,
            "ContainersNotInitialized",
            f"containers with incomplete status: {_names(unfinished)}",
        ),
    ]
    sidecars = [s for s in inits if is_sidecar(specs[s["name"]])]
    unready = [s for s in (*sidecars, *shown["containerStatuses"]) if not s["ready"]]
    gates = [g["conditionType"] for g in pod["spec"].get("readinessGates") or ()]
    closed = [g for g in gates if not any(c.get("type") == g and c.get("status") == "True" for c in old)]
    if shown["phase"] == "Succeeded":
        reason, message = "PodCompleted", ""
    elif policy_done:
        reason, message = "PodFailed", ""
    elif unready or not initialized:
        reason, message = "ContainersNotReady", f"containers with unready status: {_names(unready)}"
    else:
        reason, message = "", ""
    ready = not reason
    gate_reason = "ReadinessGatesNotReady" if ready and closed else reason
    gate_message = (
        f'the status of pod readiness gate "{closed[0]}" is not "True", but False'
        if ready and closed
        else message
    )
    result.append(_condition(old, "Ready", ready and not closed, view, gate_reason, gate_message))
    result.append(_condition(old, "ContainersReady", ready, view, reason, message))
    result.append(_condition(old, "PodScheduled", True, view))
    return result


def compute(pod: Object, look: Look, view: View) -> dict[str, Any]:
    """The whole status that the agent reports."""
    spec = pod["spec"]
    before = pod.get("status") or {}
    has_init = bool(spec.get("initContainers"))
    begun = any(look.newest(c["name"]) for c in spec.get("containers") or ())
    initial = "PodInitializing" if has_init and not begun else "ContainerCreating"
    status: dict[str, Any] = {
        "phase": phase(pod, look, view),
        "qosClass": before.get("qosClass") or resources.qos_class(pod),
        "startTime": before.get("startTime") or view.now,
        "containerStatuses": [
            container_status(c, look, view, initial=initial, init=False) for c in spec.get("containers") or ()
        ],
    }
    if has_init:
        status["initContainerStatuses"] = [
            container_status(c, look, view, initial="PodInitializing", init=True)
            for c in spec["initContainers"]
        ]
    if spec.get("ephemeralContainers"):
        status["ephemeralContainerStatuses"] = [
            container_status(c, look, view, initial="ContainerCreating", init=False)
            for c in spec["ephemeralContainers"]
        ]
    if view.host_ips:
        status["hostIP"] = view.host_ips[0]
        status["hostIPs"] = [{"ip": ip} for ip in view.host_ips]
    ips = pod_ips(look, view.host_ips, host_network=bool(spec.get("hostNetwork")))
    if ips:
        status["podIP"] = ips[0]
        status["podIPs"] = [{"ip": ip} for ip in ips]
    if view.failed:
        status["reason"], status["message"] = view.failed
    if generation := pod["metadata"].get("generation"):
        status["observedGeneration"] = generation
    status["conditions"] = conditions(pod, look, view, status)
    return status
