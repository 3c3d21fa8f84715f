"""Sets of characters as sorted ranges of code points."""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

MAX = 0x10FFFF
ANY: Ranges = ((0, MAX),)
NOT_NEWLINE: Ranges = ((0, 9), (11, MAX))
DIGIT: Ranges = ((48, 57),)
SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))

PERL: dict[str, Ranges] = {"d": DIGIT, "s": SPACE, "w": WORD}
POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}

# Python has no table of scripts; a script is told by the first word of its characters' names.
_SCRIPTS = {
    name.title().replace(" ", "_"): name
    for name in (
        "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU",
        "THAI", "LAO", "TIBETAN", "GEORGIAN", "HANGUL", "ETHIOPIC", "KHMER", "MONGOLIAN", "HIRAGANA", "KATAKANA",
    )
}  # fmt: skip
_SCRIPTS["Han"] = "CJK UNIFIED"


def normal(ranges: list[tuple[int, int]]) -> Ranges:
    """Sorted and merged."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def negate(ranges: Ranges) -> Ranges:
    out, at = [], 0
    for low, high in ranges:
        if low > at:
            out.append((at, low - 1))
        at = high + 1
    if at <= MAX:
        out.append((at, MAX))
    return tuple(out)


@lru_cache(maxsize=64)
def fold(ranges: Ranges) -> Ranges:
    """The set with all simple case variants of its members."""
    out = list(ranges)
    for low, high in ranges:
        if high - low > 0x3000:
            return normal([*out, *_ascii_variants(low, high)])
        for code in range(low, high + 1):
            out += [(c, c) for c in variants(code)]
    return normal(out)


def _ascii_variants(low: int, high: int) -> list[tuple[int, int]]:
    return [(c, c) for code in range(low, min(high, 127) + 1) for c in variants(code)]


@lru_cache(maxsize=1024)
def variants(code: int) -> tuple[int, ...]:
    """Other code points that differ only in case (unicode.SimpleFold's orbit)."""
    char = chr(code)
    found = {code}
    extra = {"k": "\u212a", "s": "\u017f", "\u00e5": "\u212b", "\u03c9": "\u2126", "\u00b5": "\u03bc"}
    for _ in range(2):
        for member in sorted(found):
            text = chr(member)
            for other in (text.lower(), text.upper(), text.title()):
                if len(other) == 1:
                    found.add(ord(other))
        lowered = chr(min(found)).lower()
        if lowered in extra:
            found.add(ord(extra[lowered]))
    found.discard(code)
    return tuple(sorted(found)) if char else ()


@lru_cache(maxsize=64)
def unicode_class(name: str) -> Ranges | None:
    """A general category or a script by name; None where there is none."""
    if name == "Any":
        return ANY
    if name in _SCRIPTS:
        prefix = _SCRIPTS[name]
        return _collect(lambda c: unicodedata.name(c, "").startswith(prefix) and c.isalpha())
    if len(name) in (1, 2) and name in _categories():
        return _collect(lambda c: unicodedata.category(c).startswith(name))
    return None


@lru_cache(maxsize=1)
def _categories() -> frozenset[str]:
    found = set()
    for code in range(0x3000):
        category = unicodedata.category(chr(code))
        found |= {category, category[0]}
    return frozenset(found | {"Cs", "Co", "C", "Zl", "Zp"} - {"Cn"})


def _collect(test: object) -> Ranges:
    assert callable(test)
    out: list[tuple[int, int]] = []
    start = -1
    for code in range(sys.maxunicode + 1):
        if test(chr(code)):
            if start < 0:
                start = code
        elif start >= 0:
            out.append((start, code - 1))
            start = -1
    if start >= 0:
        out.append((start, sys.maxunicode))
    return tuple(out)


def contains(ranges: Ranges, code: int) -> bool:
    return any(low <= code <= high for low, high in ranges)
