"""Sets of fields, held as the wire's FieldsV1 JSON holds them.

A set is a dict from path element to the set of what lies below: {"f:spec": {"f:replicas": {}}}. Elements are
`f:NAME` (a field), `k:{...}` (an item of a keyed list), `v:VALUE` (an item of a set) and `i:N`. Below an element,
the empty dict says that it is itself a member; "." says so where there are children too. So a set needs no decoding,
and one whose keys stand in canonical order encodes to the bytes that upstream stores.

No function changes what it is given, and results share parts with arguments: treat sets as immutable.

Source: sigs.k8s.io/structured-merge-diff fieldpath (set.go, element.go, serialize.go, serialize-pe.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import orjson

FieldSet = dict[str, Any]
Path = tuple[str, ...]

SELF: Final = "."
_RANKS: Final = {"f": 0, "k": 1, "v": 2, "i": 3}


# --- path elements


def key_element(fields: dict[str, Any]) -> str:
    """The element of a keyed list's item, from the fields that are its key."""
    return "k:" + _json({name: fields[name] for name in sorted(fields)})


def value_element(value: Any) -> str:
    """The element of a set's item."""
    return "v:" + _json(value)


def _json(value: Any) -> str:
    """JSON as Go writes it: < > & are escaped."""
    text = orjson.dumps(value).decode()
    if "<" in text or ">" in text or "&" in text:
        text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return text


@lru_cache(maxsize=16384)
def order(element: str) -> tuple[Any, ...]:
    """The sort key of an element: fields, keys, values, indices; each in the order of its content."""
    if element == SELF:
        return (-1,)
    rank = _RANKS.get(element[:1], 4)
    body = element[2:]
    if rank == 0:
        return (0, body)
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return (rank, (9,), body)
    if rank == 1 and isinstance(decoded, dict):
        return (1, tuple((name, _value_order(decoded[name])) for name in sorted(decoded)))
    return (rank, _value_order(decoded))


def _value_order(value: Any) -> tuple[Any, ...]:
    """Upstream's total order: numbers, texts, booleans, lists, maps, null."""
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, (int, float)):
        return (0, value)
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, list):
        return (3, tuple(map(_value_order, value)))
    if isinstance(value, dict):
        return (4, tuple((name, _value_order(value[name])) for name in sorted(value)))
    return (5,)


@lru_cache(maxsize=16384)
def shown(element: str) -> str:
    """The element as error texts show it: .spec, [name="web"], [="x"], [0]."""
    kind, body = element[:1], element[2:]
    if kind == "f":
        return f".{body}"
    if kind == "i":
        return f"[{body}]"
    decoded = orjson.loads(body)
    if kind == "k":
        return "[" + ",".join(f"{name}={_shown_value(decoded[name])}" for name in sorted(decoded)) + "]"
    return f"[={_shown_value(decoded)}]"


def _shown_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        orjson.dumps(value).decode() if isinstance(value, (str, dict, list)) or value is None else str(value)
    )


def shown_path(path: Iterable[str]) -> str:
    return "".join(map(shown, path))


# --- reading


class FieldsError(ValueError):
    """FieldsV1 that cannot be read."""


def parse(fields: Any) -> FieldSet:
    """A canonical set out of what a client sent: ordered, unknown kinds of elements dropped.

    Raises FieldsError.
    """
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise FieldsError(f"error decoding set: expected an object, got {fields!r}")
    return _parsed(fields) or {}


def _parsed(fields: dict[str, Any]) -> FieldSet | None:
    """None where nothing lies below and the element itself is no member (which cannot be written)."""
    out: FieldSet = {}
    for element, below in fields.items():
        if element == SELF:
            out[SELF] = {}
            continue
        canonical = _canonical_element(element)
        if canonical is None:
            continue
        if not isinstance(below, dict):
            raise FieldsError(f"error decoding set: expected an object below {element!r}, got {below!r}")
        inner = _parsed(below)
        out[canonical] = inner if inner is not None else {}
    if len(out) == 1 and SELF in out:
        return {}
    return ordered(out)


