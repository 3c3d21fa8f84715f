"""Types, defaults and flow. Source of behaviour: sprig 3.3 reflect.go, defaults.go."""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate.gotypes import GoError, kind_of, type_of

__all__ = ["kind_of", "type_of"]


def type_is(target: str, value: Any) -> bool:
    return target == type_of(value)


def type_is_like(target: str, value: Any) -> bool:
    name = type_of(value)
    return name in (target, "*" + target)


def kind_is(target: str, value: Any) -> bool:
    return target == kind_of(value)


def default(fallback: Any, *given: Any) -> Any:
    return given[0] if given and given[0] else fallback


def empty(value: Any) -> bool:
    return not value


def coalesce(*values: Any) -> Any:
    return next((v for v in values if v), None)


def all_(*values: Any) -> bool:
    return all(values)


def any_(*values: Any) -> bool:
    return any(values)


def ternary(yes: Any, no: Any, chosen: bool) -> Any:
    return yes if chosen else no


def fail(message: str) -> str:
    raise GoError(message)
