from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.patch import PatchError, merge

# The table of RFC 7396, appendix A, where both sides are objects or the patch is one.
RFC = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
]


@pytest.mark.parametrize(("doc", "patch", "expected"), RFC)
def test_the_table_of_the_rfc(doc: Any, patch: Any, expected: Any) -> None:
    before = copy.deepcopy((doc, patch))
    assert merge.apply(doc, patch) == expected
    assert (doc, patch) == before


@pytest.mark.parametrize("patch", ["x", None, 5])
def test_what_is_no_patch(patch: Any) -> None:
    with pytest.raises(PatchError) as caught:
        merge.apply({}, patch)
    assert caught.value.code == 400


VALUES = st.recursive(
    st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text("xyz", min_size=1, max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("xyz", min_size=1, max_size=1), VALUES, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_diff_makes_one_out_of_the_other(original: Any, modified: Any) -> None:
    assert merge.apply(original, merge.diff(original, modified)) == modified


@given(OBJECTS, OBJECTS)
def test_three_way_with_nothing_changed_by_others_makes_what_is_wanted(original: Any, modified: Any) -> None:
    assert merge.apply(original, merge.three_way(original, modified, original)) == modified


def test_three_way_keeps_what_others_added() -> None:
    original, modified = {"a": 1, "gone": 1, "m": {"x": 1}}, {"a": 2, "m": {"x": 1}}
    current = {"a": 1, "gone": 1, "m": {"x": 1, "theirs": 1}, "theirs": 2}
    assert merge.three_way(original, modified, current) == {"a": 2, "gone": None}


def test_three_way_without_history_only_adds() -> None:
    assert merge.three_way(None, {"a": {}}, {"b": 1}) == {"a": {}}
