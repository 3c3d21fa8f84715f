"""Defaults of services, endpoints and network kinds.

Addresses, node ports and address families belong to the allocators. Source: pkg/apis/core/v1, discovery/v1,
networking/v1 defaults.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.defaults.setting import Object, child, empty, items, unset

_AFFINITY_SECONDS: Final = 10800  # DefaultClientIPServiceAffinitySeconds


def service(obj: Object) -> None:
    spec = child(obj, "spec")
    empty(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if config.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}
    for port in items(spec, "ports"):
        empty(port, protocol="TCP", targetPort=port.get("port"))
    external = spec["type"] in ("NodePort", "LoadBalancer")
    if external or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        empty(spec, externalTrafficPolicy="Cluster")
    if external or spec["type"] == "ClusterIP":
        unset(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        unset(spec, allocateLoadBalancerNodePorts=True)
        for ingress in items((obj.get("status") or {}).get("loadBalancer") or {}, "ingress"):
            if ingress.get("ip"):
                unset(ingress, ipMode="VIP")


def endpoints(obj: Object) -> None:
    for subset in items(obj, "subsets"):
        for port in items(subset, "ports"):
            empty(port, protocol="TCP")


def endpoint_slice(obj: Object) -> None:
    for port in items(obj, "ports"):
        unset(port, name="", protocol="TCP")


def network_policy(obj: Object) -> None:
    spec = child(obj, "spec")
    for direction in ("ingress", "egress"):
        for rule in items(spec, direction):
            for port in items(rule, "ports"):
                unset(port, protocol="TCP")
    empty(spec, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def ingress_class(obj: Object) -> None:
    parameters = child(obj, "spec").get("parameters")
    if parameters is not None:
        unset(parameters, scope="Cluster")
