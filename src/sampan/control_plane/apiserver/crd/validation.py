"""Is an object what its schema says? Every finding at once, worded as kube-apiserver words it.

k8s.io/kube-openapi pkg/validation/validate; the order of checks at one node is type, junctors, string, format, number,
array, enum, object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from sampan.api.field import error as field
from sampan.api.status import Cause
from sampan.control_plane.apiserver.crd import formats, go_text

Node = Mapping[str, Any]
Check = Callable[[Any, str, list[Cause]], None]

_MAX_INT64, _MIN_INT64 = 2**63 - 1, -(2**63)
_RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (_MIN_INT64, _MAX_INT64),
}


def type_name(value: Any) -> str:
    """The JSON Schema type of a value; an integer that fits no int64 is a number, as Go decodes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer" if _MIN_INT64 <= value <= _MAX_INT64 else "number"
    if isinstance(value, float):
        return "number"
    return "array" if isinstance(value, list) else "object"


class Validator:
    """One node of a schema, compiled. `validate` appends what is wrong with a value at a path."""

    __slots__ = (
        "_additional",
        "_array",
        "_enum",
        "_format",
        "_items",
        "_junctors",
        "_nullable",
        "_number",
        "_object",
        "_properties",
        "_required",
        "_string",
        "_types",
    )

    def __init__(self, node: Node) -> None:
        int_or_string = bool(node.get("x-kubernetes-int-or-string"))
        types = ("integer", "string") if int_or_string else (node["type"],) if node.get("type") else ()
        self._types: tuple[str, ...] = types
        self._nullable = bool(node.get("nullable"))
        self._format = _usable_format(types, str(node.get("format") or ""))
        self._enum: list[Any] = list(node.get("enum") or ())
        self._required: tuple[str, ...] = tuple(node.get("required") or ())
        self._junctors = (
            _Junctors(node) if any(node.get(k) for k in ("allOf", "anyOf", "oneOf", "not")) else None
        )
        self._string = _bounds(node, _STRING_BOUNDS)
        self._number = _number_checks(node, types, self._format)
        self._array = _bounds(node, _ARRAY_BOUNDS)
        self._object = _bounds(node, _OBJECT_BOUNDS)
        items, additional = node.get("items"), node.get("additionalProperties")
        self._items = Validator(items) if isinstance(items, Mapping) else None
        self._additional = Validator(additional) if isinstance(additional, Mapping) else None
        self._properties = {name: Validator(child) for name, child in (node.get("properties") or {}).items()}
        if node.get("x-kubernetes-embedded-resource"):
            self._required = tuple(dict.fromkeys((*self._required, "apiVersion", "kind")))

    def validate(self, value: Any, path: str, found: list[Cause]) -> None:
        self._check_type(value, path, found)
        if value is None:
            self._check_enum(value, path, found)
            return
        if self._junctors is not None:
            self._junctors.validate(value, path, found)
        if isinstance(value, str):
            self._check_string(value, path, found)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            for check in self._number:
                check(value, path, found)
        elif isinstance(value, list):
            self._check_array(value, path, found)
        self._check_enum(value, path, found)
        if isinstance(value, dict):
            self._check_object(value, path, found)

    def _check_type(self, value: Any, path: str, found: list[Cause]) -> None:
        if not self._types and not self._format:
            return
        name = type_name(value)
        if value is None:
            if self._types and not self._nullable:
                found.append(_wrong_type(path, ",".join(self._types), "null"))
            return
        whole = isinstance(value, float) and value.is_integer() and "integer" in self._types
        fits = name in self._types or whole or (name == "integer" and "number" in self._types)
        textual = isinstance(value, str | list)
        if self._format and not textual and not fits:
            sizes = {"integer": "int64", "number": "double"}
            found.append(_wrong_type(path, self._format, sizes.get(name, "")))
        elif self._format and textual and not {"number", "integer"} & set(self._types):
            return  # the format's own check judges it
        elif not fits:
            found.append(_wrong_type(path, ",".join(self._types), name))

    def _check_enum(self, value: Any, path: str, found: list[Cause]) -> None:
        if self._enum and not any(_same(value, allowed) for allowed in self._enum):
            shown = [allowed if isinstance(allowed, str) else field.shown(allowed) for allowed in self._enum]
            found.append(field.not_supported(path, value, shown))

    def _check_string(self, value: str, path: str, found: list[Cause]) -> None:
        for check in self._string:
            check(value, path, found)
        check_format = formats.check(self._format) if self._format else None
        if check_format is not None and not check_format(value):
            text = f"{path} in body must be of type {self._format}: {field.quote(value)}"
            found.append(field.type_invalid(path, value, text))

    def _check_array(self, value: list[Any], path: str, found: list[Cause]) -> None:
        if self._items is not None:
            for index, item in enumerate(value):
                self._items.validate(item, f"{path}[{index}]", found)
        for check in self._array:
            check(value, path, found)

    def _check_object(self, value: dict[str, Any], path: str, found: list[Cause]) -> None:
        for check in self._object:
            check(value, path, found)
        for key, below in value.items():
            validator = self._properties.get(key, self._additional)
            if validator is not None:
                validator.validate(below, f"{path}.{key}" if path else key, found)
        missing = [key for key in self._required if key not in value]
        found.extend(field.required(f"{path}.{key}" if path else key) for key in missing)


