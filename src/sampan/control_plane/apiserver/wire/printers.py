"""Tables: the printers of the object model, as the forms want them. One value per resource is kept."""

from __future__ import annotations

from typing import Any

from sampan.api import table
from sampan.control_plane.apiserver.registry.resources import Served

Object = dict[str, Any]


class Columns:
    """One resource's columns, encoded once, and its cells."""

    __slots__ = ("_columns", "_printer")

    def __init__(self, printer: table.Printer) -> None:
        self._printer = printer
        self._columns = [column.to_json() for column in printer.columns]

    def columns(self) -> list[Object]:
        return self._columns

    def cells(self, obj: Object, now: float) -> list[Any]:
        return self._printer.cells(obj, now)


def printer(served: Served) -> Columns:
    """Made when it is first asked for."""
    made: Columns | None = served.printer
    if made is None:
        made = served.printer = Columns(table.printer(served.resource, served.columns))
    return made
