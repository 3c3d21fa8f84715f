"""Go's strconv in the parts that templates show: quoting, number forms, shortest floats.

Source of behaviour: Go 1.26 `strconv`. Strings are Python `str`; a byte that is not UTF-8 is carried as a
lone surrogate (`surrogateescape`), so that Go's byte strings survive a round trip.
"""

from __future__ import annotations

import math
import re

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
UINT64_MAX = (1 << 64) - 1

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPES = {v: "\\" + k for k, v in _SIMPLE.items()}


class LiteralError(ValueError):
    """A literal that strconv refuses (`invalid syntax`)."""

    def __init__(self) -> None:
        super().__init__("invalid syntax")


def encode(text: str) -> bytes:
    """The bytes of a Go string."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """A Go string from bytes, valid UTF-8 or not."""
    return data.decode("utf-8", "surrogateescape")


def byte_len(text: str) -> int:
    """`len(s)` of Go: bytes."""
    return len(text) if text.isascii() else len(encode(text))


def byte_slice(text: str, start: int | None, stop: int | None) -> str:
    """`s[start:stop]` of Go: by bytes."""
    return text[start:stop] if text.isascii() else decode(encode(text)[start:stop])


def quote(text: str, *, ascii_only: bool = False) -> str:
    """`strconv.Quote` (or QuoteToASCII)."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quote_rune(c, '"', ascii_only) for c in text) + '"'


def quote_rune(code: int, *, ascii_only: bool = False) -> str:
    """`strconv.QuoteRune`: a character in single quotes."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD
    return "'" + _quote_rune(chr(code), "'", ascii_only) + "'"


def _quote_rune(char: str, mark: str, ascii_only: bool) -> str:
    if char in (mark, "\\"):
        return "\\" + char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable() and (code < 0x80 or not ascii_only):
        return char
    if char in _ESCAPES:
        return _ESCAPES[char]
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def can_backquote(text: str) -> bool:
    """`strconv.CanBackquote`: one line, no backquote, no control characters except tab."""
    return not any(
        c == "`" or c == "\ufeff" or c == "\x7f" or (c < " " and c != "\t") or 0xD800 <= ord(c) <= 0xDFFF
        for c in text
    )


def unquote(literal: str) -> str:
    """`strconv.Unquote` of a string literal in double quotes or backquotes."""
    if len(literal) < 2 or literal[0] != literal[-1]:
        raise LiteralError
    mark, body = literal[0], literal[1:-1]
    if mark == "`":
        if "`" in body:
            raise LiteralError
        return body.replace("\r", "")
    if mark != '"' or "\n" in body:
        raise LiteralError
    if "\\" not in body:
        if '"' in body:
            raise LiteralError
        return body
    out: list[bytes] = []
    at = 0
    while at < len(body):
        piece, at = unquote_char(body, at, '"')
        out.append(piece)
    return decode(b"".join(out))


def unquote_char(text: str, at: int, mark: str) -> tuple[bytes, int]:
    """One character or escape of a literal at `at`; returns its bytes and the next position."""
    char = text[at]
    if char == mark:
        raise LiteralError
    if char != "\\":
        return encode(char), at + 1
    at += 1
    if at >= len(text):
        raise LiteralError
    kind = text[at]
    at += 1
    if kind in _SIMPLE:
        return _SIMPLE[kind].encode(), at
    if kind in "xuU":
        width = {"x": 2, "u": 4, "U": 8}[kind]
        digits = text[at : at + width]
        if len(digits) < width or not all(c in "0123456789abcdefABCDEF" for c in digits):
            raise LiteralError
        code = int(digits, 16)
        if kind == "x":
            return bytes([code]), at + width
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise LiteralError
        return chr(code).encode(), at + width
    if kind in "01234567":
        digits = text[at - 1 : at + 2]
        if len(digits) < 3 or not all(c in "01234567" for c in digits) or int(digits, 8) > 255:
            raise LiteralError
        return bytes([int(digits, 8)]), at + 2
    if kind in "'\"":
        if kind != mark:
            raise LiteralError
        return kind.encode(), at
    raise LiteralError


# ---------------------------------------------------------------- numbers

_DEC = re.compile(r"[+-]?\d+\Z", re.ASCII)
_BASED = re.compile(r"([+-]?)(?:0([xX])_?|0([bB])_?|0([oO])_?|(0)_?)?([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)\Z")
_FLOAT = re.compile(
    r"[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?\Z", re.ASCII
)
_HEXFLOAT = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?\d+\Z", re.ASCII)
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?\Z|nan\Z", re.IGNORECASE)


def parse_based(text: str) -> int | None:
    """An integer literal with Go's prefixes and underscores (base 0), of any size; None if it is none."""
    match = _BASED.match(text)
    if match is None:
        return int(text) if _DEC.match(text) and text.lstrip("+-") == "0" else None
    sign, hexa, binary, octal, old, digits = match.groups()
    base = 16 if hexa else 2 if binary else 8 if octal or old else 10
    try:
        value = int(digits.replace("_", ""), base)
    except ValueError:
        return None
    return -value if sign == "-" else value


