"""Ingress, IngressClass, NetworkPolicy, Endpoints, EndpointSlice. Source: pkg/apis/{networking,discovery,core}/validation."""

from __future__ import annotations

import ipaddress
from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_SUFFIXES: Final = ("/..", "/.")
_MAX_CONTROLLER: Final = 250
_MAX_ENDPOINTS: Final = 1000
_MAX_ENDPOINT_ADDRESSES: Final = 100


def ingress(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    backend, found = spec.get("defaultBackend"), spec.get("rules") or []
    if not found and backend is None:
        yield error.invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _backend(backend, "spec.defaultBackend")
    for place, rule in enumerate(found):
        yield from _ingress_rule(rule, f"spec.rules[{place}]")
    for place, entry in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(entry.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{place}].hosts[{number}]")
        if entry.get("secretName"):
            yield from rules.text_rule(
                f"spec.tls[{place}].secretName", entry["secretName"], content.dns_subdomain
            )
    if spec.get("ingressClassName") is not None:
        yield from rules.text_rule("spec.ingressClassName", spec["ingressClassName"], content.dns_subdomain)


def _host(host: str, path: str) -> Causes:
    yield from rules.text_rule(
        path, host, content.wildcard_subdomain if "*" in host else content.dns_subdomain
    )


def _ingress_rule(rule: Object, path: str) -> Causes:
    host = rule.get("host") or ""
    if host:
        if _is_address(host):
            yield error.invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from _host(host, f"{path}.host")
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield error.required(f"{path}.http.paths")
    for place, found in enumerate(http.get("paths") or ()):
        yield from _ingress_path(found, f"{path}.http.paths[{place}]")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ingress_path(found: Object, path: str) -> Causes:
    kind, where = found.get("pathType"), found.get("path") or ""
    if kind is None:
        yield error.required(f"{path}.pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield error.not_supported(f"{path}.pathType", kind, _PATH_TYPES)
    elif not where.startswith("/") and (where or kind != "ImplementationSpecific"):
        yield error.invalid(f"{path}.path", where, "must be an absolute path")
    if kind in ("Exact", "Prefix"):
        for sequence in _BAD_SEQUENCES:
            if sequence in where:
                yield error.invalid(f"{path}.path", where, f"must not contain '{sequence}'")
        for suffix in _BAD_SUFFIXES:
            if where.endswith(suffix):
                yield error.invalid(f"{path}.path", where, f"cannot end with '{suffix}'")
    yield from _backend(found.get("backend") or {}, f"{path}.backend")


def _backend(backend: Object, path: str) -> Causes:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield error.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        for name in ("kind", "name"):
            if not resource.get(name):
                yield error.required(f"{path}.resource.{name}")
    elif service is None:
        yield error.invalid(path, "", "resource or service backend is required")
    else:
        if not service.get("name"):
            yield error.required(f"{path}.service.name")
        else:
            yield from rules.text_rule(f"{path}.service.name", service["name"], content.dns_label)
        port = service.get("port") or {}
        if port.get("name") and port.get("number"):
            yield error.invalid(path, "", "cannot set both port name & port number")
        elif port.get("name"):
            yield from rules.text_rule(f"{path}.service.port.name", port["name"], content.port_name)
        elif port.get("number"):
            yield from rules.port_number(f"{path}.service.port.number", port["number"])
        else:
            yield error.required(path, "port name or number is required")


def ingress_class(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    controller, parameters = spec.get("controller") or "", spec.get("parameters")
    if len(controller) > _MAX_CONTROLLER:
        yield error.too_long("spec.controller", _MAX_CONTROLLER)
    yield from rules.domain_prefixed_path("spec.controller", controller)
    if parameters is None:
        return
    path = "spec.parameters"
    if parameters.get("apiGroup") is not None:
        yield from rules.text_rule(f"{path}.apiGroup", parameters["apiGroup"], content.dns_subdomain)
    for name in ("kind", "name"):
        if not parameters.get(name):
            yield error.required(f"{path}.{name}")
        else:
            yield from rules.text_rule(f"{path}.{name}", parameters[name], content.path_segment)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield error.required(f"{path}.scope")
    elif scope == "Namespace" and namespace is None:
        yield error.required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Namespace":
        yield from rules.text_rule(f"{path}.namespace", namespace, content.dns_label)
    elif scope != "Cluster":
        yield error.not_supported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    elif namespace is not None:
        yield error.forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


def ingress_class_update(obj: Object, old: Object) -> Causes:
    yield from rules.immutables("spec", obj["spec"], old["spec"], "controller")
    yield from ingress_class(obj)


def network_policy(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from rules.label_selector("spec.podSelector", spec.get("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for place, rule in enumerate(spec.get(direction) or ()):
            at = f"spec.{direction}[{place}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _policy_port(port, f"{at}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(peer, f"{at}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        yield error.invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for place, kind in enumerate(types):
        if kind not in ("Ingress", "Egress"):
            yield error.not_supported(f"spec.policyTypes[{place}]", kind, ("Ingress", "Egress"))


def _policy_port(port: Object, path: str) -> Causes:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in rules.PROTOCOLS:
        yield error.not_supported(f"{path}.protocol", protocol, ("TCP", "UDP", "SCTP"))
    if number is None:
        if end is not None:
            yield error.invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")
        return
    if isinstance(number, str):
        if end is not None:
            yield error.invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
        yield from rules.text_rule(f"{path}.port", number, content.port_name)
        return
    yield from rules.port_number(f"{path}.port", number)
    if end is not None:
        if end < number:
            yield error.invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
        yield from rules.port_number(f"{path}.endPort", end)


def _peer(peer: Object, path: str) -> Causes:
    kinds = [kind for kind in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(kind) is not None]
    for kind in kinds:
        if kind == "ipBlock":
            yield from _block(peer[kind], f"{path}.ipBlock")
        else:
            yield from rules.label_selector(f"{path}.{kind}", peer[kind])
    if not kinds:
        yield error.required(path, "must specify a peer")
    elif len(kinds) > 1 and "ipBlock" in kinds:
        yield error.forbidden(path, "may not specify both ipBlock and another peer")


def _block(block: Object, path: str) -> Causes:
    whole = block.get("cidr") or ""
    if not whole:
        yield error.required(f"{path}.cidr")
        return
    wrong = list(rules.cidr(f"{path}.cidr", whole))
    yield from wrong
    for place, part in enumerate(block.get("except") or ()):
        at = f"{path}.except[{place}]"
        bad = list(rules.cidr(at, part))
        yield from bad
        if not wrong and not bad:
            outer = ipaddress.ip_network(whole, strict=False)
            inner = ipaddress.ip_network(part, strict=False)
            same = outer.version == inner.version
            if not same or inner.network_address not in outer or inner.prefixlen <= outer.prefixlen:
                yield error.invalid(at, part, "must be a strict subset of `cidr`")


def endpoints(obj: Object) -> Causes:
    for place, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{place}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield error.required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(field) or ()):
                here = f"{at}.{field}[{number}].ip"
                wrong = list(rules.ip_address(here, address.get("ip", "")))
                yield from wrong
                if wrong:
                    yield error.invalid(here, address.get("ip", ""), "must be a valid IP address")
                else:
                    yield from _reachable(here, address["ip"])
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            here = f"{at}.ports[{number}]"
            if len(ports) > 1 and not port.get("name"):
                yield error.required(f"{here}.name")
            elif port.get("name"):
                yield from rules.text_rule(f"{here}.name", port["name"], content.dns_label)
            yield from rules.port_number(f"{here}.port", port.get("port") or 0)
            yield from rules.one_of(f"{here}.protocol", port.get("protocol"), rules.PROTOCOLS)


def endpoint_slice(obj: Object) -> Causes:
    kind, found = obj.get("addressType") or "", obj.get("endpoints") or []
    yield from rules.one_of("addressType", kind, ("FQDN", "IPv4", "IPv6"))
    if len(found) > _MAX_ENDPOINTS:
        yield error.too_many("endpoints", len(found), _MAX_ENDPOINTS)
    for place, endpoint in enumerate(found):
        addresses = endpoint.get("addresses") or []
        at = f"endpoints[{place}].addresses"
        if not addresses:
            yield error.required(at)
        elif len(addresses) > _MAX_ENDPOINT_ADDRESSES:
            yield error.too_many(at, len(addresses), _MAX_ENDPOINT_ADDRESSES)
        for number, address in enumerate(addresses):
            here = f"{at}[{number}]"
            if kind == "FQDN":
                yield from rules.text_rule(here, address, content.dns_subdomain)
            elif kind in ("IPv4", "IPv6"):
                wrong = list(rules.ip_address(here, address))
                yield from wrong
                if not wrong and f"IPv{ipaddress.ip_address(address).version}" != kind:
                    yield error.invalid(at, address, f"must be an {kind} address")
                if not wrong:
                    yield from _reachable(here, address)
    names: set[str] = set()
    for place, port in enumerate(obj.get("ports") or ()):
        at, name = f"ports[{place}]", port.get("name") or ""
        if name in names:
            yield error.duplicate(f"{at}.name", name)
        names.add(name)
        if name:
            yield from rules.text_rule(f"{at}.name", name, content.dns_label)
        yield from rules.one_of(f"{at}.protocol", port.get("protocol"), rules.PROTOCOLS)


def _reachable(path: str, text: str) -> Causes:
    """Addresses of endpoints may not be ones that mean this machine, or nobody."""
    address = ipaddress.ip_address(text)
    if address.is_unspecified:
        yield error.invalid(path, text, f"may not be unspecified ({address})")
    elif address.is_loopback:
        yield error.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    elif address.is_link_local:
        yield error.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    elif address.is_multicast:
        yield error.invalid(
            path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        )


def endpoint_slice_update(obj: Object, old: Object) -> Causes:
    yield from endpoint_slice(obj)
    yield from rules.immutables("", obj, old, "addressType")
