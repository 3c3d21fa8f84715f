"""Patterns that Python's `re` matches as RE2 does, and in bounded time.

Both are leftmost-first, so they agree wherever no repeat runs over something that can be empty or that itself
repeats or chooses: such nests are where backtracking explodes, and they go to `pike`. What remains costs at most
n^(k+1) steps for k unbounded repeats; `affordable` keeps that under a fixed budget.
"""

from __future__ import annotations

import re

from sampan.base.gotemplate.re2 import classes as cc
from sampan.base.gotemplate.re2 import syntax as sx

_BUDGET = 20_000_000
_EMPTY = {
    "": "", "begin": r"\A", "end": r"\Z", "bol": "(?m:^)", "eol": "(?m:$)", "word": r"\b", "not word": r"(?!\b)",
}  # fmt: skip


def unbounded(node: sx.Node) -> int | None:
    """The number of unbounded repeats; None when a repeat runs over what is not a plain run of characters."""
    if isinstance(node, (sx.Chars, sx.Empty)):
        return 0
    if isinstance(node, sx.Group):
        return unbounded(node.body)
    if isinstance(node, (sx.Sequence, sx.Choice)):
        total = 0
        for part in node.parts:
            count = unbounded(part)
            if count is None:
                return None
            total += count
        return total
    assert isinstance(node, sx.Repeat)
    if node.most is None or node.most > 1:
        if not _plain(node.body):
            return None
        return 1 if node.most is None or node.most > 10 else 0
    return unbounded(node.body)


def _plain(node: sx.Node) -> bool:
    """Characters in a row, at least one."""
    if isinstance(node, sx.Group):
        return _plain(node.body)
    if isinstance(node, sx.Sequence):
        return bool(node.parts) and all(map(_plain, node.parts))
    return isinstance(node, sx.Chars)


def affordable(repeats: int, size: int) -> bool:
    return bool((size + 1) ** (repeats + 1) <= _BUDGET)


def source(node: sx.Node) -> str:
    """The pattern in Python's syntax."""
    if isinstance(node, sx.Chars):
        return _class(node.ranges)
    if isinstance(node, sx.Empty):
        return _EMPTY[node.kind]
    if isinstance(node, sx.Group):
        return f"({source(node.body)})"
    if isinstance(node, sx.Sequence):
        return "".join(f"(?:{source(p)})" if isinstance(p, sx.Choice) else source(p) for p in node.parts)
    if isinstance(node, sx.Choice):
        return "|".join(map(source, node.parts))
    assert isinstance(node, sx.Repeat)
    inner = source(node.body)
    if not isinstance(node.body, (sx.Chars, sx.Group)):
        inner = f"(?:{inner})"
    if node.most is None:
        count = {0: "*", 1: "+"}.get(node.least, f"{{{node.least},}}")
    else:
        count = f"{{{node.least},{node.most}}}"
    return inner + count + ("" if node.greedy else "?")


def _char(code: int) -> str:
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\U{code:08x}"


def _class(ranges: cc.Ranges) -> str:
    if not ranges:
        return r"(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _char(ranges[0][0])
    if ranges == cc.ANY:
        return r"[\s\S]"
    return "[" + "".join(_char(a) if a == b else f"{_char(a)}-{_char(b)}" for a, b in ranges) + "]"


def compile_(root: sx.Node) -> re.Pattern[str]:
    return re.compile(source(root), re.ASCII)
