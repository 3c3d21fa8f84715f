"""Label selectors: `app=web,tier in (a,b),!legacy` and LabelSelector objects, compiled to a predicate.

Source: k8s.io/apimachinery pkg/labels/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sampan.api.field import content, error
from sampan.api.selector.error import SelectorError
from sampan.api.status import Cause

Labels = Mapping[str, str]

_OPERATORS: Final = ("=", "==", "in", "!=", "notin", "gt", "lt", "exists", "!")
_BINARY: Final = "in, notin, =, ==, !=, gt, lt"
_OF_OBJECTS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_INT64: Final = re.compile(r"[+-]?[0-9]{1,63}")


class Requirement(NamedTuple):
    """`op` is one of = == != in notin exists ! gt lt; `values` in the order of the text."""

    key: str
    op: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        match self.op:
            case "=" | "==" | "in":
                return value in self.values
            case "!=" | "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                if value is None or _INT64.fullmatch(value) is None:
                    return False
                bound = int(self.values[0])
                return int(value) > bound if self.op == "gt" else int(value) < bound

    def __str__(self) -> str:
        listed = ",".join(sorted(self.values))
        match self.op:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.op} ({listed})"
            case "gt":
                return f"{self.key}>{listed}"
            case "lt":
                return f"{self.key}<{listed}"
            case _:
                return f"{self.key}{self.op}{listed}"


class Selector:
    """Requirements that must all hold. `requirements` is None for the selector that nothing satisfies."""

    __slots__ = ("_equal", "_others", "requirements")

    def __init__(self, requirements: Iterable[Requirement] | None) -> None:
        self.requirements = (
            None if requirements is None else tuple(sorted(requirements, key=lambda item: item.key))
        )
        single = [r for r in self.requirements or () if r.op in ("=", "==", "in") and len(r.values) == 1]
        self._equal = tuple((r.key, r.values[0]) for r in single)
        self._others = tuple(r for r in self.requirements or () if r not in single)

    @property
    def empty(self) -> bool:
        """Whether everything matches."""
        return self.requirements == ()

    def matches(self, labels: Labels | None) -> bool:
        if self.requirements is None:
            return False
        held = labels or {}
        for key, value in self._equal:
            if held.get(key) != value:
                return False
        return all(requirement.matches(held) for requirement in self._others)

    def requires(self) -> dict[str, str]:
        """Labels that a match must carry with exactly these values: what an index can look up."""
        return dict(self._equal)

    @classmethod
    def from_object(cls, selector: Mapping[str, Any] | None) -> Selector:
        """The selector of a LabelSelector object: None matches nothing, an empty one everything.

        Raises SelectorError.
        """
        if selector is None:
            return NOTHING
        found = [
            _requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()
        ]
        for expression in selector.get("matchExpressions") or ():
            operator = expression.get("operator", "")
            if operator not in _OF_OBJECTS:
                raise SelectorError(f'"{operator}" is not a valid label selector operator')
            values = tuple(expression.get("values") or ())
            found.append(_requirement(expression.get("key", ""), _OF_OBJECTS[operator], values))
        return cls(found)

    @classmethod
    def from_labels(cls, labels: Labels | None) -> Selector:
        """Equality with every label given, unchecked: a Service's or ReplicationController's selector."""
        return cls(Requirement(key, "=", (value,)) for key, value in (labels or {}).items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and self.requirements == other.requirements

    def __hash__(self) -> int:
        return hash(self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements or ()))

    def __repr__(self) -> str:
        return f"Selector({str(self)!r})" if self.requirements is not None else "Selector(nothing)"


EVERYTHING: Final = Selector(())
NOTHING: Final = Selector(None)


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """The selector that a text tells; the empty text selects everything.

    Raises SelectorError with upstream's text.
    """
    return Selector(_Parser(text).selector()) if text else EVERYTHING


def _requirement(key: str, op: str, values: tuple[str, ...]) -> Requirement:
    """Checks what upstream's NewRequirement checks; every fault is named at once."""
    causes = [error.invalid("key", key, "; ".join(wrong))] if (wrong := content.label_key(key)) else []
    if op in ("in", "notin") and not values:
        causes.append(error.invalid("values", [], "for 'in', 'notin' operators, values set can't be empty"))
    if op in ("exists", "!") and values:
        causes.append(
            error.invalid("values", list(values), "values set must be empty for exists and does not exist")
        )
    if op in ("gt", "lt"):
        if len(values) != 1:
            causes.append(
                error.invalid(
                    "values", list(values), "for 'Gt', 'Lt' operators, exactly one value is required"
                )
            )
        for place, value in enumerate(values):
            if _INT64.fullmatch(value) is None or not -(2**63) <= int(value) < 2**63:
                path = error.index("values", place)
                causes.append(
                    error.invalid(path, value, "for 'Gt', 'Lt' operators, the value must be an integer")
                )
    for place, value in enumerate(values):
        if wrong := content.label_value(value):
            path = error.key(error.index("values", place), key)
            causes.append(error.invalid(path, value, "; ".join(wrong)))
    if causes:
        raise SelectorError(_listed(causes))
    return Requirement(key, op, values)


