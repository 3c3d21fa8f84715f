"""YAML as sigs.k8s.io/yaml writes it: sorted keys, block style, list items level with their key, folded at 80 columns."""

from __future__ import annotations

import io
from typing import Any, Final

import yaml as pyyaml

from sampan.api.codec.errors import EncodeError
from sampan.api.codec.yaml_scalar import go_general, stays_text

_Emitter: Any
try:
    from yaml import _yaml

    _Emitter = _yaml.CEmitter
except ImportError:  # a PyYAML without libyaml: slower, same text
    _Emitter = pyyaml.emitter.Emitter

MAX_DEPTH: Final = 250  # as for reading


def dump(value: Any) -> str:
    """The value's text. Raises EncodeError."""
    stream = io.StringIO()
    emitter = _Emitter(stream, width=80, allow_unicode=True)
    try:
        emitter.emit(pyyaml.StreamStartEvent())
        emitter.emit(pyyaml.DocumentStartEvent(explicit=False))
        _emit(emitter, value, 0)
        emitter.emit(pyyaml.DocumentEndEvent(explicit=False))
        emitter.emit(pyyaml.StreamEndEvent())
    except pyyaml.YAMLError as error:
        raise EncodeError(f"no YAML form: {error}") from None
    text = stream.getvalue()
    return text.removesuffix("...\n")


def dump_all(values: Any) -> str:
    """The documents one after the other, `---` between them."""
    return "---\n".join(dump(value) for value in values)


def _emit(emitter: Any, value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EncodeError("no YAML form: exceeded max depth")
    if isinstance(value, dict):
        emitter.emit(pyyaml.MappingStartEvent(None, None, True, flow_style=not value))
        for key in sorted(value, key=_SortKey) if len(value) > 1 else value:
            _emit_text(emitter, key, quoted=key == "<<")  # Go leaves it bare, and reads a merge
            _emit(emitter, value[key], depth + 1)
        emitter.emit(pyyaml.MappingEndEvent())
    elif isinstance(value, list | tuple):
        emitter.emit(pyyaml.SequenceStartEvent(None, None, True, flow_style=not value))
        for item in value:
            _emit(emitter, item, depth + 1)
        emitter.emit(pyyaml.SequenceEndEvent())
    elif isinstance(value, str):
        _emit_text(emitter, value)
    else:
        emitter.emit(pyyaml.ScalarEvent(None, None, (True, True), _plain(value)))


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return go_general(repr(value))
    raise EncodeError(f"no YAML form for a value of type {type(value).__name__}")


def _emit_text(emitter: Any, text: str, *, quoted: bool = False) -> None:
    if "\n" in text:
        style = "|"
    elif not quoted and stays_text(text):
        style = None
    else:
        style = '"'
    emitter.emit(pyyaml.ScalarEvent(None, None, (True, True), text, style=style))


class _SortKey:
    """Go's yaml sorts keys as people do: a2 before a10, letters after other characters."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _SortKey) -> bool:
        a, b = self.text, other.text
        for index, (x, y) in enumerate(zip(a, b, strict=False)):
            if x != y:
                return _char_less(a, b, index)
        return len(a) < len(b)


def _char_less(a: str, b: str, at: int) -> bool:
    """Which of two texts that first differ at index `at` comes first (go.yaml.in/yaml v2 sorter.go)."""
    x, y = a[at], b[at]
    x_letter, y_letter = x.isalpha(), y.isalpha()
    if x_letter and y_letter:
        return x < y
    if x_letter or y_letter:
        return y_letter
    start = 0
    if x == "0" or y == "0":
        before = at - 1
        while before >= 0 and a[before].isdigit():
            if a[before] != "0":
                start = 1
                break
            before -= 1
    x_end, x_number = _digits(a, at, start)
    y_end, y_number = _digits(b, at, start)
    if x_number != y_number:
        return x_number < y_number
    if x_end != y_end:
        return x_end < y_end
    return x < y


def _digits(text: str, at: int, number: int) -> tuple[int, int]:
    while at < len(text) and text[at].isdigit():
        number = number * 10 + ord(text[at]) - 48
        at += 1
    return at, number
