"""The JSONPath of kubectl and of CRD printer columns (k8s.io/client-go util/jsonpath), for reading only.

Here: children (.a, ['a'], .a\\.b), indexes and slices, wildcards, recursive descent, filters with one comparison or
an existence test, unions of indexes or names. Not here: templates with text around paths, range, sums of paths.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

Step = Callable[[Any], Iterable[Any]]


class PathError(ValueError):
    """The text is no JSONPath that is read here."""


class Path(NamedTuple):
    text: str
    steps: tuple[Step, ...]

    def find(self, value: Any) -> list[Any]:
        """Every value that the path leads to; none where something on the way is missing."""
        found = [value]
        for step in self.steps:
            found = [below for one in found for below in step(one)]
        return found


_FIELD: Final = re.compile(r"(?:[^\\.\[\]'\"(){}\s@?=<>!*]|\\.)+")
_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_SLICE: Final = re.compile(r"(-?\d*):(-?\d*)(?::(\d+))?")
_COMPARE: Final = re.compile(r"(.*?)(==|!=|<=|>=|<|>)(.*)", re.DOTALL)
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def parse(text: str) -> Path:
    """The path that `text` tells; a leading $ or @ and surrounding braces may be left out. Raises PathError."""
    body = text.strip()
    if body.startswith("{") and body.endswith("}"):
        body = body[1:-1].strip()
    body = body[1:] if body[:1] in ("$", "@") else body
    steps: list[Step] = []
    at = 0
    while at < len(body):
        step, at = _step(body, at, text)
        steps.append(step)
    return Path(text, tuple(steps))


def _step(body: str, at: int, text: str) -> tuple[Step, int]:
    if body.startswith("..", at):
        if body.startswith("[", at + 2):
            return _everything, at + 2
        return _everything, at + 1
    if body[at] == "[":
        end = _closing(body, at, text)
        return _bracket(body[at + 1 : end].strip(), text), end + 1
    start = at + 1 if body[at] == "." else at
    if start >= len(body) or body[start] == "[":
        return _itself, start  # a lone dot: the whole value
    if body[start] == "*":
        return _children, start + 1
    match = _FIELD.match(body, start)
    if match is None:
        raise PathError(f"cannot read JSONPath {text!r} at {body[start:]!r}")
    return _child(re.sub(r"\\(.)", r"\1", match[0])), match.end()


def _closing(body: str, at: int, text: str) -> int:
    depth, quote, index = 0, "", at
    while index < len(body):
        char = body[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise PathError(f"unterminated array in JSONPath {text!r}")


def _bracket(inside: str, text: str) -> Step:
    if inside == "*":
        return _children
    if inside.startswith("?(") and inside.endswith(")"):
        return _filter(inside[2:-1].strip(), text)
    parts = [part.strip() for part in re.split(r",(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", inside)]
    if len(parts) > 1:
        steps = [_bracket(part, text) for part in parts]
        return lambda value: [below for step in steps for below in step(value)]
    if match := _QUOTED.fullmatch(inside):
        return _child(re.sub(r"\\(.)", r"\1", match[1] if match[1] is not None else match[2]))
    if re.fullmatch(r"-?\d+", inside):
        return _index(int(inside))
    if match := _SLICE.fullmatch(inside):
        start, end, stride = (int(part) if part else None for part in match.groups())
        if stride == 0:
            raise PathError(f"step must be > 0 in JSONPath {text!r}")
        return lambda value: value[start:end:stride] if isinstance(value, list) else ()
    raise PathError(f"invalid array index {inside!r} in JSONPath {text!r}")


def _filter(condition: str, text: str) -> Step:
    """?(@.type=="Ready"), ?(@.ready): those children for which it holds."""
    match = _COMPARE.fullmatch(condition)
    if match is None:
        tested = parse(condition)
        return lambda value: [one for one in _children(value) if tested.find(one)]
    left, compare, right = _operand(match[1], text), _OPERATORS[match[2]], _operand(match[3], text)

    def holds(one: Any) -> bool:
        a, b = left(one), right(one)
        try:
            return bool(a and b and compare(a[0], b[0]))
        except TypeError:
            return False

    return lambda value: [one for one in _children(value) if holds(one)]


def _operand(given: str, text: str) -> Callable[[Any], list[Any]]:
    given = given.strip()
    if given.startswith(("@", "$", ".")):
        return parse(given).find
    if match := _QUOTED.fullmatch(given):
        literal: Any = match[1] if match[1] is not None else match[2]
    elif given in ("true", "false"):
        literal = given == "true"
    else:
        try:
            literal = float(given) if "." in given else int(given)
        except ValueError:
            raise PathError(f"unrecognized value {given!r} in JSONPath {text!r}") from None
    return lambda value: [literal]


def _itself(value: Any) -> Iterable[Any]:
    return (value,)


def _child(key: str) -> Step:
    return lambda value: (value[key],) if isinstance(value, dict) and key in value else ()


def _index(index: int) -> Step:
    def step(value: Any) -> Iterable[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            return (value[index],)
        return ()

    return step


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _everything(value: Any) -> Iterator[Any]:
    """The value and all below it."""
    todo = [value]
    while todo:
        one = todo.pop()
        yield one
        todo += reversed(list(_children(one)))
