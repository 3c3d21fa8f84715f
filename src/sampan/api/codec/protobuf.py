"""Kubernetes' protobuf: the envelope and the bodies of built-in kinds, to and from their JSON dicts.

The envelope is k8s.io/apimachinery pkg/runtime/serializer/protobuf: four magic bytes, then a runtime.Unknown that
carries apiVersion, kind and the body. A decoded dict is what Go would write as JSON after decoding the same bytes:
embedded structs are inline, zero values that JSON leaves out are dropped, times and quantities are strings.
Unknown field numbers are skipped, as Go skips them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from sampan.api.codec import json, protobuf_special
from sampan.api.codec.errors import DecodeError, EncodeError
from sampan.api.codec.protobuf_table import (
    INLINE,
    MAP,
    MESSAGE,
    MESSAGES,
    OTHER,
    TEXT,
    TEXTS,
    Field,
    Message,
    for_kind,
    message,
)

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
MAGIC: Final = b"k8s\x00"
MAX_DEPTH: Final = 100

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIRE: Final = {"s": _BYTES, "y": _BYTES, "b": _VARINT, "i": _VARINT, "l": _VARINT, "d": _FIXED64}
_RUNTIME: Final = "k8s.io.apimachinery.pkg.runtime."
_RAW: Final = frozenset(
    {
        _RUNTIME + "RawExtension",
        "k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1",
        "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON",
    }
)
_SCHEMA_OR: Final = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOr"


def decode(data: bytes) -> dict[str, Any]:
    """The object in an envelope, apiVersion and kind included. Raises DecodeError."""
    return _decode_envelope(bytes(data), 0)


def decode_as(api_version: str, kind: str, body: bytes) -> dict[str, Any]:
    """The object in a bare body (no envelope). Raises DecodeError."""
    return _object(api_version, kind, bytes(body), 0, len(body), 0)


def encode(value: dict[str, Any]) -> bytes:
    """An object of a built-in kind in its envelope. Raises EncodeError."""
    api_version, kind = value.get("apiVersion", ""), value.get("kind", "")
    spec = for_kind(api_version, kind)
    if spec is None:
        raise EncodeError(f"no protobuf form for kind {kind!r} in version {api_version!r}")
    names = _delimited(1, api_version.encode()) + _delimited(2, kind.encode())
    return MAGIC + _delimited(1, names) + _delimited(2, _encode_message(spec, value, 0)) + b"\x1a\x00\x22\x00"


# -- reading


def _decode_envelope(data: bytes, depth: int) -> dict[str, Any]:
    if data[:4] != MAGIC:
        raise DecodeError(f"protobuf: expected an envelope that starts with {MAGIC!r}, got {data[:4]!r}")
    envelope: dict[int, tuple[int, int]] = {}
    pos, end = 4, len(data)
    while pos < end:
        number, wire, pos = _tag(data, pos, end)
        start, pos = _skip(data, pos, end, wire)
        if wire == _BYTES:
            envelope[number] = (start, pos)
    names: dict[str, Any] = {}
    _fill(message(_RUNTIME + "TypeMeta"), data, *envelope.get(1, _EMPTY), names, depth)
    start, end = envelope.get(3, _EMPTY)
    if start != end:
        raise DecodeError(f"protobuf: content encoding {_text(data, start, end)!r} is not supported")
    return _object(names.get("apiVersion", ""), names.get("kind", ""), data, *envelope.get(2, _EMPTY), depth)


def _object(api_version: str, kind: str, data: bytes, start: int, end: int, depth: int) -> dict[str, Any]:
    spec = for_kind(api_version, kind)
    if spec is None:
        raise DecodeError(f"protobuf: no kind {kind!r} is known in version {api_version!r}")
    out: dict[str, Any] = {"kind": kind, "apiVersion": api_version}
    _fill(spec, data, start, end, out, depth)
    return out


def _fill(spec: Message, data: bytes, pos: int, end: int, out: dict[str, Any], depth: int) -> None:
    """Reads one message's fields into `out`; a field that comes again is merged, as protobuf wants it."""
    if depth > MAX_DEPTH:
        raise DecodeError("protobuf: exceeded max depth")
    by_number = spec.by_number
    while pos < end:
        tag = data[pos]
        if tag < 0x80 and tag > 7:
            pos += 1
        else:
            number, wire, pos = _tag(data, pos, end)
            tag = number << 3 | wire
        wire = tag & 7
        start, pos = _skip(data, pos, end, wire)
        field = by_number.get(tag >> 3)
        if field is None:
            continue
        if wire != _BYTES:
            _take_number(spec, field, wire, data, start, end, out)
        elif field.shape == TEXT:
            value = data[start:pos].decode("utf-8", "replace")
            if value or not field.drops_zero:
                out[field.name] = value
        else:
            _take_bytes(field, data, start, pos, out, depth)


