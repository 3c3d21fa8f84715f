"""The words that all setters use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sampan.api import quantity

Object = dict[str, Any]


def child(obj: Object, name: str) -> Object:
    """The object in a field, made where it is not there."""
    found: Object | None = obj.get(name)
    if found is None:
        found = obj[name] = {}
    return found


def items(obj: Object, name: str) -> Iterator[Object]:
    yield from obj.get(name) or ()


def unset(obj: Object, **defaults: Any) -> None:
    """Sets each field that is missing. For fields behind pointers: "", 0 and false count as set."""
    for name, value in defaults.items():
        if obj.get(name) is None:
            obj[name] = value


def empty(obj: Object, **defaults: Any) -> None:
    """Sets each field that is missing, "" or 0."""
    for name, value in defaults.items():
        if not obj.get(name):
            obj[name] = value


_MILLI = 10**6  # in billionths


def resource_list(found: Object | None) -> None:
    """SetDefaults_ResourceList: amounts are rounded up to thousandths."""
    for name, text in (found or {}).items():
        try:
            amount = quantity.parse(text)
        except quantity.QuantityError:
            continue
        if amount.nanos % _MILLI:
            rounded = -(-abs(amount.nanos) // _MILLI) * _MILLI
            found[name] = str(quantity.Quantity(rounded if amount.nanos > 0 else -rounded, amount.format))  # type: ignore[index]


def requirements(resources: Object | None) -> None:
    """The amounts in a ResourceRequirements."""
    if resources:
        resource_list(resources.get("limits"))
        resource_list(resources.get("requests"))
