"""Go's encoding/json: texts byte for byte, errors in its words.

Source of behaviour: Go 1.26 encoding/json (encode.go, scanner.go, indent.go).
"""

from __future__ import annotations

import base64
import json
import math
import re
from json.encoder import encode_basestring
from typing import Any, NoReturn

from sampan.base.gotemplate.gotypes import GoError, Struct, is_nil, type_of
from sampan.base.gotemplate.strconv import encode, format_float, quote

MAX_NESTING = 10_000


class JSONError(GoError):
    """The text is no JSON, or the value has none."""


# ---------------------------------------------------------------- encoding

_HTML = re.compile("[<>&\u2028\u2029]")
_LINES = re.compile("[\u2028\u2029]")
_LONE = re.compile("[\ud800-\udfff]")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def string(value: str, *, html: bool = True) -> str:
    """A JSON string."""
    text = encode_basestring(value)
    if text.isascii() and not html:
        return text
    if not text.isascii():
        text = _LONE.sub("\\\\ufffd", text)
    return (_HTML if html else _LINES).sub(_escape, text)


def number(value: float) -> str:
    """A float64 as encoding/json prints it."""
    if math.isinf(value) or math.isnan(value):
        raise JSONError(f"json: unsupported value: {format_float(value)}")
    size = abs(value)
    if size < 1e15 and value == (whole := int(value)) and (whole or math.copysign(1, value) > 0):
        return str(whole)
    if size != 0 and (size < 1e-6 or size >= 1e21):
        text = format_float(value, "e")
        if text[-4:-1] == "e-0":
            text = text[:-2] + text[-1]
        return text
    return format_float(value, "f")


def dumps(value: Any, *, html: bool = True) -> str:
    """`json.Marshal`: compact, keys sorted. Raises JSONError."""
    out: list[str] = []
    _write(value, out, html, 0)
    return "".join(out)


def _write(value: Any, out: list[str], html: bool, depth: int) -> None:
    kind = type(value)
    if kind is str:
        out.append(string(value, html=html))
    elif value is None:
        out.append("null")
    elif kind is bool:
        out.append("true" if value else "false")
    elif kind is float:
        out.append(number(value))
    elif isinstance(value, int):
        out.append(str(int(value)))
    elif depth > MAX_NESTING:
        raise JSONError(f"json: unsupported value: encountered a cycle via {type_of(value)}")
    elif isinstance(value, dict):
        if not value:
            out.append("null" if is_nil(value) else "{}")
            return
        mark = "{"
        for key in sorted(value):
            out.append(mark)
            out.append(string(key, html=html))
            out.append(":")
            _write(value[key], out, html, depth + 1)
            mark = ","
        out.append("}")
    elif isinstance(value, list):
        if not value:
            out.append("null" if is_nil(value) else "[]")
            return
        mark = "["
        for item in value:
            out.append(mark)
            _write(item, out, html, depth + 1)
            mark = ","
        out.append("]")
    elif isinstance(value, bytes):
        out.append(f'"{base64.b64encode(value).decode()}"')
    elif isinstance(value, Struct):
        _write_struct(value, out, html, depth)
    else:
        raise JSONError(f"json: unsupported type: {type_of(value)}")


def _write_struct(value: Struct, out: list[str], html: bool, depth: int) -> None:
    """Fields in the order of the struct; `json_value` of a type replaces it (a MarshalJSON, or tags)."""
    special = getattr(value, "json_value", None)
    if special is not None:
        _write_ordered(special(), out, html, depth)
        return
    _write_ordered({f: getattr(value, f) for f in value.fields}, out, html, depth)


def _write_ordered(value: Any, out: list[str], html: bool, depth: int) -> None:
    if not isinstance(value, dict):
        _write(value, out, html, depth)
        return
    out.append("{")
    for place, (key, item) in enumerate(value.items()):
        out.append(("," if place else "") + string(key, html=html) + ":")
        _write(item, out, html, depth + 1)
    out.append("}")


_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^"{}\[\],:]+')


def indent(text: str, step: str = "  ") -> str:
    """`json.Indent` of compact JSON."""
    out: list[str] = []
    level = 0
    tokens = _STRUCTURE.findall(text)
    for place, word in enumerate(tokens):
        if word in "{[":
            level += 1
            out.append(word)
            if tokens[place + 1] not in "}]":
                out.append("\n" + step * level)
        elif word in "}]":
            level -= 1
            if tokens[place - 1] not in "{[":
                out.append("\n" + step * level)
            out.append(word)
        elif word == ",":
            out.append(",\n" + step * level)
        elif word == ":":
            out.append(": ")
        else:
            out.append(word)
    return "".join(out)


