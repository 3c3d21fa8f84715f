"""An address for Services of type LoadBalancer: the nodes' own, as k3s' ServiceLB gives it. Off unless configured.

The service proxy of the nodes serves the addresses in status.loadBalancer. Services with a loadBalancerClass are somebody
else's. `spec.externalTrafficPolicy: Local` narrows the list to nodes that run an endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Update
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import conditions, pods, services
from sampan.control_plane.controllers.node_lifecycle import NODES
from sampan.control_plane.controllers.services import SERVICES

Object = dict[str, Any]

EXCLUDED: Final = "node.kubernetes.io/exclude-from-external-load-balancers"


class View(NamedTuple):
    service: Object
    nodes: tuple[Object, ...]
    pods: tuple[Object, ...]  # the service's


def plan(view: View) -> list[Action]:
    service = view.service
    spec, status = service["spec"], service.get("status") or {}
    wanted: Object = {}
    if spec.get("type") == "LoadBalancer":
        if spec.get("loadBalancerClass"):
            return []
        wanted = {"ingress": [{"ip": ip, "ipMode": "VIP"} for ip in _addresses(view)]} if view.nodes else {}
        if not wanted.get("ingress"):
            wanted = {}
    have = status.get("loadBalancer") or {}
    if [e.get("ip") for e in have.get("ingress") or ()] == [e["ip"] for e in wanted.get("ingress", [])]:
        return []
    if spec.get("type") != "LoadBalancer" and not have:
        return []
    return [Update(SERVICES, service | {"status": status | {"loadBalancer": wanted}}, "status")]


def _addresses(view: View) -> list[str]:
    families = services.families(view.service)
    local = view.service["spec"].get("externalTrafficPolicy") == "Local"
    running = {
        p["spec"].get("nodeName") for p in view.pods if pods.is_ready(p) and not pods.is_terminating(p)
    }
    found: list[str] = []
    for node in sorted(view.nodes, key=lambda n: str(n["metadata"]["name"])):
        meta, status = node["metadata"], node.get("status") or {}
        if EXCLUDED in (meta.get("labels") or {}) or not conditions.is_true(status, "Ready"):
            continue
        if local and meta["name"] not in running:
            continue
        given = [
            a["address"]
            for kind in ("ExternalIP", "InternalIP")
            for a in status.get("addresses") or ()
            if a["type"] == kind
        ]
        for family in families:
            found += [ip for ip in given if services.family(ip) == family][:1]
    return list(dict.fromkeys(found))


async def reconcile(context: Context, key: str) -> Outcome:
    service = context.store(SERVICES).get(key)
    if service is None or service["metadata"].get("deletionTimestamp"):
        return DONE
    if not context.config.service_lb:
        return DONE
    members = tuple(services.members(context, service))
    applied = await context.execute.apply(plan(View(service, tuple(context.store(NODES)), members)))
    return Retry(applied.error) if applied.error else DONE


def _of_node(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if old is not None and new is not None and _shown(old) == _shown(new):
        return ()
    return _balanced(context)


def _balanced(context: Context) -> list[str]:
    return [key_of(s) for s in context.store(SERVICES) if s["spec"].get("type") == "LoadBalancer"]


def _shown(node: Object) -> tuple[Any, ...]:
    status = node.get("status") or {}
    return conditions.is_true(status, "Ready"), status.get("addresses"), node["metadata"].get("labels")


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Only services that prefer their own nodes care where pods run."""
    local = [
        key_of(s)
        for s in context.store(SERVICES)
        if s["spec"].get("type") == "LoadBalancer" and s["spec"].get("externalTrafficPolicy") == "Local"
    ]
    return set(local).intersection(services.of_pod(context, old, new)) if local else ()


CONTROLLER: Final = Controller(
    "service-lb-controller",
    (Watch(SERVICES, own), Watch(NODES, _of_node), Watch(pods.PODS, _of_pod)),
    reconcile,
    workers=1,
)
