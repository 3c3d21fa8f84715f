"""The `paths` of an OpenAPI v3 document: which operations each resource has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sampan.api.kinds.builtin import BUILT_IN
from sampan.api.kinds.model import GroupVersion, Resource, Subresource

Json = dict[str, Any]
Name = Callable[[GroupVersion, str], str | None]

META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
MEDIA: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STRATEGIC: Final = (
    "application/strategic-merge-patch+json"  # for built-in types alone: it needs their markers
)
PATCHES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    STRATEGIC,
    "application/apply-patch+yaml",
)
_BUILT_IN: Final = frozenset((resource.group, resource.plural) for resource in BUILT_IN)
_METHODS: Final = {"create": "post", "get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_ACTIONS: Final = {"create": "post", "get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_CONNECT: Final = frozenset({"exec", "attach", "portforward", "proxy"})

# name: (type, what it is for), in our own words
_QUERY: Final[Mapping[str, tuple[str, str]]] = {
    "allowWatchBookmarks": ("boolean", "ask for BOOKMARK events in a watch"),
    "continue": ("string", "the token of the page before"),
    "dryRun": ("string", "All: run every stage but keep nothing"),
    "fieldManager": ("string", "the name under which the changed fields are owned"),
    "fieldSelector": ("string", "only objects whose fields match"),
    "fieldValidation": ("string", "what becomes of unknown and duplicate fields: Ignore, Warn or Strict"),
    "force": ("boolean", "for apply: take over fields that others own"),
    "gracePeriodSeconds": ("integer", "seconds to wait before the object goes; 0 is at once"),
    "labelSelector": ("string", "only objects whose labels match"),
    "limit": ("integer", "at most so many objects a page"),
    "orphanDependents": ("boolean", "deprecated, see propagationPolicy"),
    "pretty": ("string", "true: indented output"),
    "propagationPolicy": ("string", "what becomes of dependents: Orphan, Background or Foreground"),
    "resourceVersion": ("string", "the version to read at or to watch from"),
    "resourceVersionMatch": ("string", "how resourceVersion is meant: Exact or NotOlderThan"),
    "sendInitialEvents": ("boolean", "begin a watch with what there is"),
    "timeoutSeconds": ("integer", "end the call after so many seconds"),
    "watch": ("boolean", "stream changes"),
}
_LIST: Final = (
    "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
    "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_WRITE: Final = ("dryRun", "fieldManager", "fieldValidation")
_DELETE: Final = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "list": _LIST,
    "create": _WRITE,
    "update": _WRITE,
    "patch": (*_WRITE, "force"),
    "delete": _DELETE,
    "deletecollection": (*_DELETE, *_LIST[:-1]),
}


def _query(name: str) -> Json:
    kind, text = _QUERY[name]
    return {"name": name, "in": "query", "description": text, "schema": {"type": kind, "uniqueItems": True}}


def _in_path(name: str, text: str) -> Json:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(name: str | None) -> Json:
    schema = {"type": "string"} if name is None else _reference(name)
    content = {media: {"schema": schema} for media in MEDIA} if name else {"*/*": {"schema": schema}}
    return {"description": "OK", "content": content}


def of(resource: Resource, name_of: Name) -> Json:
    """Path to path item, of one resource. `name_of(group_version, kind)` gives a definition's name or None."""
    paths: Json = {}
    for namespace in _roots(resource):
        everywhere = resource.namespaced and not namespace
        root = "/" + resource.path(namespace or None).lstrip("/")
        verbs = ["list"] if everywhere else ["list", "create", "deletecollection"]
        _add(
            paths,
            root,
            resource,
            None,
            [verb for verb in verbs if verb in resource.verbs],
            name_of,
            everywhere,
        )
        if everywhere:
            continue
        item = [verb for verb in ("get", "update", "patch", "delete") if verb in resource.verbs]
        _add(paths, f"{root}/{{name}}", resource, None, item, name_of)
        for sub in resource.subresources:
            _add(paths, f"{root}/{{name}}/{sub.name}", resource, sub, sub.verbs, name_of)
            if sub.name == "proxy":
                _add(paths, f"{root}/{{name}}/proxy/{{path}}", resource, sub, sub.verbs, name_of)
    return paths


