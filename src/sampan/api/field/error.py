"""Field errors. A path is plain text (spec.containers[0].name); each function gives one Cause.

Source: k8s.io/apimachinery pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import orjson

from sampan.api.status import Cause

NIL: Final = "<nil>"  # the path of a value that stands in no object
OMIT: Final[Any] = object()  # as a value: leave it out of the message


def child(path: str, *names: str) -> str:
    return ".".join((path, *names)) if path else ".".join(names)


def index(path: str, place: int) -> str:
    return f"{path}[{place}]"


def key(path: str, name: str) -> str:
    """A member of a map: metadata.labels[app]."""
    return f"{path}[{name}]"


def quote(text: str) -> str:
    """The text as Go's %q shows it."""
    return json.dumps(text, ensure_ascii=False)


def shown(value: Any) -> str:
    """A bad value as messages show it: texts quoted, numbers bare, all else as JSON."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _cause(reason: str, title: str, path: str, value: Any, detail: str) -> Cause:
    message = title if value is OMIT else f"{title}: {shown(value)}"
    return Cause(reason, f"{message}: {detail}" if detail else message, path)


def invalid(path: str, value: Any, detail: str) -> Cause:
    return _cause("FieldValueInvalid", "Invalid value", path, value, detail)


def type_invalid(path: str, value: Any, detail: str) -> Cause:
    return _cause("FieldValueTypeInvalid", "Invalid value", path, value, detail)


def required(path: str, detail: str = "") -> Cause:
    return _cause("FieldValueRequired", "Required value", path, OMIT, detail)


def forbidden(path: str, detail: str) -> Cause:
    return _cause("FieldValueForbidden", "Forbidden", path, OMIT, detail)


def duplicate(path: str, value: Any, detail: str = "") -> Cause:
    return _cause("FieldValueDuplicate", "Duplicate value", path, value, detail)


def not_found(path: str, value: Any) -> Cause:
    return _cause("FieldValueNotFound", "Not found", path, value, "")


def not_supported(path: str, value: Any, supported: Iterable[str]) -> Cause:
    """`supported` is shown in the order given."""
    listed = ", ".join(map(quote, supported))
    return _cause(
        "FieldValueNotSupported",
        "Unsupported value",
        path,
        value,
        f"supported values: {listed}" if listed else "",
    )


def too_long(path: str, limit: int, unit: str = "byte") -> Cause:
    detail = f"may not be more than {limit} {unit}" + ("" if limit == 1 else "s")
    return _cause("FieldValueTooLong", "Too long", path, OMIT, detail)


def too_many(path: str, count: int, limit: int) -> Cause:
    unit = "item" if limit == 1 else "items"
    return _cause("FieldValueTooMany", "Too many", path, count, f"must have at most {limit} {unit}")


def each_invalid(path: str, value: Any, details: Iterable[str]) -> list[Cause]:
    """One Invalid per detail, as upstream reports what a text rule finds."""
    return [invalid(path, value, detail) for detail in details]
