"""YAML as sigs.k8s.io/yaml 1.6 writes it: a value as JSON, read by go-yaml v2 and emitted by its libyaml.

So keys are sorted "naturally", sequences are not indented, strings that read as something else are quoted, lines
are folded behind column 80, and floats take the way through JSON. `dump` is the hot function of most charts: the
common scalar costs one dictionary look-up.

Source of behaviour: go.yaml.in/yaml v2.4 (encode.go, emitterc.go, resolve.go, sorter.go).
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any

from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.gotypes import Struct, is_nil
from sampan.base.gotemplate.strconv import encode, format_float, parse_based, parse_float

WIDTH = 80
_SIMPLE_KEY = 128

# Plain in every place: starts with a letter, holds nothing special, cannot read as a number.
_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9_./\-+()=;@$^~]*(?: [A-Za-z0-9_./\-+()=;@$^~]+)*\Z")
_WORDS = frozenset(
    word
    for base in ("y", "yes", "true", "on", "n", "no", "false", "off", "null")
    for word in (base, base.capitalize(), base.upper())
) | {"", "~", "<<", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
     "-.INF"}  # fmt: skip
_YAML_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_DATE = re.compile(
    r"\d{4}-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?\Z"
)


def dump(value: Any) -> str:
    """`yaml.Marshal`: the document with its final line end. Raises gojson.JSONError."""
    out = Emitter()
    out.root(value)
    return "".join(out.parts) + "\n"


# ---------------------------------------------------------------- what a plain scalar would read as


@lru_cache(maxsize=4096)
def is_text(value: str) -> bool:
    """Would go-yaml read the plain scalar as a string?"""
    if value in _WORDS:
        return False
    first = value[0]
    if first == ".":
        return parse_float(value) is None
    if first not in "+-0123456789":
        return True
    if _timestamp(value):
        return False
    plain = value.replace("_", "")
    if not plain:
        return True
    number = parse_based(plain)
    if number is not None and -(1 << 63) <= number < 1 << 64 and not (plain[0] == "+" and number >= 1 << 63):
        return False
    if _YAML_FLOAT.match(plain) and parse_float(plain) is not None:
        return False
    return not _BASE60.match(value)


def _timestamp(value: str) -> bool:
    match = _DATE.match(value)
    if match is None:
        return False
    import datetime as dt

    month, day, *clock = match.groups()
    try:
        dt.date(int(value[:4]) or 4, int(month), int(day))
    except ValueError:
        return False
    limits = (24, 60, 60, 24, 60, 60)
    return all(c is None or int(c) < limit for c, limit in zip(clock, limits, strict=True))


# ---------------------------------------------------------------- order of keys


class NaturalKey:
    """go-yaml's order of strings: digits by value, letters behind everything else."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: NaturalKey) -> bool:
        return _natural_less(self.text, other.text)


def _natural_less(a: str, b: str) -> bool:
    shortest = min(len(a), len(b))
    at = 0
    while at < shortest and a[at] == b[at]:
        at += 1
    if at == shortest:
        return len(a) < len(b)
    x, y = a[at], b[at]
    x_letter, y_letter = x.isalpha(), y.isalpha()
    if x_letter and y_letter:
        return x < y
    if x_letter or y_letter:
        return y_letter
    lead_a = lead_b = 0
    if x == "0" or y == "0":
        back = at - 1
        while back >= 0 and a[back].isdecimal():
            if a[back] != "0":
                lead_a = lead_b = 1
                break
            back -= 1
    end_a, number_a = _digits(a, at, lead_a)
    end_b, number_b = _digits(b, at, lead_b)
    if number_a != number_b:
        return number_a < number_b
    if end_a != end_b:
        return end_a < end_b
    return x < y


def _digits(text: str, at: int, value: int) -> tuple[int, int]:
    while at < len(text) and text[at].isdecimal():
        value = value * 10 + ord(text[at]) - 48
        at += 1
    return at, (value + (1 << 63)) % (1 << 64) - (1 << 63)


_LOWER_KEY = re.compile(r"[A-Za-z]+\Z")


def sorted_keys(value: dict[str, Any]) -> list[str]:
    """Keys in go-yaml's order. Keys of letters alone sort as plain strings."""
    keys = list(value)
    if len(keys) < 2:
        return keys
    if all(map(_LOWER_KEY.match, keys)):
        keys.sort()
        return keys
    return sorted(keys, key=NaturalKey)


# ---------------------------------------------------------------- scalars


def _number(value: float) -> str:
    text = gojson.number(value)
    if not any(c in text for c in ".eE"):
        number = int(text)
        if -(1 << 63) <= number < 1 << 64:
            return text
    parsed = float(text)
    return format_float(parsed)


_PRINTABLE = re.compile("[\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*\\Z")
# What go-yaml's reader refuses, so that toYaml of it is empty (JSON does not escape these).
_FORBIDDEN = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
_FIRST_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
_BREAKS = frozenset("\n\r\x85\u2028\u2029")


