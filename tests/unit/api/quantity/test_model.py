"""Quantities: amounts, canonical forms, and exact arithmetic."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api import quantity
from sampan.api.quantity import QuantityError


@pytest.mark.parametrize(
    ("text", "canonical", "nanos"),
    [
        ("0", "0", 0),
        ("100m", "100m", 10**8),
        ("1000m", "1", 10**9),
        ("0.5", "500m", 5 * 10**8),
        (".5", "500m", 5 * 10**8),
        ("5.", "5.", 5 * 10**9),  # short texts stay as they are, as upstream's do
        ("1.5Gi", "1536Mi", 1536 * 2**20 * 10**9),
        ("1024Ki", "1Mi", 2**20 * 10**9),
        ("1023Ki", "1023Ki", 1023 * 2**10 * 10**9),
        ("1000Ki", "1000Ki", 1000 * 2**10 * 10**9),
        ("0.5Ki", "512", 512 * 10**9),
        ("12e6", "12e6", 12 * 10**15),
        ("1.2e3", "1200", 1200 * 10**9),
        ("1E", "1E", 10**27),
        ("1E3", "1E3", 10**12),
        ("1000k", "1M", 10**15),
        ("-1.5", "-1500m", -15 * 10**8),
        ("+1", "+1", 10**9),
        ("1n", "1n", 1),
        ("0.1n", "1n", 1),
        ("-0.1n", "-1n", -1),
        ("00012", "00012", 12 * 10**9),
        ("m", "0", 0),
        (2, "2", 2 * 10**9),
        (0.1, "100m", 10**8),
    ],
)
def test_canonical_forms(text: Any, canonical: str, nanos: int) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.parse(text).nanos == nanos
    assert quantity.parse(canonical).nanos == nanos


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "1kk", "--1", "1 ", "one", "1ki", "1Mib", True, None, [], "9" * 5000, "1e99999"],
)
def test_what_is_no_quantity(text: Any) -> None:
    with pytest.raises(QuantityError):
        quantity.parse(text)


def test_the_error_is_upstreams() -> None:
    with pytest.raises(QuantityError) as raised:
        quantity.parse("lots")
    assert str(raised.value) == (
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        quantity.parse("1mm")


@pytest.mark.parametrize(
    ("text", "value", "milli"),
    [("1500m", 2, 1500), ("-1500m", -2, -1500), ("1u", 1, 1), ("2Ki", 2048, 2048000), ("0", 0, 0)],
)
def test_whole_numbers_are_rounded_away_from_zero(text: str, value: int, milli: int) -> None:
    found = quantity.parse(text)
    assert (found.value, found.milli_value) == (value, milli)


def test_sums_keep_the_notation_of_the_left_side() -> None:
    assert str(quantity.parse("1Gi").add(quantity.parse("1073741824"))) == "2Gi"
    assert str(quantity.parse("1073741824").add(quantity.parse("1Gi"))) == "2147483648"
    assert str(quantity.parse("0").add(quantity.parse("1Gi"))) == "1Gi"
    assert str(quantity.parse("1").sub(quantity.parse("250m"))) == "750m"


def test_amounts_compare_whatever_they_are_written_as() -> None:
    assert quantity.parse("1").compare(quantity.parse("1000m")) == 0
    assert quantity.parse("1G").compare(quantity.parse("1Gi")) == -1
    assert quantity.parse("1").compare(quantity.parse("-1")) == 1


SUFFIXES = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
    "e2": 2,
    "E-1": -1,
}
NUMBERS = st.decimals(min_value=-(10**6), max_value=10**6, places=3, allow_nan=False)


@given(NUMBERS, st.sampled_from(sorted(SUFFIXES)))
def test_the_canonical_form_is_the_same_amount_and_stays(number: Decimal, suffix: str) -> None:
    exact = number * Decimal(10) ** SUFFIXES[suffix] * 10**9
    found = quantity.parse(f"{number}{suffix}")
    assert abs(Decimal(found.nanos) - exact) < 1
    assert abs(Decimal(found.nanos)) >= abs(exact)
    text = str(found)
    assert quantity.parse(text).nanos == found.nanos
    assert quantity.canonical(text) == text
