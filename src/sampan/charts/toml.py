"""TOML as BurntSushi/toml 1.6 writes it, and reads it by Python's tomllib.

Source of behaviour: github.com/BurntSushi/toml encode.go: keys sorted, plain values before tables, nested tables
indented, nil left out.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

from sampan.base.gotemplate.gotime import Time, format_time
from sampan.base.gotemplate.gotypes import Int64, Struct, kind_of
from sampan.base.gotemplate.strconv import format_float
from sampan.charts import yamlout

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


class TOMLError(ValueError):
    """No TOML, or a value that has none."""


def dump(value: Any) -> str:
    """`toml.Encoder.Encode`. Raises TOMLError."""
    out: list[str] = []
    if isinstance(value, Struct):
        value = yamlout.plain(value)
    if not isinstance(value, dict):
        if value is None:
            raise TOMLError("toml: cannot encode a nil value")
        return _value(value)
    _table(value, [], out)
    return "".join(out)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    """A list of tables alone is an array of tables."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _table(value: dict[str, Any], path: list[str], out: list[str]) -> None:
    simple = [k for k in sorted(value) if not _is_table(value[k]) and not _is_tables(value[k])]
    tables = [k for k in sorted(value) if _is_table(value[k]) or _is_tables(value[k])]
    pad = "  " * max(0, len(path) - 1) if path else ""
    inner = "  " * len(path)
    for key in simple:
        item = value[key]
        if item is None:
            continue
        out.append(f"{inner if path else pad}{_key(key)} = {_value(item)}\n")
    for key in tables:
        item = value[key]
        whole = [*path, key]
        name = ".".join(map(_key, whole))
        if _is_table(item):
            if len(whole) == 1 and out:
                out.append("\n")
            out.append(f"{'  ' * len(path)}[{name}]\n")
            _table(item, whole, out)
        else:
            for one in item:
                if out:
                    out.append("\n")
                out.append(f"{'  ' * len(path)}[[{name}]]\n")
                _table(one, whole, out)


def _key(key: str) -> str:
    return key if _BARE.match(key) else _string(key)


def _string(value: str) -> str:
    out = []
    for char in value:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Time):
        return format_time(value, "2006-01-02T15:04:05.999999999Z07:00")
    if isinstance(value, (list, bytes)):
        items = list(value)
        if any(v is None for v in items):
            raise TOMLError("toml: cannot encode array with nil element")
        return "[" + ", ".join(map(_inline, items)) + "]"
    if isinstance(value, (dict, Struct)):
        return _inline(value)
    raise TOMLError(f"unsupported type: {kind_of(value)}")


def _inline(value: Any) -> str:
    if isinstance(value, Struct):
        value = yamlout.plain(value)
    if isinstance(value, dict):
        pairs = [f"{_key(k)} = {_inline(value[k])}" for k in sorted(value) if value[k] is not None]
        return "{" + ", ".join(pairs) + "}"
    return _value(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value.is_integer() and abs(value) < 1e6:
        return format_float(value, "f") + ".0"
    text = format_float(value)
    return text if any(c in text for c in ".e") else text + ".0"


def load(text: str) -> dict[str, Any]:
    """`toml.Unmarshal` into a map. Raises TOMLError."""
    import tomllib

    try:
        found = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise TOMLError(f"toml: {problem}") from None
    converted: dict[str, Any] = _converted(found)
    return converted


def _converted(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _converted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_converted(v) for v in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Int64(value)
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        micros = (aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
        return Time(micros * 1000, aware.tzinfo or dt.UTC)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return value
