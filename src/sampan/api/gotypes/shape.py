"""The shape that an object has after Go has decoded and encoded it.

A plan is made once per type from its Schema and the tables; `normalize` then walks an object in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sampan.api import quantity
from sampan.api.gotypes.table import ALWAYS, OMITTED, POINTERS, STRUCTS
from sampan.api.schema.model import Schema

_KIND_STRUCTS: Final = ("spec", "status")
_ZEROS: Final = {"string": "", "integer": 0, "number": 0, "boolean": False}


def zeros(schema: Schema) -> dict[str, Any]:
    """The fields that a Go value of this type always has, with Go's zero value ({} for a struct, None for a list)."""
    if not schema.name:
        return {}
    kind = schema.name.rpartition(".")[2]
    found: dict[str, Any] = {}
    omitted = OMITTED.get(kind, ())
    structs = _structs(schema, kind)
    for name in (*schema.required, *ALWAYS.get(kind, ())):
        declared = schema.properties.get(name)
        if declared is None or name in omitted or name in structs:
            continue
        if declared.format == "date-time" or name in POINTERS.get(kind, ()) or declared.int_or_string:
            found[name] = None
        else:
            found[name] = "0" if declared.format == "quantity" else _ZEROS.get(declared.type)
    for name in structs:
        found[name] = {}
    return found


def _structs(schema: Schema, kind: str) -> tuple[str, ...]:
    names = [name for name in STRUCTS.get(kind, ()) if name in schema.properties]
    metadata = schema.properties.get("metadata")
    if metadata is not None and metadata.name.endswith(("ObjectMeta", "ListMeta")):
        names.append("metadata")
        if "apiVersion" in schema.properties:
            names += [name for name in _KIND_STRUCTS if name in schema.properties]
    return tuple(names)


def normalize(document: dict[str, Any], schema: Schema) -> None:
    """Brings an object of a built-in type into Go's shape, in place.

    Nulls, empty optional lists and maps, and zero values of optional fields go; struct fields come; quantities become
    canonical. Texts that are no quantity stay for validation to name.
    """
    _plan(schema).walk(document)


class _Field(NamedTuple):
    """visit: what is done to a present value in place, or None. drops: values that are left out."""

    visit: Callable[[Any], Any] | None
    drops: tuple[Any, ...]


class _Plan:
    __slots__ = ("_adds", "_fields", "_schema")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._fields: dict[str, _Field | None] = {}
        self._adds = tuple(zeros(schema).items())

    def walk(self, document: dict[str, Any]) -> None:
        fields = self._fields
        gone: list[str] = []
        for name, value in document.items():
            if value is None:
                gone.append(name)
                continue
            try:
                field = fields[name]
            except KeyError:
                field = self._made(name)
            if field is None:
                continue
            if field.visit is not None:
                changed = field.visit(value)
                if changed is not None:
                    document[name] = value = changed
            if value == [] and not field.drops:
                document[name] = None  # storage does not tell an empty list from none
            elif not value and any(value == drop and type(value) is type(drop) for drop in field.drops):
                gone.append(name)
        for name in gone:
            del document[name]
        for name, zero in self._adds:
            if name not in document:
                if isinstance(zero, dict):
                    inner: dict[str, Any] = {}
                    document[name] = inner
                    _plan(self._schema.properties[name]).walk(inner)
                else:
                    document[name] = zero

    def _made(self, name: str) -> _Field | None:
        declared = self._schema.properties.get(name)
        field = _field(declared, name, self._schema) if declared is not None else None
        if declared is not None:
            self._fields[name] = field
        return field


def _field(declared: Schema, name: str, owner: Schema) -> _Field:
    kind = owner.name.rpartition(".")[2]
    written = (name in owner.required and name not in OMITTED.get(kind, ())) or name in ALWAYS.get(kind, ())
    if declared.format == "quantity":
        return _Field(_canonical, ())
    if declared.type == "object":
        if declared.additional is not None:
            return _Field(_map_visit(declared.additional), () if written else ({},))
        return _Field(_plan(declared).walk if declared.properties else None, ())
    if declared.type == "array":
        return _Field(_list_visit(declared.items), () if written else ([],))
    if written or declared.int_or_string or declared.format == "date-time" or name in POINTERS.get(kind, ()):
        return _Field(None, ())
    zero = _ZEROS.get(declared.type)
    return _Field(None, () if zero is None or not owner.name else (zero,))


def _map_visit(values: Schema) -> Callable[[Any], Any] | None:
    if values.format == "quantity":

        def quantities(value: Any) -> None:
            if isinstance(value, dict):
                for key, text in value.items():
                    changed = _canonical(text) if text is not None else "0"
                    if changed is not None:
                        value[key] = changed

        return quantities
    visit, zero = _value_visit(values), _zero_of_null(values)

    def each(value: Any) -> None:
        if not isinstance(value, dict):
            return
        if zero is not None and None in value.values():
            for key, inner in value.items():
                if inner is None:
                    value[key] = zero()
        if visit is not None:
            for inner in value.values():
                visit(inner)

    return each


def _list_visit(items: Schema | None) -> Callable[[Any], Any] | None:
    if items is None:
        return None
    visit, zero = _value_visit(items), _zero_of_null(items)

    def each(value: Any) -> None:
        if not isinstance(value, list):
            return
        if zero is not None and None in value:
            value[:] = [zero() if inner is None else inner for inner in value]
        if visit is not None:
            for inner in value:
                visit(inner)

    return each


def _zero_of_null(schema: Schema) -> Callable[[], Any] | None:
    """Null in a map or list becomes Go's zero value; None where that is null as well."""
    if schema.type == "object":
        return dict if schema.properties else None
    if schema.int_or_string or schema.format == "date-time":
        return None
    if schema.format == "quantity":
        return lambda: "0"
    zero = _ZEROS.get(schema.type)
    return None if zero is None else lambda: zero


def _value_visit(schema: Schema) -> Callable[[Any], Any] | None:
    """What is done to a value of a map or an item of a list."""
    if schema.type == "object" and schema.properties:

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                _plan(schema).walk(value)

        return walk
    if schema.type == "array":
        return _list_visit(schema.items)
    return None


def _canonical(text: Any) -> str | None:
    """The canonical text of a quantity where it differs, else None."""
    try:
        canonical = quantity.canonical(text)
    except quantity.QuantityError:
        return None
    return canonical if canonical != text else None


_PLANS: dict[Schema, _Plan] = {}


def _plan(schema: Schema) -> _Plan:
    """Only built-in types come here, so the plans are as many as those."""
    plan = _PLANS.get(schema)
    if plan is None:
        plan = _PLANS[schema] = _Plan(schema)
    return plan