class _Junctors:
    """allOf, anyOf, oneOf and not of one node."""

    __slots__ = ("_all", "_any", "_not", "_one")

    def __init__(self, node: Node) -> None:
        self._all = [Validator(n) for n in node.get("allOf") or ()]
        self._any = [Validator(n) for n in node.get("anyOf") or ()]
        self._one = [Validator(n) for n in node.get("oneOf") or ()]
        self._not = Validator(node["not"]) if node.get("not") is not None else None

    def validate(self, value: Any, path: str, found: list[Cause]) -> None:
        def results(validators: list[Validator]) -> list[list[Cause]]:
            gathered: list[list[Cause]] = []
            for validator in validators:
                wrong: list[Cause] = []
                validator.validate(value, path, wrong)
                gathered.append(wrong)
            return gathered

        if self._any:
            wrongs = results(self._any)
            if all(wrongs):
                found.append(_junctor(f'"{path}" must validate at least one schema (anyOf)'))
                found.extend(_best(wrongs))
        if self._one:
            wrongs = results(self._one)
            valid = sum(not wrong for wrong in wrongs)
            if valid != 1:
                how = f"Found {valid} valid alternatives" if valid else "Found none valid"
                found.append(_junctor(f'"{path}" must validate one and only one schema (oneOf). {how}'))
                found.extend([] if valid else _best(wrongs))
        if self._all:
            wrongs = results(self._all)
            for wrong in wrongs:
                found.extend(wrong)
            if any(wrongs):
                none = ". None validated" if all(wrongs) else ""
                found.append(_junctor(f'"{path}" must validate all the schemas (allOf){none}'))
        if self._not is not None and not results([self._not])[0]:
            found.append(_junctor(f'"{path}" must not validate the schema (not)'))


def _best(wrongs: list[list[Cause]]) -> list[Cause]:
    """The alternative that comes closest, by the number of findings; the first among equals."""
    return min(wrongs, key=len)


def _junctor(text: str) -> Cause:
    return field.invalid(field.NIL, "", text)


def _wrong_type(path: str, wanted: str, given: str) -> Cause:
    return field.type_invalid(path, given, f"{path} in body must be of type {wanted}: {field.quote(given)}")


def _same(value: Any, allowed: Any) -> bool:
    if isinstance(value, bool) != isinstance(allowed, bool):
        return False
    return bool(value == allowed)


