"""What a client sent, as an object of the expected kind.

k8s.io/apiserver pkg/endpoints/handlers/{create,rest}.go, pkg/runtime/serializer. A body without Content-Type is JSON.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.codec import DecodeError
from sampan.api.codec import json as json_codec
from sampan.api.kinds import Resource
from sampan.api.status import ApiError, bad_request, unsupported_media_type
from sampan.base.http.model import Request

Object = dict[str, Any]

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
ACCEPTED: Final = (JSON, YAML, PROTOBUF)


class Sent(NamedTuple):
    """`duplicates`: paths of fields that were given twice, known for JSON only."""

    object: Object
    duplicates: tuple[str, ...] = ()


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or JSON


def decode(request: Request, *, strict: bool, expected: str = "") -> Sent:
    """The body as a dict, whatever its format. `expected`: the kind, for messages. Raises ApiError 400 or 415."""
    kind = media_type(request)
    if kind not in ACCEPTED:
        raise unsupported_media_type("", ACCEPTED)
    duplicates: list[str] = []
    try:
        if kind == JSON:
            if not request.body:
                value: Any = {}
            else:
                value = json_codec.loads(request.body)
                # what comes out as long as it went in has lost nothing: the slow look for duplicates is not needed
                if strict and len(json_codec.dumps(value)) != len(request.body):
                    value, duplicates = json_codec.loads_strict(request.body)
        elif kind == YAML:
            # libyaml's bindings take a while to load, and hardly anybody sends YAML
            from sampan.api.codec import yaml as yaml_codec

            value = yaml_codec.load(request.body, strict=strict) or {}
        else:
            # a module of tables: loaded only when somebody speaks protobuf
            from sampan.api.codec import protobuf

            value = protobuf.decode(request.body) if request.body else {}
    except DecodeError as error:
        raise _malformed(kind, expected, str(error)) from error
    if not isinstance(value, dict):
        raise _malformed(
            JSON, expected, f"json: cannot unmarshal {_go_kind(value)} into Go value of type struct"
        )
    return Sent(value, tuple(duplicates))


def _malformed(kind: str, expected: str, error: str) -> ApiError:
    unrecognized = f"the object provided is unrecognized (must be of type {expected}): " if expected else ""
    if kind == YAML:
        return bad_request(unrecognized + f"yaml: {error.removeprefix('yaml: ')}")
    if kind == PROTOBUF:
        return bad_request(unrecognized + f"unable to decode protobuf: {error}")
    return bad_request(unrecognized + f"couldn't get version/kind; json parse error: {error}")


def _go_kind(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "number"


def expect(obj: Object, resource: Resource, *, kind: str = "", api_version: str = "") -> Object:
    """Checks (or fills in) kind, apiVersion and that there is metadata. Raises ApiError 400."""
    kind = kind or resource.kind
    api_version = api_version or resource.api_version
    given_kind, given_version = obj.get("kind"), obj.get("apiVersion")
    for field, value in (("kind", given_kind), ("apiVersion", given_version)):
        if value is not None and not isinstance(value, str):
            raise bad_request(
                f"couldn't get version/kind; json parse error: json: cannot unmarshal {_go_kind(value)} into Go "
                f"struct field .{field} of type string"
            )
    if (given_version and given_version != api_version) or (given_kind and given_kind != kind):
        raise _unexpected(given_version or api_version, given_kind or kind, api_version, kind)
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = {}
    elif not isinstance(metadata, dict):
        version = api_version.rpartition("/")[2]
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: json: cannot unmarshal '
            f"{_go_kind(metadata)} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        )
    rest = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion", "metadata")}
    return {"kind": kind, "apiVersion": api_version, "metadata": metadata, **rest}


def _unexpected(given_version: str, given_kind: str, api_version: str, kind: str) -> ApiError:
    """Another kind or version than the path's; told as Go's scheme tells it."""
    _, _, version = given_version.rpartition("/")
    known = {(r.api_version, r.kind) for r in kinds.BUILT_IN}
    if (given_version, given_kind) not in known:
        scheme = 'in scheme "pkg/runtime/scheme.go:111"'
        text = f'no kind "{given_kind}" is registered for version "{given_version}" {scheme}'
    elif given_kind == kind:
        return bad_request(
            f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )
    else:
        internal = api_version.rpartition("/")[0].partition(".")[0] or "core"
        text = f"converting ({version}.{given_kind}) to ({internal}.{kind}): unknown conversion"
    return bad_request(f'{given_kind} in version "{version}" cannot be handled as a {kind}: {text}')
