"""EndpointSlices of Services with a selector. Behaviour: k8s.io/endpointslice, pkg/controller/endpointslice.

Left out: the annotation endpoints.kubernetes.io/last-change-trigger-time, which only upstream's latency metric reads, and
the hints of the deprecated topology-mode annotation; hints of trafficDistribution are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.ownership import controller_ref, is_controlled_by
from sampan.control.plan import Action, Delete
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import pods, services, slices
from sampan.control_plane.controllers.services import HEADLESS_LABEL, SERVICES
from sampan.control_plane.controllers.slices import MANAGED_BY, SERVICE_NAME, SLICES

Object = dict[str, Any]

NODES: Final = kinds.of("v1", "Node")
MANAGER: Final = "endpointslice-controller.k8s.io"
ZONE: Final = "topology.kubernetes.io/zone"
RESERVED: Final = frozenset({SERVICE_NAME, MANAGED_BY, HEADLESS_LABEL})


class View(NamedTuple):
    service: Object
    pods: tuple[Object, ...]
    slices: tuple[Object, ...]
    zones: dict[str, str]  # of nodes


def plan(view: View) -> list[Action]:
    service = view.service
    mine = [held for held in view.slices if is_controlled_by(held, service)]
    foreign: list[Action] = [
        Delete(SLICES, held["metadata"]["namespace"], held["metadata"]["name"], held["metadata"]["uid"])
        for held in view.slices
        if held not in mine
    ]
    groups = [group for family in services.families(service) for group in _groups(view, family)]
    meta = service["metadata"]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in RESERVED}
    if services.is_headless(service):
        labels[HEADLESS_LABEL] = ""
    labels |= {SERVICE_NAME: meta["name"], MANAGED_BY: MANAGER}
    frame = slices.Frame(meta["namespace"], meta["name"], labels, controller_ref(service, SERVICES))
    return slices.pack(mine, groups, frame) + foreign


def _groups(view: View, family: str) -> list[slices.Group]:
    found: dict[tuple[tuple[str, int, str, str], ...], list[Object]] = {}
    shown: dict[tuple[tuple[str, int, str, str], ...], tuple[Object, ...]] = {}
    for pod in view.pods:
        if not services.belongs(pod, terminating=True):
            continue
        ips = services.addresses(pod, family)
        if not ips:
            continue
        ports = _ports(view.service, pod)
        key = tuple((p["name"], p["port"], p["protocol"], p.get("appProtocol", "")) for p in ports)
        shown[key] = ports
        found.setdefault(key, []).append(_endpoint(view, pod, ips))
    if not found:
        return [slices.Group(family, (), ())]
    return [slices.Group(family, shown[key], tuple(_hinted(view, found[key]))) for key in sorted(found)]


def _ports(service: Object, pod: Object) -> tuple[Object, ...]:
    made = []
    for port in service["spec"].get("ports") or ():
        number = services.target_port(pod, port)
        if number is None:
            continue
        entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        made.append(entry)
    return tuple(made)


def _endpoint(view: View, pod: Object, ips: list[str]) -> Object:
    meta, service = pod["metadata"], view.service
    serving, ends = pods.is_ready(pod), pods.is_terminating(pod)
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint: Object = {
        "addresses": ips,
        "conditions": {"ready": always or (serving and not ends), "serving": serving, "terminating": ends},
        "targetRef": {
            "kind": "Pod",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
    }
    node = pod["spec"].get("nodeName")
    if node:
        endpoint["nodeName"] = node
        if zone := view.zones.get(node):
            endpoint["zone"] = zone
    if name := services.hostname(pod, service):
        endpoint["hostname"] = name
    return endpoint


def _hinted(view: View, endpoints: list[Object]) -> list[Object]:
    """Hints for trafficDistribution; none at all while an endpoint lacks what a hint needs."""
    wanted = view.service["spec"].get("trafficDistribution")
    if wanted in ("PreferClose", "PreferSameZone") and all(e.get("zone") for e in endpoints):
        return [e | {"hints": {"forZones": [{"name": e["zone"]}]}} for e in endpoints]
    if wanted == "PreferSameNode" and all(e.get("nodeName") for e in endpoints):
        return [e | {"hints": _node_hints(e)} for e in endpoints]
    return endpoints


def _node_hints(endpoint: Object) -> Object:
    hints = {"forNodes": [{"name": endpoint["nodeName"]}]}
    return hints | ({"forZones": [{"name": endpoint["zone"]}]} if endpoint.get("zone") else {})


async def reconcile(context: Context, key: str) -> Outcome:
    service = context.store(SERVICES).get(key)
    if service is None or service["metadata"].get("deletionTimestamp"):
        return DONE  # the slices name it as owner: the garbage collector takes them
    if service["spec"].get("type") == "ExternalName" or not service["spec"].get("selector"):
        return DONE
    meta = service["metadata"]
    held = context.store(SLICES).by("label", f"{meta['namespace']}/{SERVICE_NAME}={meta['name']}")
    members = services.members(context, service)
    zones = {}
    for name in {pod["spec"].get("nodeName") for pod in members if pod["spec"].get("nodeName")}:
        node = context.store(NODES).get(name)
        zones[name] = ((node or {"metadata": {}})["metadata"].get("labels") or {}).get(ZONE, "")
    mine = tuple(each for each in held if each["metadata"]["labels"].get(MANAGED_BY) == MANAGER)
    applied = await context.execute.apply(plan(View(service, tuple(members), mine, zones)))
    if applied.error is not None and not any(
        c.reason == "NamespaceTerminating" for c in applied.error.causes
    ):
        return Retry(applied.error)
    return DONE


def _of_slice(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    return {
        f"{obj['metadata']['namespace']}/{name}"
        for obj in (old, new)
        if obj is not None
        and (labels := obj["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
        and (name := labels.get(SERVICE_NAME))
    }


CONTROLLER: Final = Controller(
    "endpointslice-controller",
    (Watch(SERVICES, own), Watch(pods.PODS, services.of_pod), Watch(SLICES, _of_slice), Watch(NODES)),
    reconcile,
)
