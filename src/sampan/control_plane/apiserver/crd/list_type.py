"""Lists that are sets or maps hold nothing twice.

k8s.io/apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sampan.api.field import error as field
from sampan.api.schema.model import Schema
from sampan.api.status import Cause


def violations(value: Any, schema: Schema, path: str = "") -> Iterator[Cause]:
    if isinstance(value, dict):
        for key, below in value.items():
            child = schema.properties.get(key)
            if child is not None and not child.name:  # built-in parts, such as metadata, are judged elsewhere
                yield from violations(below, child, field.child(path, key))
            elif child is None and schema.additional is not None:
                yield from violations(below, schema.additional, field.key(path, key))
    elif isinstance(value, list):
        if schema.list_type == "set":
            for index in _twice(value):
                yield field.duplicate(field.index(path, index), value[index])
        elif schema.list_type == "map":
            yield from _map(value, schema, path)
        if schema.items is not None:
            for index, item in enumerate(value):
                if isinstance(item, dict | list):
                    yield from violations(item, schema.items, field.index(path, index))


def _map(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    for index, item in enumerate(value):
        if item is not None and not isinstance(item, dict):
            text = "must be an object for an array of list-type map"
            yield field.invalid(field.index(path, index), item, text)
            return
    keys = [{key: item[key] for key in schema.list_map_keys if key in (item or {})} for item in value]
    for index in _twice(keys):
        yield field.duplicate(field.index(path, index), keys[index])


def _twice(items: list[Any]) -> Iterator[int]:
    """Where a value stands for the second time; a third time is not told again."""
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        text = json.dumps(item, sort_keys=True)  # the standard one: integers may be of any size
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            yield index
