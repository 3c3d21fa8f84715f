"""NamedTuples to JSON and back, by their annotations: what the state files hold.

Fields that a reader does not know are dropped and those that it misses take their defaults, so that a newer and
an older build of the same layout version read each other's files.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")


def to_json(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, tuple):
        names = getattr(type(value), "_fields", None)
        if names is not None:
            defaults = type(value)._field_defaults  # type: ignore[attr-defined]
            pairs = zip(names, value, strict=True)
            return {n: to_json(v) for n, v in pairs if n not in defaults or v != defaults[n]}
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    return value


def from_json(kind: type[_T], data: Any) -> _T:
    """Raises ValueError, KeyError or TypeError for what does not fit."""
    result: _T = _read(kind, data)
    return result


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        return _read(next(arg for arg in typing.get_args(kind) if arg is not type(None)), data)
    if origin is tuple:
        args = typing.get_args(kind)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_read(args[0], item) for item in data)
        return tuple(_read(arg, item) for arg, item in zip(args, data, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {key: _read(typing.get_args(kind)[1], item) for key, item in data.items()}
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        hints = _hints(kind)
        return kind(**{name: _read(hints[name], item) for name, item in data.items() if name in hints})
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(data)
    if kind in (int, str, bool, float) and not isinstance(data, kind):
        raise ValueError(f"value {data!r}: expected {kind.__name__}")
    return data
