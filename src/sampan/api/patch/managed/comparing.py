"""What differs between two typed values, and which fields a value holds: as field sets.

Source: structured-merge-diff typed/compare.go, typed/tofieldset.go.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sampan.api.patch.managed import fieldset
from sampan.api.patch.managed.fieldset import SELF, FieldSet
from sampan.api.patch.managed.types import (
    ATOMIC,
    GRANULAR,
    LIST,
    MAP,
    MISSING,
    SCALAR,
    Type,
    TypedError,
)
from sampan.api.patch.plain import same


class Comparison(NamedTuple):
    """Fields that only the old value has, that differ, and that only the new value has."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    @property
    def same(self) -> bool:
        return not (self.removed or self.modified or self.added)


def compare(old: dict[str, Any], new: dict[str, Any], type_: Type) -> Comparison:
    """Equal parts are skipped by Python's ==, so a change from 1 to true alone in untyped data is not seen.

    Raises TypedError for values that do not fit the type.
    """
    removed, modified, added = _compare(old, new, type_)
    return Comparison(removed or {}, modified or {}, added or {})


_Below = tuple[FieldSet | None, FieldSet | None, FieldSet | None]
_NOTHING: _Below = (None, None, None)
_LEAF: FieldSet = {}


def _compare(old: Any, new: Any, type_: Type) -> _Below:
    """What lies below one element: removed, modified, added; None for nothing, {} for the element itself."""
    if old is MISSING:
        return None, None, _whole(new, type_)
    if new is MISSING:
        return _whole(old, type_), None, None
    if old is new or old == new:
        return _NOTHING
    form, before = type_.form(new), type_.form(old)
    if before != form and old is not None and new is not None:
        return _joined(_walk(old, new, type_, before), _walk(old, new, type_, form))
    return _walk(old, new, type_, before if new is None else form)


def _whole(value: Any, type_: Type) -> FieldSet:
    """What lies below an element that only one side has: all of it."""
    if not value or not isinstance(value, (dict, list)):
        return _LEAF
    if isinstance(value, dict):
        if type_.map != GRANULAR:
            return _LEAF
        out: FieldSet = {SELF: {}}
        for name in sorted(value):
            inner = type_.field(name)
            if inner is None:
                raise TypedError("field not declared in schema", f".{name}")
            try:
                out[f"f:{name}"] = _whole(value[name], inner)
            except TypedError as bad:
                raise bad.below(f".{name}") from None
        return out
    if type_.list == ATOMIC or not type_.list:
        return _LEAF
    return _whole_items(value, type_)


def _whole_items(value: list[Any], type_: Type) -> FieldSet:
    out: FieldSet = {SELF: {}}
    item = type_.item
    for element, items in _by_element(value, type_).items():
        try:
            out[element] = _whole(items[0], item) if len(items) == 1 else _LEAF
        except TypedError as bad:
            raise bad.below(fieldset.shown(element)) from None
    return fieldset.ordered(out)


def _joined(left: _Below, right: _Below) -> _Below:
    def join(one: FieldSet | None, other: FieldSet | None) -> FieldSet | None:
        if one is None or other is None:
            return other if one is None else one
        return fieldset.union({"f:": one}, {"f:": other})["f:"]  # type: ignore[no-any-return]

    return join(left[0], right[0]), join(left[1], right[1]), join(left[2], right[2])


def _walk(old: Any, new: Any, type_: Type, form: str) -> _Below:
    if form == MAP:
        return _maps(old, new, type_)
    if form == LIST:
        return _lists(old, new, type_)
    return _leaf(old, new)


def _leaf(old: Any, new: Any) -> _Below:
    if old is MISSING:
        return None, None, _LEAF
    if new is MISSING:
        return _LEAF, None, None
    return _NOTHING if same(old, new) else (None, _LEAF, None)


def _maps(old: Any, new: Any, type_: Type) -> _Below:
    left: dict[str, Any] = old if isinstance(old, dict) else {}
    right: dict[str, Any] = new if isinstance(new, dict) else {}
    if type_.map == ATOMIC or not (left or right):
        return _leaf(old, new)
    gather = _Gather(old, new)
    zeros = type_.zeros
    names = sorted(left.keys() | right.keys()) if left and right else sorted(left or right)
    for name in names:
        mine, theirs = left.get(name, MISSING), right.get(name, MISSING)
        if mine is theirs or mine == theirs:
            continue
        inner = type_.field(name)
        if inner is None:
            raise TypedError("field not declared in schema", f".{name}")
        # A Go object always has its struct fields, so where the object is, they are neither added nor removed.
        if name in zeros:
            if mine is MISSING and old is not MISSING:
                mine = zeros[name]
            elif theirs is MISSING and new is not MISSING:
                theirs = zeros[name]
        try:
            below = _compare(mine, theirs, inner)
        except TypedError as bad:
            raise bad.below(f".{name}") from None
        if below is not _NOTHING:
            gather.put(f"f:{name}", below)
    return gather.result()


