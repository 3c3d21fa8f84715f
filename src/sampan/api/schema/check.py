"""Would Go decode this object? Wrong types and unknown fields of built-in kinds, with the texts of Go's decoder.

kube-apiserver decodes a request's JSON into Go structs (sigs.k8s.io/json). The first value of a wrong type fails the
request; unknown fields are dropped, and reported where the client asks for it (fieldValidation Strict or Warn).
Custom resources are checked against their CRD elsewhere; of them only metadata goes through here.

Deviation: named string types (v1.PullPolicy) are called string, as OpenAPI does not tell their names.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from sampan.api import quantity
from sampan.api.schema.model import Schema


class Problems(NamedTuple):
    """`error`: why Go could not decode the object, or "". `unknown`: paths of unknown fields, in document order."""

    error: str
    unknown: tuple[str, ...]


NONE: Final = Problems("", ())

(
    _ANY,
    _STRING,
    _INT32,
    _INT64,
    _BOOL,
    _NUMBER,
    _STRUCT,
    _MAP,
    _LIST,
    _QUANTITY,
    _INT_OR_STRING,
    _TIME,
    _BYTES,
) = range(13)
_RANGE: Final = {_INT32: 1 << 31, _INT64: 1 << 63}
_SCALARS: Final = {"string": _STRING, "boolean": _BOOL, "number": _NUMBER}
_FORMATS: Final = {"date-time": _TIME, "byte": _BYTES, "quantity": _QUANTITY}
_PLAIN_QUANTITY: Final = re.compile(r"[0-9]{1,15}(m|k|M|G|Ki|Mi|Gi|Ti)?")


def check(schema: Schema, value: Any) -> Problems:
    """The problems of a whole object. About 15 µs for a small Pod."""
    walk = _Walk()
    if isinstance(value, dict):
        walk.struct(schema, value)
    else:
        walk.wrong(_STRUCT, schema, value)
    if not walk.error and not walk.unknown:
        return NONE
    return Problems(walk.error, tuple(walk.unknown))


def strict_messages(value: Any, duplicates: Iterable[str], unknown: Iterable[str]) -> list[str]:
    """`duplicate field "a"` and `unknown field "b"` in document order, as upstream's warnings say them."""
    texts = {path: f'unknown field "{path}"' for path in unknown}
    texts |= {path: f'duplicate field "{path}"' for path in duplicates}
    if len(texts) < 2:
        return list(texts.values())
    order = {path: place for place, path in enumerate(_paths(value))}
    return [texts[path] for path in sorted(texts, key=lambda path: order.get(path, len(order)))]


def strict_error(messages: Iterable[str]) -> str:
    return "strict decoding error: " + ", ".join(messages)


def _paths(value: Any, path: str = "") -> Iterable[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            below = f"{path}.{key}" if path else key
            yield below
            yield from _paths(child, below)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, f"{path}[{index}]")


def _code(schema: Schema) -> int:
    if schema.preserve_unknown:
        return _ANY
    if schema.int_or_string:
        return _INT_OR_STRING
    kind = schema.type
    if kind == "string":
        return _FORMATS.get(schema.format, _STRING)
    if kind == "integer":
        return _INT32 if schema.format == "int32" else _INT64
    if kind == "array":
        return _LIST
    if kind == "object":
        return _MAP if schema.additional is not None else _STRUCT
    return _SCALARS.get(kind, _ANY)


@cache
def _plan(schema: Schema) -> Mapping[str, tuple[int, Schema]]:
    """What is to be looked at in each field of a struct."""
    return {name: (_code(child), child) for name, child in schema.properties.items()}


