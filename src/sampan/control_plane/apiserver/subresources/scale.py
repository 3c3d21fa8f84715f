"""The scale subresource: how many replicas an object wants and has, whatever its kind.

k8s.io/kubernetes pkg/registry/apps/*/storage (ScaleREST), apiextensions-apiserver pkg/registry/customresource/etcd.go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, NamedTuple

from sampan.api.codec import DecodeError
from sampan.api.codec import json as json_codec
from sampan.api.kinds import Resource
from sampan.api.patch import json_patch, merge, strategic
from sampan.api.schema import builtin
from sampan.api.selector import labels
from sampan.api.status import Cause, bad_request, invalid, not_found, unsupported_media_type
from sampan.base.http.model import Answer, Request, Response
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.registry.rules import bad_patch
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs import patch as patch_verb
from sampan.control_plane.apiserver.verbs.scope import Scope, call
from sampan.control_plane.apiserver.wire import answer, body

Object = dict[str, Any]

RESOURCE: Final = Resource("autoscaling", "v1", "Scale", "scales", "scale", True)


class Paths(NamedTuple):
    """Where a kind keeps its numbers."""

    replicas: tuple[str, ...] = ("spec", "replicas")
    status_replicas: tuple[str, ...] = ("status", "replicas")
    selector: tuple[str, ...] = ("spec", "selector")


DEFAULT: Final = Paths()


def paths_of(served: Served) -> Paths:
    if served.custom is None:
        return DEFAULT
    scale = served.custom.scale
    if scale is None:
        raise not_found(served.group, served.resource.plural, "scale")
    return Paths(scale.replicas, scale.status_replicas, scale.selector)


def value_at(obj: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def with_value(obj: Object, path: tuple[str, ...], value: Any) -> Object:
    """A copy along the path with the value set."""
    head, *rest = path
    if not rest:
        return {**obj, head: value}
    below = obj.get(head)
    return {**obj, head: with_value(below if isinstance(below, dict) else {}, tuple(rest), value)}


def scale_of(obj: Mapping[str, Any], paths: Paths) -> Object:
    """The Scale of an object."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec: Object = {}
    replicas = value_at(obj, paths.replicas)
    if replicas:
        spec["replicas"] = replicas
    status: Object = {"replicas": value_at(obj, paths.status_replicas) or 0}
    selector = _selector_text(value_at(obj, paths.selector) if paths.selector else None)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": spec,
        "status": status,
    }


def _selector_text(selector: Any) -> str:
    if isinstance(selector, str):
        return selector
    if not isinstance(selector, Mapping):
        return ""
    if "matchLabels" in selector or "matchExpressions" in selector:
        return str(labels.Selector.from_object(selector))
    return str(labels.Selector.from_labels({key: str(value) for key, value in selector.items()}))


