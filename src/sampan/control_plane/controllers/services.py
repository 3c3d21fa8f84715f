"""What several controllers know about Services: their pods, ports and address families."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from sampan.api import kinds
from sampan.client.cache import key_of
from sampan.control.controller import Context
from sampan.control_plane.controllers import pods

Object = dict[str, Any]

SERVICES: Final = kinds.of("v1", "Service")
HEADLESS_LABEL: Final = "service.kubernetes.io/headless"


def is_headless(service: Object) -> bool:
    return service["spec"].get("clusterIP", "") in ("", "None")


def families(service: Object) -> tuple[str, ...]:
    """IPv4, IPv6: address families of the service, the first one first."""
    spec = service["spec"]
    if spec.get("ipFamilies"):
        return tuple(spec["ipFamilies"])
    if not is_headless(service):
        return (family(spec["clusterIP"]),)
    return ("IPv4", "IPv6")


def family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def addresses(pod: Object, wanted: str) -> list[str]:
    """The pod's addresses of one family, in their canonical form."""
    status = pod.get("status") or {}
    given = [entry["ip"] for entry in status.get("podIPs") or () if entry.get("ip")]
    if not given and status.get("podIP"):
        given = [status["podIP"]]
    return [str(ipaddress.ip_address(ip)) for ip in given if family(ip) == wanted]


def target_port(pod: Object, port: Object) -> int | None:
    """The number behind a service port on that pod; None when the pod has no container port of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *sidecars]:
        for candidate in container.get("ports") or ():
            if candidate.get("name") == target and candidate.get("protocol", "TCP") == port.get(
                "protocol", "TCP"
            ):
                return int(candidate["containerPort"])
    return None


def belongs(pod: Object, *, terminating: bool) -> bool:
    """Whether the pod has a place among endpoints at all."""
    if pods.is_terminal(pod) or not (pod.get("status") or {}).get("podIP"):
        return False
    return terminating or not pods.is_terminating(pod)


def hostname(pod: Object, service: Object) -> str:
    """The name under which DNS shows this pod of a headless service."""
    spec = pod["spec"]
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        return str(spec["hostname"])
    return ""


def members(context: Context, service: Object) -> list[Object]:
    """The pods that the selector finds, in order of their names."""
    selector: dict[str, str] = service["spec"].get("selector") or {}
    if not selector:
        return []
    namespace = service["metadata"]["namespace"]
    first, *others = sorted(selector.items())
    found = context.store(pods.PODS).by("label", f"{namespace}/{first[0]}={first[1]}")
    return [p for p in found if all(p["metadata"]["labels"].get(k) == v for k, v in others)]


def of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Keys of the services that a change of a pod concerns."""
    if old is not None and new is not None and _shown(old) == _shown(new):
        return ()
    found: dict[str, None] = {}
    for pod in (old, new):
        if pod is None:
            continue
        labels = pod["metadata"].get("labels") or {}
        for service in context.store(SERVICES).by("namespace", pod["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and all(labels.get(key) == value for key, value in selector.items()):
                found[key_of(service)] = None
    return found


def _shown(pod: Object) -> tuple[Any, ...]:
    """All of a pod that endpoints show."""
    status, spec = pod.get("status") or {}, pod["spec"]
    return (
        pod["metadata"].get("labels"),
        pods.is_terminating(pod),
        pods.is_terminal(pod),
        pods.is_ready(pod),
        status.get("podIPs") or status.get("podIP"),
        spec.get("nodeName"),
        spec.get("hostname"),
        spec.get("subdomain"),
    )
