"""Dropping what a built-in type does not know, as decoding into a Go struct does."""

from __future__ import annotations

from typing import Any

from sampan.api.schema.model import Schema


def drop_unknown(value: Any, schema: Schema) -> None:
    """In place. Maps keep their keys, and below what preserves unknown fields nothing is looked at."""
    if schema.preserve_unknown:
        return
    if isinstance(value, dict):
        if schema.additional is not None:
            for item in value.values():
                drop_unknown(item, schema.additional)
        elif schema.properties:
            for name in [name for name in value if name not in schema.properties]:
                del value[name]
            for name, item in value.items():
                drop_unknown(item, schema.properties[name])
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            drop_unknown(item, schema.items)
