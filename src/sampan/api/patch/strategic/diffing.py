"""Computing strategic merge patches: between two documents, and the three-way patch of apply.

The result of `three_way` adds and changes what differs between `current` and `modified`, and deletes what `original`
had and `modified` has not, so that fields which others set in `current` stay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sampan.api.patch.error import PatchError
from sampan.api.patch.plain import clone, go_format, json_type, same
from sampan.api.patch.strategic.merging import merge_patches
from sampan.api.patch.strategic.meta import (
    DELETE,
    DELETE_FROM_PRIMITIVE_LIST,
    MERGE,
    PATCH,
    REPLACE,
    RETAIN_KEYS,
    SET_ELEMENT_ORDER,
    Array,
    Object,
    element_type,
    field,
    in_order,
    merge_value,
    scalar,
)
from sampan.api.schema.model import Schema


class _Options(NamedTuple):
    changes: bool = True  # additions and changes go into the patch
    deletions: bool = True
    orders: bool = True  # $setElementOrder lists go into the patch
    retain_keys: bool = False


def two_way(original: Object, modified: Object, schema: Schema) -> Object:
    """The patch that makes `modified` out of `original`."""
    return clone(_objects(original, modified, schema, _Options()))


def three_way(
    original: Object | None,
    modified: Object | None,
    current: Object | None,
    schema: Schema,
    *,
    overwrite: bool = True,
) -> Object:
    """The patch that `kubectl apply` and Helm send.

    original: what was applied last; modified: what is to be applied; current: what is live. With `overwrite` false a
    field that somebody else has changed to another value is an error (PatchError).
    """
    before, wanted, live = original or {}, modified or {}, current or {}
    delta = _objects(live, wanted, schema, _Options(deletions=False))
    deletions = _objects(before, wanted, schema, _Options(changes=False))
    patch = merge_patches(deletions, delta, schema)
    if not overwrite:
        changed = _objects(before, live, schema, _Options(orders=False))
        if _objects_conflict(patch, changed, schema):
            raise PatchError(
                f"patch:\n{go_format(patch)}\nconflicts with changes made from original to current:\n"
                f"{go_format(changed)}\n"
            )
    return patch


def _objects(original: Object, modified: Object, schema: Schema, options: _Options) -> Object:
    patch: Object = {}
    for key, value in modified.items():
        if key not in original:
            if options.changes:
                patch[key] = value
            continue
        before = original[key]
        if key == PATCH:
            if before != value:
                patch[PATCH] = value
        elif json_type(before) != json_type(value):
            if options.changes:
                patch[key] = value
        elif isinstance(value, dict):
            _object_field(key, before, value, patch, schema, options)
        elif isinstance(value, list):
            _list_field(key, before, value, patch, schema, options)
        elif options.changes and not same(before, value):
            patch[key] = value
    if options.deletions:
        for key in original:
            if key not in modified:
                patch[key] = None
    if options.retain_keys:
        retained = [key for key, value in modified.items() if value is not None]
        gone = any(value is not None and key not in modified for key, value in original.items())
        if retained and (patch or gone):
            patch[RETAIN_KEYS] = sorted(retained)
    return patch


def _object_field(
    key: str, before: Object, value: Object, patch: Object, schema: Schema, options: _Options
) -> None:
    if same(before, value) and key not in schema.properties:
        return
    how = field(schema, key, of_list=False)
    if how.strategy == REPLACE:
        if options.changes:
            patch[key] = value
        return
    inner = _objects(before, value, how.schema, options._replace(retain_keys=how.retain_keys))
    if inner:
        patch[key] = inner


def _list_field(
    key: str, before: Array, value: Array, patch: Object, schema: Schema, options: _Options
) -> None:
    if same(before, value) and key not in schema.properties:
        return
    how = field(schema, key, of_list=True)
    if how.strategy != MERGE:
        if options.changes and not same(before, value):
            patch[key] = value
        return
    result = _lists(before, value, how.schema, how.merge_key, options._replace(retain_keys=how.retain_keys))
    if result.items:
        patch[key] = result.items
    if result.deletions:
        patch[f"{DELETE_FROM_PRIMITIVE_LIST}/{key}"] = result.deletions
    if result.order:
        patch[f"{SET_ELEMENT_ORDER}/{key}"] = result.order


class _ListPatch(NamedTuple):
    items: Array
    deletions: Array  # of primitives
    order: Array


def _lists(before: Array, value: Array, schema: Schema, merge_key: str, options: _Options) -> _ListPatch:
    if not before:
        return _ListPatch(value if options.changes else [], [], [])
    kind = element_type(before, value)
    if kind != "map":
        return _scalars(before, value, merge_key, kind, options)
    items, deletions = _keyed(before, value, schema, merge_key, options)
    items = in_order(items, value, merge_key, kind) + deletions
    keys = [merge_value(item, merge_key) for item in value]
    moved = [merge_value(item, merge_key) for item in before] != keys
    order: Array = []
    if options.orders and ((options.changes and (items or moved)) or (options.deletions and items)):
        order = [{merge_key: key} for key in keys]
    return _ListPatch(items, [], order)


def _scalars(before: Array, value: Array, merge_key: str, kind: str, options: _Options) -> _ListPatch:
    had, has = {scalar(item) for item in before}, {scalar(item) for item in value}
    additions = [item for item in value if scalar(item) not in had] if options.changes else []
    gone: Array = []
    if options.deletions:
        by_text = {go_format(item): item for item in before if scalar(item) not in has}
        gone = [by_text[text] for text in sorted(by_text)]
    additions = in_order(additions, value, merge_key, kind)
    # Upstream has sorted the old list by now, so an order that is not sorted counts as a change.
    moved = not same(sorted(before, key=go_format), value)
    ordered = options.orders and ((options.deletions and gone) or (options.changes and moved))
    return _ListPatch(additions, gone, value if ordered else [])


def _keyed(
    before: Array, value: Array, schema: Schema, merge_key: str, options: _Options
) -> tuple[Array, Array]:
    """The items to add or change, and `$patch: delete` items. Walks both lists sorted by the key's text."""

    def text(item: Any) -> str:
        return go_format(merge_value(item, merge_key))

    old, new = sorted(before, key=text), sorted(value, key=text)
    items: Array = []
    deletions: Array = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i < len(old) and j < len(new) and text(old[i]) == text(new[j]):
            inner = _objects(old[i], new[j], schema, options)
            if inner:
                items.append({**inner, merge_key: new[j][merge_key]})
            i += 1
            j += 1
        elif i == len(old) or (j < len(new) and text(old[i]) > text(new[j])):
            if options.changes:
                items.append(new[j])
            j += 1
        else:
            if options.deletions:
                deletions.append({merge_key: old[i][merge_key], PATCH: DELETE})
            i += 1
    return items, deletions


