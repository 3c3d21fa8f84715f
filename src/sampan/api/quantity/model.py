"""One quantity: an exact number in billionths, and the notation it was written in."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

DECIMAL_SI: Final = "DecimalSI"
BINARY_SI: Final = "BinarySI"
DECIMAL_EXPONENT: Final = "DecimalExponent"

_NANO: Final = 10**9  # the smallest amount: finer ones are rounded away from zero
_MAX_BINARY: Final = 2**63 - 1
_PATTERN: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*(?:[-+]?[0-9]*))")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES: Final = {0: "", **{exponent: suffix for suffix, exponent in _BINARY.items()}}
_EXPONENT: Final = re.compile(r"[eE][-+]?[0-9]+")
_MAX_EXPONENT: Final = 1000  # bounds of ours: upstream computes with any number of digits, to no use
_MAX_TEXT: Final = 1000


class QuantityError(ValueError):
    """A text that is no quantity; the message is upstream's."""


class Quantity(NamedTuple):
    """`nanos` is the amount in billionths; `text` is the text as given where that is canonical already."""

    nanos: int
    format: str = DECIMAL_SI
    text: str = ""

    @property
    def value(self) -> int:
        """The amount as a whole number, rounded away from zero."""
        return _rounded(self.nanos, _NANO)

    @property
    def milli_value(self) -> int:
        """The amount in thousandths, rounded away from zero."""
        return _rounded(self.nanos, _NANO // 1000)

    def __float__(self) -> float:
        return self.nanos / _NANO

    def add(self, other: Quantity) -> Quantity:
        """The sum; the notation is that of the left side unless that is zero."""
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def sub(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def compare(self, other: Quantity) -> int:
        """-1, 0 or 1. Do not compare quantities with == or <: 1 and 1000m are the same amount."""
        return (self.nanos > other.nanos) - (self.nanos < other.nanos)

    def __str__(self) -> str:
        return self.text or _canonical(self.nanos, self.format)


def _rounded(nanos: int, unit: int) -> int:
    whole = -(-abs(nanos) // unit)
    return whole if nanos >= 0 else -whole


def parse(text: Any) -> Quantity:
    """The quantity that a text, or a bare JSON number, tells.

    Raises QuantityError.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise QuantityError(_FORMAT_WRONG)
    return _parse(text if isinstance(text, str) else str(text))


def canonical(text: Any) -> str:
    """The text in canonical form: 1000m is 1, 1024Ki is 1Mi."""
    return str(parse(text))


_FORMAT_WRONG: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    match = _PATTERN.fullmatch(text)
    if match is None or not text or len(text) > _MAX_TEXT:
        raise QuantityError(_FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    fraction = fraction or ""
    whole = whole.lstrip("0") or "0"
    form, base, exponent = _suffix(suffix)
    digits = int(whole + fraction)
    if base == 2:
        numerator, shift = (digits << exponent) * _NANO, len(fraction)
    else:
        numerator, shift = digits * _NANO, len(fraction) - exponent
    nanos = numerator * 10**-shift if shift <= 0 else -(-numerator // 10**shift)
    if form == BINARY_SI:
        nanos = min(nanos, _MAX_BINARY * _NANO)
        if 0 < nanos < _NANO:
            form = DECIMAL_SI
    if sign == "-":
        nanos = -nanos
    return Quantity(nanos, form, text if _is_canonical(whole, fraction, base, exponent, digits) else "")


def _suffix(suffix: str) -> tuple[str, int, int]:
    """Notation, base and exponent of a suffix."""
    if suffix in _DECIMAL:
        return DECIMAL_SI, 10, _DECIMAL[suffix]
    if suffix in _BINARY:
        return BINARY_SI, 2, _BINARY[suffix]
    if _EXPONENT.fullmatch(suffix) and abs(int(suffix[1:])) <= _MAX_EXPONENT:
        return DECIMAL_EXPONENT, 10, int(suffix[1:])
    raise QuantityError("unable to parse quantity's suffix")


def _is_canonical(whole: str, fraction: str, base: int, exponent: int, digits: int) -> bool:
    """Whether upstream keeps the text as it was given. Its rule is approximate, and clients see its effect."""
    shifted = whole + fraction
    if base == 2:
        precision = 15 - len(whole) - exponent * 3 // 10 - 1
        return not fraction and precision >= 0 and digits & 7 != 0
    scale = exponent - len(fraction)
    if 18 - len(shifted) < 0 or scale < -9:
        return False
    return scale % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"


def _canonical(nanos: int, form: str) -> str:
    if not nanos:
        return "0"
    if form == BINARY_SI and (-1024 * _NANO < nanos < 1024 * _NANO or nanos % _NANO):
        form = DECIMAL_SI
    if form == BINARY_SI:
        amount, exponent = nanos // _NANO, 0
        while amount % 1024 == 0 and exponent < 60:
            amount //= 1024
            exponent += 10
        return f"{amount}{_BINARY_SUFFIXES[exponent]}"
    amount, exponent = nanos, -9
    while amount % 1000 == 0 and (exponent < 18 or form == DECIMAL_EXPONENT):
        amount //= 1000
        exponent += 3
    if form == DECIMAL_EXPONENT:
        return f"{amount}e{exponent}" if exponent else str(amount)
    return f"{amount}{_DECIMAL_SUFFIXES[exponent]}"
