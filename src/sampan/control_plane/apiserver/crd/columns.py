"""The columns of a custom resource's Table.

k8s.io/apiextensions-apiserver pkg/registry/customresource/tableconvertor/tableconvertor.go.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from sampan.control_plane.apiserver.crd import go_text, json_path


class Column(NamedTuple):
    """`definition` is the TableColumnDefinition; `cell` reads it from an object. now: seconds since the epoch."""

    definition: Mapping[str, Any]
    cell: Callable[[Mapping[str, Any], float], Any]


_NAME_TEXT: Final = "Name must be unique within a namespace."
_AGE_TEXT: Final = "Custom resource definition column (in JSONPath format): .metadata.creationTimestamp"
_DEFAULT: Final = (
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": _AGE_TEXT},
)


def of(listed: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Name, then the columns of the CRD; Age where it has none."""
    definition = {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": _NAME_TEXT,
        "priority": 0,
    }
    name = Column(definition, lambda obj, now: (obj.get("metadata") or {}).get("name"))
    return (name, *(_column(column) for column in (list(listed) or _DEFAULT)))


def _column(column: Mapping[str, Any]) -> Column:
    kind, text = str(column.get("type") or ""), str(column.get("jsonPath") or "")
    about = column.get("description") or f"Custom resource definition column (in JSONPath format): {text}"
    definition = {
        "name": column.get("name") or "",
        "type": kind,
        "format": column.get("format") or "",
        "description": about,
        "priority": column.get("priority") or 0,
    }
    try:
        path = json_path.Path(text)
    except json_path.PathError:
        # Upstream, too, takes such a CRD and shows the column empty.
        return Column(definition, lambda obj, now: None)
    return Column(definition, lambda obj, now: cell(kind, path.first(obj), now))


def cell(kind: str, value: Any, now: float) -> Any:
    """A value as its column's type shows it; None where it does not fit."""
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "string":
            return _text(value)
        case "integer":
            return int(value) if number else None
        case "number":
            return float(value) if number else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return age(value, now) if isinstance(value, str) else None
        case _:
            return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_text.number(value)
    return str(value) if isinstance(value, int) else orjson.dumps(value).decode()


def age(timestamp: str, now: float) -> str:
    """How long ago, as kubectl prints it: 5s, 3m20s, 2d5h, 400d."""
    try:
        moment = datetime.datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    if moment.tzinfo is None:
        return "<invalid>"
    return duration(now - moment.timestamp())


def duration(seconds: float) -> str:
    """k8s.io/apimachinery pkg/util/duration.HumanDuration."""
    if seconds < -1:
        return "<invalid>"
    total = max(int(seconds), 0)
    minutes, hours, days = total // 60, total // 3600, total // 86_400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 2920:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
