"""OpenAPI v3, one document a group and version: what kubectl explain, create, apply, diff and helm read.

Documents are made on demand and are large (core v1: over a megabyte); callers keep them as bytes. `fingerprint` tells
without making one whether it would be another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson

from sampan.api.kinds.model import GroupVersion, Resource
from sampan.api.schema import builtin, openapi_paths

Json = dict[str, Any]
Schemas = Mapping[str, Mapping[str, Any]]

_ALWAYS: Final = ("DeleteOptions", "Patch", "Status", "WatchEvent", "APIResourceList")
# Kinds of every group: a document names them for the core group and its own alone.
_EVERYWHERE: Final = (openapi_paths.META + "DeleteOptions", openapi_paths.META + "WatchEvent")
_NO_SCHEMAS: Final[Schemas] = {}


def location(group_version: GroupVersion) -> str:
    """The document's name below /openapi/v3: api/v1, apis/apps/v1."""
    group, version = group_version
    return f"apis/{group}/{version}" if group else f"api/{version}"


def fingerprint(resources: Iterable[Resource], schemas: Schemas = _NO_SCHEMAS) -> str:
    """A hash that changes when the document of these resources would. `schemas` as for `document`."""
    told = orjson.dumps(
        [builtin.KUBERNETES, [list(resource) for resource in resources], schemas],
        default=tuple,
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.sha256(told).hexdigest().upper()


def index(fingerprints: Mapping[GroupVersion, str]) -> Json:
    """The answer of GET /openapi/v3."""
    return {
        "paths": {
            location(found): {"serverRelativeURL": f"/openapi/v3/{quote(location(found))}?hash={mark}"}
            for found, mark in fingerprints.items()
        }
    }


def document(
    group_version: GroupVersion, resources: Sequence[Resource], schemas: Schemas = _NO_SCHEMAS
) -> Json:
    """The OpenAPI v3 document of one group and version.

    `schemas` holds the openAPIV3Schema of every kind among `resources` that is not built in, by kind.
    """
    custom = {kind: custom_name(group_version, kind) for kind in schemas}
    custom |= {f"{kind}List": custom_name(group_version, f"{kind}List") for kind in schemas}

    def name_of(where: GroupVersion, kind: str) -> str | None:
        if where == group_version and kind in custom:
            return custom[kind]
        return builtin.definition_name(where.api_version, kind)

    paths: Json = {}
    roots = [openapi_paths.META + name for name in _ALWAYS]
    for resource in resources:
        paths |= openapi_paths.of(resource, name_of)
        roots += _named(resource, name_of)
    made: Json = {}
    for kind, node in schemas.items():
        made[custom[kind]] = _custom(group_version, kind, node)
        made[custom[f"{kind}List"]] = _custom_list(group_version, kind, custom[kind])
        roots += [openapi_paths.META + "ObjectMeta", openapi_paths.META + "ListMeta"]
    made |= definitions(name for name in roots if name not in made)
    for name in _EVERYWHERE:
        _narrow(made[name], group_version)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(made.items())),
            "securitySchemes": {
                "BearerToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "authorization",
                    "description": "bearer token",
                }
            },
        },
    }


def _narrow(definition: Json, group_version: GroupVersion) -> None:
    wanted = (("", "v1"), tuple(group_version))
    definition["x-kubernetes-group-version-kind"] = [
        gvk
        for gvk in definition["x-kubernetes-group-version-kind"]
        if (gvk["group"], gvk["version"]) in wanted
    ]


def _named(resource: Resource, name_of: openapi_paths.Name) -> list[str]:
    here = resource.group_version
    kinds = [(here, resource.kind), (here, f"{resource.kind}List")]
    kinds += [
        (GroupVersion(sub.group, sub.version) if sub.version else here, sub.kind)
        for sub in resource.subresources
    ]
    return [name for where, kind in kinds if (name := name_of(where, kind)) is not None]


def definitions(names: Iterable[str]) -> Json:
    """Those definitions and all that they refer to, as components.schemas has them."""
    made: Json = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in made:
            continue
        made[name] = _definition(name, todo)
    return made


def _definition(name: str, todo: list[str]) -> Json:
    if name == builtin.INT_OR_STRING:
        made: Json = {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
    elif name == builtin.QUANTITY:
        made = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    else:
        made = _node(builtin.body(name), todo)
    texts = builtin.descriptions(name)
    if "" in texts:
        made["description"] = texts[""]
    for field, node in made.get("properties", {}).items():
        if field in texts:
            node["description"] = texts[field]
        if (name, field) in builtin.DEFAULTS:
            node["default"] = builtin.DEFAULTS[name, field]
        if "$ref" in node and len(node) > 1:  # a reference stands alone, what is said beside it wraps it
            node["allOf"] = [{"$ref": node.pop("$ref")}]
    return made


def _node(body: Json, todo: list[str]) -> Json:
    """The node with references as OpenAPI writes them; what it refers to goes on the list."""
    if "$ref" in body:
        todo.append(body["$ref"])
        body["$ref"] = f"#/components/schemas/{body['$ref']}"
    for key in ("items", "additionalProperties"):
        if key in body:
            body[key] = _node(body[key], todo)
    if "properties" in body:
        body["properties"] = {field: _node(child, todo) for field, child in body["properties"].items()}
    return body


def custom_name(group_version: GroupVersion, kind: str) -> str:
    """com.example.v1.Widget for Widget in example.com/v1."""
    return ".".join([*reversed(group_version.group.split(".")), group_version.version, kind])


def _custom(group_version: GroupVersion, kind: str, node: Mapping[str, Any]) -> Json:
    texts = builtin.descriptions("io.k8s.api.core.v1.Pod")
    made = dict(node)
    made["properties"] = {
        **(node.get("properties") or {}),
        **{
            field: {"type": "string", "description": texts.get(field, "")} for field in ("apiVersion", "kind")
        },
        "metadata": {
            "allOf": [{"$ref": f"#/components/schemas/{openapi_paths.META}ObjectMeta"}],
            "description": texts.get("metadata", ""),
        },
    }
    made["x-kubernetes-group-version-kind"] = [_gvk(group_version, kind)]
    return made


def _custom_list(group_version: GroupVersion, kind: str, name: str) -> Json:
    texts = builtin.descriptions("io.k8s.api.core.v1.PodList")
    string = {
        field: {"type": "string", "description": texts.get(field, "")} for field in ("apiVersion", "kind")
    }
    return {
        "description": f"a list of {kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **string,
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "metadata": {"allOf": [{"$ref": f"#/components/schemas/{openapi_paths.META}ListMeta"}]},
        },
        "x-kubernetes-group-version-kind": [_gvk(group_version, f"{kind}List")],
    }


def _gvk(group_version: GroupVersion, kind: str) -> Json:
    return {"group": group_version.group, "version": group_version.version, "kind": kind}