# ---------------------------------------------------------------- decoding


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_constant)


def loads(text: str) -> Any:
    """`json.Unmarshal` into an interface: every number is a float64. Raises JSONError."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        check(text)
        raise JSONError("exceeded max depth") from None
    if not text.isascii() or "\\u" in text:
        return _valid_utf8(value)
    return value


def _valid_utf8(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_valid_utf8(v) for v in value]
    if isinstance(value, dict):
        return {_LONE.sub("\ufffd", k): _valid_utf8(v) for k, v in value.items()}
    return value


def _char(octet: int) -> str:
    """quoteChar of the scanner."""
    if octet == 39:
        return "'\\''"
    if octet == 34:
        return "'\"'"
    return "'" + quote(chr(octet))[1:-1] + "'"


class _Scanner:
    """Walks a text to where Go's scanner stops."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fail(self, context: str) -> NoReturn:
        if self.at >= len(self.data):
            raise JSONError("unexpected end of JSON input")
        raise JSONError(f"invalid character {_char(self.data[self.at])} {context}")

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def space(self) -> None:
        while self.peek() in (b" ", b"\t", b"\r", b"\n"):
            self.at += 1

    def value(self, depth: int) -> None:
        if depth > MAX_NESTING:
            raise JSONError("exceeded max depth")
        self.space()
        char = self.peek()
        if char == b"{":
            self.object(depth)
        elif char == b"[":
            self.array(depth)
        elif char == b'"':
            self.string()
        elif char in (b"t", b"f", b"n"):
            self.word({b"t": b"true", b"f": b"false", b"n": b"null"}[char])
        elif char == b"-" or char.isdigit():
            self.number()
        else:
            self.fail("looking for beginning of value")

    def word(self, word: bytes) -> None:
        for place, octet in enumerate(word):
            if self.peek() != bytes([octet]):
                self.fail(f"in literal {word.decode()} (expecting {_char(word[place])})")
            self.at += 1

    def number(self) -> None:
        if self.peek() == b"-":
            self.at += 1
            if not self.peek().isdigit():
                self.fail("in numeric literal")
        if self.peek() == b"0":
            self.at += 1
        else:
            self.digits()
        if self.peek() == b".":
            self.at += 1
            if not self.peek().isdigit():
                self.fail("after decimal point in numeric literal")
            self.digits()
        if self.peek() in (b"e", b"E"):
            self.at += 1
            if self.peek() in (b"+", b"-"):
                self.at += 1
            if not self.peek().isdigit():
                self.fail("in exponent of numeric literal")
            self.digits()

    def digits(self) -> None:
        while self.peek().isdigit():
            self.at += 1

    def string(self) -> None:
        self.at += 1
        while True:
            char = self.peek()
            if char == b'"':
                self.at += 1
                return
            if char == b"\\":
                self.at += 1
                escape = self.peek()
                if escape == b"u":
                    for _ in range(4):
                        self.at += 1
                        if self.peek().lower() not in [b"%x" % d for d in range(16)]:
                            self.fail("in \\u hexadecimal character escape")
                elif escape not in (b"b", b"f", b"n", b"r", b"t", b"\\", b"/", b'"'):
                    self.fail("in string escape code")
            elif not char or char < b" ":
                self.fail("in string literal")
            self.at += 1

    def object(self, depth: int) -> None:
        self.at += 1
        self.space()
        if self.peek() == b"}":
            self.at += 1
            return
        while True:
            self.space()
            if self.peek() != b'"':
                self.fail("looking for beginning of object key string")
            self.string()
            self.space()
            if self.peek() != b":":
                self.fail("after object key")
            self.at += 1
            self.value(depth + 1)
            self.space()
            if self.peek() == b"}":
                self.at += 1
                return
            if self.peek() != b",":
                self.fail("after object key:value pair")
            self.at += 1

    def array(self, depth: int) -> None:
        self.at += 1
        self.space()
        if self.peek() == b"]":
            self.at += 1
            return
        while True:
            self.value(depth + 1)
            self.space()
            if self.peek() == b"]":
                self.at += 1
                return
            if self.peek() != b",":
                self.fail("after array element")
            self.at += 1


def check(text: str) -> None:
    """`json.checkValid`: raises JSONError with Go's text."""
    scanner = _Scanner(encode(text))
    try:
        scanner.value(0)
    except RecursionError:
        raise JSONError("exceeded max depth") from None
    scanner.space()
    if scanner.at < len(scanner.data):
        scanner.fail("after top-level value")
