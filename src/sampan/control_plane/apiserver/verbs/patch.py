"""PATCH in its four kinds: JSON patch, merge patch, strategic merge patch, apply.

k8s.io/apiserver pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sampan.api.codec import DecodeError
from sampan.api.codec import json as json_codec
from sampan.api.patch import json_patch, merge, strategic
from sampan.api.status import ApiError, Cause, bad_request, invalid, not_found, unsupported_media_type
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.registry.store import Transform
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs.scope import Scope, call, single_form
from sampan.control_plane.apiserver.verbs.write import INERT
from sampan.control_plane.apiserver.wire import answer, body

Object = dict[str, Any]

JSON: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


async def patch(scope: Scope, request: Request, route: Route, served: Served, user: User) -> Response:
    made = single_form(scope, request, served)
    kind = body.media_type(request)
    _check_kind(kind, served)
    action = call(request, route, served, user, "PatchOptions")
    _check_options(request, kind, action)
    if served.inert:
        action.warnings.append(INERT.format(kind=served.kind))
    transform = transformer(scope, request, kind, action)
    may_create = kind == APPLY and not action.subresource
    written = await scope.store.update(action, transform, create=may_create)
    return answer.body(made.encode(written.record), 201 if written.created else 200, action.warnings)


def _check_kind(kind: str, served: Served) -> None:
    accepted = [JSON, MERGE, APPLY] if served.custom is not None else [JSON, MERGE, STRATEGIC, APPLY]
    if kind not in accepted:
        if served.custom is not None:
            raise unsupported_media_type("", accepted)
        text = f"415: Unsupported Media Type: {kind!r}, expected one of {', '.join(accepted)}"
        raise ApiError(415, "UnsupportedMediaType", text)


def _check_options(request: Request, kind: str, action: Call) -> None:
    causes: list[Cause] = []
    if kind == APPLY and not request.argument("fieldManager"):
        causes.append(
            Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        )
    if kind != APPLY and "force" in request.arguments:
        causes.append(
            Cause("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force")
        )
    if causes:
        raise invalid("meta.k8s.io", "PatchOptions", "", causes)


def transformer(scope: Scope, request: Request, kind: str, action: Call) -> Transform:
    """The patch as a function of the object as it is. Raises ApiError 400 for a patch that cannot be read."""
    if kind == APPLY:
        return _apply(scope, request, action)
    try:
        sent = json_codec.loads(request.body)
    except DecodeError as error:
        raise bad_request(f"invalid JSON patch: {error}") from error
    if kind != JSON and not isinstance(sent, dict):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {body.go_kind(sent)} into Go value of type "
            "map[string]interface {}"
        )
    change = _change(kind, sent, action.served)
    rules, served = scope.store.rules, action.served

    async def transform(old: Object | None) -> Object:
        if old is None:
            raise not_found(served.group, served.resource.plural, action.name)
        new = change(old)
        if not isinstance(new, dict):
            raise bad_request("the patched document is not an object")
        for field in ("kind", "apiVersion"):
            new.setdefault(field, old[field])
        rules.check_kind(action, new)
        if not isinstance(new.setdefault("metadata", {}), dict):
            rules.admit_patched(action, new)  # names the type that it is of
            raise bad_request("metadata of the patched document is not an object")
        name = new["metadata"].get("name")
        if not name:
            raise bad_request(
                f"the name of the object ({action.name} based on URL) was undeterminable: name must be provided"
            )
        if name != action.name:
            raise bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({action.name})"
            )
        new = rules.admit_patched(action, new)
        return rules.manage(action, old, new)

    return transform


def _change(kind: str, sent: Any, served: Served) -> Callable[[Object], Any]:
    if kind == JSON:
        return lambda old: json_patch.apply(old, sent)
    if kind == MERGE:
        return lambda old: merge.apply(old, sent)
    schema = served.schema
    return lambda old: strategic.apply(old, sent, schema)


def configuration(data: bytes, *, strict: bool) -> tuple[Any, list[str]]:
    """The body of an apply, and its duplicate fields where it is JSON. Raises ApiError 400.

    It may be YAML, but clients send JSON, which is YAML that can be read many times faster.
    """
    try:
        if data.lstrip()[:1] == b"{":
            try:
                return json_codec.loads_strict(data) if strict else (json_codec.loads(data), [])
            except DecodeError:
                pass  # perhaps YAML's own {flow: style}
        from sampan.api.codec import yaml as yaml_codec

        return yaml_codec.load(data, strict=strict) if data else None, []
    except DecodeError as error:
        raise bad_request(f"error decoding YAML: {error}") from error


def _apply(scope: Scope, request: Request, action: Call) -> Transform:
    strict = action.field_validation != "Ignore"
    sent, duplicates = configuration(request.body, strict=strict)
    if not isinstance(sent, dict):
        raise bad_request("error decoding YAML: the configuration is not an object")
    served = action.served
    if not sent.get("kind") or not sent.get("apiVersion"):
        raise bad_request(
            f"invalid object type: {sent.get('apiVersion') or '/'}, Kind={sent.get('kind') or ''}"
        )
    if sent["kind"] != served.kind:
        version = str(sent["apiVersion"])
        raise bad_request(
            f"invalid object type: {version if '/' in version else '/' + version}, Kind={sent['kind']}"
        )
    metadata = sent.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata of the configuration is not an object")
    name = metadata.setdefault("name", action.name)
    if name != action.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({action.name})"
        )
    rules = scope.store.rules
    sent = rules.admit_configuration(action, sent, duplicates)
    force = request.argument("force").lower() in ("true", "1")

    async def transform(old: Object | None) -> Object:
        return rules.apply(action, old, sent, force=force)

    return transform
