"""Conversions as sprig makes them: to text (`strval`), to numbers (spf13/cast 1.7), and its idea of emptiness."""

from __future__ import annotations

import math
from typing import Any

from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import Duration, Struct, is_nil, type_of
from sampan.base.gotemplate.strconv import INT64_MAX, INT64_MIN, decode, parse_float, parse_int

_WRAP = 1 << 64


def strval(value: Any) -> str:
    """sprig's `strval`: a string, the text of bytes, or `%v`."""
    if type(value) is str:
        return str(value)
    if isinstance(value, bytes):
        return decode(value)
    return text(value)


def wrap64(value: int) -> int:
    """Two's complement overflow of int64."""
    if INT64_MIN <= value <= INT64_MAX:
        return value
    return (value + (1 << 63)) % _WRAP - (1 << 63)


def _trim_zero_decimal(value: str) -> str:
    head, dot, zeros = value.rpartition(".")
    return head if dot and zeros and not zeros.strip("0") else value


def float_to_int(value: float) -> int:
    """int64(f) on amd64: what does not fit is the least int64."""
    if math.isnan(value) or not -(2.0**63) <= value < 2.0**63:
        return INT64_MIN
    return int(value)


def to_int(value: Any) -> int:
    """`cast.ToInt64`: what cannot be read is 0."""
    if isinstance(value, int):
        if isinstance(value, Duration):
            return 0
        return wrap64(int(value))
    if isinstance(value, float):
        return float_to_int(value)
    if isinstance(value, str):
        return parse_int(_trim_zero_decimal(value), 0) or 0
    return 0


def to_float(value: Any) -> float:
    """`cast.ToFloat64`."""
    if isinstance(value, Duration):
        return 0.0
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        return parse_float(value) or 0.0
    return 0.0


def empty(value: Any) -> bool:
    """sprig's `empty`; structs are never empty."""
    return not value


def deep_equal(a: Any, b: Any) -> bool:
    """`reflect.DeepEqual`: types count, so 1 and 1.0 differ."""
    if a is None or b is None:
        return a is b
    if isinstance(a, (list, dict)) or isinstance(b, (list, dict)):
        if type_of(a) != type_of(b) or len(a) != len(b) or is_nil(a) != is_nil(b):
            return False
        if isinstance(a, dict):
            return all(k in b and deep_equal(v, b[k]) for k, v in a.items())
        return all(map(deep_equal, a, b))
    if type_of(a) != type_of(b):
        return False
    if isinstance(a, Struct):
        return a is b or all(deep_equal(getattr(a, f), getattr(b, f)) for f in a.fields)
    return bool(a == b)
