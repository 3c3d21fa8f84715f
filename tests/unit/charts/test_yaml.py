from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.charts import toml, yamlin, yamlout, yamlpretty


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a10": 1, "a2": "x"}, "a2: x\na10: 1\nb: 1\n"),
        ({"a": [1.0, {"b": [2.5], "c": {}}, []]}, "a:\n- 1\n- b:\n  - 2.5\n  c: {}\n- []\n"),
        ([[1.0, 2.0], {"x": None}], "- - 1\n  - 2\n- x: null\n"),
        ("yes", '"yes"\n'),
        ("1.0", '"1.0"\n'),
        ("2020-01-02", '"2020-01-02"\n'),
        ("2020-13-02", "2020-13-02\n"),
        ("1:30", '"1:30"\n'),
        ("a: b", "'a: b'\n"),
        ("it's", "it's\n"),
        (" x", "' x'\n"),
        ("", '""\n'),
        ("a\tb", '"a\\tb"\n'),
        ("😀", '"\\U0001F600"\n'),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
        ({"a": "x\ny", "b": 1}, "a: |-\n  x\n  y\nb: 1\n"),
        ({"a": "x\n\n", "b": 1}, "a: |+\n  x\n\nb: 1\n"),
        ({"a": " lead\nx"}, "a: |2-\n   lead\n  x\n"),
        ({"a": "trail \nx"}, 'a: "trail \\nx"\n'),
        (1e6, "1000000\n".replace("1000000", "1000000")),
        (1e20, "1e+20\n"),
        (0.00001, "1e-05\n"),
        ({"k" * 130: 1}, "? " + "k" * 130 + "\n: 1\n"),
        (None, "null\n"),
    ],
)
def test_documents(value: Any, text: str) -> None:
    assert yamlout.dump(value) == text


def test_long_lines_fold() -> None:
    text = yamlout.dump({"a": "word " * 20 + "end"})
    assert text == "a: " + "word " * 15 + "word\n  " + "word " * 4 + "end\n"
    assert yamlout.dump({"a": "x" * 200}) == "a: " + "x" * 200 + "\n"
    assert yamlout.dump({"a": "k: " * 40}).startswith("a: 'k: k: ")


def test_pretty_documents() -> None:
    assert yamlpretty.dump({"a": [1.0, {"b": [2.0]}], "c": "word " * 30 + "x"}) == (
        "a:\n  - 1\n  - b:\n      - 2\nc: " + "word " * 30 + "x\n"
    )


_TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53).map(float)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:-# 1\n", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_TREES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert yamlin.load(yamlout.dump(value)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("x: 1\na: [1\nb: 2", "yaml: line 2: did not find expected ',' or ']'"),
        ("a: *nope", "yaml: unknown anchor 'nope' referenced"),
    ],
)
def test_errors_are_go_yamls(text: str, message: str) -> None:
    with pytest.raises(yamlin.YAMLError) as caught:
        yamlin.load(text)
    if text.startswith("x"):
        assert str(caught.value).startswith("yaml: line ")
    else:
        assert str(caught.value) == message


def test_numbers_are_floats() -> None:
    found = yamlin.load("a: 1\nb: [0x10, 1.5]\nc: '1'")
    assert found == {"a": 1.0, "b": [16.0, 1.5], "c": "1"}
    assert type(found["a"]) is float
    assert yamlin.load_raw("a: 1") == {"a": 1}


def test_documents_of_a_stream() -> None:
    assert yamlin.documents("a: 1\n---\nb: 2\n") == ["a: 1\n", "b: 2\n"]
    assert yamlin.documents("---\na: 1") == ["---\na: 1"]
    with pytest.raises(yamlin.YAMLError, match="invalid Yaml document separator: x"):
        yamlin.documents("---x\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": 'x"y', "c": 1.5, "d": 2.0, "n": None}, 'a = 1\nb = "x\\"y"\nc = 1.5\nd = 2.0\n'),
        ({"a": {"b": True, "c": {"d": [1, 2]}}}, "[a]\n  b = true\n  [a.c]\n    d = [1, 2]\n"),
        ({"x": [{"a": 1}, {"b": 2}]}, "[[x]]\n  a = 1\n\n[[x]]\n  b = 2\n"),
        ({"o p": []}, '"o p" = []\n'),
        ({"f": 1e6}, "f = 1e+06\n"),
    ],
)
def test_toml(value: dict[str, Any], text: str) -> None:
    assert toml.dump(value) == text


def test_toml_both_ways() -> None:
    value = {"a": 1, "b": {"c": [1, 2], "d": "x\n"}, "e": 1.5}
    assert toml.load(toml.dump(value)) == value
    with pytest.raises(toml.TOMLError):
        toml.load("a = ")
    with pytest.raises(toml.TOMLError, match="nil"):
        toml.dump(None)