class Scale:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(
        self, request: Request, route: Route, served: Served, user: User
    ) -> Answer | Awaitable[Answer]:
        if route.verb == "get":
            record = self._scope.store.find(served, route.place, route.name)
            return answer.json(scale_of(self._scope.store.as_served(served, record), paths_of(served)))
        return self._write(request, route, served, user)

    async def _write(self, request: Request, route: Route, served: Served, user: User) -> Response:
        paths = paths_of(served)
        kind = "PatchOptions" if route.verb == "patch" else "UpdateOptions"
        action = call(request, route, served, user, kind)
        media = body.media_type(request)
        if route.verb == "patch" and media == patch_verb.APPLY:
            return await self._apply(request, action, paths)
        change = _patched(request, media) if route.verb == "patch" else _replaced(request)
        store = self._scope.store

        async def transform(old: Object | None) -> Object:
            before = old or {}
            scale = change(scale_of(before, paths))
            error = body.typed(scale, "autoscaling/v1", "Scale")
            if error and route.verb == "patch":
                raise bad_patch(scale, error)
            if error:
                raise bad_request(body.cannot_be_handled(RESOURCE, error))
            new = _scaled(before, scale, paths, route.name)
            if served.custom is not None:
                return new  # as upstream: no manager is noted
            return _timeless(store.rules.manage(action, old, new))

        written = await store.update(action, transform)
        result = scale_of(store.as_served(served, written.record), paths)
        return answer.json(result, 200, action.warnings)

    async def _apply(self, request: Request, action: Call, paths: Paths) -> Response:
        """Applying a Scale owns the object's replicas."""
        if not request.argument("fieldManager"):
            cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
            raise invalid("meta.k8s.io", "PatchOptions", "", [cause])
        sent, _ = patch_verb.configuration(request.body, strict=False)
        if not isinstance(sent, dict):
            raise bad_request("error decoding YAML: the configuration is not an object")
        sent = body.expect(sent, RESOURCE)
        resource = action.served.resource
        configuration: Object = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": action.name},
        }
        replicas = value_at(sent, ("spec", "replicas"))
        if replicas is not None:
            configuration = with_value(configuration, paths.replicas, _checked(replicas, action.name))
        store = self._scope.store
        force = request.argument("force").lower() in ("true", "1")

        async def transform(old: Object | None) -> Object:
            return store.rules.apply(action, old, configuration, force=force)

        written = await store.update(action, transform)
        return answer.json(
            scale_of(store.as_served(action.served, written.record), paths), 200, action.warnings
        )


def _timeless(obj: Object) -> Object:
    """Scale has no managedFields of its own, so the entry it leaves carries no time."""
    entries = [
        {key: value for key, value in entry.items() if key != "time"}
        if entry.get("subresource") == "scale"
        else entry
        for entry in obj["metadata"].get("managedFields") or []
    ]
    return {**obj, "metadata": {**obj["metadata"], "managedFields": entries}} if entries else obj


def _replaced(request: Request) -> Any:
    sent = body.expect(body.decode(request, strict=False).object, RESOURCE)
    return lambda scale: sent


def _patched(request: Request, media: str) -> Any:
    try:
        sent = json_codec.loads(request.body)
    except DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    if media == patch_verb.JSON:
        return lambda scale: json_patch.apply(scale, sent)
    if media == patch_verb.MERGE:
        return lambda scale: merge.apply(scale, sent)
    if media == patch_verb.STRATEGIC:
        schema = builtin.for_kind("autoscaling/v1", "Scale")
        if schema is not None:
            return lambda scale: strategic.apply(scale, sent, schema)
    raise unsupported_media_type(
        media, (patch_verb.JSON, patch_verb.MERGE, patch_verb.STRATEGIC, patch_verb.APPLY)
    )


def _checked(replicas: Any, name: str) -> int:
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise bad_request(f"spec.replicas is {replicas!r}, expected a number")
    if replicas < 0:
        cause = Cause(
            "FieldValueInvalid",
            f"Invalid value: {replicas}: must be greater than or equal to 0",
            "spec.replicas",
        )
        raise invalid("autoscaling", "Scale", name, [cause])
    return replicas


def _scaled(old: Object, scale: Any, paths: Paths, name: str) -> Object:
    """The object with the numbers of its Scale."""
    if not isinstance(scale, dict) or not isinstance(scale.get("metadata"), dict):
        raise bad_request("the patched document is not a Scale with metadata")
    meta = scale["metadata"]
    if meta.get("name") not in (None, "", name):
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
    replicas = _checked(value_at(scale, ("spec", "replicas")) or 0, name)
    new = with_value(old, paths.replicas, replicas)
    kept = {**old["metadata"]}
    for field in ("resourceVersion", "uid"):
        if meta.get(field):
            kept[field] = meta[field]
        elif field == "resourceVersion":
            kept.pop(field, None)
    # a Scale without a revision is unconditional, also for kinds whose own updates are not
    kept.setdefault("resourceVersion", old["metadata"].get("resourceVersion"))
    return {**new, "metadata": kept}