@lru_cache(maxsize=16384)
def _canonical_element(element: str) -> str | None:
    kind, colon, body = element[:1], element[1:2], element[2:]
    if colon != ":":
        what = "missing colon" if len(element) >= 2 else "key must be 2 characters long"
        raise FieldsError(f"error decoding set: parsing key as path element: {what}: {element}")
    if kind == "f":
        return element
    if kind not in _RANKS:
        return None
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as bad:
        raise FieldsError(f"error decoding set: parsing key as path element: {bad}: {element}") from bad
    if kind == "k":
        if not isinstance(decoded, dict):
            raise FieldsError(f"error decoding set: expected an object in {element!r}")
        return key_element(decoded)
    return value_element(decoded) if kind == "v" else element


# --- making and asking


def ordered(fields: FieldSet) -> FieldSet:
    """The same set with its top level in canonical order."""
    if len(fields) < 2:
        return fields
    keys = list(fields)
    # "." sorts before "f:" by itself; only keys and values have an order other than that of their text.
    wanted = sorted(keys) if all(key[0] in "f." for key in keys) else sorted(keys, key=order)
    return fields if keys == wanted else {key: fields[key] for key in wanted}


def of(paths: Iterable[Path]) -> FieldSet:
    """The set whose members are the given paths."""
    out: FieldSet = {}
    for path in paths:
        out = union(out, _single(path))
    return out


def _single(path: Path) -> FieldSet:
    below: FieldSet = {}
    for element in reversed(path):
        below = {element: below}
    return below


def has(fields: FieldSet, path: Path) -> bool:
    """Whether the path itself is a member."""
    below: Any = fields
    for element in path:
        below = below.get(element)
        if below is None:
            return False
    return bool(path) and is_member(below)


def is_member(below: FieldSet) -> bool:
    """Whether the element above `below` is a member itself."""
    return not below or SELF in below


def members(fields: FieldSet) -> Iterator[Path]:
    """Every member path: at each level first the members, then what lies below each element."""
    yield from _members(fields, ())


def _members(fields: FieldSet, prefix: Path) -> Iterator[Path]:
    for element, below in fields.items():
        if element != SELF and is_member(below):
            yield (*prefix, element)
    for element, below in fields.items():
        if element != SELF and below:
            yield from _members(below, (*prefix, element))


# --- algebra


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left:
        return right
    if not right:
        return left
    out = dict(left)
    grown = False
    for element, below in right.items():
        mine = out.get(element)
        if mine is None:
            out[element] = below
            grown = True
        elif mine is not below:
            out[element] = _below_union(mine, below)
    return ordered(out) if grown else out


def _below_union(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left and not right:
        return left
    out = union(left, right)
    if SELF not in out and (not left or not right):
        out = {SELF: {}, **out}
    return out


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """The members of `left` that `right` has not; what lies below a member of `right` stays."""
    if not left or not right:
        return left
    out: FieldSet = {}
    for element, below in left.items():
        theirs = right.get(element)
        if theirs is None:
            out[element] = below
        elif element != SELF:
            rest = _below_difference(below, theirs)
            if rest is not None:
                out[element] = rest
    return out


def _below_difference(left: FieldSet, right: FieldSet) -> FieldSet | None:
    """What stays below an element; None where neither it nor anything below stays."""
    stays = is_member(left) and not is_member(right)
    inner = difference(left, right) if left else left
    if SELF in inner:
        inner = {element: below for element, below in inner.items() if element != SELF}
    if stays:
        return {SELF: {}, **inner} if inner else {}
    return inner or None


def recursive_difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """As `difference`, but a member of `right` takes away all that lies below it too."""
    if not left or not right:
        return left
    out: FieldSet = {}
    for element, below in left.items():
        theirs = right.get(element)
        if theirs is None:
            out[element] = below
        elif element != SELF and not is_member(theirs):
            member = is_member(below)
            inner = recursive_difference(below, theirs)
            if inner or member:
                out[element] = inner if inner.keys() != {SELF} else {}
    return out


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """The members of both."""
    if len(right) < len(left):
        left, right = right, left
    out: FieldSet = {}
    for element, below in left.items():
        theirs = right.get(element)
        if theirs is None or element == SELF:
            continue
        member = is_member(below) and is_member(theirs)
        inner = intersection(below, theirs) if below and theirs else {}
        if member:
            out[element] = {SELF: {}, **inner} if inner else {}
        elif inner:
            out[element] = inner
    return ordered(out)


def child(fields: FieldSet, element: str) -> FieldSet:
    """The set of what lies below an element, without the element itself."""
    below: FieldSet = fields.get(element) or {}
    return {key: inner for key, inner in below.items() if key != SELF} if SELF in below else below
