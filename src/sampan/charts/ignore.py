""".helmignore: rules of filepath.Match, `!` to keep, `/` at the end for folders. Source: helm 4.3 pkg/ignore."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sampan.charts.errors import ChartError


class PatternError(ChartError):
    """`syntax error in pattern`"""


@lru_cache(maxsize=1024)
def glob_regex(pattern: str) -> re.Pattern[str]:
    """filepath.Match as a regular expression. Raises PatternError."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\":
            if at >= len(pattern):
                raise PatternError("syntax error in pattern")
            out.append(re.escape(pattern[at]))
            at += 1
        elif char == "[":
            piece, at = _class(pattern, at)
            out.append(piece)
        else:
            out.append(re.escape(char))
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def _class(pattern: str, at: int) -> tuple[str, int]:
    negated = pattern[at : at + 1] == "^"
    at += negated
    body: list[str] = []
    while True:
        if pattern[at : at + 1] == "]" and body:
            at += 1
            break
        low, at = _class_char(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _class_char(pattern, at + 1)
        if low <= high:
            body.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            body.append("")
    inner = "".join(body)
    if not inner:
        return ("[^/]" if negated else "(?!)"), at
    return f"(?!/)[{'^' if negated else ''}{inner}]", at


def _class_char(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at : at + 1]
    if not char or char in "-]":
        raise PatternError("syntax error in pattern")
    if char == "\\":
        at += 1
        char = pattern[at : at + 1]
        if not char:
            raise PatternError("syntax error in pattern")
    if at + 1 >= len(pattern):
        raise PatternError("syntax error in pattern")
    return char, at + 1


def match(pattern: str, name: str) -> bool:
    """`filepath.Match`. Raises PatternError."""
    return glob_regex(pattern).match(name) is not None


class _Rule(NamedTuple):
    pattern: str
    negated: bool
    folder: bool
    whole_path: bool


class Rules:
    """An ordered list of rules; Helm's own default (dot files in templates/) comes last."""

    def __init__(self, text: str = "") -> None:
        self.rules: list[_Rule] = []
        for line in text.removeprefix("\ufeff").split("\n"):
            self.add(line)
        self.add("templates/.?*")

    def add(self, line: str) -> None:
        rule = line.strip()
        if not rule or rule.startswith("#"):
            return
        if "**" in rule:
            raise ChartError("double-star (**) syntax is not supported")
        glob_regex(rule)
        negated, rule = rule.startswith("!"), rule.removeprefix("!")
        folder, rule = rule.endswith("/"), rule.removesuffix("/")
        rooted = rule.startswith("/")
        self.rules.append(_Rule(rule.removeprefix("/"), negated, folder, rooted or "/" in rule))

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Is the path (with `/`, from the chart's root) left out?"""
        if path in ("", ".", "./"):
            return False
        for rule in self.rules:
            name = path if rule.whole_path else path.rpartition("/")[2]
            if rule.negated:
                if (rule.folder and not is_folder) or not match(rule.pattern, name):
                    return True
                continue
            if rule.folder and not is_folder:
                continue
            if match(rule.pattern, name):
                return True
        return False
