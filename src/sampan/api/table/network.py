"""Services, endpoints, ingresses, network policies and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.api.table import cells as shared
from sampan.api.table.model import Object, Printer, columns, field, items, name, number, some, text

_SHOWN = 3  # entries of a list before "+ N more..."


def _service(found: Object, now: float) -> list[Any]:
    inside = items(found, "spec", "clusterIPs")
    return [
        name(found),
        text(found, "spec", "type"),
        inside[0] if inside else shared.NONE,
        _external(found),
        ",".join(map(_service_port, items(found, "spec", "ports"))) or shared.NONE,
        shared.age(found, now),
        shared.labels(field(found, "spec", "selector")),
    ]


def _external(service: Object) -> str:
    kind, given = text(service, "spec", "type"), items(service, "spec", "externalIPs")
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(given) or shared.NONE
    if kind == "LoadBalancer":
        made = shared.addresses(field(service, "status"))
        return ",".join([*([made] if made else []), *given]) or "<pending>"
    return text(service, "spec", "externalName") if kind == "ExternalName" else "<unknown>"


def _service_port(port: Any) -> str:
    on_node = number(port, "nodePort")
    middle = f":{on_node}" if on_node else ""
    return f"{number(port, 'port')}{middle}/{text(port, 'protocol')}"


def _endpoints(found: Object, now: float) -> list[Any]:
    listed: list[str] = []
    for subset in items(found, "subsets"):
        held = [text(one, "ip") for one in items(subset, "addresses")]
        ports = items(subset, "ports")
        for port in ports:
            listed += [f"{f'[{ip}]' if ':' in ip else ip}:{number(port, 'port')}" for ip in held]
        if not ports:
            listed += held
    shown = some(listed[:_SHOWN], len(listed), _SHOWN) if items(found, "subsets") else shared.NONE
    return [name(found), shown, shared.age(found, now)]


def _endpoint_slice(found: Object, now: float) -> list[Any]:
    ports = [_endpoint_port(port) for port in items(found, "ports")]
    held = [address for one in items(found, "endpoints") for address in items(one, "addresses")]
    return [
        name(found),
        text(found, "addressType"),
        some(ports[:_SHOWN], len(ports), _SHOWN) or shared.UNSET,
        some(held[:_SHOWN], len(held), _SHOWN) or shared.UNSET,
        shared.age(found, now),
    ]


def _endpoint_port(port: Any) -> str:
    if field(port, "port") is not None:
        return str(field(port, "port"))
    return "*" if field(port, "name") is None else text(port, "name")


def _ingress(found: Object, now: float) -> list[Any]:
    rules = items(found, "spec", "rules")
    hosts = [text(rule, "host") for rule in rules if text(rule, "host")]
    # Upstream stops at the fourth rule once three hosts are shown.
    shown = some(hosts[:_SHOWN], len(rules) if len(hosts) > _SHOWN - 1 else len(hosts), _SHOWN)
    return [
        name(found),
        shared.NONE
        if field(found, "spec", "ingressClassName") is None
        else text(found, "spec", "ingressClassName"),
        shown or "*",
        shared.addresses(field(found, "status")),
        "80, 443" if items(found, "spec", "tls") else "80",
        shared.age(found, now),
    ]


def _ingress_class(found: Object, now: float) -> list[Any]:
    shown, parameters = name(found), field(found, "spec", "parameters")
    if field(found, "metadata", "annotations", "ingressclass.kubernetes.io/is-default-class") == "true":
        shown += " (default)"
    target = shared.NONE
    if isinstance(parameters, Mapping):
        group = field(parameters, "apiGroup")
        target = (
            f"{text(parameters, 'kind')}{'' if group is None else f'.{group}'}/{text(parameters, 'name')}"
        )
    return [shown, text(found, "spec", "controller"), target, shared.age(found, now)]


def _network_policy(found: Object, now: float) -> list[Any]:
    return [name(found), shared.selector(field(found, "spec", "podSelector") or {}), shared.age(found, now)]


def _address(found: Object, now: float) -> list[Any]:
    parent, shown = field(found, "spec", "parentRef"), shared.NONE
    if isinstance(parent, Mapping):
        group, resource = text(parent, "group"), text(parent, "resource")
        parts = [f"{resource}.{group}".lower() if group else resource.lower()]
        parts += [text(parent, key) for key in ("namespace", "name") if text(parent, key) or key == "name"]
        shown = "/".join(parts)
    return [name(found), shown, shared.age(found, now)]  # upstream sends an age for which it has no column


def _service_range(found: Object, now: float) -> list[Any]:
    return [name(found), ",".join(items(found, "spec", "cidrs")), shared.age(found, now)]


PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "endpoints"): Printer(columns("Name", "Endpoints", "Age"), _endpoints),
    ("", "services"): Printer(
        columns("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector+"), _service
    ),
    ("discovery.k8s.io", "endpointslices"): Printer(
        columns("Name", "AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice
    ),
    ("networking.k8s.io", "ingressclasses"): Printer(
        columns("Name", "Controller", "Parameters", "Age"), _ingress_class
    ),
    ("networking.k8s.io", "ingresses"): Printer(
        columns("Name", "Class", "Hosts", "Address", "Ports", "Age"), _ingress
    ),
    ("networking.k8s.io", "ipaddresses"): Printer(columns("Name", "ParentRef"), _address),
    ("networking.k8s.io", "networkpolicies"): Printer(
        columns("Name", "Pod-Selector", "Age"), _network_policy
    ),
    ("networking.k8s.io", "servicecidrs"): Printer(columns("Name", "CIDRs", "Age"), _service_range),
}
