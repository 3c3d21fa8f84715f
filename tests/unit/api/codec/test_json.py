"""JSON and its duplicate fields."""

from __future__ import annotations

import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.codec import DecodeError, EncodeError, json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_round_trip(value: object) -> None:
    data = json.dumps(value)
    assert json.loads(data) == value
    assert json.loads_strict(data) == (value, [])


@pytest.mark.parametrize("data", [b"", b"{", b"nonsense", b"NaN", b'"\xff"', b'{"a":1}x', b"[" * 100_000])
def test_malformed(data: bytes) -> None:
    with pytest.raises(DecodeError, match="invalid JSON"):
        json.loads(data)
    with pytest.raises(DecodeError, match="invalid JSON"):
        json.loads_strict(data)


def test_the_last_duplicate_wins_and_each_is_named_once() -> None:
    data = b'{"a":1,"a":2,"a":3,"b":[{"c":1},{"c":1,"c":2}],"d":{"e":{"f":1,"f":2}}}'
    value, duplicates = json.loads_strict(data)
    assert value == {"a": 3, "b": [{"c": 1}, {"c": 2}], "d": {"e": {"f": 2}}} == json.loads(data)
    assert duplicates == ["a", "b[1].c", "d.e.f"]


def test_strict_gives_plain_dicts() -> None:
    value, _ = json.loads_strict(b'{"a":1,"a":2}')
    assert type(value) is dict


def test_what_json_cannot_say() -> None:
    with pytest.raises(EncodeError, match="no JSON form"):
        json.dumps({"a": object()})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = json.loads(text)
    except DecodeError:
        return
    assert stdlib.loads(text) == value or isinstance(value, float)