def _usable_format(types: tuple[str, ...], name: str) -> str:
    """The format where it means something for the type."""
    kind = types[0] if len(types) == 1 else ""
    if kind in ("", "string"):
        return name if formats.check(name) is not None else ""
    known = {"integer": ("int32", "int64"), "number": ("float", "double")}
    return name if name in known.get(kind, ()) else ""


_STRING_BOUNDS: Final = ("minLength", "maxLength", "pattern")
_ARRAY_BOUNDS: Final = ("minItems", "maxItems")
_OBJECT_BOUNDS: Final = ("minProperties", "maxProperties")
_UNITS: Final = {"minLength": "chars long", "minItems": "items", "minProperties": "properties"}


def _bounds(node: Node, keywords: tuple[str, ...]) -> tuple[Check, ...]:
    return tuple(_bound(keyword, node[keyword]) for keyword in keywords if node.get(keyword) is not None)


def _bound(keyword: str, limit: Any) -> Check:
    if keyword == "pattern":
        return _pattern(str(limit))
    if keyword.startswith("min"):
        unit = _UNITS[keyword]

        def at_least(value: Any, path: str, found: list[Cause]) -> None:
            if len(value) < limit:
                shown = value if isinstance(value, str) else len(value)
                unit_text = (
                    f"should be at least {limit} {unit}"
                    if keyword == "minLength"
                    else f"should have at least {limit} {unit}"
                )
                found.append(field.invalid(path, shown, f"{path} in body {unit_text}"))

        return at_least

    def at_most(value: Any, path: str, found: list[Cause]) -> None:
        if len(value) > limit:
            found.append(
                field.too_long(path, limit)
                if keyword == "maxLength"
                else field.too_many(path, len(value), limit)
            )

    return at_most


def _pattern(text: str) -> Check:
    compiled = go_text.pattern(text)

    def check(value: Any, path: str, found: list[Cause]) -> None:
        if compiled.search(value) is None:
            found.append(field.invalid(path, value, f"{path} in body should match '{text}'"))

    return check


def _number_checks(node: Node, types: tuple[str, ...], format_name: str) -> tuple[Check, ...]:
    checks: list[Check] = []
    if len(types) == 1 and types[0] == "integer":
        checks.append(_integer_range(format_name))
    factor = node.get("multipleOf")
    if factor is not None:
        checks.append(_multiple(factor))
    for keyword, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if node.get(keyword) is not None:
            checks.append(_limit(keyword, node[keyword], bool(node.get(exclusive))))
    return tuple(checks)


def _integer_range(format_name: str) -> Check:
    low, high = _RANGES.get(format_name, (_MIN_INT64, _MAX_INT64))
    shown = f"integer with format {format_name}" if format_name else "integer (default format)"

    def check(value: Any, path: str, found: list[Cause]) -> None:
        whole = isinstance(value, int) or value.is_integer()
        if not whole or not low <= value <= high:
            found.append(field.invalid(field.NIL, "", f"Checked value must be of type {shown} in {path}"))

    return check


def _multiple(factor: float) -> Check:
    def check(value: Any, path: str, found: list[Cause]) -> None:
        quotient = value / factor
        if not math.isclose(quotient, round(quotient), rel_tol=1e-9, abs_tol=1e-9):
            text = f"{path} in body should be a multiple of {go_text.number(factor)}"
            found.append(field.invalid(path, value, text))

    return check


def _limit(keyword: str, limit: float, exclusive: bool) -> Check:
    word = "less than" if keyword == "maximum" else "greater than"
    text = f"{word} {go_text.number(limit)}" if exclusive else f"{word} or equal to {go_text.number(limit)}"

    def check(value: Any, path: str, found: list[Cause]) -> None:
        distance = value - limit if keyword == "maximum" else limit - value
        if distance > 0 or (exclusive and distance == 0):
            found.append(field.invalid(path, value, f"{path} in body should be {text}"))

    return check