def _take_bytes(field: Field, data: bytes, start: int, end: int, out: dict[str, Any], depth: int) -> None:
    name, shape = field.name, field.shape
    if shape == MESSAGE:
        _take_message(field, data, start, end, out, depth)
    elif shape == MESSAGES:
        out.setdefault(name, []).append(_message(field.type, data, start, end, depth + 1))
    elif shape == MAP:
        key, value = _entry(field, data, start, end, depth)
        out.setdefault(name, {})[key] = value
    elif shape == TEXTS:
        out.setdefault(name, []).append(_text(data, start, end))
    elif shape == INLINE:
        _fill(message(field.type), data, start, end, out, depth + 1)
    elif field.type == "y":
        encoded = protobuf_special.base64_text(data[start:end])
        if field.repeated:
            out.setdefault(name, []).append(encoded)
        elif encoded or not field.drops_zero:
            out[name] = encoded
    elif field.repeated:
        out.setdefault(name, []).extend(_packed(field, data, start, end))
    else:
        raise DecodeError(f"protobuf: wrong wire type {_BYTES} for field {name!r}")


def _take_message(field: Field, data: bytes, start: int, end: int, out: dict[str, Any], depth: int) -> None:
    name, kind = field.name, field.type
    before = out.get(name)
    if type(before) is dict and kind not in _RAW and not kind.startswith(_SCHEMA_OR):
        _fill(message(kind), data, start, end, before, depth + 1)
        return
    value = _message(kind, data, start, end, depth + 1)
    if value or not field.drops_zero:
        out[name] = value  # None for a zero time, as Go writes null


def _message(kind: str, data: bytes, start: int, end: int, depth: int) -> Any:
    """A nested message's JSON value; None where Go would write null."""
    if kind in _RAW:
        return _raw(data, start, end, depth)
    spec = message(kind)
    out: dict[str, Any] = {}
    _fill(spec, data, start, end, out, depth)
    special = _DECODERS.get(kind)
    if special is not None:
        return special(out)
    if spec.wraps_list:
        return out.get("items", [])
    if kind.startswith(_SCHEMA_OR):
        return protobuf_special.schema_or_value(out)
    return out


def _raw(data: bytes, pos: int, end: int, depth: int) -> Any:
    """RawExtension and its like: JSON in field 1, or an envelope of its own."""
    raw = b""
    while pos < end:
        number, wire, pos = _tag(data, pos, end)
        start, pos = _skip(data, pos, end, wire)
        if number == 1 and wire == _BYTES:
            raw = data[start:pos]
    if not raw:
        return None
    if raw.startswith(MAGIC):
        if depth > MAX_DEPTH:
            raise DecodeError("protobuf: exceeded max depth")
        return _decode_envelope(raw, depth + 1)
    return json.loads(raw)


