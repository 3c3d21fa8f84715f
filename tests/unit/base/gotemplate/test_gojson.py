from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.gotypes import NilList, NilMap


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": "<&>"}, r'{"a":"\u003c\u0026\u003e","b":1}'),
        (1.0, "1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (12345678.5, "12345678.5"),
        (b"hi", '"aGk="'),
        ("\u2028\x01\t\b", r'"\u2028\u0001\t\b"'),
        ("\udcff", r'"\ufffd"'),
        (NilList(), "null"),
        ([], "[]"),
        (NilMap(), "null"),
        (None, "null"),
    ],
)
def test_dumps(value: Any, text: str) -> None:
    assert gojson.dumps(value) == text


def test_raw_and_indented() -> None:
    assert gojson.dumps("<é>", html=False) == '"<é>"'
    assert gojson.indent(gojson.dumps({"a": [1, {}], "b": "x,{"})) == (
        '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x,{"\n}'
    )


def test_no_json_for_what_is_no_number() -> None:
    with pytest.raises(gojson.JSONError, match="unsupported value: NaN"):
        gojson.dumps(float("nan"))


def test_numbers_are_floats() -> None:
    found = gojson.loads('{"a": 1, "b": [2]}')
    assert type(found["a"]) is float
    assert type(found["b"][0]) is float


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected end of JSON input"),
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 x', "invalid character 'x' after object key:value pair"),
        ("tru", "unexpected end of JSON input"),
        ("trux", "invalid character 'x' in literal true (expecting 'e')"),
        ("01", "invalid character '1' after top-level value"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"a\nb"', "invalid character '\\n' in string literal"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("'", "invalid character '\\'' looking for beginning of value"),
    ],
)
def test_errors_of_the_scanner(text: str, message: str) -> None:
    with pytest.raises(gojson.JSONError) as caught:
        gojson.loads(text)
    assert str(caught.value) == message


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(_JSON)
def test_what_is_written_reads_back(value: Any) -> None:
    assert gojson.loads(gojson.dumps(value)) == value
    assert gojson.loads(gojson.indent(gojson.dumps(value))) == value
