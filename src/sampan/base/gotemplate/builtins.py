"""The functions that text/template itself defines. Source of behaviour: Go 1.26 text/template/funcs.go."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from sampan.base.gotemplate.gofmt import sprint, sprintf, sprintln, text
from sampan.base.gotemplate.gotypes import (
    ANY,
    Func,
    GoError,
    GoPanic,
    Map,
    Slice,
    Uint8,
    is_nil,
    kind_of,
    type_of,
    zero,
)
from sampan.base.gotemplate.strconv import byte_len, byte_slice, encode

_INTS = frozenset(("int", "int64", "int32"))
_UINTS = frozenset(("uint8", "uint32", "uint64"))


def _basic(value: Any) -> str:
    """Go's basicKind: what can be compared with what."""
    kind = kind_of(value)
    if kind in _INTS:
        return "int"
    if kind in _UINTS:
        return "uint"
    return kind if kind in ("bool", "float64", "string", "complex128") else ""


def eq(first: Any, *others: Any) -> bool:
    if not others:
        raise GoError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(a: Any, b: Any) -> bool:
    if type(a) is type(b) and type(a) in (str, int, bool, float):
        return bool(a == b)
    kind_a, kind_b = _basic(a), _basic(b)
    if kind_a != kind_b:
        if kind_a in ("int", "uint") and kind_b in ("int", "uint"):
            return bool(a == b)
        if a is not None and b is not None:
            raise GoError(f"incompatible types for comparison: {type_of(a)} and {type_of(b)}")
        return False
    if kind_a:
        return bool(a == b)
    if kind_of(a) != kind_of(b) and a is not None and b is not None:
        raise GoError(f"non-comparable types {text(a)}: {type_of(a)}, {type_of(b)}: {text(b)}")
    if is_nil(a) or is_nil(b):
        return is_nil(a) == is_nil(b)
    if isinstance(b, (list, dict, bytes)):
        raise GoError(f"non-comparable type {text(b)}: {type_of(b)}")
    return a is b or bool(type(a) is type(b) and a == b)


def ne(a: Any, b: Any) -> bool:
    return not _equal(a, b)


def lt(a: Any, b: Any) -> bool:
    kind_a = _basic(a)
    kind_b = _basic(b)
    if not kind_a or not kind_b:
        raise GoError("invalid type for comparison")
    if kind_a != kind_b:
        if kind_a in ("int", "uint") and kind_b in ("int", "uint"):
            return bool(a < b)
        raise GoError(f"incompatible types for comparison: {type_of(a)} and {type_of(b)}")
    if kind_a in ("bool", "complex128"):
        raise GoError("invalid type for comparison")
    return bool(a < b)


def le(a: Any, b: Any) -> bool:
    return lt(a, b) or _equal(a, b)


def gt(a: Any, b: Any) -> bool:
    return not le(a, b)


def ge(a: Any, b: Any) -> bool:
    return not lt(a, b)


def length(value: Any) -> int:
    if isinstance(value, str):
        return byte_len(value)
    if isinstance(value, (list, dict, bytes)):
        return len(value)
    if value is None:
        raise GoPanic("reflect: call of reflect.Value.Type on zero Value")
    raise GoError(f"len of type {type_of(value)}")


def index(item: Any, *indexes: Any) -> Any:
    if item is None:
        raise GoError("index of untyped nil")
    for at in indexes:
        if item is None:
            raise GoError("index of nil pointer")
        if isinstance(item, dict):
            item = _lookup(item, at)
        elif isinstance(item, list):
            item = item[_position(at, len(item), item)]
        elif isinstance(item, (str, bytes)):
            data = encode(item) if isinstance(item, str) else item
            item = Uint8(data[_position(at, len(data), item)])
        else:
            raise GoError(f"can't index item of type {type_of(item)}")
    return item


def _lookup(item: dict[str, Any], key: Any) -> Any:
    if type(key) is str:
        if key in item:
            return item[key]
        return zero(item.element) if isinstance(item, Map) else None
    if key is None:
        raise GoError("value is nil; should be of type string")
    raise GoError(f"value has type {type_of(key)}; should be string")


def _position(at: Any, size: int, item: Any) -> int:
    """The index as a number; an index equal to the length passes Go's check and panics in reflect."""
    position = _checked(at, size)
    if position == size:
        what = "string" if isinstance(item, str) else "slice"
        raise GoPanic(f"reflect: {what} index out of range")
    return position