def _listed(causes: list[Cause]) -> str:
    shown = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    return shown[0] if len(shown) == 1 else "[" + ", ".join(shown) + "]"


_TOKEN: Final = re.compile(r"[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^=!(),<> \t\r\n]+)|$)")
_SYMBOLS: Final = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}


class _Token(NamedTuple):
    kind: str  # the symbol itself, "id", or "" at the end
    text: str


class _Parser:
    """Recursive descent over the tokens of one selector."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def selector(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            token = self._peek()
            if token.kind == "":
                return found
            if token.kind not in ("id", "!"):
                raise SelectorError(f"found '{token.text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except SelectorError as bad:
                raise SelectorError(f"unable to parse requirement: {bad}") from bad
            token = self._next()
            if token.kind == "":
                return found
            if token.kind != ",":
                raise SelectorError(f"found '{token.text}', expected: ',' or 'end of string'")
            after = self._peek()
            if after.kind not in ("id", "!"):
                raise SelectorError(f"found '{after.text}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        token = self._next()
        absent = token.kind == "!"
        if absent:
            token = self._next()
        if token.kind != "id":
            raise SelectorError(f"found '{token.text}', expected: identifier")
        if wrong := content.label_key(token.text):
            cause = error.invalid(error.NIL, token.text, "; ".join(wrong))
            raise SelectorError(f"{cause.field}: {cause.message}")
        if absent:
            return _requirement(token.text, "!", ())
        if self._peek().kind in ("", ","):
            return _requirement(token.text, "exists", ())
        operator = self._next()
        op = _SYMBOLS.get(operator.kind) or (operator.text if operator.text in ("in", "notin") else "")
        if not op:
            raise SelectorError(f"found '{operator.text}', expected: {_BINARY}")
        values = self._values() if op in ("in", "notin") else self._value()
        return _requirement(token.text, op, values)

    def _value(self) -> tuple[str, ...]:
        if self._peek().kind in ("", ","):
            return ("",)
        token = self._next()
        if token.kind != "id":
            raise SelectorError(f"found '{token.text}', expected: identifier")
        return (token.text,)

    def _values(self) -> tuple[str, ...]:
        token = self._next()
        if token.kind != "(":
            raise SelectorError(f"found '{token.text}' expected: '('")
        first = self._peek()
        if first.kind not in ("id", ",", ")"):
            raise SelectorError(f"found '{first.text}', expected: ',', ')' or identifier")
        values: list[str] = []
        while True:
            value = self._next().text if self._peek().kind == "id" else ""
            values.append(value)
            token = self._next()
            if token.kind == ")":
                return tuple(sorted(set(values)))
            if token.kind != ",":
                raise SelectorError(f"found '{token.text}', expected: ',' or ')'")
            if self._peek().kind not in ("id", ",", ")"):
                raise SelectorError(f"found '{self._peek().text}', expected: ',', or identifier")

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token


def _tokens(text: str) -> Iterable[_Token]:
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None or (match.end() == len(text) and match.lastindex is None):
            yield _Token("", "")
            return
        symbol, word = match.groups()
        yield _Token(symbol, symbol) if symbol else _Token("id", word)
        at = match.end()
