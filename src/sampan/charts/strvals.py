"""The language of --set: `a.b=1,c[0]=x,d={p,q}`. Source of behaviour: helm 4.3 pkg/strvals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.gotypes import Int64, type_of
from sampan.base.gotemplate.sprig.strings import is_space
from sampan.base.gotemplate.strconv import parse_int, quote, quote_rune
from sampan.charts.errors import ValuesError

MAX_INDEX = 65536
MAX_NESTING = 30

Reader = Callable[[str], Any]


class _End(Exception):
    """The text is used up (io.EOF): what was read so far stands."""


def parse(text: str, values: dict[str, Any]) -> None:
    """`--set`: typed values into `values`. Raises ValuesError."""
    _Parser(text, typed).parse(values)


def parse_string(text: str, values: dict[str, Any]) -> None:
    """`--set-string`: every value is a string."""
    _Parser(text, lambda value: value).parse(values)


def parse_file(text: str, values: dict[str, Any], read: Reader) -> None:
    """`--set-file`: the value is what `read` gives for the path."""
    _Parser(text, read).parse(values)


def parse_json(text: str, values: dict[str, Any]) -> None:
    """`--set-json` in its key=JSON form."""
    _JSONParser(text, typed).parse(values)


def parse_literal(text: str, values: dict[str, Any]) -> None:
    """`--set-literal`: all behind `=` is the value."""
    _LiteralParser(text, lambda value: value).parse(values)


def typed(text: str) -> Any:
    """A value as --set types it: true, false, null, integers; all else is a string."""
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    if lowered == "null":
        return None
    if text == "0":
        return Int64(0)
    if text and text[0] != "0":
        number = parse_int(text, 10)
        if number is not None:
            return Int64(number)
    return text


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    if key:
        values[key] = value


def _set_index(values: list[Any], index: int, value: Any) -> list[Any]:
    if index < 0:
        raise ValuesError(f"negative {index} index not allowed")
    if index > MAX_INDEX:
        raise ValuesError(f"index of {index} is greater than maximum supported index of {MAX_INDEX}")
    if len(values) <= index:
        values = values + [None] * (index + 1 - len(values))
    values[index] = value
    return values


class _Parser:
    key_stops = "=[,."

    def __init__(self, text: str, read: Reader) -> None:
        self.text = text
        self.at = 0
        self.read = read

    def parse(self, values: dict[str, Any]) -> None:
        try:
            while True:
                self.key(values, 0)
        except _End:
            return

    def until(self, stops: str) -> tuple[str, str]:
        """Characters up to one of the stops, escapes resolved; the stop is empty at the end."""
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char in stops:
                return "".join(out), char
            if char == "\\":
                if self.at >= len(self.text):
                    break
                char = self.text[self.at]
                self.at += 1
            out.append(char)
        return "".join(out), ""

    def key(self, values: dict[str, Any], depth: int) -> None:
        key, stop = self.until(self.key_stops)
        if not stop:
            if not key:
                raise _End
            raise ValuesError(f"key {quote(key)} has no value")
        if stop == "[":
            self.indexed(values, key, depth)
        elif stop == "=":
            self.assign(values, key)
        elif stop == ",":
            _set(values, key, "")
            raise ValuesError(f"key {quote(key)} has no value (cannot end with ,)")
        else:
            self.nested(values, key, depth + 1)

    def indexed(self, values: dict[str, Any], key: str, depth: int) -> None:
        index = self.index()
        known: Any = values.get(key, [])
        if not isinstance(known, list):
            raise ValuesError(f"unable to parse key: {_conversion(known, '[]interface {}')}")
        try:
            known, failure = self.item(known, index, depth), None
        except _End as end:
            failure = end
        _set(values, key, known)
        if failure is not None:
            raise failure

    def nested(self, values: dict[str, Any], key: str, depth: int) -> None:
        if depth > MAX_NESTING:
            raise ValuesError(
                f"value name nested level is greater than maximum supported nested level of {MAX_NESTING}"
            )
        inner: Any = values.get(key, {})
        if not isinstance(inner, dict):
            raise ValuesError(f"unable to parse key: {_conversion(inner, 'map[string]interface {}')}")
        try:
            self.key(inner, depth)
        except _End:
            if inner:
                _set(values, key, inner)
            raise
        if not inner:
            raise ValuesError(f"key map {quote(key)} has no value")
        _set(values, key, inner)

    def assign(self, values: dict[str, Any], key: str) -> None:
        if self.at >= len(self.text):
            _set(values, key, "")
            raise _End
        _set(values, key, self.value())

    def value(self) -> Any:
        """A list in braces, or everything up to the comma."""
        if self.text[self.at] == "{":
            self.at += 1
            return self.braces()
        return self.read(self.until(",")[0])

    def braces(self) -> list[Any]:
        out: list[Any] = []
        while True:
            word, stop = self.until(",}")
            if not stop:
                raise ValuesError("list must terminate with '}'")
            out.append(self.read(word))
            if stop == "}":
                if self.text[self.at : self.at + 1] == ",":
                    self.at += 1
                return out

    def index(self) -> int:
        word, stop = self.until("]")
        if not stop:
            raise _End
        number = parse_int(word, 10)
        if number is None:
            digits = word.lstrip("+-")
            why = "value out of range" if digits.isdecimal() else "invalid syntax"
            raise ValuesError(f"error parsing index: strconv.Atoi: parsing {quote(word)}: {why}")
        return number

    def item(self, values: list[Any], index: int, depth: int) -> list[Any]:
        """What follows `]`."""
        if index < 0:
            raise ValuesError(f"negative {index} index not allowed")
        extra, stop = self.until("[.=")
        if extra:
            runes = " ".join(quote_rune(ord(c)) for c in extra)
            raise ValuesError(f"unexpected data at end of array index: [{runes}]")
        if not stop:
            raise _End
        if stop == "=":
            return self.item_value(values, index)
        if stop == "[":
            inner_index = self.index()
            known: Any = values[index] if len(values) > index and values[index] is not None else []
            if not isinstance(known, list):
                raise ValuesError(f"unable to parse key: {_conversion(known, '[]interface {}')}")
            return _set_index(values, index, self.item(known, inner_index, depth))
        inner: Any = values[index] if len(values) > index else {}
        if not isinstance(inner, dict):
            inner = values[index] = {}
        self.key(inner, depth)
        return _set_index(values, index, inner)

    def item_value(self, values: list[Any], index: int) -> list[Any]:
        if self.at >= len(self.text):
            return _set_index(values, index, "")
        return _set_index(values, index, self.value())


def _conversion(value: Any, target: str) -> str:
    kind = "nil" if value is None else type_of(value)
    return f"interface conversion: interface {{}} is {kind}, not {target}"


class _JSONParser(_Parser):
    def empty(self) -> bool:
        """Skip blanks; at a comma (taken) or the end the value is empty."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == ",":
                self.at += 1
                return True
            if not is_space(char):
                return False
            self.at += 1
        return True

    def json(self) -> Any:
        decoder = json.JSONDecoder(parse_int=float)
        start = self.at
        while start < len(self.text) and self.text[start] in " \t\r\n":
            start += 1
        try:
            value, self.at = decoder.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            try:
                gojson.check(self.text[self.at :])
            except gojson.JSONError as problem:
                raise ValuesError(str(problem)) from None
            raise ValuesError("invalid JSON value") from None
        return value

    def assign(self, values: dict[str, Any], key: str) -> None:
        if self.empty():
            _set(values, key, None)
            return
        _set(values, key, self.json())
        self.empty()

    def item_value(self, values: list[Any], index: int) -> list[Any]:
        if self.empty():
            return _set_index(values, index, None)
        values = _set_index(values, index, self.json())
        self.empty()
        return values


class _LiteralParser(_Parser):
    key_stops = "=[."

    def until(self, stops: str) -> tuple[str, str]:
        match = re.compile("[" + re.escape(stops) + "]").search(self.text, self.at) if stops else None
        stop = match.start() if match else len(self.text)
        word = self.text[self.at : stop]
        self.at = stop + 1 if match else stop
        return word, match[0] if match else ""

    def assign(self, values: dict[str, Any], key: str) -> None:
        _set(values, key, self.until("")[0])

    def item_value(self, values: list[Any], index: int) -> list[Any]:
        return _set_index(values, index, self.until("")[0])
