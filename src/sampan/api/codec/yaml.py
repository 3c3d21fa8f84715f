"""YAML as Kubernetes' own tools read and write it: sigs.k8s.io/yaml 1.6 over go.yaml.in/yaml v2.

libyaml (PyYAML) splits the text into events; scalars are resolved by Go's rules, which are neither YAML 1.1 nor 1.2:
yes, no, on, off, y, n are booleans, 0777 and 0o777 are octal, 1e3 is a number, dates and 1:30 are strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml as pyyaml

from sampan.api.codec import yaml_scalar as scalar
from sampan.api.codec.errors import DecodeError
from sampan.api.codec.yaml_writer import dump, dump_all

__all__ = ["dump", "dump_all", "load", "load_all"]

_Parser: Any
try:
    from yaml import _yaml

    _Parser = _yaml.CParser
except ImportError:  # a PyYAML without libyaml: slower, same events
    _Parser = pyyaml.SafeLoader

MAX_DEPTH: Final = 250  # as in the JSON codec: what was read can be written

# go.yaml.in/yaml v2 decode.go: how much of a document may come out of aliases.
_ALIASES_FREE: Final = 100
_NODES_FREE: Final = 1000
_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000
_MERGE: Final = object()
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
        plain, alias = pyyaml.ScalarEvent, pyyaml.AliasEvent
        map_start, list_start = pyyaml.MappingStartEvent, pyyaml.SequenceStartEvent
        stack: list[tuple[Any, str | None]] = []  # (collection, anchor)
        keys: list[Any] = []  # per open collection: the key that waits for its value
        self.twice: list[str] = []
        while True:
            found: Any = event()
            kind = type(found)
            if kind is plain:
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
                return scalar.value(value)
            holder = stack[-1][0]
            if type(holder) is list:
                holder.append(scalar.value(value))
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
            return scalar.resolve(text)
        if tag == "!":
            return text
        if tag == scalar.TAG + "merge" and as_key:
            return _MERGE
        return scalar.tagged(tag, text)

    def _checked_key(self, value: Any, event: Any) -> str:
        if isinstance(value, dict | list):
            raise DecodeError(f"yaml: line {event.start_mark.line + 1}: invalid map key: {value!r}")
        return scalar.key(value)

    def _put(self, holder: dict[str, Any], key: Any, value: Any, event: Any) -> None:
        if key is _MERGE:
            for merged in _merged(value):
                for name, item in merged.items():
                    self._put(holder, name, item, event)
            return
        if self.strict and key in holder:
            line = event.start_mark.line + 1
            raise DecodeError(f'yaml: unmarshal errors:\n  line {line}: key "{key}" already set in map')
        holder[key] = scalar.value(value)

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
