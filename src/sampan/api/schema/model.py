"""The shape that every walker (validation, pruning, defaulting, merge) walks.

One `Schema` per node. Built-in types are made lazily from the compact file, custom resources from the CRD's
openAPIV3Schema. Markers as in k8s.io/kube-openapi: x-kubernetes-list-type, -list-map-keys, -map-type,
-patch-merge-key, -patch-strategy, -int-or-string, -preserve-unknown-fields, -embedded-resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNSET: Final[Any] = object()


class Schema:
    """A node of a structural schema. Immutable by convention; shared freely.

    type: "object", "array", "string", "integer", "number", "boolean", or "" where anything may stand.
    properties: the named fields of an object; additional: the schema of a map's values, or None.
    list_type: "atomic", "set", "map" or "" (none given: atomic for apply); list_map_keys: the key fields of a "map" list.
    map_type: "granular", "atomic" or "".
    merge_key, merge_strategies: strategic merge patch (patchMergeKey, patchStrategy split at commas).
    format: int32, int64, byte, date-time, double, quantity, or "".
    name: the definition's full name (io.k8s.api.core.v1.PodSpec) or "" for anonymous nodes.
    default: the value that the schema gives, or UNSET.
    """

    __slots__ = (
        "additional",
        "default",
        "description",
        "embedded_resource",
        "enum",
        "format",
        "int_or_string",
        "items",
        "list_map_keys",
        "list_type",
        "map_type",
        "merge_key",
        "merge_strategies",
        "name",
        "nullable",
        "preserve_unknown",
        "properties",
        "raw",
        "required",
        "type",
    )

    def __init__(self, type: str = "") -> None:
        self.type = type
        self.name: str = ""
        self.description: str = ""
        self.format: str = ""
        self.properties: Mapping[str, Schema] = {}
        self.additional: Schema | None = None
        self.items: Schema | None = None
        self.required: tuple[str, ...] = ()
        self.enum: tuple[Any, ...] = ()
        self.nullable: bool = False
        self.int_or_string: bool = False
        self.preserve_unknown: bool = False
        self.embedded_resource: bool = False
        self.list_type: str = ""
        self.list_map_keys: tuple[str, ...] = ()
        self.map_type: str = ""
        self.merge_key: str = ""
        self.merge_strategies: tuple[str, ...] = ()
        self.default: Any = UNSET
        self.raw: Mapping[
            str, Any
        ] = {}  # a CRD's own JSON schema node (patterns, limits, rules); empty for built-ins

    def __repr__(self) -> str:
        return f"Schema({self.name or self.type or 'any'})"
