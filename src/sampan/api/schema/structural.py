"""Custom resources' schemas: from a CRD's openAPIV3Schema to `Schema`, and what is not structural in one.

The rules: k8s.io/apiextensions-apiserver pkg/apiserver/schema (validation.go, complete.go) and
pkg/apis/apiextensions/validation. The wording of each finding is upstream's, since programs and people search for it.
Not here: whether defaults are valid values, costs and types of rules in CEL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sampan.api.codec import json
from sampan.api.schema import builtin
from sampan.api.schema.model import UNSET, Schema
from sampan.api.status import Cause

Node = Mapping[str, Any]

UNSUPPORTED: Final = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
JUNCTORS: Final = ("allOf", "anyOf", "oneOf")
INT_OR_STRING: Final = [{"type": "integer"}, {"type": "string"}]


def from_crd(node: Node, *, root: bool = True) -> Schema:
    """The schema of a custom resource. At the root, apiVersion, kind and metadata get the types that every object has.

    `node` is kept, unchanged, as `raw` of each Schema. A node that is not structural still gives a Schema; ask
    `violations` first.
    """
    schema = _structural(node)
    if root or schema.embedded_resource:
        _add_object_fields(schema)
    return schema


def _structural(node: Node) -> Schema:
    schema = Schema(node.get("type", ""))
    schema.raw = node
    schema.description = node.get("description", "")
    schema.format = node.get("format", "")
    schema.nullable = bool(node.get("nullable"))
    schema.default = node.get("default", UNSET)
    schema.required = tuple(node.get("required") or ())
    schema.enum = tuple(node.get("enum") or ())
    schema.int_or_string = bool(node.get("x-kubernetes-int-or-string"))
    schema.preserve_unknown = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    schema.embedded_resource = bool(node.get("x-kubernetes-embedded-resource"))
    schema.list_type = node.get("x-kubernetes-list-type") or ""
    schema.list_map_keys = tuple(node.get("x-kubernetes-list-map-keys") or ())
    schema.map_type = node.get("x-kubernetes-map-type") or ""
    properties = node.get("properties")
    if properties:
        schema.properties = {name: from_crd(child, root=False) for name, child in properties.items()}
    items = node.get("items")
    if isinstance(items, Mapping):
        schema.items = from_crd(items, root=False)
    additional = node.get("additionalProperties")
    if isinstance(additional, Mapping):
        schema.additional = from_crd(additional, root=False)
    elif additional is True:
        schema.additional = Schema()
        schema.additional.preserve_unknown = True
    return schema


def _add_object_fields(schema: Schema) -> None:
    meta = builtin.definition(builtin.META + "ObjectMeta")
    fields = dict(schema.properties)
    for name in ("apiVersion", "kind"):
        fields.setdefault(name, Schema("string"))
    fields["metadata"] = meta
    schema.properties = fields


def violations(node: Node, path: str = "spec.validation.openAPIV3Schema") -> list[Cause]:
    """Everything that keeps `node` from being a structural schema, sorted as upstream sorts it. Empty when it is one."""
    found = [*_invariants(node, path, "root"), *_completeness(node, node, path, path)]
    return sorted(set(found), key=lambda cause: f"{cause.field}: {cause.message}")


def _required(path: str, why: str) -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}", path)


def _forbidden(path: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", path)


def _invalid(path: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {json.dumps(value).decode()}: {why}", path)


def _unsupported_value(path: str, value: str, supported: Iterable[str]) -> Cause:
    shown = ", ".join(f'"{one}"' for one in supported)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {shown}', path)


def _is_int_or_string(clauses: Any) -> bool:
    return bool(clauses == INT_OR_STRING)


def _invariants(node: Node, path: str, level: str) -> Iterator[Cause]:
    """`level` is root, item or field."""
    yield from _unsupported(node, path)
    yield from _type_of(node, path, level)
    yield from _lists(node, path)
    yield from _objects(node, path, level)
    yield from _extensions(node, path)
    yield from _clauses(
        node,
        path,
        skip_any_of=_is_int_or_string(node.get("anyOf")),
        skip_first_all_of=bool(node.get("allOf")) and _is_int_or_string(node["allOf"][0].get("anyOf")),
    )


def _unsupported(node: Node, path: str) -> Iterator[Cause]:
    for key in UNSUPPORTED:
        if node.get(key):
            yield _forbidden(f"{path}.{key}", f"{key} is not supported")
    if node.get("uniqueItems"):
        yield _forbidden(
            f"{path}.uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    additional = node.get("additionalProperties")
    if node.get("properties") and (additional is False or isinstance(additional, Mapping)):
        why = "additionalProperties and properties are mutual exclusive"
        yield _forbidden(f"{path}.additionalProperties", why)


def _type_of(node: Node, path: str, level: str) -> Iterator[Cause]:
    kind = node.get("type") or ""
    embedded = node.get("x-kubernetes-embedded-resource")
    if embedded and kind != "object":
        why = "must be object if x-kubernetes-embedded-resource is true"
        yield _invalid(f"{path}.type", kind, why) if kind else _required(f"{path}.type", why)
    elif (
        not kind
        and not node.get("x-kubernetes-int-or-string")
        and not node.get("x-kubernetes-preserve-unknown-fields")
    ):
        where = {
            "root": "at the root",
            "item": "for specified array items",
            "field": "for specified object fields",
        }
        yield _required(f"{path}.type", f"must not be empty {where[level]}")
    if kind and kind not in TYPES:
        yield _unsupported_value(f"{path}.type", kind, TYPES)
    if level == "root" and node.get("nullable"):
        yield _forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    if level == "root" and kind and kind != "object":
        yield _invalid(f"{path}.type", kind, "must be object at the root")


def _lists(node: Node, path: str) -> Iterator[Cause]:
    items = node.get("items")
    if node.get("type") == "array" and items is None:
        yield _required(f"{path}.items", "must be specified")
    if isinstance(items, list):
        yield _forbidden(f"{path}.items", "items must be a schema object and not an array")
    elif items is not None:
        yield from _invariants(items, f"{path}.items", "item")
    list_type, keys = node.get("x-kubernetes-list-type"), node.get("x-kubernetes-list-map-keys") or ()
    at = f"{path}.x-kubernetes-list-type"
    if list_type:
        yield from _must_be(node.get("type"), "array", f"{path}.type", "x-kubernetes-list-type is specified")
        if list_type not in ("atomic", "set", "map"):
            yield _unsupported_value(at, list_type, ("atomic", "set", "map"))
    if keys:
        yield from _must_be(list_type, "map", at, "x-kubernetes-list-map-keys is non-empty")
    if not isinstance(items, Mapping):
        return
    if list_type in ("set", "map") and items.get("nullable"):
        yield _forbidden(
            f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {list_type}"
        )
    if list_type == "set":
        yield from _set_items(items, f"{path}.items")
    if list_type == "map":
        yield from _map_items(items, keys, path)


def _must_be(given: str | None, wanted: str, path: str, why: str) -> Iterator[Cause]:
    if not given:
        yield _required(path, f"must be {wanted} if {why}")
    elif given != wanted:
        yield _invalid(path, given, f"must be {wanted} if {why}")


def _set_items(items: Node, path: str) -> Iterator[Cause]:
    """Items of a set are compared whole: lists and objects among them must be atomic."""
    why = "must be atomic as item of a list with x-kubernetes-list-type=set"
    for kind, marker in (("array", "x-kubernetes-list-type"), ("object", "x-kubernetes-map-type")):
        # an unmarked list is atomic, an unmarked object is not
        if (
            items.get("type") == kind
            and items.get(marker) != "atomic"
            and (kind == "object" or items.get(marker))
        ):
            yield _invalid(f"{path}.{marker}", items.get(marker), why)


def _map_items(items: Node, keys: Sequence[str], path: str) -> Iterator[Cause]:
    parent, at = "parent array's x-kubernetes-list-type is map", f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        yield _required(at, "must not be empty if x-kubernetes-list-type is map")
    if items.get("type") != "object":
        yield _invalid(f"{path}.items.type", items.get("type", ""), f"must be object if {parent}")
    properties = items.get("properties") or {}
    for key in keys:
        child = properties.get(key)
        if child is None:
            if items.get("type") == "object":
                yield _invalid(at, list(keys), "entries must all be names of item properties")
            continue
        below = f"{path}.items.properties[{key}]"
        this = "this property is in x-kubernetes-list-map-keys, so it"
        if child.get("type") in ("array", "object"):
            # upstream shows the type of the items here, not that of the key
            yield _invalid(f"{below}.type", items.get("type", ""), f"must be a scalar type if {parent}")
        if key not in (items.get("required") or ()) and "default" not in child:
            yield _required(f"{below}.default", f"{this} must have a default or be a required property")
        if child.get("nullable"):
            yield _forbidden(f"{below}.nullable", f"{this} cannot be nullable")
    if len(set(keys)) != len(keys):
        yield _invalid(at, list(keys), "must not contain duplicate entries")


def _objects(node: Node, path: str, level: str) -> Iterator[Cause]:
    properties = node.get("properties") or {}
    embedded = node.get("x-kubernetes-embedded-resource")
    for name, child in properties.items():
        if name == "metadata" and level == "root":
            continue  # judged below: at the root it may say very little
        yield from _invariants(child, f"{path}.properties[{name}]", "field")
    additional = node.get("additionalProperties")
    if additional is not None and level == "root":
        yield _forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if additional is not None and embedded:
        yield _forbidden(
            f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set"
        )
    if isinstance(additional, Mapping):
        yield from _invariants(additional, f"{path}.additionalProperties", "field")
    if level == "root" or embedded:
        for name in ("apiVersion", "kind"):
            if name in properties and properties[name].get("type") != "string":
                yield _invalid(
                    f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string"
                )
        if "metadata" in properties:
            yield from _metadata(properties["metadata"], f"{path}.properties[metadata]", level)
    if embedded and not node.get("x-kubernetes-preserve-unknown-fields") and not properties:
        yield _required(
            f"{path}.properties",
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        )
    if node.get("x-kubernetes-map-type") and node.get("type") != "object":
        yield _invalid(
            f"{path}.type", node.get("type", ""), "must be object if x-kubernetes-map-type is specified"
        )


def _metadata(node: Node, path: str, level: str) -> Iterator[Cause]:
    if node.get("type") != "object":
        yield _invalid(f"{path}.type", node.get("type", ""), "must be object")
    if level == "root":
        said = {key for key, value in node.items() if value not in (None, "", [], {}, False)}
        if said - {"type", "properties", "format", "default"} or set(node.get("properties") or ()) - {
            "name",
            "generateName",
        }:
            yield _forbidden(
                path,
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            )


def _extensions(node: Node, path: str) -> Iterator[Cause]:
    if node.get("x-kubernetes-int-or-string"):
        for key in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
            if node.get(key):
                yield _invalid(f"{path}.{key}", True, "must be false if x-kubernetes-int-or-string is true")
    if node.get("x-kubernetes-preserve-unknown-fields") is False:
        yield _invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    map_type = node.get("x-kubernetes-map-type")
    if map_type and map_type not in ("atomic", "granular"):
        yield _unsupported_value(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))


def _clauses(
    node: Node, path: str, *, skip_any_of: bool = False, skip_first_all_of: bool = False
) -> Iterator[Cause]:
    """allOf, anyOf, oneOf and not: below them stand only conditions on values, no types."""
    for junctor in JUNCTORS:
        if junctor == "anyOf" and skip_any_of:
            continue
        for index, clause in enumerate(node.get(junctor) or ()):
            skip = junctor == "allOf" and index == 0 and skip_first_all_of
            yield from _condition(clause, f"{path}.{junctor}[{index}]", skip_any_of=skip)
    if node.get("not"):
        yield from _condition(node["not"], f"{path}.not")
    pattern = node.get("pattern")
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            # Go's syntax has escapes and groups that Python's has not: those are not judged here.
            if not str(error).startswith(("bad escape", "unknown extension")):
                yield _invalid(
                    f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}"
                )


_EMPTY_IN_CONDITION: Final = {
    "type": "must be empty to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "nullable": "must be false to be structural",
    "x-kubernetes-preserve-unknown-fields": "must be false to be structural",
    "x-kubernetes-embedded-resource": "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}


def _condition(node: Node, path: str, *, skip_any_of: bool = False) -> Iterator[Cause]:
    yield from _clauses(node, path, skip_any_of=skip_any_of)
    if isinstance(node.get("items"), Mapping):
        yield from _condition(node["items"], f"{path}.items")
    properties = node.get("properties") or {}
    for name, child in properties.items():
        yield from _condition(child, f"{path}.properties[{name}]")
    for key, why in _EMPTY_IN_CONDITION.items():
        present = node.get(key)
        if present or (key in ("default", "additionalProperties") and present is not None):
            yield _forbidden(f"{path}.{key}", why)
    if "metadata" in properties:
        yield _forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _completeness(node: Node, structure: Node, at: str, path: str) -> Iterator[Cause]:
    """What a condition speaks of must also be declared outside of it. `at` is the structure's path, `path` the node's."""
    for junctor in JUNCTORS:
        for index, clause in enumerate(node.get(junctor) or ()):
            yield from _complete(clause, structure, at, f"{path}.{junctor}[{index}]")
    if node.get("not"):
        yield from _complete(node["not"], structure, at, f"{path}.not")


def _complete(clause: Node, structure: Node, at: str, path: str) -> Iterator[Cause]:
    yield from _completeness(clause, structure, at, path)
    if isinstance(clause.get("items"), Mapping):
        below = structure.get("items")
        if isinstance(below, Mapping):
            yield from _complete(clause["items"], below, f"{at}.items", f"{path}.items")
        else:
            yield _required(f"{at}.items", f"because it is defined in {path}.items")
    declared = structure.get("properties") or {}
    for name, child in (clause.get("properties") or {}).items():
        if name in declared:
            yield from _complete(
                child, declared[name], f"{at}.properties[{name}]", f"{path}.properties[{name}]"
            )
        else:
            yield _required(f"{at}.properties[{name}]", f"because it is defined in {path}.properties[{name}]")
