"""YAML as Kubernetes' own tools read and write it: sigs.k8s.io/yaml 1.6 over go.yaml.in/yaml v2.

libyaml (PyYAML) splits the text into events; scalars are resolved here by Go's rules, which are neither YAML 1.1 nor
1.2: yes, no, on, off, y, n are booleans, 0777 and 0o777 are octal, 1e3 is a number, dates and 1:30 are strings.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import yaml as pyyaml

from sampan.api.codec.errors import DecodeError, EncodeError

_Parser: Any
_Emitter: Any
try:
    from yaml import _yaml

    _Parser, _Emitter = _yaml.CParser, _yaml.CEmitter
except ImportError:  # a PyYAML without libyaml: slower, same events
    _Parser, _Emitter = pyyaml.SafeLoader, pyyaml.emitter.Emitter

MAX_DEPTH: Final = 250  # as in the JSON codec: what was read can be written

# go.yaml.in/yaml v2 decode.go: how much of a document may come out of aliases.
_ALIASES_FREE: Final = 100
_NODES_FREE: Final = 1000
_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000

_TAG: Final = "tag:yaml.org,2002:"
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
_MERGE: Final = object()
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


def _tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag."""
    if tag == _TAG + "str":
        return text
    if tag == _TAG + "binary":
        try:
            return base64.b64decode("".join(text.split("\n")), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise DecodeError("yaml: !!binary value contains invalid base64 data") from None
    wanted = tag.removeprefix(_TAG)
    if not tag.startswith(_TAG) or wanted not in ("bool", "int", "float", "null", "timestamp"):
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


def _value(number: Any) -> Any:
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


def _go_general(text: str) -> str:
    """A number as Go's strconv.FormatFloat writes it with format g: an exponent from 1e6 on and below 1e-4."""
    sign, digits, scale = Decimal(text).normalize().as_tuple()
    shown, power = "".join(map(str, digits)), len(digits) + int(scale) - 1
    minus = "-" if sign else ""
    if -4 <= power < 6:
        return minus + format(abs(Decimal(text).normalize()), "f")
    point = "." if len(shown) > 1 else ""
    return f"{minus}{shown[0]}{point}{shown[1:]}e{power:+03d}"


def _key(value: Any) -> str:
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
    return _go_general(text)


_NO_KEY: Final = object()


class _Reader:
    """Builds values from the events of one stream."""

    def __init__(self, text: str | bytes, *, strict: bool) -> None:
        self.parser = _Parser(text)
        self.strict = strict
        self.anchors: dict[str, Any] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.from_aliases = 0

    def documents(self) -> Iterator[Any]:
        """Each document's value; None for an empty one."""
        try:
            yield from self._documents()
        except pyyaml.YAMLError as error:
            raise DecodeError(_explained(error)) from None
        except RecursionError:
            raise DecodeError("yaml: exceeded max depth") from None
        finally:
            self.parser.dispose()

    def _documents(self) -> Iterator[Any]:
        event = self.parser.get_event
        while True:
            kind = type(event())
            if kind is pyyaml.StreamEndEvent:
                return
            if kind is not pyyaml.DocumentStartEvent:
                continue
            self.anchors.clear()
            self.nodes = self.from_aliases = 0
            value = self._document()
            event()  # the document's end
            yield value

    def _document(self) -> Any:
        """One document, without recursion: `stack` holds the open collections."""
        event = self.parser.get_event
        scalar, alias = pyyaml.ScalarEvent, pyyaml.AliasEvent
        map_start, list_start = pyyaml.MappingStartEvent, pyyaml.SequenceStartEvent
        stack: list[tuple[Any, str | None]] = []  # (collection, anchor)
        keys: list[Any] = []  # per open collection: the key that waits for its value
        self.twice: list[str] = []
        while True:
            found: Any = event()
            kind = type(found)
            if kind is scalar:
                value = self._scalar(found, keys[-1] is _NO_KEY if keys else False)
                if found.anchor:
                    self.anchors[found.anchor] = value
            elif kind is map_start or kind is list_start:
                if len(stack) >= MAX_DEPTH:
                    raise DecodeError("yaml: exceeded max depth")
                if found.anchor:
                    self.open_anchors.add(found.anchor)
                stack.append(({} if kind is map_start else [], found.anchor))
                keys.append(_NO_KEY if kind is map_start else None)
                continue
            elif kind is alias:
                value = self._alias(found.anchor)
            else:  # an end
                value, anchor = stack.pop()
                keys.pop()
                if anchor:
                    self.anchors[anchor] = value
                    self.open_anchors.discard(anchor)
            self.nodes += 1
            if not stack:
                return _value(value)
            holder = stack[-1][0]
            if type(holder) is list:
                holder.append(_value(value))
            elif keys[-1] is _NO_KEY:
                keys[-1] = value if value is _MERGE else self._checked_key(value, found)
            else:
                self._put(holder, keys[-1], value, found)
                keys[-1] = _NO_KEY

    def _scalar(self, event: Any, as_key: bool) -> Any:
        text: str = event.value
        tag = event.tag
        if tag is None:
            if not event.implicit[0]:
                return text
            if text == "<<" and as_key:
                return _MERGE
            return resolve(text)
        if tag == "!":
            return text
        if tag == _TAG + "merge" and as_key:
            return _MERGE
        return _tagged(tag, text)

    def _checked_key(self, value: Any, event: Any) -> str:
        if isinstance(value, dict | list):
            raise DecodeError(f"yaml: line {event.start_mark.line + 1}: invalid map key: {value!r}")
        return _key(value)

    def _put(self, holder: dict[str, Any], key: Any, value: Any, event: Any) -> None:
        if key is _MERGE:
            for merged in _merged(value):
                for name, item in merged.items():
                    self._put(holder, name, item, event)
            return
        if self.strict and key in holder:
            line = event.start_mark.line + 1
            raise DecodeError(f'yaml: unmarshal errors:\n  line {line}: key "{key}" already set in map')
        holder[key] = _value(value)

    def _alias(self, anchor: str) -> Any:
        if anchor in self.open_anchors:
            raise DecodeError(f"yaml: anchor '{anchor}' value contains itself")
        if anchor not in self.anchors:
            raise DecodeError(f"yaml: unknown anchor '{anchor}' referenced")
        return self._copied(self.anchors[anchor])

    def _copied(self, value: Any) -> Any:
        """A value of its own for each alias, counted: a small document must not unfold into a huge one."""
        self.nodes += 1
        self.from_aliases += 1
        if self.from_aliases > _ALIASES_FREE and self.nodes > _NODES_FREE:
            if self.from_aliases / self.nodes > _allowed_ratio(self.nodes):
                raise DecodeError("yaml: document contains excessive aliasing")
        if isinstance(value, dict):
            return {key: self._copied(child) for key, child in value.items()}
        if isinstance(value, list):
            return [self._copied(child) for child in value]
        return value


def _merged(value: Any) -> list[dict[str, Any]]:
    """The mappings of a `<<`, in the order in which Go writes them where the merge stands: the first one wins."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value[::-1]
    raise DecodeError("yaml: map merge requires map or sequence of maps as the value")


def _allowed_ratio(nodes: int) -> float:
    if nodes <= _RATIO_LOW:
        return 0.99
    if nodes >= _RATIO_HIGH:
        return 0.10
    return 0.99 - 0.89 * ((nodes - _RATIO_LOW) / (_RATIO_HIGH - _RATIO_LOW))


def _explained(error: Exception) -> str:
    """libyaml's complaint in the words of Go's port of it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"yaml: line {mark.line + 1}: {problem}" if mark is not None else f"yaml: {problem}"


def load(text: str | bytes, *, strict: bool = False) -> Any:
    """The first document's value, None for an empty one. Raises DecodeError.

    With `strict` a key that is given twice is an error; without, the last one wins, as in Go.
    """
    for value in _Reader(text, strict=strict).documents():
        return value
    return None


def load_all(text: str | bytes, *, strict: bool = False) -> Iterator[Any]:
    """Every document's value, empty ones left out; each is read when it is asked for. Raises DecodeError."""
    for value in _Reader(text, strict=strict).documents():
        if value is not None:
            yield value


def dump(value: Any) -> str:
    """The text that sigs.k8s.io/yaml writes: sorted keys, block style, list items level with their key."""
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
        return _go_general(repr(value))
    raise EncodeError(f"no YAML form for a value of type {type(value).__name__}")


def _emit_text(emitter: Any, text: str, *, quoted: bool = False) -> None:
    if "\n" in text:
        style = "|"
    elif not quoted and _stays_text(text):
        style = None
    else:
        style = '"'
    emitter.emit(pyyaml.ScalarEvent(None, None, (True, True), text, style=style))


def _stays_text(text: str) -> bool:
    if not text:
        return False
    if type(resolve(text)) is not str or _TIME.fullmatch(text):
        return False
    return not (text[0] in _DIGIT and ":" in text and _BASE_60.fullmatch(text))


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