class _Analysis:
    """What a scalar's characters allow (yaml_emitter_analyze_scalar)."""

    __slots__ = ("block", "multiline", "plain", "single")

    def __init__(self, value: str) -> None:
        self.multiline = False
        self.plain = self.single = True
        self.block = bool(value)
        if not value:
            return
        indicators = value.startswith(("---", "..."))
        special = not _PRINTABLE.match(value)
        leading = value[0] == " " or value[0] in _BREAKS
        trailing_space, trailing_break = value[-1] == " ", value[-1] in _BREAKS
        break_space = space_break = False
        previous = ""
        size = len(value)
        for at, char in enumerate(value):
            after_blank = at + 1 >= size or value[at + 1] in " \t"
            if at == 0:
                if char in _FIRST_INDICATORS or (char in "?:-" and after_blank):
                    indicators = True
            elif (char == ":" and after_blank) or (
                char == "#" and (previous in " \t\0" or previous in _BREAKS)
            ):
                indicators = True
            if char == " ":
                break_space = break_space or (previous in _BREAKS and previous != "")
            elif char in _BREAKS:
                self.multiline = True
                space_break = space_break or previous == " "
            previous = char
        if (
            leading
            or trailing_space
            or trailing_break
            or break_space
            or space_break
            or special
            or self.multiline
        ):
            self.plain = False
        if trailing_space:
            self.block = False
        if break_space:
            self.single = False
        if space_break or special:
            self.single = self.block = False
        if indicators:
            self.plain = False


@lru_cache(maxsize=8192)
def _style(value: str) -> tuple[str, _Analysis]:
    """The style that go-yaml asks for and what the emitter allows: plain, single, double, literal."""
    found = _Analysis(value)
    if "\n" in value:
        return ("literal" if found.block else "double"), found
    if not is_text(value):
        return "double", found
    if found.plain:
        return "plain", found
    return ("single" if found.single else "double"), found


_DOUBLE = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
           '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P"}  # fmt: skip