def _checked(at: Any, size: int) -> int:
    if at is None:
        raise GoError("cannot index slice/array with nil")
    if not isinstance(at, int) or isinstance(at, bool):
        raise GoError(f"cannot index slice/array with type {type_of(at)}")
    if at < 0 or at > size:
        raise GoError(f"index out of range: {int(at)}")
    return int(at)


def slice_(item: Any, *indexes: Any) -> Any:
    if item is None:
        raise GoError("slice of untyped nil")
    if len(indexes) > 3:
        raise GoError(f"too many slice indexes: {len(indexes)}")
    if isinstance(item, str):
        if len(indexes) == 3:
            raise GoError("cannot 3-index slice a string")
        size = byte_len(item)
    elif isinstance(item, (list, bytes)):
        size = len(item)
    else:
        raise GoError(f"can't slice item of type {type_of(item)}")
    bounds = [0, size, size]
    for place, at in enumerate(indexes):
        bounds[place] = _checked(at, size)
    if bounds[0] > bounds[1]:
        raise GoError(f"invalid slice index: {bounds[0]} > {bounds[1]}")
    if len(indexes) == 3 and bounds[1] > bounds[2]:
        raise GoError(f"invalid slice index: {bounds[1]} > {bounds[2]}")
    if isinstance(item, str):
        return byte_slice(item, bounds[0], bounds[1])
    part = item[bounds[0] : bounds[1]]
    return type(item)(part) if isinstance(item, Slice) else part


def call(name: str, callee: Any, *args: Any) -> Any:
    """No value of templates here is a function, so this only says what it is instead."""
    if callee is None:
        raise GoError("call of nil")
    raise GoError(f"non-function {name} of type {type_of(callee)}")


def not_(value: Any) -> bool:
    return not value


def _joined(args: tuple[Any, ...]) -> str:
    """The text of all operands: a nil prints as `<no value>` here."""
    if len(args) == 1 and type(args[0]) is str:
        return str(args[0])
    return sprint(tuple("<no value>" if a is None else a for a in args))


_HTML = str.maketrans({'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"})


def html(*args: Any) -> str:
    return _joined(args).translate(_HTML)


_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}


def js(*args: Any) -> str:
    out = []
    for char in _joined(args):
        if char in _JS:
            out.append(_JS[char])
        elif char < " " or (char >= "\x80" and not char.isprintable()):
            out.append(f"\\u{ord(char):04X}")
        else:
            out.append(char)
    return "".join(out)


def url_query_escape(value: str) -> str:
    """`url.QueryEscape`."""
    return quote_plus(encode(value), safe="-_.~")


def urlquery(*args: Any) -> str:
    return url_query_escape(_joined(args))


_VALUE = "reflect.Value"

BUILTINS: dict[str, Func] = {
    "and": Func(lambda *_: None, (_VALUE, _VALUE), True, _VALUE),
    "or": Func(lambda *_: None, (_VALUE, _VALUE), True, _VALUE),
    "not": Func(not_, (_VALUE,), False, "bool"),
    "call": Func(call, (_VALUE, _VALUE), True, _VALUE),
    "html": Func(html, (ANY,), True, "string"),
    "js": Func(js, (ANY,), True, "string"),
    "urlquery": Func(urlquery, (ANY,), True, "string"),
    "index": Func(index, (_VALUE, _VALUE), True, _VALUE),
    "slice": Func(slice_, (_VALUE, _VALUE), True, _VALUE),
    "len": Func(length, (_VALUE,), False, "int"),
    "print": Func(lambda *a: sprint(a), (ANY,), True, "string"),
    "println": Func(lambda *a: sprintln(a), (ANY,), True, "string"),
    "printf": Func(lambda f, *a: sprintf(f, a), ("string", ANY), True, "string"),
    "eq": Func(eq, (_VALUE, _VALUE), True, "bool"),
    "ne": Func(ne, (_VALUE, _VALUE), False, "bool"),
    "lt": Func(lt, (_VALUE, _VALUE), False, "bool"),
    "le": Func(le, (_VALUE, _VALUE), False, "bool"),
    "gt": Func(gt, (_VALUE, _VALUE), False, "bool"),
    "ge": Func(ge, (_VALUE, _VALUE), False, "bool"),
}
