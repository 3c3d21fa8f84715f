"""Sets of completion indexes and the text form of a Job's status: 0-2,4,7,8."""

from __future__ import annotations

from collections.abc import Iterable


def parse(text: str | None, limit: int) -> frozenset[int]:
    """The indexes below `limit`; what cannot be read is left out."""
    found: set[int] = set()
    for part in (text or "").split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            found.update(range(int(first), min(int(last) if dash else int(first), limit - 1) + 1))
    return frozenset(found)


def text(indexes: Iterable[int]) -> str:
    """Runs of three and more as first-last, shorter ones as single numbers."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(a) if a == b else f"{a},{b}" if b == a + 1 else f"{a}-{b}" for a, b in runs)
