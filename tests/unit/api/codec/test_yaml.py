"""YAML against what sigs.k8s.io/yaml answers (recorded), and the limits that keep it safe."""

from __future__ import annotations

import json as stdlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.codec import DecodeError, EncodeError, json, yaml

CASES: list[dict[str, str]] = stdlib.loads(
    (Path(__file__).parents[3] / "golden" / "go-yaml.json").read_text()
)

# Where we differ from Go, and why.
DEVIATIONS = {
    "!!float 9223372036854775807": "Go rounds it through a float and prints fewer digits",
    "!!float -9223372036854775808": "the same",
}


def test_values_are_gos() -> None:
    wrong = []
    for case in CASES:
        if any(text in case["text"] for text in DEVIATIONS):
            continue
        try:
            ours: Any = yaml.load(case["text"])
        except DecodeError as error:
            ours = error
        if "error" in case:
            right = isinstance(ours, DecodeError)
        else:
            theirs = json.loads(case["json"])
            right = isinstance(theirs, dict) == isinstance(ours, dict) and ours == theirs
            right = right and stdlib.dumps(ours, sort_keys=True) == stdlib.dumps(theirs, sort_keys=True)
        if not right:
            wrong.append((case, ours))
    assert wrong == []


def test_strict_refuses_what_go_refuses() -> None:
    wrong = []
    for case in CASES:
        try:
            yaml.load(case["text"], strict=True)
        except DecodeError:
            refused = True
        else:
            refused = False
        if refused != ("strict" in case):
            wrong.append(case)
    assert wrong == []


def test_written_text_is_gos() -> None:
    # Go reads the value back through JSON before it writes, which rounds big integers: those are left out.
    # It writes a key `<<` bare, so that it would be read as a merge: we quote it.
    left_out = ("922337203685477580", "'<<': {")
    cases = [case for case in CASES if "yaml" in case and not any(text in case["text"] for text in left_out)]
    assert len(cases) > 900
    wrong = [
        (case["text"], case["yaml"], ours)
        for case in cases
        if (ours := yaml.dump(json.loads(case["json"]))) != case["yaml"]
    ]
    assert wrong == []


TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert yaml.load(yaml.dump(value)) == value


@given(st.text("ab01-:#'\"[]{}|>&*!%@` \n,.?~yn\\\t_<", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        list(yaml.load_all(text))
    except DecodeError:
        pass


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        yaml.load(data)
    except DecodeError:
        pass


def test_several_documents() -> None:
    text = "---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n"
    assert list(yaml.load_all(text)) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert yaml.load(text) == {"a": 1}


def test_documents_before_an_error_are_given() -> None:
    documents = yaml.load_all("a: 1\n---\nb: [\n")
    assert next(documents) == {"a": 1}
    with pytest.raises(DecodeError, match="yaml: line"):
        next(documents)


def test_anchors_end_with_their_document() -> None:
    with pytest.raises(DecodeError, match="unknown anchor 'x' referenced"):
        list(yaml.load_all("a: &x 1\n---\nb: *x\n"))


def test_an_alias_is_a_copy() -> None:
    value = yaml.load("a: &x {b: [1]}\nc: *x\n")
    value["a"]["b"].append(2)
    assert value["c"] == {"b": [1]}


def test_a_small_text_does_not_unfold_into_a_huge_value() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(DecodeError, match="excessive aliasing"):
        yaml.load("\n".join(lines))


def test_depth_is_bounded() -> None:
    with pytest.raises(DecodeError, match="max depth"):
        yaml.load("[" * 500 + "]" * 500)
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    with pytest.raises(EncodeError, match="max depth"):
        yaml.dump(deep)


def test_strict_names_the_line_and_the_key() -> None:
    with pytest.raises(DecodeError, match='line 3: key "a" already set in map'):
        yaml.load("a: 1\nb: 2\na: 3\n", strict=True)


def test_dump_all() -> None:
    assert yaml.dump_all([{"a": 1}, {"b": [1]}]) == "a: 1\n---\nb:\n- 1\n"


def test_what_yaml_cannot_say() -> None:
    with pytest.raises(EncodeError, match="type object"):
        yaml.dump({"a": object()})