def _entry(field: Field, data: bytes, pos: int, end: int, depth: int) -> tuple[str, Any]:
    """One entry of a map: key in field 1, value in field 2, either may be left out."""
    key, value = "", _UNSET
    while pos < end:
        number, wire, pos = _tag(data, pos, end)
        start, pos = _skip(data, pos, end, wire)
        if number == 1 and wire == _BYTES:
            key = _text(data, start, pos)
        elif number == 2:
            value = _entry_value(field, wire, data, start, pos, depth)
    if value is _UNSET:
        value = _entry_value(field, _WIRE.get(field.type, _BYTES), b"\0" * 8, 0, 0, depth)
    return key, value


def _entry_value(field: Field, wire: int, data: bytes, start: int, end: int, depth: int) -> Any:
    if wire == _BYTES:
        if field.type == "s":
            return _text(data, start, end)
        if field.type == "y":
            return protobuf_special.base64_text(data[start:end])
        if len(field.type) > 1:
            return _message(field.type, data, start, end, depth + 1)
    return _number_value(field, wire, data, start, len(data))


_UNSET: Final[Any] = object()
_EMPTY: Final = (0, 0)


def _take_number(
    spec: Message, field: Field, wire: int, data: bytes, start: int, end: int, out: dict[str, Any]
) -> None:
    if field.shape != OTHER or field.type == "y":
        raise DecodeError(f"protobuf: wrong wire type {wire} for field {field.name!r} of {spec.name}")
    value = _number_value(field, wire, data, start, end)
    if field.repeated:
        out.setdefault(field.name, []).append(value)
    elif value or not field.drops_zero:
        out[field.name] = value
    else:
        out.pop(field.name, None)


def _number_value(field: Field, wire: int, data: bytes, start: int, end: int) -> Any:
    kind = field.type
    if len(kind) != 1 or wire != _WIRE[kind]:
        raise DecodeError(f"protobuf: wrong wire type {wire} for field {field.name!r}")
    if kind == "d":
        return struct.unpack_from("<d", data, start)[0]
    value = data[start]
    if value > 0x7F:
        value, _ = _varint(data, start, end)
    if kind == "b":
        return value != 0
    bits = 32 if kind == "i" else 64
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _packed(field: Field, data: bytes, pos: int, end: int) -> list[Any]:
    values: list[Any] = []
    wire = _WIRE[field.type]
    while pos < end:
        start = pos
        _, pos = _skip(data, pos, end, wire)
        values.append(_number_value(field, wire, data, start, end))
    return values


