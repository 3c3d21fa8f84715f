"""Pruning and defaulting: what of an object its schema knows, and what it fills in.

k8s.io/apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}/algorithm.go.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from sampan.api.schema.model import UNSET, Schema

_META: Final = frozenset({"apiVersion", "kind", "metadata"})
_EXACT: Final = 1e21  # from here on Go writes an exponent, so the number stays a float


def prune(obj: dict[str, Any], schema: Schema) -> list[str]:
    """Drop in place what the schema does not know. The paths of what was dropped, sorted: `spec.a[0].b`."""
    unknown: list[str] = []
    _prune(obj, schema, "", unknown, embedded=True)
    return sorted(unknown)


def prune_below(value: dict[str, Any], schema: Schema) -> list[str]:
    """The same for a value that is not a whole object, such as a default."""
    unknown: list[str] = []
    _prune(value, schema, "", unknown, embedded=schema.embedded_resource)
    return sorted(unknown)


def _prune(value: Any, schema: Schema, path: str, unknown: list[str], *, embedded: bool) -> None:
    if isinstance(value, list):
        items = schema.items
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                if items is not None:
                    _prune(item, items, f"{path}[{index}]", unknown, embedded=items.embedded_resource)
                elif not schema.preserve_unknown:
                    _prune(item, _NOTHING, f"{path}[{index}]", unknown, embedded=False)
        return
    if not isinstance(value, dict):
        return
    for key in list(value):
        if embedded and key in _META:
            continue
        child = schema.properties.get(key, schema.additional)
        at = f"{path}.{key}" if path else key
        if child is None:
            if not schema.preserve_unknown:
                unknown.append(at)
                del value[key]
        else:
            below = value[key]
            if isinstance(below, dict | list):
                _prune(below, child, at, unknown, embedded=child.embedded_resource)


_NOTHING: Final = Schema()


def normalize(value: Any) -> Any:
    """The value with whole floats as integers, as a round trip through Go leaves them: 10.0 is 10."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, dict):
        for key, below in value.items():
            if isinstance(below, float | dict | list):
                value[key] = normalize(below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            if isinstance(below, float | dict | list):
                value[index] = normalize(below)
    return value


def default(value: Any, schema: Schema) -> None:
    """Fill in defaults in place; nulls that the schema does not allow give way to them, or go."""
    if isinstance(value, dict):
        for key, child in schema.properties.items():
            if child.default is not UNSET and (
                key not in value or (value[key] is None and not child.nullable)
            ):
                value[key] = copied(child.default)
        for key in list(value):
            found = schema.properties.get(key, schema.additional)
            if found is None:
                continue
            if value[key] is None and not found.nullable and not found.preserve_unknown:
                if found.default is UNSET:
                    del value[key]
                    continue
                value[key] = copied(found.default)
            if isinstance(value[key], dict | list):
                default(value[key], found)
    elif isinstance(value, list) and schema.items is not None:
        items = schema.items
        for index, item in enumerate(value):
            if item is None and not items.nullable and items.default is not UNSET:
                value[index] = copied(items.default)
            if isinstance(value[index], dict | list):
                default(value[index], items)


def bad_type_metadata(value: Any, schema: Schema, path: str = "") -> str | None:
    """What is wrong with the first apiVersion or kind that is no string, in the object or a resource embedded in it."""
    if isinstance(value, dict):
        if schema.embedded_resource or not path:
            for key in ("apiVersion", "kind"):
                if key in value and not isinstance(value[key], str):
                    at = f"{path}.{key}" if path else key
                    return f"{at}: Invalid value: {orjson.dumps(value[key]).decode()}: must be a string"
        for key, below in value.items():
            child = schema.properties.get(key, schema.additional)
            if child is not None and not child.name and isinstance(below, dict | list):
                wrong = bad_type_metadata(below, child, f"{path}.{key}" if path else key)
                if wrong is not None:
                    return wrong
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            wrong = bad_type_metadata(item, schema.items, f"{path}[{index}]")
            if wrong is not None:
                return wrong
    return None


def copied(value: Any) -> Any:
    """Defaults are JSON, so a round trip is the quickest deep copy."""
    return orjson.loads(orjson.dumps(value)) if isinstance(value, dict | list) else value
