"""Merging an applied configuration into a live value, removing fields from a value, checking a value against its type.

Source: structured-merge-diff typed/merge.go, typed/remove.go, typed/validate.go, typed/reconcile_schema.go.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.patch.managed import fieldset
from sampan.api.patch.managed.fieldset import SELF, FieldSet
from sampan.api.patch.managed.types import ATOMIC, LIST, MAP, MISSING, SCALAR, Type, TypedError
from sampan.api.patch.plain import go_format

# Stands where `remove` took everything out of a container. Upstream leaves null there until the object is decoded
# again, so for ownership the container itself is not removed.
EMPTIED: Final[dict[str, Any]] = {}


def merge(live: Any, config: Any, type_: Type) -> Any:
    """Both as one: every leaf that `config` has wins; nothing is removed. Neither is changed.

    Items of lists stand as in `live` where `config` does not say otherwise. Raises TypedError.
    """
    if config is MISSING:
        return live
    if live is MISSING:
        live = None if not isinstance(config, (dict, list)) else MISSING
    form = type_.form(config if config is not None else live)
    if form == MAP and type_.map != ATOMIC and isinstance(config, dict) and config:
        return _maps(live if isinstance(live, dict) else {}, config, type_)
    if form == LIST and type_.list != ATOMIC and isinstance(config, list) and config:
        return _lists(live if isinstance(live, list) else [], config, type_)
    if not config and isinstance(config, (dict, list, type(None))) and live and type_.form(live) == form:
        # An empty container or null says nothing about what a granular one holds.
        granular = (form == MAP and type_.map != ATOMIC) or (form == LIST and type_.list != ATOMIC)
        if granular and isinstance(live, (dict, list)):
            return live
    return config


def _maps(live: dict[str, Any], config: dict[str, Any], type_: Type) -> dict[str, Any]:
    out = dict(live)
    for name, value in config.items():
        inner = type_.field(name)
        if inner is None:
            raise TypedError("field not declared in schema", f".{name}")
        try:
            out[name] = merge(live.get(name, MISSING), value, inner)
        except TypedError as bad:
            raise bad.below(f".{name}") from None
    return out


def _lists(live: list[Any], config: list[Any], type_: Type) -> list[Any]:
    """The live order is kept for what the configuration lacks, the configuration's order for what it has."""
    left = [type_.element(item) for item in live]
    right = [type_.element(item) for item in config]
    wanted = dict(zip(right, config, strict=True))
    held: dict[str, Any] = {}
    for element, item in zip(left, live, strict=True):
        held[element] = None if element in held else item  # duplicates are not merged with

    def merged(element: str) -> Any:
        try:
            return merge(held.get(element, MISSING), wanted[element], type_.item)
        except TypedError as bad:
            raise bad.below(fieldset.shown(element)) from None

    shared = [element for element in right if element in held]
    place = 0  # in `shared`: the next common item
    out: list[Any] = []
    done: set[str] = set()
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right):
            element = left[i]
            if element == right[j]:
                done.add(element)
                out.append(merged(element))
                i += 1
                j += 1
                place += 1
                continue
            if element in wanted and place < len(shared) and shared[place] != element:
                i += 1  # common, but not the one that comes next
                continue
        if i < len(left):
            if left[i] not in wanted:
                out.append(live[i])
                i += 1
                continue
            if left[i] in done:
                i += 1
        if j < len(right):
            element = right[j]
            done.add(element)
            out.append(merged(element))
            j += 1
            if place < len(shared) and shared[place] == element:
                place += 1
    return out


def remove(value: Any, fields: FieldSet, type_: Type) -> Any:
    """The value without the given fields and items; MISSING where nothing is left of a container."""
    form = type_.form(value)
    if form == SCALAR or not isinstance(value, (dict, list)):
        return value
    if form == LIST:
        return _remove_items(value, fields, type_) if isinstance(value, list) else value
    return _remove_fields(value, fields, type_) if isinstance(value, dict) else value


def _remove_items(value: list[Any], fields: FieldSet, type_: Type) -> Any:
    if not value or type_.list == ATOMIC:
        return MISSING
    out: list[Any] = []
    for item in value:
        element = type_.element(item)
        below = fields.get(element)
        if below is None:
            out.append(item)
        elif not fieldset.is_member(below):
            rest = remove(item, below, type_.item)
            out.append({} if rest is MISSING else rest)
    return out or MISSING


