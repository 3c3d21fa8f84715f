"""Endpoints of Services with a selector, for clients of the old API. Behaviour: k8s.io/kubernetes pkg/controller/endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Create, Delete, Tell, Update
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import pods, services
from sampan.control_plane.controllers.services import HEADLESS_LABEL, SERVICES

Object = dict[str, Any]

ENDPOINTS: Final = kinds.of("v1", "Endpoints")
MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
CAPACITY: Final = 1000  # addresses in one Endpoints object


class View(NamedTuple):
    service: Object
    pods: tuple[Object, ...]
    current: Object | None


def plan(view: View) -> list[Action]:
    service = view.service
    meta = service["metadata"]
    subsets, cut = _limited(_subsets(view))
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in (HEADLESS_LABEL, MANAGED_BY)}
    if services.is_headless(service):
        labels[HEADLESS_LABEL] = ""
    labels[MANAGED_BY] = MANAGER
    current = view.current
    if current is None:
        made_meta: Object = {"name": meta["name"], "namespace": meta["namespace"], "labels": labels}
        made: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": made_meta}
    else:
        made_meta = current["metadata"] | {"labels": labels}
        made = {key: value for key, value in current.items() if key != "subsets"} | {"metadata": made_meta}
    annotations = dict(made_meta.get("annotations") or {})
    annotations.pop(OVER_CAPACITY, None)
    if cut:
        annotations[OVER_CAPACITY] = "truncated"
    made_meta.pop("annotations", None)
    if annotations:
        made_meta["annotations"] = annotations
    if subsets:
        made["subsets"] = subsets
    if current is None:
        text = f"Failed to create endpoint for service {key_of(service)}: {{error}}"
        return [
            Create(ENDPOINTS, made, meta["namespace"], Tell(service, "", "", "FailedToCreateEndpoint", text))
        ]
    if made == current:
        return []
    text = f"Failed to update endpoint {key_of(service)}: {{error}}"
    return [Update(ENDPOINTS, made, tell=Tell(current, "", "", "FailedToUpdateEndpoint", text))]


def _subsets(view: View) -> list[Object]:
    """One subset per set of ports, with ready and not ready addresses."""
    service = view.service
    family = services.families(service)[0]
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    found: dict[tuple[tuple[str, int, str, str], ...], tuple[list[Object], list[Object]]] = {}
    for pod in view.pods:
        ips = services.addresses(pod, family) if services.belongs(pod, terminating=always) else []
        ports = _ports(service, pod)
        if not ips or (service["spec"].get("ports") and not ports):
            continue
        ready, not_ready = found.setdefault(ports, ([], []))
        (ready if always or pods.is_ready(pod) else not_ready).append(_address(service, pod, ips[0]))
    subsets = []
    for ports, (ready, not_ready) in sorted(found.items()):
        subset: Object = {}
        if ready:
            subset["addresses"] = sorted(ready, key=_order)
        if not_ready:
            subset["notReadyAddresses"] = sorted(not_ready, key=_order)
        if ports:
            subset["ports"] = [_port(*port) for port in ports]
        subsets.append(subset)
    return subsets


def _ports(service: Object, pod: Object) -> tuple[tuple[str, int, str, str], ...]:
    found = []
    for port in service["spec"].get("ports") or ():
        number = services.target_port(pod, port)
        if number is not None:
            found.append(
                (port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", ""))
            )
    return tuple(sorted(found))


def _port(name: str, number: int, protocol: str, application: str) -> Object:
    port: Object = {"name": name} if name else {}
    port |= {"port": number, "protocol": protocol}
    return port | ({"appProtocol": application} if application else {})


def _address(service: Object, pod: Object, ip: str) -> Object:
    meta = pod["metadata"]
    made: Object = {"ip": ip}
    if name := services.hostname(pod, service):
        made["hostname"] = name
    if pod["spec"].get("nodeName"):
        made["nodeName"] = pod["spec"]["nodeName"]
    made["targetRef"] = {
        "kind": "Pod",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
    return made


def _order(address: Object) -> tuple[str, str]:
    return address["ip"], address["targetRef"]["uid"]


def _limited(subsets: list[Object]) -> tuple[list[Object], bool]:
    """At most CAPACITY addresses, ready ones first; whether something was left out."""
    total = sum(len(s.get(key, ())) for s in subsets for key in ("addresses", "notReadyAddresses"))
    if total <= CAPACITY:
        return subsets, False
    room = CAPACITY
    for key in ("addresses", "notReadyAddresses"):
        for subset in subsets:
            kept = subset.pop(key, [])[:room]
            room -= len(kept)
            if kept:
                subset[key] = kept
    return subsets, True


async def reconcile(context: Context, key: str) -> Outcome:
    service = context.store(SERVICES).get(key)
    current = context.store(ENDPOINTS).get(key)
    if service is None:
        if current is None or (current["metadata"].get("labels") or {}).get(MANAGED_BY) != MANAGER:
            return DONE
        meta = current["metadata"]
        applied = await context.execute.apply(
            [Delete(ENDPOINTS, meta["namespace"], meta["name"], meta["uid"])]
        )
        return Retry(applied.error) if applied.error else DONE
    spec = service["spec"]
    if (
        spec.get("type") == "ExternalName"
        or not spec.get("selector")
        or service["metadata"].get("deletionTimestamp")
    ):
        return DONE
    applied = await context.execute.apply(
        plan(View(service, tuple(services.members(context, service)), current))
    )
    if applied.error is not None and not any(
        c.reason == "NamespaceTerminating" for c in applied.error.causes
    ):
        return Retry(applied.error)
    return DONE


def _of_endpoints(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    return (
        own(context, old, new)
        if old is None or new is None or old.get("subsets") != new.get("subsets")
        else ()
    )


CONTROLLER: Final = Controller(
    MANAGER,
    (Watch(SERVICES, own), Watch(pods.PODS, services.of_pod), Watch(ENDPOINTS, _of_endpoints)),
    reconcile,
)
