"""Label selectors: what they match, how they are written, and upstream's words for those that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.selector import labels
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector

WEB = {"app": "web", "tier": "front", "load": "10"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=db", False),
        ("app = web , tier = front", True),
        ("app!=web", False),
        ("none!=web", True),
        ("app in (db,web)", True),
        ("app in (db)", False),
        ("app notin (db, web)", False),
        ("none notin (db)", True),
        ("app", True),
        ("none", False),
        ("!none", True),
        ("! app", False),
        ("load>9", True),
        ("load>10", False),
        ("load<11", True),
        ("tier>1", False),
        ("none<1", False),
        ("app=", False),
        ("none=", False),
        ("app in (,web)", True),
        ("app=web,", "found '', expected: identifier after ','"),
        ("in in (in)", False),
        ("example.com/app", False),
    ],
)
def test_what_is_selected(text: str, expected: bool | str) -> None:
    if isinstance(expected, str):
        with pytest.raises(SelectorError) as raised:
            labels.parse(text)
        assert str(raised.value) == expected
    else:
        assert labels.parse(text).matches(WEB) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a,,b", "found ',', expected: identifier after ','"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be "
            "an integer",
        ),
        (
            "_a=b",
            'unable to parse requirement: <nil>: Invalid value: "_a": name part must consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
            "'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as raised:
        labels.parse(text)
    assert str(raised.value) == message


def test_bad_values_are_named_by_their_label() -> None:
    with pytest.raises(
        SelectorError, match=r'^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b"'
    ):
        labels.parse("a=-b")
    with pytest.raises(SelectorError, match="the value must be an integer"):
        labels.parse("a>" + "9" * 5000)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "none", "operator": "DoesNotExist"}],
            },
            True,
        ),
    ],
)
def test_selector_objects(selector: dict[str, Any] | None, expected: bool) -> None:
    assert Selector.from_object(selector).matches(WEB) is expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "in"}, '"in" is not a valid label selector operator'),
        (
            {"key": "a", "operator": "In"},
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["b"]},
            'values: Invalid value: ["b"]: values set must be empty for exists and does not exist',
        ),
    ],
)
def test_selector_objects_that_are_none(expression: dict[str, Any], message: str) -> None:
    with pytest.raises(SelectorError) as raised:
        Selector.from_object({"matchExpressions": [expression]})
    assert str(raised.value) == message


def test_nothing_and_everything() -> None:
    assert labels.parse("").empty
    assert Selector.from_object({}).empty
    assert not Selector.from_object(None).empty
    assert not Selector.from_object(None).matches({})
    assert Selector.from_labels(None).matches(None)


def test_what_an_index_can_look_up() -> None:
    assert labels.parse("app=web,tier in (front),load in (1,2),x!=y,z").requires() == {
        "app": "web",
        "tier": "front",
    }


KEYS = st.sampled_from(["a", "b", "example.com/c"])
VALUES = st.sampled_from(["", "x", "y", "7", "12"])
REQUIREMENTS = st.one_of(
    st.tuples(KEYS, st.sampled_from(["=", "==", "!="]), VALUES).map(lambda r: "".join(r)),
    st.tuples(KEYS, st.sampled_from(["in", "notin"]), st.lists(VALUES, min_size=1, max_size=3)).map(
        lambda r: f"{r[0]} {r[1]} ({','.join(r[2])})"
    ),
    st.tuples(KEYS, st.sampled_from("<>"), st.integers(0, 15)).map(lambda r: f"{r[0]}{r[1]}{r[2]}"),
    KEYS,
    KEYS.map("!{}".format),
)


@given(st.lists(REQUIREMENTS, max_size=4), st.lists(st.dictionaries(KEYS, VALUES), max_size=5))
def test_a_selector_written_and_read_again_selects_the_same(
    texts: list[str], things: list[dict[str, str]]
) -> None:
    selector = labels.parse(",".join(texts))
    again = labels.parse(str(selector))
    single = [labels.parse(text) for text in texts]
    for thing in things:
        assert again.matches(thing) == selector.matches(thing) == all(one.matches(thing) for one in single)
        if selector.matches(thing):
            assert selector.requires().items() <= thing.items()
