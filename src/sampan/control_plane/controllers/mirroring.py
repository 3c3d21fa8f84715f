"""EndpointSlices for Endpoints that people write by hand, for Services without a selector.

Behaviour: k8s.io/kubernetes pkg/controller/endpointslicemirroring.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.ownership import controller_ref
from sampan.control.plan import Action, Delete
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import slices
from sampan.control_plane.controllers.endpoints import ENDPOINTS
from sampan.control_plane.controllers.services import SERVICES, family
from sampan.control_plane.controllers.slices import MANAGED_BY, SERVICE_NAME, SLICES

Object = dict[str, Any]

MANAGER: Final = "endpointslicemirroring-controller.k8s.io"
SKIP: Final = "endpointslice.kubernetes.io/skip-mirror"
LEADER: Final = "control-plane.alpha.kubernetes.io/leader"
NOT_COPIED: Final = (
    "endpoints.kubernetes.io/last-change-trigger-time",
    "kubectl.kubernetes.io/last-applied-configuration",
)
SUBSET_LIMIT: Final = 1000  # addresses of one subset that are mirrored


class View(NamedTuple):
    endpoints: Object | None
    service: Object | None
    slices: tuple[Object, ...]  # those that this controller made


def plan(view: View) -> list[Action]:
    endpoints = view.endpoints
    if endpoints is None or view.service is None or not _mirrored(endpoints):
        return _delete(view.slices)
    if view.service["spec"].get("selector"):
        return _delete(view.slices)
    meta = endpoints["metadata"]
    labels = {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: MANAGER}
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in NOT_COPIED}
    frame = slices.Frame(
        meta["namespace"], meta["name"], labels, controller_ref(endpoints, ENDPOINTS), annotations
    )
    groups = list(_groups(endpoints))
    return slices.pack(view.slices, groups, frame) if groups else _delete(view.slices)


def _groups(endpoints: Object) -> Iterable[slices.Group]:
    for subset in endpoints.get("subsets") or ():
        ports = tuple(
            {"name": p.get("name", ""), "port": p["port"], "protocol": p.get("protocol", "TCP")}
            | ({"appProtocol": p["appProtocol"]} if p.get("appProtocol") else {})
            for p in subset.get("ports") or ()
        )
        listed = [(a, True) for a in subset.get("addresses") or ()]
        listed += [(a, False) for a in subset.get("notReadyAddresses") or ()]
        for wanted in ("IPv4", "IPv6"):
            found = [_endpoint(a, ready) for a, ready in listed[:SUBSET_LIMIT] if family(a["ip"]) == wanted]
            if found:
                yield slices.Group(wanted, ports, tuple(found))


def _endpoint(address: Object, ready: bool) -> Object:
    made: Object = {"addresses": [str(ipaddress.ip_address(address["ip"]))], "conditions": {"ready": ready}}
    for key in ("targetRef", "nodeName", "hostname"):
        if address.get(key):
            made[key] = address[key]
    return made


def _mirrored(endpoints: Object) -> bool:
    meta = endpoints["metadata"]
    return (meta.get("labels") or {}).get(SKIP) != "true" and LEADER not in (meta.get("annotations") or {})


def _delete(held: Iterable[Object]) -> list[Action]:
    return [
        Delete(SLICES, each["metadata"]["namespace"], each["metadata"]["name"], each["metadata"]["uid"])
        for each in held
    ]


async def reconcile(context: Context, key: str) -> Outcome:
    namespace, _, name = key.partition("/")
    held = context.store(SLICES).by("label", f"{namespace}/{SERVICE_NAME}={name}")
    mine = tuple(each for each in held if each["metadata"]["labels"].get(MANAGED_BY) == MANAGER)
    view = View(context.store(ENDPOINTS).get(key), context.store(SERVICES).get(key), mine)
    applied = await context.execute.apply(plan(view))
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
    "endpointslice-mirroring-controller",
    (Watch(ENDPOINTS, own), Watch(SERVICES, own), Watch(SLICES, _of_slice)),
    reconcile,
    workers=2,
)
