"""What a client sent, as an object of the expected kind.

k8s.io/apiserver pkg/endpoints/handlers/{create,rest}.go, pkg/runtime/serializer. A body without Content-Type is JSON.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.codec import DecodeError
from sampan.api.codec import json as json_codec
from sampan.api.kinds import Resource
from sampan.api.schema import builtin, check
from sampan.api.status import ApiError, Cause, bad_request, invalid, unsupported_media_type
from sampan.base.http.model import Request

Object = dict[str, Any]

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
ACCEPTED: Final = (JSON, YAML, PROTOBUF)
FORMER: Final = (
    "apps/v1beta1",
    "apps/v1beta2",
    "extensions/v1beta1",
)  # not served any more, but still told apart


SUMMARY: Final = 30  # bytes of a body that a message shows
NO_TYPE: Final = (
    r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
)


class Sent(NamedTuple):
    """`duplicates`: paths of fields that were given twice, known for JSON only; `repeated`: YAML's words for them."""

    object: Object
    duplicates: tuple[str, ...] = ()
    repeated: str = ""


def media_type(request: Request) -> str:
    """What is not there is JSON; what has parameters alone is nothing that is known."""
    header = request.headers.get("content-type", "")
    return header.partition(";")[0].strip().lower() if header else JSON


def decode(request: Request, *, strict: bool, expected: str = "") -> Sent:
    """The body as a dict, whatever its format. `expected`: the kind, for messages. Raises ApiError 400 or 415."""
    kind = media_type(request)
    if kind not in ACCEPTED:
        raise unsupported_media_type("", ACCEPTED)
    duplicates: list[str] = []
    repeated = ""
    try:
        if kind == JSON:
            if not request.body:
                raise DecodeError("unexpected end of JSON input")
            value: Any = json_codec.loads(request.body)
            # what comes out as long as it went in has lost nothing: the slow look for duplicates is not needed
            if strict and len(json_codec.dumps(value)) != len(request.body):
                value, duplicates = json_codec.loads_strict(request.body)
        elif kind == YAML:
            # libyaml's bindings take a while to load, and hardly anybody sends YAML
            from sampan.api.codec import yaml as yaml_codec

            value = yaml_codec.load(request.body)
            repeated = _repeated(request.body) if strict else ""
        else:
            # a module of tables: loaded only when somebody speaks protobuf
            from sampan.api.codec import protobuf

            value = protobuf.decode(request.body) if request.body else {}
    except DecodeError as error:
        raise _malformed(kind, expected, str(error), request.body) from error
    if value is None:
        value = {}
    if not isinstance(value, dict):
        text = f"json: cannot unmarshal {go_kind(value)} into Go value of type {NO_TYPE}"
        raise _malformed(JSON, expected, text, request.body)
    _check_type_meta(value, expected, request.body)
    return Sent(value, tuple(duplicates), repeated)


def _repeated(data: bytes) -> str:
    """What a strict reader says of YAML that has been read already: of keys that are there twice."""
    from sampan.api.codec import yaml as yaml_codec

    try:
        yaml_codec.load(data, strict=True)
    except DecodeError as error:
        return str(error)
    return ""


def _check_type_meta(value: Object, expected: str, data: bytes) -> None:
    for field in ("kind", "apiVersion"):
        given = value.get(field)
        if given is not None and not isinstance(given, str):
            text = f"json: cannot unmarshal {go_kind(given)} into Go struct field .{field} of type string"
            raise _malformed(JSON, expected, text, data)
    version = value.get("apiVersion") or ""
    if version.count("/") > 1 and expected:
        raise bad_request(_unrecognized(expected, f"unexpected GroupVersion string: {version}", data))


def _malformed(kind: str, expected: str, error: str, data: bytes) -> ApiError:
    if kind == YAML:
        text = f"yaml: {error.removeprefix('yaml: ')}"
    elif kind == PROTOBUF:
        text = f"unable to decode protobuf: {error}"
    else:
        text = f"couldn't get version/kind; json parse error: {error}"
    return bad_request(_unrecognized(expected, text, data) if expected else text)


def _unrecognized(expected: str, text: str, data: bytes) -> str:
    """With the beginning of what was sent: as text if it looks like JSON, else in hexadecimal digits."""
    head, more = data[:SUMMARY], " ..." if len(data) > SUMMARY else ""
    shown = head.decode("utf-8", "replace") if head[:1] == b"{" else head.hex()
    return f"the object provided is unrecognized (must be of type {expected}): {text} ({shown + more if data else '<empty>'})"


def typed(obj: Object, api_version: str, kind: str) -> str:
    """Why Go could not decode an object of a built-in kind, or ""."""
    schema = builtin.for_kind(api_version, kind)
    return check.check(schema, obj).error if schema is not None else ""


def expect_typed(obj: Object, resource: Resource, *, api_version: str = "") -> Object:
    """As `expect`, for kinds that are never stored: their fields are of the right types too. Raises ApiError 400."""
    made = expect(obj, resource, api_version=api_version)
    error = typed(made, resource.api_version, resource.kind)
    if error:
        raise bad_request(cannot_be_handled(resource, error))
    return made


def cannot_be_handled(resource: Resource, why: str) -> str:
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}'


def check_custom(obj: Object, resource: Resource, data: bytes) -> None:
    """Custom resources have no Go types to tell their kind by: it must be there, and the right one.

    Raises ApiError 400, 422.
    """
    given = obj.get("kind")
    if not given:
        text = data.decode("utf-8", "replace")
        raise bad_request(_unrecognized(resource.kind, f"Object 'Kind' is missing in '{text}'", data))
    version = obj.get("apiVersion") or resource.api_version
    if version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    if given != resource.kind:
        name = str((obj.get("metadata") or {}).get("name") or "")
        cause = Cause("FieldValueInvalid", f'Invalid value: "{given}": must be {resource.kind}', "kind")
        raise invalid(resource.group, given, name, [cause])


def go_kind(value: Any) -> str:
    """What Go's decoder calls a JSON value of that type."""
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
                f"couldn't get version/kind; json parse error: json: cannot unmarshal {go_kind(value)} into Go "
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
            f"{go_kind(metadata)} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        )
    rest = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion", "metadata")}
    return {"kind": kind, "apiVersion": api_version, "metadata": metadata, **rest}


def _unexpected(given_version: str, given_kind: str, api_version: str, kind: str) -> ApiError:
    """Another kind or version than the path's; told as Go's scheme tells it."""
    _, _, version = given_version.rpartition("/")
    known = {(r.api_version, r.kind) for r in kinds.BUILT_IN}
    one = given_kind.removesuffix("List")
    old = given_version in FORMER and given_kind == kind
    if not old and (given_version, given_kind) not in known and (given_version, one) not in known:
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
