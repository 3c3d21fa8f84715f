"""Cells that several kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.table import duration
from sampan.api.table.model import Object, field, items, text

NONE = "<none>"
UNSET = "<unset>"


def age(found: Object, now: float) -> str:
    return duration.since(field(found, "metadata", "creationTimestamp"), now)


def labels(found: Mapping[str, str] | None) -> str:
    """Sorted key=value pairs."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or NONE


def selector(found: Mapping[str, Any] | None) -> str:
    """A LabelSelector in the text syntax."""
    try:
        return str(Selector.from_object(found)) or NONE
    except SelectorError:
        return "<error>"


def containers(template: Any) -> list[str]:
    """Names and images of a pod template's containers: two cells."""
    found = items(template, "spec", "containers")
    return [",".join(text(one, "name") for one in found), ",".join(text(one, "image") for one in found)]


def addresses(status: Any, *, wide: bool = True) -> str:
    """A load balancer's addresses, sorted; cut at 16 characters unless wide."""
    found = {text(one, "ip") or text(one, "hostname") for one in items(status, "loadBalancer", "ingress")}
    joined = ",".join(sorted(found - {""}))
    return joined if wide or len(joined) <= 16 else joined[:13] + "..."


def condition(found: Any, kind: str) -> Mapping[str, Any] | None:
    """The status condition of that type."""
    for one in items(found, "status", "conditions"):
        if text(one, "type") == kind:
            return one if isinstance(one, Mapping) else None
    return None


def is_true(found: Any, kind: str) -> bool:
    return text(condition(found, kind), "status") == "True"


def or_unset(value: Any) -> str:
    return UNSET if value is None else str(value)


def access_modes(modes: Any) -> str:
    short = {
        "ReadWriteOnce": "RWO",
        "ReadOnlyMany": "ROX",
        "ReadWriteMany": "RWX",
        "ReadWriteOncePod": "RWOP",
    }
    return ",".join(letters for mode, letters in short.items() if mode in (modes or ()))