def _lists(old: Any, new: Any, type_: Type) -> _Below:
    left: list[Any] = old if isinstance(old, list) else []
    right: list[Any] = new if isinstance(new, list) else []
    if type_.list == ATOMIC or not (left or right):
        return _leaf(old, new)
    before, after = _by_element(left, type_), _by_element(right, type_)
    gather = _Gather(old, new)
    item = type_.item
    elements = before.keys() | after.keys()
    for element in sorted(elements, key=fieldset.order) if len(elements) > 1 else elements:
        mine, theirs = before.get(element, ()), after.get(element, ())
        try:
            if len(mine) <= 1 and len(theirs) <= 1:
                below = _compare(mine[0] if mine else MISSING, theirs[0] if theirs else MISSING, item)
            else:
                below = _duplicates(mine, theirs, item)
        except TypedError as bad:
            raise bad.below(fieldset.shown(element)) from None
        if below is not _NOTHING:
            gather.put(element, below)
    return gather.result()


def _by_element(items: list[Any], type_: Type) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for place, item in enumerate(items):
        try:
            found.setdefault(type_.element(item), []).append(item)
        except TypedError as bad:
            raise TypedError(f"element {place}: {bad.message}", bad.path) from None
    return found


def _duplicates(mine: Any, theirs: Any, item: Type) -> _Below:
    """Items that occur twice are compared as one leaf."""
    if len(mine) > 1 and len(theirs) > 1:
        return _NOTHING if same(list(mine), list(theirs)) else (None, _LEAF, None)
    if len(mine) > 1:
        below = _compare(MISSING, theirs[0], item) if theirs else _NOTHING
        return _joined(below, (_LEAF, None, None))
    below = _compare(mine[0], MISSING, item) if mine else _NOTHING
    return _joined(below, (None, None, _LEAF))


class _Gather:
    """The three sets of one level. A value that is missing on one side is itself added or removed."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self, old: Any, new: Any) -> None:
        self.removed: FieldSet | None = {SELF: {}} if new is MISSING else None
        self.modified: FieldSet | None = None
        self.added: FieldSet | None = {SELF: {}} if old is MISSING else None

    def put(self, element: str, below: _Below) -> None:
        removed, modified, added = below
        if removed is not None:
            if self.removed is None:
                self.removed = {}
            self.removed[element] = removed
        if modified is not None:
            if self.modified is None:
                self.modified = {}
            self.modified[element] = modified
        if added is not None:
            if self.added is None:
                self.added = {}
            self.added[element] = added

    def result(self) -> _Below:
        removed, added = self.removed, self.added
        if removed is not None and len(removed) == 1 and SELF in removed:
            removed = _LEAF
        if added is not None and len(added) == 1 and SELF in added:
            added = _LEAF
        if removed is None and added is None and self.modified is None:
            return _NOTHING
        return removed, self.modified, added


def to_fieldset(value: dict[str, Any], type_: Type) -> FieldSet:
    """Every field that the value holds. Raises TypedError for values that do not fit the type."""
    return _fields(value, type_) or {}


def _fields(value: Any, type_: Type) -> FieldSet | None:
    """What lies below an element: {} for a leaf; None for a container that holds nothing to own."""
    form = type_.form(value)
    if form == SCALAR:
        return _LEAF
    if form == LIST:
        if type_.list == ATOMIC:
            return _LEAF
        return _item_fields(value, type_) if isinstance(value, list) else None
    if type_.map == ATOMIC:
        return _LEAF
    return _map_fields(value, type_) if isinstance(value, dict) else None


def _map_fields(value: dict[str, Any], type_: Type) -> FieldSet | None:
    out: FieldSet = {}
    declared = type_.declared
    for name in sorted(value):
        inner = type_.field(name)
        if inner is None:
            raise TypedError("field not declared in schema", f".{name}")
        held = value[name]
        try:
            below = _fields(held, inner)
        except TypedError as bad:
            raise bad.below(f".{name}") from None
        if held is None or held == {} or name not in declared:
            below = {SELF: {}, **below} if below and SELF not in below else below or {}
        if below is not None:
            out[f"f:{name}"] = below
    return out or None


def _item_fields(value: list[Any], type_: Type) -> FieldSet | None:
    out: FieldSet = {}
    for element, items in _by_element(value, type_).items():
        if len(items) > 1:
            out[element] = {}
            continue
        try:
            below = _fields(items[0], type_.item)
        except TypedError as bad:
            raise bad.below(fieldset.shown(element)) from None
        out[element] = {SELF: {}, **below} if below else {}
    return fieldset.ordered(out) or None
