"""Types as field ownership sees them, made lazily from Schemas.

A Type says which forms a value may take (scalar, list, map) and how each is owned: an atomic list or map is one leaf,
a granular map is owned field by field, a keyed list or a set item by item.

Source: k8s.io/kube-openapi pkg/schemaconv, structured-merge-diff typed/helpers.go.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.gotypes import shape
from sampan.api.patch.managed.fieldset import key_element, value_element
from sampan.api.schema.model import UNSET, Schema

MISSING: Final[Any] = object()  # a value that is not there at all, unlike null

ATOMIC: Final = "atomic"
GRANULAR: Final = "granular"
SET: Final = "set"
KEYED: Final = "keyed"

SCALAR: Final = "scalar"
LIST: Final = "list"
MAP: Final = "map"


class TypedError(ValueError):
    """A value that does not fit its type. `path` is as error texts show it: .spec.ports[0]."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path

    def below(self, prefix: str) -> TypedError:
        return TypedError(self.message, prefix + self.path)


class Type:
    """scalar: "numeric", "string", "boolean", "untyped" or "" (no scalar may stand); list, map: how they are owned."""

    __slots__ = ("_element", "_fields", "_item", "_schema", "_zeros", "keys", "list", "map", "open", "scalar")

    def __init__(self, schema: Schema | None = None) -> None:
        self._schema = schema
        self._fields: dict[str, Type | None] = {}
        self._element: Type | None = None
        self._item: Type | None = None
        self._zeros: dict[str, Any] | None = None
        self.scalar = ""
        self.list = ""
        self.map = ""
        self.keys: tuple[str, ...] = ()
        self.open = False  # fields that are not declared may stand

    def form(self, value: Any) -> str:
        """Which of the forms the value is walked as."""
        if isinstance(value, dict):
            if self.map:
                return MAP
        elif isinstance(value, list):
            if self.list:
                return LIST
        elif value is not None and value is not MISSING and self.scalar:
            return SCALAR
        if self.map:
            return MAP
        return SCALAR if self.scalar else LIST

    def field(self, name: str) -> Type | None:
        """The type of a member of a map; None where no such field may stand."""
        try:
            return self._fields[name]
        except KeyError:
            found = self._made(name)
            if name in self.declared:
                self._fields[name] = found
            return found

    def _made(self, name: str) -> Type | None:
        schema = self._schema
        if schema is None:
            return self._element
        declared = schema.properties.get(name)
        if declared is not None:
            return of(declared)
        if self._element is None:
            if schema.additional is not None:
                self._element = of(schema.additional)
            elif self.open:
                self._element = DEDUCED
        return self._element

    @property
    def declared(self) -> Any:
        """The names of the fields that the schema declares."""
        return self._schema.properties if self._schema is not None else ()

    @property
    def item(self) -> Type:
        if self._item is None:
            items = self._schema.items if self._schema is not None else None
            self._item = of(items) if items is not None else UNTYPED
        return self._item

    @property
    def zeros(self) -> dict[str, Any]:
        """The fields that a Go object of this type always has, with Go's zero value.

        Upstream compares Go objects, so such a field is never seen to be added or removed.
        """
        if self._zeros is None:
            self._zeros = shape.zeros(self._schema) if self._schema is not None else {}
        return self._zeros

    def element(self, item: Any) -> str:
        """The path element of an item of a set or a keyed list.

        Raises TypedError for an item that cannot be told apart.
        """
        if self.list == SET:
            if isinstance(item, dict):
                raise TypedError("associative list without keys has an element that's a map type")
            if isinstance(item, list):
                raise TypedError("not supported: associative list with lists as elements")
            if item is None:
                raise TypedError("associative list without keys has an element that's an explicit null")
            return value_element(item)
        if item is None:
            raise TypedError("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise TypedError("associative list with keys may not have non-map elements")
        found: dict[str, Any] = {}
        for key in self.keys:
            if key in item:
                found[key] = item[key]
            elif (default := self._key_default(key)) is not UNSET:
                found[key] = default
        if not found:
            listed = " ".join(f'"{key}"' for key in self.keys)
            raise TypedError(
                f"associative list with keys has an element that omits all key fields [{listed}] "
                "(and doesn't have default values for any key fields)"
            )
        return key_element(found)

    def _key_default(self, key: str) -> Any:
        items = self._schema.items if self._schema is not None else None
        declared = items.properties.get(key) if items is not None else None
        return declared.default if declared is not None else UNSET


def _untyped(map_: str) -> Type:
    made = Type()
    made.scalar, made.list, made.map, made.open = "untyped", ATOMIC, map_, True
    return made


UNTYPED: Final = _untyped(ATOMIC)  # RawExtension: one leaf, whatever it holds
DEDUCED: Final = _untyped(GRANULAR)  # no schema: maps are owned field by field, lists are leaves
UNTYPED._element = UNTYPED
DEDUCED._element = DEDUCED

_MADE: dict[Schema, Type] = {}
_MAX_MADE: Final = 20_000  # Schemas of replaced CRDs must not stay for ever
_OPAQUE_NAMES: Final = frozenset({"io.k8s.apimachinery.pkg.runtime.RawExtension"})
_SCALARS: Final = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}


def of(schema: Schema | None) -> Type:
    """The type of a schema; the deduced type where there is none."""
    if schema is None:
        return DEDUCED
    made = _MADE.get(schema)
    if made is None:
        if len(_MADE) >= _MAX_MADE:
            _MADE.clear()
        made = _MADE[schema] = _compiled(schema)
    return made


def _compiled(schema: Schema) -> Type:
    if schema.name in _OPAQUE_NAMES:
        return UNTYPED
    made = Type(schema)
    if schema.int_or_string or schema.format == "quantity":
        made.scalar = "untyped"
        return made
    kind = schema.type
    if kind in _SCALARS:
        made.scalar = _SCALARS[kind]
    elif kind == "string":
        made.scalar = "string" if schema.format in ("", "byte") else "untyped"
    if kind in ("", "array"):
        made.list, made.keys = _list(schema)
    if kind in ("", "object"):
        made.map = ATOMIC if schema.map_type == "atomic" else GRANULAR
        free = schema.additional is None and not schema.properties
        made.open = schema.preserve_unknown or schema.embedded_resource or free
    if kind == "":
        made.scalar = "untyped"
    return made


def _list(schema: Schema) -> tuple[str, tuple[str, ...]]:
    if schema.list_type:
        if schema.list_type == "map":
            return KEYED, schema.list_map_keys
        return (SET if schema.list_type == "set" else ATOMIC), ()
    if "merge" in schema.merge_strategies:
        return (KEYED, (schema.merge_key,)) if schema.merge_key else (SET, ())
    return ATOMIC, ()
