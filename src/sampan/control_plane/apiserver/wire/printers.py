"""Tables: the printers of the object model and of CRDs, as the forms want them. One value per resource is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sampan.api import table
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.crd.custom import Version
from sampan.control_plane.apiserver.registry.resources import Served

Object = dict[str, Any]


class Columns(Protocol):
    """How a kind is printed: its column definitions, and the cells of an object at a moment."""

    def columns(self) -> list[Object]: ...
    def cells(self, obj: Object, now: float) -> list[Any]: ...
    def rows(self, records: Sequence[Record], now: float) -> list[list[Any]] | None:
        """The cells of a whole list, or None where each object's are what they are anywhere."""


class BuiltIn:
    __slots__ = ("_columns", "_printer")

    def __init__(self, printer: table.Printer) -> None:
        self._printer = printer
        self._columns = [column.to_json() for column in printer.columns]

    def columns(self) -> list[Object]:
        return self._columns

    def cells(self, obj: Object, now: float) -> list[Any]:
        return self._printer.cells(obj, now)

    def rows(self, records: Sequence[Record], now: float) -> list[list[Any]] | None:
        if self._printer.in_list is None:
            return None
        return self._printer.rows([record.object for record in records], now)


class Custom:
    __slots__ = ("_columns",)

    def __init__(self, version: Version) -> None:
        self._columns = version.columns

    def columns(self) -> list[Object]:
        return [dict(column.definition) for column in self._columns]

    def cells(self, obj: Object, now: float) -> list[Any]:
        return [column.cell(obj, now) for column in self._columns]

    def rows(self, records: Sequence[Record], now: float) -> list[list[Any]] | None:
        return None


def printer(served: Served) -> Columns:
    """Made when it is first asked for."""
    made: Columns | None = served.printer
    if made is None:
        if served.custom is not None:
            made = Custom(served.custom)
        else:
            made = BuiltIn(table.printer(served.resource))
        served.printer = made
    return made