def _remove_fields(value: dict[str, Any], fields: FieldSet, type_: Type) -> Any:
    if not value or type_.map == ATOMIC:
        return MISSING
    out: dict[str, Any] = {}
    for name, held in value.items():
        below = fields.get(f"f:{name}")
        if below is None:
            out[name] = held
        elif not fieldset.is_member(below):
            rest = remove(held, below, type_.field(name) or type_)
            out[name] = EMPTIED if rest is MISSING else rest
    return out or MISSING


def without_emptied(value: Any) -> Any:
    """The value without the containers that `remove` emptied."""
    if isinstance(value, dict):
        return {key: without_emptied(inner) for key, inner in value.items() if inner is not EMPTIED}
    return list(map(without_emptied, value)) if isinstance(value, list) else value


def named_fields(fields: FieldSet, type_: Type) -> FieldSet:
    """The set with every declared field on the way to a member made a member too."""
    out: FieldSet = {}
    declared = type_.declared
    for element, below in fields.items():
        if element == SELF or not below:
            out[element] = below
            continue
        inner: Type | None = None
        named = False
        if element[0] == "f":
            inner = type_.field(element[2:]) if type_.map else None
            named = element[2:] in declared
        elif element[0] == "k" and type_.list:
            inner = type_.item
        new = named_fields(below, inner) if inner is not None else below
        out[element] = {SELF: {}, **new} if named and SELF not in new else new
    return out


def validate(value: Any, type_: Type, *, duplicates: bool) -> None:
    """Raises TypedError where the value does not fit; `duplicates` allows an item of a list to occur twice."""
    form = type_.form(value)
    if value is None:
        return
    if form == SCALAR:
        _validate_scalar(value, type_.scalar)
    elif form == LIST:
        if not isinstance(value, list):
            raise TypedError(f"expected list, got {_shown(value)}")
        if type_.list != ATOMIC:
            _validate_items(value, type_, duplicates=duplicates)
    elif not isinstance(value, dict):
        raise TypedError(f"expected map, got {_shown(value)}")
    else:
        for name, held in value.items():
            inner = type_.field(name)
            if inner is None:
                raise TypedError("field not declared in schema", f".{name}")
            try:
                validate(held, inner, duplicates=duplicates)
            except TypedError as bad:
                raise bad.below(f".{name}") from None


def _validate_items(value: list[Any], type_: Type, *, duplicates: bool) -> None:
    seen: set[str] = set()
    for place, item in enumerate(value):
        try:
            element = type_.element(item)
        except TypedError as bad:
            raise TypedError(f"element {place}: {bad.message}", bad.path) from None
        if element in seen and not duplicates:
            raise TypedError(f"duplicate entries for key {fieldset.shown(element)}")
        seen.add(element)
        try:
            validate(item, type_.item, duplicates=duplicates)
        except TypedError as bad:
            raise bad.below(fieldset.shown(element)) from None


def _validate_scalar(value: Any, scalar: str) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if scalar == "numeric" and not number:
        raise TypedError(f"expected numeric (int or float), got {_go_type(value)}")
    if scalar == "string" and not isinstance(value, str):
        raise TypedError(f"expected string, got {_shown(value)}")
    if scalar == "boolean" and not isinstance(value, bool):
        raise TypedError(f"expected boolean, got {_shown(value)}")
    if isinstance(value, (dict, list)):
        raise TypedError(f"expected any scalar, got {_shown(value)}")


def _shown(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{go_format(value)}}}"


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"


def reconcile(fields: FieldSet, type_: Type) -> FieldSet:
    """The set after a schema change that made a granular list or map atomic: what lay below it becomes the leaf."""
    out: FieldSet = {}
    for element, below in fields.items():
        inner: Type | None = None
        if below and element != SELF:
            if element[0] == "f" and type_.map:
                inner = type_.field(element[2:])
            elif element[0] in "kv" and type_.list:
                inner = type_.item
        if inner is None:
            out[element] = below
        elif (inner.map == ATOMIC and not inner.list) or (inner.list == ATOMIC and not inner.map):
            out[element] = {}
        else:
            out[element] = reconcile(below, inner)
    return out