class _Walk:
    """`trail`: where we are, as (struct or None, field name, index or map key)."""

    __slots__ = ("error", "trail", "unknown")

    def __init__(self) -> None:
        self.error = ""
        self.unknown: list[str] = []
        self.trail: list[tuple[Schema | None, str | int]] = []

    def struct(self, schema: Schema, value: dict[str, Any]) -> None:
        plan = _plan(schema)
        for name, child in value.items():
            entry = plan.get(name)
            if entry is None:
                self.unknown.append(self.path(name))
                continue
            code, below = entry
            if code == _STRING:
                if type(child) is str or child is None:
                    continue
            elif child is None or code == _ANY:
                continue
            self.trail.append((schema, name))
            self.value(code, below, child)
            self.trail.pop()

    def value(self, code: int, schema: Schema, value: Any) -> None:
        """Any value but null, which Go takes for the zero value everywhere."""
        if code == _STRUCT:
            if type(value) is dict:
                self.struct(schema, value)
                return
        elif code == _LIST:
            if type(value) is list:
                self.list(schema.items, value)
                return
        elif code == _MAP:
            if type(value) is dict:
                self.map(schema.additional, value)
                return
        elif code == _STRING:
            if type(value) is str:
                return
        elif code in (_INT32, _INT64):
            if type(value) is int and -_RANGE[code] <= value < _RANGE[code]:
                return
        elif code == _BOOL:
            if value is True or value is False:
                return
        elif self.special(code, value):
            return
        self.wrong(code, schema, value)

    def special(self, code: int, value: Any) -> bool:
        if code == _ANY:
            return True
        if code == _NUMBER:
            return type(value) in (int, float)
        if code == _INT_OR_STRING:
            return type(value) is str or (type(value) is int and -(1 << 31) <= value < 1 << 31)
        if code == _QUANTITY:
            self.quantity(value)
            return True
        if type(value) is not str:
            return False
        if code == _TIME:
            why = _time_problem(value)
        else:
            why = _base64_problem(value)
        self.error = self.error or why
        return True

    def quantity(self, value: Any) -> None:
        if type(value) is str and _PLAIN_QUANTITY.fullmatch(value):
            return
        try:
            quantity.parse(value if type(value) in (str, int, float) else "{}")
        except quantity.QuantityError as error:
            self.error = self.error or str(error)

    def list(self, items: Schema | None, value: list[Any]) -> None:
        if items is None:
            return
        code = _code(items)
        if code == _STRING:
            for child in value:
                if type(child) is not str and child is not None:
                    self.wrong(code, items, child)
                    return
            return
        for index, child in enumerate(value):
            if child is not None:
                self.trail.append((None, index))
                self.value(code, items, child)
                self.trail.pop()

    def map(self, values: Schema | None, value: dict[str, Any]) -> None:
        if values is None:
            return
        code = _code(values)
        if code == _STRING:
            for child in value.values():
                if type(child) is not str and child is not None:
                    self.wrong(code, values, child)
                    return
            return
        for key, child in value.items():
            if child is not None:
                self.trail.append((None, key))
                self.value(code, values, child)
                self.trail.pop()

    def path(self, name: str) -> str:
        """The JSON path of a field of the struct where we are."""
        parts: list[str] = []
        for _, step in self.trail:
            parts.append(f"[{step}]" if isinstance(step, int) else f".{step}")
        return ("".join(parts) + f".{name}")[1:]

    def wrong(self, code: int, schema: Schema, value: Any) -> None:
        if self.error:
            return  # Go tells the first one only
        found, wanted = _found(code, value), _go_type(code, schema)
        fields = [(struct, step) for struct, step in self.trail if struct is not None]
        if not fields:
            self.error = f"json: cannot unmarshal {found} into Go value of type {wanted}"
            return
        innermost = fields[-1][0]
        name = innermost.name.rpartition(".")[2] if innermost is not None else ""
        path = ".".join(_go_path(struct, str(step)) for struct, step in fields if struct is not None)
        self.error = f"json: cannot unmarshal {found} into Go struct field {name}.{path} of type {wanted}"


def _found(code: int, value: Any) -> str:
    """What was there, in Go's words; a number that does not fit is shown."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value!r}" if code in _RANGE or code == _INT_OR_STRING else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_type(code: int, schema: Schema) -> str:
    if code == _LIST:
        return "[]" + (
            _go_type(_code(schema.items), schema.items) if schema.items is not None else "interface {}"
        )
    if code == _MAP:
        values = schema.additional
        if values is None or values.format == "quantity":
            return "v1.ResourceList"
        return "map[string]" + _go_type(_code(values), values)
    if code == _STRUCT:
        return ".".join(schema.name.split(".")[-2:])
    names = {
        _INT32: "int32",
        _INT64: "int64",
        _BOOL: "bool",
        _NUMBER: "float64",
        _INT_OR_STRING: "int32",
        _BYTES: "[]uint8",
    }
    return names.get(code, "string")


def _message_name(name: str) -> str:
    """The protobuf name of an OpenAPI definition: the domain is turned round, dashes are underscores."""
    return name.replace("io.k8s.", "k8s.io.", 1).replace("-", "_")


def _go_path(struct: Schema, name: str) -> str:
    """The field's name, after that of the embedded Go struct in which it lies (VolumeSource.emptyDir)."""
    from sampan.api.codec import protobuf_table  # only when there is an error to tell

    try:
        found = protobuf_table.message(_message_name(struct.name))
    except KeyError:
        return name
    fields = found.by_number.values()
    if any(field.name == name for field in fields):
        return name
    inline = next((field.type.rpartition(".")[2] for field in fields if not field.name), "")
    return f"{inline}.{name}" if inline else name


_LAYOUT: Final = (
    (re.compile(r"\d{4}"), "2006"), (re.compile("-"), "-"), (re.compile(r"\d\d"), "01"), (re.compile("-"), "-"),
    (re.compile(r"\d\d"), "02"), (re.compile("T"), "T"), (re.compile(r"\d\d?"), "15"), (re.compile(":"), ":"),
    (re.compile(r"\d\d"), "04"), (re.compile(":"), ":"), (re.compile(r"\d\d(?:[.,]\d+)?"), "05"),
    (re.compile(r"Z|[+-]\d\d:\d\d"), "Z07:00"),
)  # fmt: skip
_RFC3339: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]?\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?(Z|[+-]\d\d:\d\d)"
)


def _time_problem(text: str) -> str:
    if _RFC3339.fullmatch(text):
        return ""
    shown = f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "'
    at = 0
    for pattern, element in _LAYOUT:
        match = pattern.match(text, at)
        if match is None:
            return f'{shown}{text[at:]}" as "{element}"'
        at = match.end()
    if at < len(text):
        return f'parsing time "{text}": extra text: "{text[at:]}"'
    return f'parsing time "{text}": value out of range'


def _base64_problem(text: str) -> str:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        end = len(re.match(r"[A-Za-z0-9+/]*", text)[0])  # type: ignore[index]
        if end == len(text) or text[end] == "=":
            end = end // 4 * 4  # the last four are incomplete: Go names where they begin
        return f"illegal base64 data at input byte {end}"
    return ""