def parse_int(text: str, base: int = 10, bits: int = 64) -> int | None:
    """`strconv.ParseInt`; None where it returns an error (syntax or range)."""
    if base == 0:
        value = parse_based(text)
    else:
        digits = text[1:] if text[:1] in ("+", "-") else text
        if not digits or not digits.isascii() or not digits.isalnum():
            return None
        try:
            value = int(text, base)
        except ValueError:
            return None
    if value is None or not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        return None
    return value


def parse_uint(text: str, base: int = 10) -> int | None:
    """`strconv.ParseUint` with 64 bits."""
    if text[:1] in ("+", "-"):
        return None
    if base == 0:
        value = parse_based(text)
    else:
        if not text.isascii() or not text.isalnum():
            return None
        try:
            value = int(text, base)
        except ValueError:
            return None
    return value if value is not None and 0 <= value <= UINT64_MAX else None


def parse_float(text: str) -> float | None:
    """`strconv.ParseFloat` with 64 bits; None for bad syntax or a value out of range."""
    if _FLOAT.match(text):
        if "_" in text:
            return None
        value = float(text)
        return None if math.isinf(value) else value
    if _SPECIAL.match(text):
        return float(text)
    if _HEXFLOAT.match(text):
        if "_" in text:
            return None
        try:
            return float.fromhex(text)
        except (ValueError, OverflowError):
            return None
    return None


def digits_of(value: float) -> tuple[str, int]:
    """Shortest digits that read back as `abs(value)`, and the place of the decimal point (0.digits * 10^n)."""
    text = repr(abs(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    point = len(whole) if whole != "0" else -(len(fraction) - len(fraction.lstrip("0")))
    digits = digits.rstrip("0") or ""
    if not digits:
        return "0", 1
    return digits, point + (int(exponent) if exponent else 0)


def _digits32(value: float) -> tuple[str, int]:
    for precision in range(1, 10):
        text = f"{abs(value):.{precision - 1}e}"
        if _as_float32(float(text)) == abs(value):
            return digits_of(float(text))
    return digits_of(value)


def _as_float32(value: float) -> float:
    import struct

    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.inf


def format_float(value: float, verb: str = "g", precision: int = -1, bits: int = 64) -> str:
    """`strconv.FormatFloat` for the verbs e, E, f, F, g, G, x, X and b."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if verb in "xX":
        return sign + _hex_float(abs(value), precision, verb)
    if verb == "b":
        mantissa, exponent = math.frexp(abs(value))
        return f"{sign}{int(mantissa * (1 << 53))}p{exponent - 53:+d}"
    lower = verb.lower()
    if precision < 0:
        digits, point = _digits32(_as_float32(value)) if bits == 32 else digits_of(value)
        if lower == "e":
            return sign + _exponential(digits, point, verb)
        if lower == "f":
            return sign + _fixed(digits, point)
        exponent = point - 1
        if exponent < -4 or exponent >= 6:  # the shortest form decides as if the precision were 6
            return sign + _exponential(digits, point, "e" if verb == "g" else "E")
        return sign + _fixed(digits, point)
    if lower == "e":
        text = f"{abs(value):.{precision}e}"
    elif lower == "f":
        text = f"{abs(value):.{precision}f}"
    else:
        return sign + _general(abs(value), precision or 1, verb)
    return sign + (text.upper() if verb == "E" else text)


def _exponential(digits: str, point: int, mark: str) -> str:
    exponent = 0 if digits == "0" else point - 1
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}{mark}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _fixed(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    if len(digits) <= point:
        return digits + "0" * (point - len(digits))
    return digits[:point] + "." + digits[point:]


def _general(value: float, precision: int, verb: str) -> str:
    mantissa, _, exponent_text = f"{value:.{precision - 1}e}".partition("e")
    digits = mantissa.replace(".", "").rstrip("0") or "0"
    exponent = int(exponent_text)
    limit = precision
    if limit > len(digits) and len(digits) >= exponent + 1:
        limit = len(digits)
    if exponent < -4 or exponent >= limit:
        return _exponential(digits, exponent + 1, "e" if verb == "g" else "E")
    return _fixed(digits, exponent + 1)


def _hex_float(value: float, precision: int, verb: str) -> str:
    if value == 0:
        body, exponent = "0", 0
        fraction = "" if precision < 0 else "0" * precision
    else:
        mantissa, exponent = math.frexp(value)
        bits = int(mantissa * (1 << 53)) << 8
        exponent -= 1
        if precision >= 0 and precision < 15:
            drop = (15 - precision) * 4
            half, rest = 1 << (drop - 1), bits & ((1 << drop) - 1)
            bits >>= drop
            if rest > half or (rest == half and bits & 1):
                bits += 1
            if bits >= 1 << (precision * 4 + 1):
                bits >>= 1
                exponent += 1
            bits <<= drop
        text = f"{bits:016x}"
        body, fraction = text[0], text[1:]
        fraction = fraction.rstrip("0") if precision < 0 else fraction[:precision].ljust(precision, "0")
    out = f"0x{body}{'.' + fraction if fraction else ''}p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return out.upper() if verb == "X" else out
