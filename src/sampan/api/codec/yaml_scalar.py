"""How Go's YAML reads scalars (go.yaml.in/yaml v2 resolve.go), and what JSON makes of them (sigs.k8s.io/yaml)."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from decimal import Decimal
from typing import Any, Final

from sampan.api.codec.errors import DecodeError

TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_FIRST: Final = frozenset("0123456789+-.~nNyYtTfFoO")
_DIGIT: Final = frozenset("0123456789+-")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DOT_FLOAT: Final = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+)?")
_INT: Final = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]*)|([1-9][0-9]*))", re.ASCII
)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ]+[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]*)?.*)?", re.ASCII
)
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_INT64: Final = 1 << 63


def resolve(text: str) -> Any:
    """The value of a plain (unquoted, untagged) scalar."""
    if not text:
        return None
    if text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _DIGIT:
        return _number(text)
    if text[0] == "." and _DOT_FLOAT.fullmatch(text):
        return _float(text.replace("_", ""), text)
    return text


def _number(text: str) -> Any:
    plain = text.replace("_", "")
    match = _INT.fullmatch(plain)
    if match:
        sign, hexadecimal, binary, octal, old_octal, decimal = match.groups()
        if decimal is not None:
            value = int(decimal)
        elif hexadecimal is not None:
            value = int(hexadecimal, 16)
        elif binary is not None:
            value = int(binary, 2)
        else:
            value = int(octal or old_octal or "0", 8)
        if sign == "-":
            value = -value
        if -_INT64 <= value < _INT64 or (not sign and value < 2 * _INT64):
            return value
    if _FLOAT.fullmatch(plain):
        return _float(plain, text)
    return text


def _float(plain: str, text: str) -> Any:
    value = float(plain)
    if value in (float("inf"), float("-inf")):
        return text  # out of range: Go's parser refuses it, so it stays a string
    return value


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag."""
    if tag == TAG + "str":
        return text
    if tag == TAG + "binary":
        try:
            return base64.b64decode("".join(text.split("\n")), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise DecodeError("yaml: !!binary value contains invalid base64 data") from None
    wanted = tag.removeprefix(TAG)
    if not tag.startswith(TAG) or wanted not in ("bool", "int", "float", "null", "timestamp"):
        return text
    value = resolve(text)
    if wanted == "timestamp" and _TIME.fullmatch(text):
        return text
    if wanted == "float" and type(value) is int and value < _INT64:
        return float(value)
    found = "null" if value is None else {bool: "bool", int: "int", float: "float"}.get(type(value), "str")
    if found != wanted:
        raise DecodeError(f"yaml: cannot decode !!{found} `{text}` as a !!{wanted}")
    return value


def value(number: Any) -> Any:
    """What JSON makes of a resolved scalar: Go writes integral floats without a point, and knows no infinity."""
    if type(number) is float:
        if number != number or number in (float("inf"), float("-inf")):
            raise DecodeError(f"json: unsupported value: {_go_float(number)}")
        if number.is_integer() and -_INT64 <= number < _INT64:
            return int(number)
    return number


def _go_float(number: float) -> str:
    if number != number:
        return "NaN"
    return "+Inf" if number > 0 else "-Inf"


def go_general(text: str) -> str:
    """A number as Go's strconv.FormatFloat writes it with format g: an exponent from 1e6 on and below 1e-4."""
    sign, digits, scale = Decimal(text).normalize().as_tuple()
    shown, power = "".join(map(str, digits)), len(digits) + int(scale) - 1
    minus = "-" if sign else ""
    if -4 <= power < 6:
        return minus + format(abs(Decimal(text).normalize()), "f")
    point = "." if len(shown) > 1 else ""
    return f"{minus}{shown[0]}{point}{shown[1:]}e{power:+03d}"


def key(value: Any) -> str:
    """A mapping's key as the string that it becomes in JSON."""
    if type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int and value < _INT64:
        return str(value)
    if type(value) is float:
        return _key_of_float(value)
    raise DecodeError(f"unsupported map key of type: {type(value).__name__}, key: {value!r}")


def _key_of_float(value: float) -> str:
    """Go's strconv.FormatFloat(value, 'g', -1, 32)."""
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    try:
        single = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    for digits in range(1, 10):
        text = f"{single:.{digits - 1}e}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == single:
            break
    return go_general(text)


def stays_text(text: str) -> bool:
    """Whether a text that is written bare is read as that text again."""
    if not text or type(resolve(text)) is not str or _TIME.fullmatch(text):
        return False
    return not (text[0] in _DIGIT and ":" in text and _BASE_60.fullmatch(text))