class Emitter:
    """Writes a tree; tracks the column, as folding needs it."""

    width = WIDTH

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.column = 0

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.column += len(text)

    def line(self, indent: int) -> None:
        self.parts.append("\n" + " " * indent)
        self.column = indent

    def root(self, value: Any) -> None:
        if isinstance(value, dict) and value:
            self.mapping(value, 0, True)
        elif isinstance(value, list) and value:
            self.sequence(value, 0, True)
        else:
            self.scalar(value, 2, key=False)

    def mapping(self, value: dict[str, Any], indent: int, first: bool) -> None:
        """`first`: the cursor already stands at the indent."""
        for key in sorted_keys(value):
            if first:
                first = False
            else:
                self.line(indent)
            item = value[key]
            if (len(key) > 32 or not key.isprintable()) and not _simple_key(key):
                self.complex_key(key, item, indent)
                continue
            self.scalar(key, indent, key=True)
            self.put(":")
            self.child(item, indent)

    def child(self, item: Any, indent: int) -> None:
        """The value behind `key:`."""
        kind = type(item)
        if kind is str:
            if (
                len(item) < 60
                and item not in _WORDS
                and _PLAIN.match(item)
                and self.column + len(item) < self.width
            ):
                self.put(" " + item)
                return
        elif isinstance(item, dict):
            if item:
                self.line(indent + 2)
                self.mapping(item, indent + 2, True)
                return
        elif isinstance(item, list):
            if item:
                self.line(indent)
                self.sequence(item, indent, True)
                return
        elif isinstance(item, Struct):
            self.child(plain(item), indent)
            return
        self.put(" ")
        self.scalar(item, indent + 2, key=False)

    def complex_key(self, key: str, item: Any, indent: int) -> None:
        """A key that is too long or has lines: `? key` and `: value`."""
        self.put("? ")
        self.scalar(key, indent + 2, key=False)
        self.line(indent)
        self.put(":")
        if isinstance(item, (dict, list)) and item:
            self.put(" ")
            self.nested(item, indent)
        else:
            self.put(" ")
            self.scalar(item, indent + 2, key=False)

    def nested(self, item: Any, indent: int) -> None:
        if isinstance(item, dict):
            self.mapping(item, indent + 2, True)
        else:
            self.sequence(item, indent + 2, True)

    def sequence(self, value: list[Any], indent: int, first: bool) -> None:
        for item in value:
            if first:
                first = False
            else:
                self.line(indent)
            if isinstance(item, Struct):
                item = plain(item)
            if isinstance(item, dict) and item:
                self.put("- ")
                self.mapping(item, indent + 2, True)
            elif isinstance(item, list) and item:
                self.put("- ")
                self.sequence(item, indent + 2, True)
            else:
                self.put("- ")
                self.scalar(item, indent + 2, key=False)

    # ------------------------------------------------------------ scalars

    def scalar(self, value: Any, indent: int, *, key: bool) -> None:
        kind = type(value)
        if kind is str:
            self.text(value, indent, key)
        elif value is None:
            self.put("null")
        elif kind is bool:
            self.put("true" if value else "false")
        elif kind is float:
            self.put(_number(value))
        elif isinstance(value, int):
            self.put(str(int(value)))
        elif isinstance(value, dict):
            self.put("null" if is_nil(value) else "{}")
        elif isinstance(value, list):
            self.put("null" if is_nil(value) else "[]")
        elif isinstance(value, bytes):
            self.text(base64.b64encode(value).decode(), indent, key)
        else:
            inner = plain(value)
            if isinstance(inner, (dict, list)) and inner:
                self.nested(inner, indent - 2)
            else:
                self.scalar(inner, indent, key=key)

    def text(self, value: str, indent: int, key: bool) -> None:
        if _FORBIDDEN.search(value):
            raise gojson.JSONError("yaml: control characters are not allowed")
        if not value.isascii() and any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            value = _replace_lone(value)
        style, found = _style(value)
        if key and (found.multiline or style == "literal"):
            style = "double"
        if style == "plain" and not value:
            style = "double"
        if style == "plain":
            self.plain(value, indent, fold=not key)
        elif style == "single":
            self.single(value, indent, fold=not key)
        elif style == "double":
            self.double(value, indent, fold=not key)
        else:
            self.literal(value, indent)

    def plain(self, value: str, indent: int, *, fold: bool) -> None:
        if not fold or self.column + len(value) <= self.width or " " not in value:
            self.put(value)
            return
        spaces = False
        size = len(value)
        for at, char in enumerate(value):
            if char == " ":
                if not spaces and self.column > self.width and at + 1 < size and value[at + 1] != " ":
                    self.line(indent)
                else:
                    self.put(" ")
                spaces = True
            else:
                self.put(char)
                spaces = False

    def single(self, value: str, indent: int, *, fold: bool) -> None:
        self.put("'")
        spaces = breaks = False
        if not (_BREAKS & set(value)) and (not fold or self.column + len(value) <= self.width):
            self.put(value.replace("'", "''"))
            self.put("'")
            return
        for at, char in enumerate(value):
            if char == " ":
                if (
                    fold
                    and not spaces
                    and self.column > self.width
                    and 0 < at < _last(value)
                    and value[at + 1] != " "
                ):
                    self.line(indent)
                else:
                    self.put(" ")
                spaces = True
            elif char in _BREAKS:
                if not breaks and char == "\n":
                    self.parts.append("\n")
                self.parts.append(char)
                self.column = 0
                breaks = True
            else:
                if breaks:
                    self.parts.append(" " * indent)
                    self.column = indent
                self.put("''" if char == "'" else char)
                spaces = breaks = False
        self.put("'")

    def double(self, value: str, indent: int, *, fold: bool) -> None:
        self.put('"')
        spaces = False
        bom = value.startswith("\ufeff")
        for at, char in enumerate(value):
            if (char in _DOUBLE and char != "\xa0") or char in _BREAKS or bom or not _PRINTABLE.match(char):
                self.put("\\" + _escape(char))
                spaces = False
            elif char == " ":
                if fold and not spaces and self.column > self.width and 0 < at < _last(value):
                    self.line(indent)
                    if value[at + 1] == " ":
                        self.put("\\")
                else:
                    self.put(" ")
                spaces = True
            else:
                self.put(char)
                spaces = False
        self.put('"')

    def literal(self, value: str, indent: int) -> None:
        hint = "2" if value[0] == " " or value[0] in _BREAKS else ""
        if value[-1] not in _BREAKS:
            hint += "-"
        elif len(value) == 1 or value[-2] in _BREAKS:
            hint += "+"
        pad = "\n" + " " * indent
        self.put("|" + hint)
        # The line end behind the scalar is written by what follows.
        for line in value.removesuffix("\n").split("\n"):
            self.parts.append(pad + line if line else "\n")
        self.column = 0


def _last(value: str) -> int:
    """The place of the last byte in characters, as the emitter compares bytes."""
    return len(value) - 1


def _escape(char: str) -> str:
    if char in _DOUBLE:
        return _DOUBLE[char]
    code = ord(char)
    if code <= 0xFF:
        return f"x{code:02X}"
    return f"u{code:04X}" if code <= 0xFFFF else f"U{code:08X}"


def _replace_lone(value: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", value)


def _simple_key(key: str) -> bool:
    """May the key stand before a colon (yaml_emitter_check_simple_key)?"""
    return len(encode(key)) <= _SIMPLE_KEY and not (_BREAKS & set(key))


def plain(value: Any) -> Any:
    """A struct as the JSON tree that it marshals to."""
    if isinstance(value, Struct):
        special = getattr(value, "json_value", None)
        return special() if special is not None else {f: getattr(value, f) for f in value.fields}
    raise gojson.JSONError(f"json: unsupported type: {type(value).__name__}")
