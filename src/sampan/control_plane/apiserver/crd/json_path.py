"""JSONPath as kubectl's printer columns use it: `.spec.a`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`, `..a`.

k8s.io/client-go util/jsonpath; missing keys give nothing, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

Step = Callable[[Any], Iterator[Any]]


class PathError(ValueError):
    """A path that cannot be parsed."""


_TOKEN: Final = re.compile(
    r"""
    \.\.(?P<deep>(?:\\.|[^.\[\]\s])+)
  | \.?\[\?\(\s*@(?P<left>[^=!<>]*?)\s*(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.*?)\s*\)\]
  | \.?\[\?\(\s*@(?P<exists>[^=!<>)]*?)\s*\)\]
  | \.?\[\s*(?P<quote>['"])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*\]
  | \.?\[\s*(?P<slice>-?\d*:-?\d*(?::\d*)?)\s*\]
  | \.?\[\s*(?P<index>-?\d+)\s*\]
  | \.?\[\s*(?P<star>\*)\s*\]
  | \.(?P<any>\*)
  | \.(?P<name>(?:\\.|[^.\[\]\s])+)
    """,
    re.VERBOSE,
)


class Path:
    """A parsed path. `find` gives every value that it leads to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = tuple(_steps(text))

    def find(self, value: Any) -> list[Any]:
        values = [value]
        for step in self._steps:
            values = [found for below in values for found in step(below)]
        return values

    def first(self, value: Any) -> Any:
        """The first value, or None."""
        found = self.find(value)
        return found[0] if found else None


def _steps(text: str) -> Iterator[Step]:
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1].strip()
    rest = rest.removeprefix("$")
    at = 0
    while at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None or match.end() == at:
            if rest[at:] == ".":
                return
            raise PathError(f"cannot parse {text!r} at {rest[at:]!r}")
        yield _step(match)
        at = match.end()


def _step(match: re.Match[str]) -> Step:
    kind = match.lastgroup
    if match["deep"] is not None:
        return _deep(_unescaped(match["deep"]))
    if match["op"] is not None:
        return _filter(Path(match["left"]), match["op"], _operand(match["right"]))
    if match["exists"] is not None:
        wanted = Path(match["exists"])
        return lambda value: (item for item in _items(value) if wanted.find(item))
    if match["key"] is not None:
        return _key(_unescaped(match["key"]))
    if match["slice"] is not None:
        return _slice(match["slice"])
    if match["index"] is not None:
        return _index(int(match["index"]))
    if kind in ("star", "any"):
        return _items
    return _key(_unescaped(match["name"]))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _key(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(number: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _slice(text: str) -> Step:
    parts = [int(part) if part else None for part in text.split(":")]

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[slice(*parts)]

    return step


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _deep(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]
        for below in _items(value):
            yield from step(below)

    return step


def _operand(text: str) -> Path | str | float | bool:
    if text.startswith("@"):
        return Path(text[1:])
    if len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0]:
        return _unescaped(text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        raise PathError(f"cannot compare with {text!r}, expected a string, a number or a path") from None


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def _filter(left: Path, operator: str, right: Path | str | float | bool) -> Step:
    def step(value: Any) -> Iterator[Any]:
        for item in _items(value):
            ours = left.find(item)
            theirs = right.find(item) if isinstance(right, Path) else [right]
            if len(ours) != 1 or len(theirs) != 1:
                continue
            try:
                holds = _COMPARE[operator](ours[0], theirs[0])
            except TypeError:
                continue
            if holds:
                yield item

    return step
