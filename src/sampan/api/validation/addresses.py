"""ServiceCIDR and IPAddress: where Services' addresses come from. Source: pkg/apis/networking/validation."""

from __future__ import annotations

import ipaddress
from typing import Any

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object


def ip_name(name: str) -> list[str]:
    """An IPAddress is called what it is, in canonical form."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return [] if str(address) == name else [f'must be in canonical form ("{address}")']


def ip_address(obj: Object) -> Causes:
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        yield error.required("spec.parentRef")
        return
    path = "spec.parentRef"
    if parent.get("group"):
        yield from rules.text_rule(f"{path}.group", parent["group"], content.dns_subdomain)
    for name in ("resource", "name"):
        if not parent.get(name):
            yield error.required(f"{path}.{name}")
        else:
            yield from rules.text_rule(f"{path}.{name}", parent[name], content.path_segment)
    if parent.get("namespace"):
        yield from rules.text_rule(f"{path}.namespace", parent["namespace"], content.path_segment)


def ip_address_update(obj: Object, old: Object) -> Causes:
    if obj["spec"].get("parentRef") != old["spec"].get("parentRef"):
        yield error.invalid("spec.parentRef", None, rules.IMMUTABLE)


def service_cidr(obj: Object) -> Causes:
    yield from _cidrs((obj.get("spec") or {}).get("cidrs") or [])


def _cidrs(found: list[str]) -> Causes:
    path = "spec.cidrs"
    if not found:
        yield error.required(path, "at least one CIDR required")
    elif len(found) > 2:
        yield error.invalid(path, {"cidrs": found}, "may only hold up to 2 values")
    else:
        for place, cidr in enumerate(found):
            yield from rules.cidr(f"{path}[{place}]", cidr)
        families = {":" in cidr for cidr in found}
        if len(found) == 2 and len(families) == 1 and not any(map(_wrong, found)):
            text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            yield error.invalid(path, found, text)


def _wrong(cidr: str) -> bool:
    return any(True for _ in rules.cidr("", cidr))


def service_cidr_update(obj: Object, old: Object) -> Causes:
    new: list[Any] = (obj.get("spec") or {}).get("cidrs") or []
    before: list[Any] = (old.get("spec") or {}).get("cidrs") or []
    if len(new) != len(before) and (len(before), len(new)) != (1, 2):
        yield error.invalid("spec.cidrs", new, rules.IMMUTABLE)
        return
    for place, cidr in enumerate(before):
        if new[place] != cidr:
            yield error.invalid(f"spec.cidrs[{place}]", new[place], rules.IMMUTABLE)
    if len(new) != len(before):
        yield from _cidrs(new)
