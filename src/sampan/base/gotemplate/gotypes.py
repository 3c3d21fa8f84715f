"""Go's types on Python values: the cheapest carrier for each, and the names that `%T` and errors show.

| Go                                | Python                                            |
|-----------------------------------|---------------------------------------------------|
| nil                               | None                                              |
| bool, string, float64, complex128 | bool, str, float, complex                         |
| int                               | int                                               |
| int64, int32, uint8, uint64 ...   | a subclass of `int` named here                    |
| []interface {}                    | list; other element types are subclasses          |
| map[string]interface {}           | dict; other maps are subclasses                   |
| []byte                            | bytes                                             |
| structs                           | a subclass of `Struct`                            |

A nil slice or map is the subclass with `nil = True`: it is empty, prints as empty, and is `null` in JSON.
Python's truth of all these equals `IsTrue` of text/template.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple


class Int64(int):
    go_type = go_kind = "int64"


class Int32(int):
    go_type = go_kind = "int32"


class Uint8(int):
    go_type = go_kind = "uint8"


class Uint64(int):
    go_type = go_kind = "uint64"


class Uint32(int):
    go_type = go_kind = "uint32"


class Duration(int):
    """time.Duration: nanoseconds."""

    go_type, go_kind = "time.Duration", "int64"


class Slice(list[Any]):
    """A slice whose elements are not interfaces. `element` is their type."""

    go_type: ClassVar[str] = "[]interface {}"
    element: ClassVar[str] = "interface {}"
    nil: ClassVar[bool] = False


class NilList(Slice):
    """`[]interface {}(nil)`."""

    nil = True


class Strings(Slice):
    go_type, element = "[]string", "string"


class NilStrings(Strings):
    nil = True


class Ints(Slice):
    go_type, element = "[]int", "int"


class Lists(Slice):
    go_type, element = "[][]interface {}", "[]interface {}"


class Maps(Slice):
    go_type, element = "[]map[string]interface {}", "map[string]interface {}"


class Map(dict[str, Any]):
    """A map that is not `map[string]interface {}`."""

    go_type: ClassVar[str] = "map[string]interface {}"
    element: ClassVar[str] = "interface {}"
    nil: ClassVar[bool] = False
    methods: ClassVar[dict[str, Func]] = {}


class NilMap(Map):
    """`map[string]interface {}(nil)`: reading finds nothing, writing panics."""

    nil = True

    def __setitem__(self, key: str, value: Any) -> None:
        raise GoPanic("assignment to entry in nil map")


class StringMap(Map):
    """`map[string]string`: a missing key reads as the empty string."""

    go_type, element = "map[string]string", "string"

    def get(self, key: str, default: Any = "") -> Any:
        return super().get(key, "" if default is None else default)


class Struct:
    """A Go struct. `fields` are its exported fields in order; `methods` by name, called with the value first.

    `printed` are the fields that fmt shows, where there are unexported ones. `shown` is what an action prints where
    only the pointer to the type has a `String` method: fmt does not see it then, text/template does.
    """

    go_type: ClassVar[str]
    go_kind: ClassVar[str] = "struct"
    fields: ClassVar[tuple[str, ...]] = ()
    printed: ClassVar[tuple[str, ...] | None] = None
    methods: ClassVar[dict[str, Func]] = {}

    def go_string(self) -> str | None:
        """The result of `String()` where the type has one."""
        return None

    def shown(self) -> str | None:
        """The result of `String()` where only the pointer has one."""
        return None


class Func(NamedTuple):
    """A function as templates see it: its code and its Go signature, which decides argument errors.

    `params` are Go type names: `string`, `int`, `int64`, `uint32`, `float64`, `bool`, `interface {}`,
    `reflect.Value`, `map[string]interface {}`, `[]interface {}`, `time.Time` ... When `variadic`, the last
    one is the element type. `result` is the static result type. A `stateful` function gets the running
    `Execution` before its arguments.
    """

    call: Callable[..., Any]
    params: tuple[str, ...]
    variadic: bool = False
    result: str = "interface {}"
    stateful: bool = False


class GoError(Exception):
    """An error value that Go code returned. `cause` is what `%w` wrapped."""

    def __init__(self, message: str, cause: GoError | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause

    def __str__(self) -> str:
        return self.message


class GoPanic(GoError):
    """A panic inside a function that a template called: text/template reports it like an error."""


ANY = "interface {}"
STRING_MAP = "map[string]interface {}"


_EXACT: dict[type, tuple[str, str]] = {
    type(None): ("<nil>", "invalid"),
    bool: ("bool", "bool"),
    int: ("int", "int"),
    float: ("float64", "float64"),
    str: ("string", "string"),
    list: ("[]interface {}", "slice"),
    dict: (STRING_MAP, "map"),
    bytes: ("[]uint8", "slice"),
    complex: ("complex128", "complex128"),
}


def type_of(value: object) -> str:
    """`%T`: the dynamic type's name (`<nil>` for nil)."""
    found = _EXACT.get(type(value))
    if found is not None:
        return found[0]
    return str(getattr(value, "go_type", None) or type(value).__name__)


def kind_of(value: object) -> str:
    """`reflect.Kind.String()`: `invalid` for nil."""
    found = _EXACT.get(type(value))
    if found is not None:
        return found[1]
    if isinstance(value, dict):
        return "map"
    if isinstance(value, list):
        return "slice"
    return str(getattr(value, "go_kind", "struct"))


def is_nil(value: object) -> bool:
    """nil itself, or a nil slice or map."""
    return value is None or bool(getattr(value, "nil", False))


def assignable(value: object, target: str) -> bool:
    """May `value` (not nil) be passed where `target` is declared?"""
    if target in (ANY, "reflect.Value"):
        return True
    have = type_of(value)
    if have == target:
        return True
    # A named map or slice type is assignable to the unnamed type under it.
    return getattr(value, "underlying", None) == target


def nilable(target: str) -> bool:
    """Does the type have a nil?"""
    return target == ANY or target.startswith(("map[", "[]", "*", "func(", "reflect.Value"))


def zero(target: str) -> Any:
    """The zero value of a type, for a map read that found nothing."""
    if target == "string":
        return ""
    if target in ("int", "int64", "int32", "uint8", "uint32", "uint64"):
        return 0
    if target == "float64":
        return 0.0
    if target == "bool":
        return False
    if target == "[]uint8":
        return b""
    if target == STRING_MAP:
        return NilMap()
    if target == "[]interface {}":
        return NilList()
    if target == "[]string":
        return NilStrings()
    return None
