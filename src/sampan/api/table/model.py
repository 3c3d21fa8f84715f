"""What a printer is: columns, and a function from an object to its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Object = Mapping[str, Any]
Cells = Callable[[Object, float], list[Any]]


class Column(NamedTuple):
    """A TableColumnDefinition; priority 1 columns are shown with -o wide only."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


class Printer(NamedTuple):
    """`cells(object, now)` gives a row's cells as JSON values, in the order of `columns`; now in epoch seconds.

    `in_list` is called with all objects of a list and may give other cells than one object alone has.
    """

    columns: tuple[Column, ...]
    cells: Cells
    in_list: Callable[[Sequence[Object], float], list[list[Any]]] | None = None

    def rows(self, objects: Sequence[Object], now: float) -> list[list[Any]]:
        """The cells of every object of a list."""
        if self.in_list is not None:
            return self.in_list(objects, now)
        return [self.cells(found, now) for found in objects]


def columns(*specs: str) -> tuple[Column, ...]:
    """Columns by a short text each: `Age`, `Desired:integer`, `Images+` (wide only). The first one is the name."""
    made = [_column(spec) for spec in specs]
    made[0] = made[0]._replace(format="name")
    return tuple(made)


def _column(spec: str) -> Column:
    wide = spec.endswith("+")
    name, _, kind = spec.removesuffix("+").partition(":")
    return Column(name, kind or "string", "", int(wide))


def field(found: Any, *path: str) -> Any:
    """The value below nested objects, or None where any of them is missing."""
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def number(found: Any, *path: str) -> int:
    """A Go integer: zero where it is missing."""
    value = field(found, *path)
    return value if isinstance(value, int) else 0


def text(found: Any, *path: str) -> str:
    """A Go string: empty where it is missing."""
    value = field(found, *path)
    return value if isinstance(value, str) else ""


def items(found: Any, *path: str) -> Sequence[Any]:
    """A Go slice: empty where it is missing."""
    value = field(found, *path)
    return value if isinstance(value, list) else ()


def name(found: Object) -> str:
    return text(found, "metadata", "name")


def some(listed: Iterable[str], count: int, shown: int) -> str:
    """`a,b,c + 2 more...`: at most `shown` of `count`."""
    joined = ",".join(listed)
    return f"{joined} + {count - shown} more..." if count > shown else joined