def _text(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode(
        "utf-8", "replace"
    )  # Go's JSON writer, too, puts U+FFFD for what is no UTF-8


def _tag(data: bytes, pos: int, end: int) -> tuple[int, int, int]:
    tag, pos = _varint(data, pos, end)
    number = tag >> 3
    if not 0 < number < 1 << 29:
        raise DecodeError(f"protobuf: illegal field number {number}")
    return number, tag & 7, pos


def _varint(data: bytes, pos: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if pos >= end:
            raise DecodeError("protobuf: unexpected end of data")
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
        if shift > 63:
            raise DecodeError("protobuf: integer overflow")


def _skip(data: bytes, pos: int, end: int, wire: int) -> tuple[int, int]:
    """Where the field's content starts and where it ends."""
    if wire == _BYTES:
        if pos < end and data[pos] < 0x80:
            start = pos + 1
            stop = start + data[pos]
        else:
            size, start = _varint(data, pos, end)
            stop = start + size
    elif wire == _VARINT:
        start = pos
        if pos < end and data[pos] < 0x80:
            stop = pos + 1
        else:
            _, stop = _varint(data, pos, end)
    elif wire == _FIXED64:
        start, stop = pos, pos + 8
    elif wire == _FIXED32:
        start, stop = pos, pos + 4
    else:
        raise DecodeError(f"protobuf: wire type {wire} is not supported")
    if stop > end:
        raise DecodeError("protobuf: unexpected end of data")
    return start, stop


# -- writing


def _encode_message(spec: Message, value: Any, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise EncodeError("protobuf: exceeded max depth")
    if spec.wraps_list:
        value = {"items": value}
    if not isinstance(value, dict):
        raise EncodeError(f"protobuf: {spec.name} wants an object, got {value!r}")
    parts: list[bytes] = []
    for field in spec.by_number.values():
        if not field.name:  # inline in JSON
            inner = _encode_message(message(field.type), value, depth + 1)
            parts.append(_delimited(field.number, inner))
            continue
        item = value.get(field.name)
        if item is None:
            continue
        try:
            _encode_field(field, item, parts, depth)
        except (TypeError, ValueError, struct.error, AttributeError) as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError(f"protobuf: field {field.name!r} of {spec.name}: {error}") from None
    return b"".join(parts)


def _encode_field(field: Field, item: Any, parts: list[bytes], depth: int) -> None:
    if field.is_map:
        for key, child in item.items():
            entry = _delimited(1, key.encode()) + _encode_one(field.type, 2, child, depth)
            parts.append(_delimited(field.number, entry))
    elif field.repeated:
        if not isinstance(item, list):
            raise EncodeError(f"protobuf: field {field.name!r} wants a list, got {item!r}")
        parts += [_encode_one(field.type, field.number, child, depth) for child in item]
    else:
        parts.append(_encode_one(field.type, field.number, item, depth))


def _encode_one(kind: str, number: int, item: Any, depth: int) -> bytes:
    if kind == "s":
        return _delimited(number, item.encode("utf-8", "surrogatepass"))
    if kind == "y":
        return _delimited(number, protobuf_special.base64_bytes(item))
    if kind == "d":
        return _number_bytes(number << 3 | _FIXED64) + struct.pack("<d", item)
    if len(kind) == 1:
        if isinstance(item, str | float) and item != int(item):
            raise EncodeError(f"protobuf: expected an integer, got {item!r}")
        return _number_bytes(number << 3) + _number_bytes(int(item) & (1 << 64) - 1)
    return _delimited(number, _encode_nested(kind, item, depth + 1))


def _encode_nested(kind: str, item: Any, depth: int) -> bytes:
    if kind in _RAW:
        return b"" if item is None else _delimited(1, json.dumps(item))
    if kind in _ENCODERS:
        fields = _ENCODERS[kind](item)
        return b"" if fields is None else _encode_message(message(kind), fields, depth)
    if kind.startswith(_SCHEMA_OR):
        item = protobuf_special.schema_or_fields(kind.removeprefix(_SCHEMA_OR), item)
    return _encode_message(message(kind), item, depth)


def _delimited(number: int, content: bytes) -> bytes:
    return _number_bytes(number << 3 | _BYTES) + _number_bytes(len(content)) + content


def _number_bytes(value: int) -> bytes:
    if value < 0x80:
        return value.to_bytes(1, "little")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1."
_QUANTITY: Final = "k8s.io.apimachinery.pkg.api.resource."
_INT_OR_STRING: Final = "k8s.io.apimachinery.pkg.util.intstr.IntOrString"
_DECODERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    _META + "Time": protobuf_special.time_text,
    _META + "MicroTime": protobuf_special.micro_time_text,
    _META + "Duration": protobuf_special.duration_text,
    _QUANTITY + "Quantity": protobuf_special.quantity_text,
    _INT_OR_STRING: protobuf_special.int_or_string_value,
}
_ENCODERS: Final[dict[str, Callable[[Any], dict[str, Any] | None]]] = {
    _META + "Time": protobuf_special.time_fields,
    _META + "MicroTime": protobuf_special.time_fields,
    _META + "Duration": protobuf_special.duration_fields,
    _QUANTITY + "Quantity": lambda text: {"string": str(text)},
    _INT_OR_STRING: protobuf_special.int_or_string_fields,
}
