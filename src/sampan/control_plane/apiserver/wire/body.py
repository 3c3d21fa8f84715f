"""What a client sent, as an object of the expected kind.

k8s.io/apiserver pkg/endpoints/handlers/{create,rest}.go, pkg/runtime/serializer. A body without Content-Type is JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api.codec import DecodeError
from sampan.api.codec import json as json_codec
from sampan.api.codec import yaml as yaml_codec
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


def decode(request: Request, *, strict: bool, accepted: Iterable[str] = ACCEPTED) -> Sent:
    """The body as a dict, whatever its format. Raises ApiError 400 or 415."""
    kind = media_type(request)
    if kind not in accepted:
        raise unsupported_media_type(kind, accepted)
    duplicates: list[str] = []
    try:
        if kind == JSON:
            if not request.body:
                value: Any = {}
            elif strict:
                value, duplicates = json_codec.loads_strict(request.body)
            else:
                value = json_codec.loads(request.body)
        elif kind == YAML:
            value = yaml_codec.load(request.body, strict=strict) or {}
        else:
            # a module of tables: loaded only when somebody speaks protobuf
            from sampan.api.codec import protobuf

            value = protobuf.decode(request.body) if request.body else {}
    except DecodeError as error:
        raise _malformed(kind, error) from error
    if not isinstance(value, dict):
        raise bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{_go_kind(value)} into Go value of type struct"
        )
    return Sent(value, tuple(duplicates))


def _malformed(kind: str, error: DecodeError) -> ApiError:
    if kind == JSON:
        return bad_request(f"couldn't get version/kind; json parse error: {error}")
    if kind == YAML:
        return bad_request(f"yaml: {str(error).removeprefix('yaml: ')}")
    return bad_request(f"unable to decode protobuf: {error}")


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
    if given_version and given_version != api_version:
        raise bad_request(
            f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )
    if given_kind and given_kind != kind:
        version = api_version.rpartition("/")[2]
        raise bad_request(
            f'{given_kind} in version "{version}" cannot be handled as a {kind}: '
            f'no kind "{given_kind}" is registered for version "{api_version}"'
        )
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
