"""What a strategic merge patch needs to know of a field, its directives, and list helpers that both sides share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.patch.error import PatchError
from sampan.api.patch.plain import go_format, json_type
from sampan.api.schema.model import Schema

PATCH: Final = "$patch"
DELETE: Final = "delete"
REPLACE: Final = "replace"
MERGE: Final = "merge"
RETAIN_KEYS: Final = "$retainKeys"
SET_ELEMENT_ORDER: Final = "$setElementOrder"
DELETE_FROM_PRIMITIVE_LIST: Final = "$deleteFromPrimitiveList"

Object = dict[str, Any]
Array = list[Any]


class Field(NamedTuple):
    """How one field merges. `schema` is that of the field, or of a list's elements; `strategy` without retainKeys."""

    schema: Schema
    strategy: str
    retain_keys: bool
    merge_key: str


_ANYTHING: Final = Schema()


def field(schema: Schema, name: str, *, of_list: bool) -> Field:
    """How the field `name` of an object of `schema` merges.

    Raises PatchError where the schema knows no such field, as upstream does when both sides have one.
    """
    found = schema.properties.get(name)
    if found is None:
        if schema.additional is not None:
            found = schema.additional
        elif schema.properties and not schema.preserve_unknown:
            kind = schema.name.rpartition(".")[2] or "object"
            raise PatchError(f'unable to find api field in struct {kind} for the json field "{name}"')
        else:
            found = _ANYTHING
    strategies = [strategy for strategy in found.merge_strategies if strategy != "retainKeys"]
    if len(strategies) > 1:
        raise PatchError(f"unexpected patch strategy: {go_format(list(found.merge_strategies))}")
    inner = (found.items or _ANYTHING) if of_list else found
    return Field(
        inner,
        strategies[0] if strategies else "",
        len(strategies) != len(found.merge_strategies),
        found.merge_key,
    )


def bad_type(expected: str, actual: Any) -> PatchError:
    return PatchError(f"expected a {expected}, but received a {_GO_TYPES[json_type(actual)]}")


_GO_TYPES: Final = {
    "map": "map[string]interface {}",
    "slice": "[]interface {}",
    "bool": "bool",
    "string": "string",
    "int64": "int64",
    "float64": "float64",
    "nil": "%!s(<nil>)",
}


def no_merge_key(item: Object, merge_key: str) -> PatchError:
    return PatchError(f"map: {go_format(item)} does not contain declared merge key: {merge_key}")


def as_object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise bad_type(_GO_TYPES["map"], value)
    return value


def merge_value(item: Any, merge_key: str) -> Any:
    found = as_object(item)
    if merge_key not in found:
        raise no_merge_key(found, merge_key)
    return found[merge_key]


def element_type(*lists: Sequence[Any]) -> str:
    """The one JSON type that all elements of all lists have.

    Raises PatchError where they differ, are lists themselves, or where there is none.
    """
    kinds = {json_type(item) for items in lists for item in items}
    if "slice" in kinds:
        raise PatchError("lists of lists are not supported")
    if len(kinds) > 1:
        raise PatchError(
            f"list element types are not identical: {go_format([list(items) for items in lists])}"
        )
    if not kinds:
        raise PatchError("no elements in any of the given slices")
    return kinds.pop()


def identity(merge_key: str, kind: str) -> Callable[[Any], Any]:
    """What tells elements of a list apart: the merge key's value, or the scalar itself (1 is not true)."""
    if kind == "map":
        return lambda item: scalar(item.get(merge_key)) if isinstance(item, dict) else None
    return scalar


def scalar(value: Any) -> Any:
    return (type(value) is bool, value) if not isinstance(value, (dict, list)) else (False, go_format(value))


def normalize_order(
    patch_items: Array, server_only: Array, patch_order: Array, server_order: Array, merge_key: str, kind: str
) -> Array:
    """Both lists as one: patch items in `patch_order`, the others interleaved by where the live list had them."""
    right = in_order(patch_items, patch_order, merge_key, kind)
    left = in_order(server_only, server_order, merge_key, kind)
    return _interleaved(left, right, server_order, merge_key, kind)


def in_order(items: Array, order: Array, merge_key: str, kind: str) -> Array:
    """`items` sorted as in `order`; items that are to be deleted stand last."""
    deletions: Array = []
    if kind == "map":
        for item in (*items, *order):
            merge_value(item, merge_key)
        deletions = [item for item in items if item.get(PATCH) == DELETE]
        items = [item for item in items if item.get(PATCH) != DELETE]
    places = _places(order, merge_key, kind)
    key = identity(merge_key, kind)
    return sorted(items, key=lambda item: places.get(key(item), -1)) + deletions


def _places(order: Array, merge_key: str, kind: str) -> dict[Any, int]:
    key = identity(merge_key, kind)
    places: dict[Any, int] = {}
    for place, item in enumerate(order):
        places.setdefault(key(item), place)
    return places


def _interleaved(left: Array, right: Array, server_order: Array, merge_key: str, kind: str) -> Array:
    """Each item of `left` goes before the first item of `right` that stood behind it in the live list."""
    places = _places(server_order, merge_key, kind)
    key = identity(merge_key, kind)
    out: Array = []
    i = j = 0
    while i < len(left) and j < len(right):
        mine, theirs = places.get(key(left[i])), places.get(key(right[j]))
        if mine is not None and theirs is not None and mine < theirs:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[j:]
