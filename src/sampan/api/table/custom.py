"""Printer columns of custom resources (apiextensions-apiserver pkg/registry/customresource/tableconvertor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sampan.api.codec import json
from sampan.api.table import duration, jsonpath
from sampan.api.table.model import Column, Object, Printer, name

# What a CRD without additionalPrinterColumns shows.
AGE = ({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},)


def printer(given: Sequence[Mapping[str, Any]]) -> Printer:
    """The printer of one version's additionalPrinterColumns. Raises jsonpath.PathError for a path it cannot read."""
    specs = given or AGE
    paths = [jsonpath.parse(spec["jsonPath"]) for spec in specs]
    kinds = [spec.get("type", "string") for spec in specs]
    shown = tuple(
        Column(
            spec["name"], kind, spec.get("format", ""), spec.get("priority", 0), spec.get("description", "")
        )
        for spec, kind in zip(specs, kinds, strict=True)
    )

    def cells(found: Object, now: float) -> list[Any]:
        return [
            name(found),
            *(_cell(path, kind, found, now) for path, kind in zip(paths, kinds, strict=True)),
        ]

    return Printer((Column("Name", "string", "name"), *shown), cells)


def _cell(path: jsonpath.Path, kind: str, found: Object, now: float) -> Any:
    values = path.find(found)
    if not values:
        return None
    value = values[0]
    if kind == "string":
        return _printed(value)
    if value is None:
        return None
    if kind == "date":
        if not isinstance(value, str):
            return None
        return "<invalid>" if duration.seconds_of(value) is None else duration.since(value, now)
    return _typed(kind, value)


def _typed(kind: str, value: Any) -> Any:
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "integer" else float(value)


def _printed(value: Any) -> str:
    """A value as Go's JSONPath printer writes it: strings bare, collections as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value).decode()