def _roots(resource: Resource) -> tuple[str, ...]:
    return ("", "{namespace}") if resource.namespaced else ("",)


def _add(
    paths: Json,
    path: str,
    resource: Resource,
    sub: Subresource | None,
    verbs: Sequence[str],
    name_of: Name,
    everywhere: bool = False,
) -> None:
    if not verbs:
        return
    item: Json = {}
    for verb in verbs:
        method = {"list": "get", "deletecollection": "delete"}.get(verb) or _METHODS[verb]
        item[method] = _operation(resource, sub, verb, name_of, everywhere)
    parameters = [_query("pretty")]
    if "{name}" in path:
        parameters.append(_in_path("name", f"name of the {resource.kind}"))
    if "{namespace}" in path:
        parameters.append(_in_path("namespace", "the namespace in which the object lies"))
    if "{path}" in path:
        parameters.append(_in_path("path", "the path behind the proxy"))
    item["parameters"] = parameters
    paths[path] = item


def _operation(
    resource: Resource, sub: Subresource | None, verb: str, name_of: Name, everywhere: bool
) -> Json:
    served = resource.group_version
    about = GroupVersion(sub.group, sub.version) if sub is not None and sub.version else served
    kind = resource.kind if sub is None else sub.kind
    connect = sub is not None and sub.name in _CONNECT
    body = name_of(about, kind)
    answer: str | None = body
    if verb == "list":
        answer = name_of(served, f"{kind}List")
    elif verb in ("delete", "deletecollection"):
        answer = META + "Status"
    if connect or (sub is not None and sub.name == "log"):
        answer = None
    operation: Json = {
        "description": f"{_words(verb, connect)} {resource.kind}" + (f" ({sub.name})" if sub else ""),
        "operationId": _id(resource, sub, verb, connect, everywhere),
        "tags": [f"{(served.group.partition('.')[0] or 'core')}_{served.version}"],
        "parameters": [_query(name) for name in _PARAMETERS.get("" if connect else verb, ())],
        "responses": {"200": _answer(answer), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": "connect" if connect else _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": {"group": about.group, "version": about.version, "kind": kind},
    }
    if verb == "patch" and not connect:
        built_in = (resource.group, resource.plural) in _BUILT_IN
        patches = PATCHES if built_in else [media for media in PATCHES if media != STRATEGIC]
        content = {media: {"schema": _reference(META + "Patch")} for media in patches}
        operation["requestBody"] = {"required": True, "content": content}
    elif verb in ("create", "update") and not connect and body is not None:
        operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": _reference(body)}}}
    elif verb in ("delete", "deletecollection"):
        operation["requestBody"] = {"content": {"*/*": {"schema": _reference(META + "DeleteOptions")}}}
    return operation


def _words(verb: str, connect: bool) -> str:
    if connect:
        return "connect to a"
    return {"list": "list objects of kind", "deletecollection": "delete several objects of kind"}.get(
        verb, f"{verb} a"
    )


_ID_VERBS: Final = {"get": "read", "update": "replace", "deletecollection": "deleteCollection"}


def _id(resource: Resource, sub: Subresource | None, verb: str, connect: bool, everywhere: bool) -> str:
    group = resource.group.partition(".")[0] or "core"
    method = f"connect{_METHODS[verb].capitalize()}" if connect else _ID_VERBS.get(verb, verb)
    scope = "Namespaced" if resource.namespaced and not everywhere else ""
    tail = "".join(part.capitalize() for part in (sub.name if sub else "").split("-"))
    suffix = "ForAllNamespaces" if everywhere else ""
    return f"{method}{group.capitalize()}{resource.version.capitalize()}{scope}{resource.kind}{tail}{suffix}"
