"""What a Service keeps when it is updated by a client that left it out, and what it loses with its type.

Source: pkg/registry/core/service/strategy.go (dropTypeDependentFields), storage/storage.go (patchAllocatedValues).
"""

from __future__ import annotations

from sampan.api.strategy.model import Object


def _has_address(spec: Object) -> bool:
    return spec.get("type") != "ExternalName"


def _has_node_ports(spec: Object) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _has_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _is_external(spec: Object) -> bool:
    return _has_node_ports(spec) or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def update(service: Object, old: Object, now: str) -> None:
    spec, before = service["spec"], old["spec"]
    _keep_allocated(spec, before)
    _drop_type_dependent(spec, before)
    if spec.get("type") != "LoadBalancer" and service.get("status"):
        service["status"] = {**service["status"], "loadBalancer": {}}


def _keep_allocated(spec: Object, before: Object) -> None:
    if _has_address(before) and _has_address(spec):
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field) and before.get(field):
                spec[field] = before[field]
    if _has_node_ports(before) and _has_node_ports(spec):
        known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
        taken = {port.get("nodePort") for port in spec.get("ports") or ()}
        for port in spec.get("ports") or ():
            number = known.get(port.get("name", ""))
            if not port.get("nodePort") and number and number not in taken:
                port["nodePort"] = number
    if _has_health_port(before) and _has_health_port(spec) and before.get("healthCheckNodePort"):
        if not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _drop_type_dependent(spec: Object, before: Object) -> None:
    """Fields that the new type has no use for go, unless the client changed them (then validation speaks)."""

    def drop_same(*fields: str) -> None:
        if all(spec.get(field) == before.get(field) for field in fields):
            for field in fields:
                spec.pop(field, None)

    if _has_address(before) and not _has_address(spec):
        drop_same("clusterIP", "clusterIPs")
        drop_same("ipFamilies")
        drop_same("ipFamilyPolicy")
        drop_same("internalTrafficPolicy")
    if _has_node_ports(before) and not _has_node_ports(spec):
        had = {port.get("nodePort") for port in before.get("ports") or ()}
        if all(not port.get("nodePort") or port["nodePort"] in had for port in spec.get("ports") or ()):
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
    if _has_health_port(before) and not _has_health_port(spec):
        drop_same("healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        drop_same("allocateLoadBalancerNodePorts")
        drop_same("loadBalancerClass")
    if _is_external(before) and not _is_external(spec):
        drop_same("externalTrafficPolicy")
