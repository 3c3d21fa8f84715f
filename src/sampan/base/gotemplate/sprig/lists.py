"""Lists. Source of behaviour: sprig 3.3 list.go. Order functions copy; none changes its argument."""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate.gotypes import GoError, GoPanic, Lists, NilList, Slice, Uint8, kind_of
from sampan.base.gotemplate.sprig.cast import deep_equal, to_int

_NIL = "runtime error: invalid memory address or nil pointer dereference"


def elements(value: Any, verb: str) -> list[Any]:
    """The elements of a slice; raises GoError `Cannot VERB type KIND`."""
    if isinstance(value, list):
        return value
    if isinstance(value, bytes):
        return [Uint8(c) for c in value]
    if value is None:
        raise GoPanic(_NIL)
    raise GoError(f"Cannot {verb} type {kind_of(value)}")


def make(*values: Any) -> list[Any]:
    return list(values)


def push(values: Any, value: Any) -> list[Any]:
    return [*elements(values, "push on"), value]


def prepend(values: Any, value: Any) -> list[Any]:
    return [value, *elements(values, "prepend on")]


def chunk(size: int, values: Any) -> Lists:
    items = elements(values, "chunk")
    if size == 0:
        raise GoPanic("runtime error: makeslice: len out of range")
    if size < 0:
        raise GoPanic("runtime error: makeslice: len out of range")
    return Lists([items[i : i + size] for i in range(0, len(items), size)])


def last(values: Any) -> Any:
    items = elements(values, "find last on")
    return items[-1] if items else None


def first(values: Any) -> Any:
    items = elements(values, "find first on")
    return items[0] if items else None


def rest(values: Any) -> list[Any]:
    items = elements(values, "find rest on")
    return list(items[1:]) if items else NilList()


def initial(values: Any) -> list[Any]:
    items = elements(values, "find initial on")
    return list(items[:-1]) if items else NilList()


def reverse(values: Any) -> list[Any]:
    return list(reversed(elements(values, "find reverse on")))


def compact(values: Any) -> list[Any]:
    return [v for v in elements(values, "compact on") if v]


def _hashable(items: list[Any]) -> bool:
    return all(type(i) is str for i in items)


def uniq(values: Any) -> list[Any]:
    items = elements(values, "find uniq on")
    if _hashable(items):
        return list(dict.fromkeys(items))
    out: list[Any] = []
    for item in items:
        if not any(deep_equal(item, o) for o in out):
            out.append(item)
    return out


def without(values: Any, *omit: Any) -> list[Any]:
    items = elements(values, "find without on")
    return [i for i in items if not any(deep_equal(o, i) for o in omit)]


def has(needle: Any, haystack: Any) -> bool:
    if haystack is None:
        return False
    items = elements(haystack, "find has on")
    if type(needle) is str:
        return any(type(i) is str and i == needle for i in items)
    return any(deep_equal(needle, i) for i in items)


def slice_(values: Any, *indices: Any) -> Any:
    if not isinstance(values, (list, bytes)):
        if values is None:
            raise GoPanic(_NIL)
        raise GoError(f"list should be type of slice or array but {kind_of(values)}")
    size = len(values)
    if not size:
        return None
    start = to_int(indices[0]) if indices else 0
    end = to_int(indices[1]) if len(indices) > 1 else size
    if not 0 <= start <= end <= size:
        raise GoPanic("reflect.Value.Slice: slice index out of bounds")
    part = values[start:end]
    return type(values)(part) if isinstance(values, Slice) else part


def concat(*lists: Any) -> list[Any]:
    out: list[Any] = []
    for one in lists:
        if one is None:
            raise GoPanic(_NIL)
        if not isinstance(one, (list, bytes)):
            raise GoPanic(f"Cannot concat type {kind_of(one)} as list")
        out.extend(elements(one, "concat"))
    return out or NilList()
