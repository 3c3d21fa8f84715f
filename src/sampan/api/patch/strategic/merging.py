"""Applying a strategic merge patch.

The same algorithm joins two patches into one (`merge_patches`), where directives and nulls are kept, not executed:
the three-way patch is made so. Documents and patches are changed in place below `apply`.
"""

from __future__ import annotations

from typing import Any

from sampan.api.patch.error import PatchError
from sampan.api.patch.plain import clone, go_format, json_type, same
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
    as_object,
    bad_type,
    element_type,
    field,
    identity,
    merge_value,
    no_merge_key,
    normalize_order,
    scalar,
)
from sampan.api.schema.model import Schema


def apply(doc: dict[str, Any], patch: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The document with the patch merged in; neither is changed.

    Raises PatchError: 400 for malformed directives, 422 for a patch that does not fit the document.
    """
    if not isinstance(patch, dict):
        raise PatchError("invalid JSON document", 400)
    return _Merge(executes=True).objects(clone(doc), clone(patch), schema)


def merge_patches(first: Object, second: Object, schema: Schema) -> Object:
    """Two patches as one: nulls and directives are kept."""
    return _Merge(executes=False).objects(clone(first), clone(second), schema)


class _Merge:
    """`executes`: apply to a document (directives are carried out); else join with another patch."""

    def __init__(self, *, executes: bool) -> None:
        self._executes = executes

    def objects(self, original: Object, patch: Object, schema: Schema) -> Object:
        if PATCH in patch:
            return _whole_object(patch)
        self._retain_keys(original, patch)
        self._element_orders(original, patch, schema)
        for key, value in patch.items():
            if key.startswith(DELETE_FROM_PRIMITIVE_LIST):
                if self._executes:
                    self._delete_primitives(
                        original, _directive_field(key, DELETE_FROM_PRIMITIVE_LIST), value
                    )
                else:
                    original[key] = value
            else:
                self._field(original, key, value, schema)
        return original

    def _field(self, original: Object, key: str, value: Any, schema: Schema) -> None:
        if value is None:
            original.pop(key, None)
            if self._executes:
                return
        if key not in original or json_type(original[key]) != json_type(value):
            self._set(original, key, value)
        elif isinstance(value, dict):
            how = field(schema, key, of_list=False)
            if how.strategy == REPLACE:
                original[key] = value
            else:
                original[key] = self.objects(original[key], value, how.schema)
        elif isinstance(value, list):
            how = field(schema, key, of_list=True)
            if how.strategy == MERGE:
                original[key] = self._lists(original[key], value, how.schema, how.merge_key)
            else:
                original[key] = value
        else:
            original[key] = value

    def _set(self, original: Object, key: str, value: Any) -> None:
        """A value that has nothing to merge with: taken as it is, less what only steers a merge."""
        if self._executes:
            _discard_nulls(value)
        if isinstance(value, dict) and PATCH in value:
            original.pop(key, None)
        else:
            original[key] = _without_directives(value)

    def _delete_primitives(self, original: Object, key: str, unwanted: Any) -> None:
        present = original.get(key)
        if unwanted is None:
            original.pop(key, None)
        elif isinstance(present, list) and isinstance(unwanted, list):
            gone = {scalar(item) for item in unwanted}
            original[key] = [item for item in present if scalar(item) not in gone]

    def _retain_keys(self, original: Object, patch: Object) -> None:
        if RETAIN_KEYS not in patch:
            return
        retained = patch.pop(RETAIN_KEYS)
        if not self._executes:
            if not same(original.setdefault(RETAIN_KEYS, retained), retained):
                raise PatchError(
                    f"{go_format(original[RETAIN_KEYS])} and {go_format(retained)} are not deep equal: "
                    "this may happen when calculating the 3-way diff patch"
                )
            return
        if not isinstance(retained, list):
            raise PatchError("invalid patch format of retainKeys", 400)
        for key, value in patch.items():
            steers = key.startswith((DELETE_FROM_PRIMITIVE_LIST, SET_ELEMENT_ORDER))
            if value is not None and not steers and key not in retained:
                raise PatchError("invalid patch format of retainKeys", 400)
        for key in [key for key in original if key not in retained]:
            del original[key]

    def _element_orders(self, original: Object, patch: Object, schema: Schema) -> None:
        """Every list that has a $setElementOrder: merged here, so that the field is not seen again."""
        for key in [key for key in patch if key.startswith(SET_ELEMENT_ORDER)]:
            order = patch.pop(key)
            if not self._executes and not same(original.setdefault(key, order), order):
                raise PatchError("invalid patch format of setElementOrder list", 400)
            if not isinstance(order, list):
                raise bad_type("[]interface {}", order)
            name = _directive_field(key, SET_ELEMENT_ORDER)
            for side in (original, patch):
                if name in side and not isinstance(side[name], list):
                    raise bad_type("[]interface {}", side[name])
            self._ordered_list(original, patch, name, order, schema)

    def _ordered_list(self, original: Object, patch: Object, name: str, order: Array, schema: Schema) -> None:
        live: Array = original.get(name) or []
        listed: Array = patch.get(name) or []
        how = field(schema, name, of_list=True)
        _check_order(listed, order, how.merge_key)
        if name not in original and name not in patch:
            return
        if name not in patch:
            merged = list(live)
        elif name not in original:
            merged = _without_directives(listed)
        elif how.strategy == MERGE:
            merged = self._lists(list(live), listed, how.schema, how.merge_key)
        else:
            merged = listed
        kind = element_type(live, listed)
        wanted, others = _partition(merged, order, how.merge_key)
        original[name] = normalize_order(wanted, others, order, live, how.merge_key, kind)
        patch.pop(name, None)

    def _lists(self, original: Array, patch: Array, schema: Schema, merge_key: str) -> Array:
        if not original and not patch:
            return original
        kind = element_type(original, patch)
        if kind != "map":
            merged = _unique(original + patch)
        else:
            if not merge_key:
                raise PatchError(f"cannot merge lists without merge key for {schema.type or 'struct'}")
            original, patch = _special_elements(original, patch, merge_key)
            merged = self._keyed(list(original), patch, schema, merge_key)
        wanted, others = _partition(merged, patch, merge_key)
        return normalize_order(wanted, others, patch, original, merge_key, kind)

    def _keyed(self, original: Array, patch: Array, schema: Schema, merge_key: str) -> Array:
        for item in patch:
            place = _find(original, merge_key, merge_value(item, merge_key))
            if place is None:
                original.append(item)
            else:
                original[place] = self.objects(original[place], item, schema)
        return original


def _whole_object(patch: Object) -> Object:
    directive = patch[PATCH]
    if directive == REPLACE:
        return {key: value for key, value in patch.items() if key != PATCH}
    if directive == DELETE:
        return {}
    raise PatchError(f"unknown patch type: {go_format(directive)} in map: {go_format(patch)}")


def _directive_field(key: str, prefix: str) -> str:
    head, slash, name = key.partition("/")
    if not slash or head != prefix:
        which = "primitive list" if prefix == DELETE_FROM_PRIMITIVE_LIST else "setElementOrder list"
        raise PatchError(f"invalid patch format of {which}", 400)
    return name


def _check_order(listed: Array, order: Array, merge_key: str) -> None:
    """The patch's items must stand in `order`, in that order (items to delete aside)."""
    if not listed or not order:
        return
    items = [item for item in listed if not (isinstance(item, dict) and PATCH in item)]
    place = 0
    for entry in order:
        if place == len(items):
            return
        if merge_key:
            place += merge_value(items[place], merge_key) == merge_value(entry, merge_key)
        else:
            place += same(items[place], entry)
    if place < len(items):
        raise PatchError(
            f"The order in patch list:\n{go_format(listed)}\n doesn't match {SET_ELEMENT_ORDER} list:\n"
            f"{go_format(order)}\n"
        )


def _partition(items: Array, by: Array, merge_key: str) -> tuple[Array, Array]:
    """The items that `by` names, and the others."""
    if merge_key:
        for item in items:
            merge_value(item, merge_key)
        named = {
            identity(merge_key, "map")(item) for item in by if isinstance(item, dict) and merge_key in item
        }
        key = identity(merge_key, "map")
    else:
        named = {scalar(item) for item in by}
        key = scalar
    return [item for item in items if key(item) in named], [item for item in items if key(item) not in named]


def _special_elements(original: Array, patch: Array, merge_key: str) -> tuple[Array, Array]:
    """Carries out `$patch: delete` and `$patch: replace` items of a list; gives what is left of both."""
    plain: Array = []
    replaces = False
    for item in patch:
        directive = item.get(PATCH)
        if PATCH not in item:
            plain.append(item)
        elif directive == DELETE:
            if merge_key not in item:
                raise no_merge_key(item, merge_key)
            gone = scalar(item[merge_key])
            original = [
                kept
                for kept in original
                if merge_key not in as_object(kept) or scalar(kept[merge_key]) != gone
            ]
        elif directive == REPLACE:
            replaces = True
        elif directive == MERGE:
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise PatchError(f"unknown patch type: {go_format(directive)} in map: {go_format(item)}")
    return (plain, []) if replaces else (original, plain)


def _find(items: Array, merge_key: str, value: Any) -> int | None:
    for place, item in enumerate(items):
        if merge_key in as_object(item) and scalar(item[merge_key]) == scalar(value):
            return place
    return None


def _unique(items: Array) -> Array:
    seen: set[Any] = set()
    out: Array = []
    for item in items:
        key = scalar(item)
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out


def _discard_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, inner in value.items() if inner is None]:
            del value[key]
        for inner in value.values():
            _discard_nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            _discard_nulls(inner)


def _without_directives(value: Any) -> Any:
    """Values that carry a $patch are left out; what steers a merge at other places is upstream's to keep."""
    if isinstance(value, dict):
        return {
            key: _without_directives(inner)
            for key, inner in value.items()
            if not (isinstance(inner, dict) and PATCH in inner)
        }
    if isinstance(value, list):
        return [
            _without_directives(inner) for inner in value if not (isinstance(inner, dict) and PATCH in inner)
        ]
    return value
