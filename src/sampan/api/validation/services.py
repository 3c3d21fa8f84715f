"""Services. Source: pkg/apis/core/validation/validation.go (validateService, ValidateServiceUpdate)."""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_EXTERNAL: Final = ("NodePort", "LoadBalancer")
_MAX_AFFINITY: Final = 86400
_ONLY_BALANCED: Final = "may only be used when `type` is 'LoadBalancer'"


def _is_headless(spec: Object) -> bool:
    return bool((spec.get("clusterIPs") or [spec.get("clusterIP")])[0] == "None")


def service(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type") or "", spec.get("ports") or []
    if not ports and not _is_headless(spec) and kind != "ExternalName":
        yield error.required("spec.ports")
    if kind in _EXTERNAL and _is_headless(spec):
        yield error.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(spec, ports)
    yield from rules.labels("spec.selector", spec.get("selector"))
    yield from _affinity(spec)
    yield from _addresses(spec)
    for place, address in enumerate(spec.get("externalIPs") or ()):
        yield from rules.ip_address(f"spec.externalIPs[{place}]", address)
    yield from rules.one_of("spec.type", kind, _TYPES)
    yield from _port_use(spec, ports)
    yield from _balancer(spec)
    yield from _policies(spec)


def _external_name(spec: Object) -> Causes:
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield error.forbidden(f"spec.{field}", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    if name:
        yield from rules.text_rule("spec.externalName", name, content.dns_subdomain)
    else:
        yield error.required("spec.externalName")


def _ports(spec: Object, ports: list[Object]) -> Causes:
    names: set[str] = set()
    for place, port in enumerate(ports):
        at = f"spec.ports[{place}]"
        name = port.get("name") or ""
        if not name and len(ports) > 1:
            yield error.required(f"{at}.name")
        elif name:
            yield from rules.text_rule(f"{at}.name", name, content.dns_label)
            if name in names:
                yield error.duplicate(f"{at}.name", name)
            names.add(name)
        yield from rules.port_number(f"{at}.port", port.get("port") or 0)
        yield from rules.one_of(f"{at}.protocol", port.get("protocol"), rules.PROTOCOLS)
        yield from rules.port_number_or_name(f"{at}.targetPort", port.get("targetPort"))
        if port.get("appProtocol") is not None:
            yield from rules.text_rule(f"{at}.appProtocol", port["appProtocol"], content.label_key)


def _port_use(spec: Object, ports: list[Object]) -> Causes:
    if spec.get("type") == "ClusterIP":
        for place, port in enumerate(ports):
            if port.get("nodePort"):
                yield error.forbidden(
                    f"spec.ports[{place}].nodePort", "may not be used when `type` is 'ClusterIP'"
                )
    taken: set[tuple[str, str, int]] = set()
    for place, port in enumerate(ports):
        protocol = port.get("protocol", "")
        for field, at in (("nodePort", f"spec.ports[{place}].nodePort"), ("port", f"spec.ports[{place}]")):
            number = port.get(field) or 0
            if not number and field == "nodePort":
                continue
            key = (field, protocol, number)
            if key in taken:
                yield error.duplicate(
                    at, number if field == "nodePort" else {"protocol": protocol, "port": number}
                )
            taken.add(key)


def _affinity(spec: Object) -> Causes:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    yield from rules.one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    at = "spec.sessionAffinityConfig"
    if affinity == "ClientIP":
        if config is None:
            yield error.required(at, "when session affinity type is ClientIP")
            return
        seconds = (config.get("clientIP") or {}).get("timeoutSeconds")
        if seconds is None:
            yield error.required(f"{at}.clientIP", "when session affinity type is ClientIP")
        elif not 0 < seconds <= _MAX_AFFINITY:
            yield error.invalid(
                f"{at}.clientIP.timeoutSeconds",
                seconds,
                f"must be greater than 0 and less than {_MAX_AFFINITY}",
            )
    elif affinity == "None" and config is not None:
        yield error.forbidden(at, "must not be set when session affinity is None")


def _addresses(spec: Object) -> Causes:
    if spec.get("type") == "ExternalName":
        return
    single, several = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if single:
        if not several:
            yield error.required("spec.clusterIPs")
        elif several[0] != single:
            yield error.invalid("spec.clusterIPs", several, "first value must match `clusterIP`")
    elif several:
        yield error.invalid("spec.clusterIPs", several, "must be empty when `clusterIP` is not specified")
    seen: set[str] = set()
    for place, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in ("IPv4", "IPv6"):
            yield error.not_supported(f"spec.ipFamilies[{place}]", family, ("IPv4", "IPv6"))
        if family in seen:
            yield error.duplicate(f"spec.ipFamilies[{place}]", family)
        seen.add(family)
    policies = ("PreferDualStack", "RequireDualStack", "SingleStack")
    yield from rules.one_of("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), policies, required=False)
    for place, address in enumerate(several):
        if place == 0 and address == "None":
            if len(several) > 1:
                yield error.invalid("spec.clusterIPs", several, "'None' must be the first and only value")
            continue
        yield from rules.ip_address(f"spec.clusterIPs[{place}]", address)
    if len(several) > 2:
        yield error.invalid("spec.clusterIPs", several, "may only hold up to 2 values")


def _balancer(spec: Object) -> Causes:
    balanced = spec.get("type") == "LoadBalancer"
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges and not balanced:
        yield error.forbidden("spec.LoadBalancerSourceRanges", _ONLY_BALANCED)
    for place, network in enumerate(ranges):
        yield from rules.cidr(f"spec.LoadBalancerSourceRanges[{place}]", network.strip())
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        yield error.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCED)
    if spec.get("loadBalancerClass") is not None:
        if balanced:
            yield from rules.text_rule("spec.loadBalancerClass", spec["loadBalancerClass"], content.label_key)
        else:
            yield error.forbidden("spec.loadBalancerClass", _ONLY_BALANCED)


def _policies(spec: Object) -> Causes:
    kind, policy = spec.get("type"), spec.get("externalTrafficPolicy") or ""
    external = kind in _EXTERNAL or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if not external:
        if policy:
            yield error.invalid(
                "spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services"
            )
    else:
        yield from rules.one_of("spec.externalTrafficPolicy", policy, ("Cluster", "Local"))
    health = spec.get("healthCheckNodePort") or 0
    if kind == "LoadBalancer" and policy == "Local":
        if health:
            yield from rules.port_number("spec.healthCheckNodePort", health)
    elif health:
        yield error.invalid(
            "spec.healthCheckNodePort",
            health,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )
    internal = spec.get("internalTrafficPolicy")
    if internal is None:
        if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
            yield error.required("spec.internalTrafficPolicy")
    elif internal not in ("Cluster", "Local"):
        yield error.not_supported("spec.internalTrafficPolicy", internal, ("Cluster", "Local"))


def service_update(obj: Object, old: Object) -> Causes:
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        if not (_is_headless(spec) and _is_headless(before)):
            yield from _address_change(spec, before)
    if spec.get("type") == before.get("type") == "LoadBalancer" and spec.get(
        "loadBalancerClass"
    ) != before.get("loadBalancerClass"):
        yield error.invalid(
            "spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set"
        )
    yield from service(obj)


def _address_change(spec: Object, before: Object) -> Causes:
    new, old = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if len(new) == len(old):
        for place, address in enumerate(old):
            if new[place] != address:
                yield error.invalid(f"spec.clusterIPs[{place}]", new, "may not change once set")
    elif len(new) < len(old):
        if not new:
            yield error.invalid("spec.clusterIPs[0]", new, "primary clusterIP can not be unset")
        elif new[0] != old[0]:
            yield error.invalid("spec.clusterIPs[0]", new, "may not change once set")
        if len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
            yield error.invalid(
                "spec.ipFamilyPolicy",
                spec.get("ipFamilyPolicy"),
                "must be set to 'SingleStack' when releasing the secondary clusterIP",
            )
    elif old and new[0] != old[0]:
        yield error.invalid("spec.clusterIPs[0]", new, "may not change once set")
