from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.gotemplate import strconv


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain", '"plain"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a\tb\n\x00\x7f", r'"a\tb\n\x00\x7f"'),
        ("é日", '"é日"'),
        ("\u00a0\u200b", r'"\u00a0\u200b"'),
        ("😀\U000e0001", r'"😀\U000e0001"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert strconv.quote(text) == quoted


def test_quote_to_ascii() -> None:
    assert strconv.quote("é😀", ascii_only=True) == r'"\u00e9\U0001f600"'


@given(st.text())
def test_what_is_quoted_reads_back(text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    assert strconv.unquote(strconv.quote(clean)) == clean


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\x41\101\u00e9\U0001F600\n"', "aAAé😀\n"),
        ("`raw \\n`", "raw \\n"),
        ("`a\rb`", "ab"),
        (r'"\xff"', "\udcff"),
    ],
)
def test_unquote(literal: str, text: str) -> None:
    assert strconv.unquote(literal) == text


@pytest.mark.parametrize("literal", [r'"\q"', '"', "`a", r'"\x4"', r'"\400"', r'"\ud800"', '"a\nb"', "'a'"])
def test_unquote_refuses(literal: str) -> None:
    with pytest.raises(strconv.LiteralError, match="invalid syntax"):
        strconv.unquote(literal)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (12345678.0, "1.2345678e+07"),
        (1e15, "1e+15"),
        (123456.789, "123456.789"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.0, "1"),
        (-0.0, "-0"),
        (5e-324, "5e-324"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
    ],
)
def test_shortest_floats(value: float, text: str) -> None:
    assert strconv.format_float(value) == text


@pytest.mark.parametrize(
    ("value", "verb", "precision", "text"),
    [
        (3.14159, "f", 2, "3.14"),
        (31415.9, "e", 3, "3.142e+04"),
        (1e21, "f", -1, "1000000000000000000000"),
        (100000.0, "g", 3, "1e+05"),
        (1.0, "x", -1, "0x1p+00"),
        (1.5, "b", -1, "6755399441055744p-52"),
    ],
)
def test_float_verbs(value: float, verb: str, precision: int, text: str) -> None:
    assert strconv.format_float(value, verb, precision) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_read_back(value: float) -> None:
    assert strconv.parse_float(strconv.format_float(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1f", 31),
        ("0777", 511),
        ("0o17", 15),
        ("0b11", 3),
        ("1_000", 1000),
        ("-5", -5),
        ("08", None),
        ("", None),
    ],
)
def test_integers_with_prefixes(text: str, value: int | None) -> None:
    assert strconv.parse_int(text, 0) == value


def test_integers_out_of_range() -> None:
    assert strconv.parse_int("9223372036854775807") == strconv.INT64_MAX
    assert strconv.parse_int("9223372036854775808") is None
    assert strconv.parse_uint("18446744073709551615") == strconv.UINT64_MAX
    assert strconv.parse_uint("-1") is None


def test_bytes_of_strings() -> None:
    assert strconv.byte_len("héllo") == 6
    assert strconv.byte_slice("é", 0, 1) == "\udcc3"