def _objects_conflict(left: Object, right: Object, schema: Schema) -> bool:
    for key, mine in left.items():
        if key in (PATCH, RETAIN_KEYS) or key not in right:
            continue
        theirs = right[key]
        if isinstance(mine, dict):
            if not isinstance(theirs, dict) or mine.get(PATCH) != theirs.get(PATCH):
                return True
            how = field(schema, key, of_list=False)
            if how.strategy != REPLACE and _objects_conflict(mine, theirs, how.schema):
                return True
        elif isinstance(mine, list):
            if not isinstance(theirs, list):
                return True
            how = field(schema, key.partition("/")[2] or key, of_list=True)
            if _lists_conflict(mine, theirs, how.schema, how.strategy, how.merge_key):
                return True
        elif not same(mine, theirs) or json_type(mine) != json_type(theirs):
            return True
    return False


def _lists_conflict(left: Array, right: Array, schema: Schema, strategy: str, merge_key: str) -> bool:
    if strategy == MERGE:
        if not left or not right:
            return False
        if element_type(left, right) != "map":
            return False
        mine = {scalar(merge_value(item, merge_key)): item for item in left}
        for item in right:
            other = mine.get(scalar(merge_value(item, merge_key)))
            if other is None:
                continue
            if other.get(PATCH) != item.get(PATCH) or _objects_conflict(other, item, schema):
                return True
        return False
    return not same(left, right)
