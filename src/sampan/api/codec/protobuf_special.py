"""The few types whose JSON form is not the plain form of their protobuf message."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sampan.api.codec.errors import DecodeError, EncodeError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GO_ZERO_TIME: Final = -62135596800  # seconds: year 1, which Go's zero time is
_YEAR_10000: Final = 253402300800


def base64_text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def base64_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise EncodeError(f"protobuf: {error}: expected base64, got {text[:40]!r}") from None


def time_text(fields: dict[str, Any]) -> str | None:
    """metav1.Time: whole seconds, UTC; the zero time is null."""
    return _moment(fields.get("seconds"), 0, "%Y-%m-%dT%H:%M:%SZ", empty=not fields)


def micro_time_text(fields: dict[str, Any]) -> str | None:
    """metav1.MicroTime: microseconds, UTC."""
    return _moment(fields.get("seconds"), fields.get("nanos", 0), "%Y-%m-%dT%H:%M:%S.%fZ", empty=not fields)


def _moment(seconds: int | None, nanos: int, form: str, *, empty: bool) -> str | None:
    seconds = seconds or 0
    if empty or (seconds == _GO_ZERO_TIME and not nanos):
        return None
    if not _GO_ZERO_TIME <= seconds < _YEAR_10000 or not 0 <= nanos < 1_000_000_000:
        raise DecodeError(f"protobuf: time out of range: {seconds} seconds, {nanos} nanoseconds")
    text = (_EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)).strftime(form)
    return text.rjust(len("0001-01-01T00:00:00Z") + (7 if "f" in form else 0), "0")


def time_fields(text: str) -> dict[str, Any]:
    """seconds and nanos of an RFC 3339 time. Raises EncodeError."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise EncodeError(f"protobuf: expected an RFC 3339 time, got {text!r}") from None
    if moment.tzinfo is None:
        raise EncodeError(f"protobuf: expected an RFC 3339 time with a zone, got {text!r}")
    since = moment - _EPOCH
    return {"seconds": since.days * 86400 + since.seconds, "nanos": since.microseconds * 1000}


def quantity_text(fields: dict[str, Any]) -> str:
    return str(fields.get("string", "")) or "0"


def int_or_string_value(fields: dict[str, Any]) -> int | str:
    if fields.get("type", 0) == 1:
        return str(fields.get("strVal", ""))
    return int(fields.get("intVal", 0))


def int_or_string_fields(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": 1, "intVal": 0, "strVal": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"type": 0, "intVal": value, "strVal": ""}
    raise EncodeError(f"protobuf: expected an integer or a string, got {value!r}")


def schema_or_value(fields: dict[str, Any]) -> Any:
    """JSONSchemaPropsOrBool, -OrArray, -OrStringArray: the one alternative that is set."""
    if "schema" in fields:
        return fields["schema"]
    for name in ("jSONSchemas", "property"):
        if name in fields:
            return fields[name]
    return bool(fields.get("allows", False))


def schema_or_fields(alternative: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"schema": value, "allows": True} if alternative == "Bool" else {"schema": value}
    if alternative == "Bool":
        return {"allows": bool(value)}
    return {"jSONSchemas" if alternative == "Array" else "property": value}


_UNITS: Final = {
    "h": 3600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "µs": 10**3,
    "ns": 1,
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")


def duration_text(fields: dict[str, Any]) -> str:
    """Go's time.Duration.String: 1h0m5s, 1.5s, 200ms."""
    nanos = int(fields.get("duration", 0))
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    if nanos == 0:
        return "0s"
    if nanos < 10**9:
        unit = next(unit for unit in ("ms", "µs", "ns") if nanos >= _UNITS[unit])
        return f"{sign}{_decimal(nanos, _UNITS[unit])}{unit}"
    hours, rest = divmod(nanos, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    text = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


def duration_fields(text: str) -> dict[str, Any]:
    """Nanoseconds of a Go duration. Raises EncodeError."""
    body = text.lstrip("+-")
    parts = _PART.findall(body)
    if body != "0" and (not parts or "".join(number + unit for number, unit in parts) != body):
        raise EncodeError(f"protobuf: expected a duration such as '1m30s', got {text!r}")
    nanos = sum(round(float(number) * _UNITS[unit]) for number, unit in parts)
    return {"duration": -nanos if text.startswith("-") else nanos}
