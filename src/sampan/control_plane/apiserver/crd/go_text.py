"""Numbers and regular expressions as Go writes and reads them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_POSIX: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": r"0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


def number(value: float) -> str:
    """A number as %v shows it: shortest digits, an exponent below 1e-4 and from 1e6 on."""
    if isinstance(value, int):
        value = float(value)
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        return {"F": "+Inf", "n": "NaN"}[str(exponent)] if value > 0 or value != value else "-Inf"
    power = len(digits) + exponent - 1 if any(digits) else 0
    if -4 <= power < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    sign, shown = "-" if value < 0 else "", "".join(map(str, digits))
    fraction = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{sign}{shown[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """Go's RE2 syntax on Python's engine: $ is the end of the text, classes are ASCII. Raises re.error."""
    return re.compile(_translated(text), re.ASCII)


def _translated(text: str) -> str:
    out: list[str] = []
    at, in_class = 0, False
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            pair = text[at : at + 2]
            out.append({"\\z": r"\Z", "\\A": r"\A"}.get(pair, pair))
            at += 2
            continue
        posix = re.match(r"\[:(\^?)([a-z]+):\]", text[at:]) if in_class else None
        if posix is not None and posix[2] in _POSIX and not posix[1]:
            out.append(_POSIX[posix[2]])
            at += posix.end()
            continue
        if character == "[":
            out.append(r"\[" if in_class else "[")
            if not in_class:
                in_class = True
                # A ] right after the opening stands for itself.
                opening = re.match(r"\^?\]?", text[at + 1 :])
                out.append(opening[0] if opening is not None else "")
                at += len(out[-1])
        elif character == "]" and in_class:
            in_class = False
            out.append("]")
        else:
            out.append(r"\Z" if character == "$" and not in_class else character)
        at += 1
    return "".join(out)
