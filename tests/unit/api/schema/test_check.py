"""Decoding problems, against what a real kube-apiserver answered (recorded)."""

from __future__ import annotations

import json as stdlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api import schema
from sampan.api.codec import json
from sampan.api.schema import check

GOLDEN = Path(__file__).parents[3] / "golden"
CASES: list[dict[str, Any]] = stdlib.loads((GOLDEN / "decoding-1.37.json").read_text())


def of(api_version: str, kind: str) -> schema.Schema:
    found = schema.for_kind(api_version, kind)
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_errors_and_warnings_are_upstreams(case: dict[str, Any]) -> None:
    value, duplicates = json.loads_strict(case["body"])
    kind = value["kind"]
    problems = check.check(of(value["apiVersion"], kind), value)
    messages = check.strict_messages(value, duplicates, problems.unknown)
    error = problems.error or (check.strict_error(messages) if messages else "")
    shown = f'{kind} in version "v1" cannot be handled as a {kind}: {error}' if error else ""
    assert shown == case["error"]
    if not problems.error:
        assert messages == case["warnings"]


def test_what_a_real_server_stored_has_no_problems() -> None:
    for path in sorted((GOLDEN / "defaulted").glob("*.json")):
        for found in (stdlib.loads(path.read_text())[key] for key in ("request", "created")):
            known = schema.for_kind(found["apiVersion"], found["kind"])
            if known is not None:
                assert check.check(known, found) == check.NONE, path.name


def test_a_whole_object_of_the_wrong_type() -> None:
    assert (
        check.check(of("v1", "Pod"), []).error == "json: cannot unmarshal array into Go value of type v1.Pod"
    )


def test_paths_lead_through_maps_and_lists() -> None:
    value = {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"properties": {"a": {"zz": 1}}}}}]}}
    problems = check.check(of("apiextensions.k8s.io/v1", "CustomResourceDefinition"), value)
    assert problems.unknown == ("spec.versions[0].schema.openAPIV3Schema.properties.a.zz",)


def test_raw_objects_are_not_looked_into() -> None:
    assert (
        check.check(of("apps/v1", "ControllerRevision"), {"data": {"any": [1, {"thing": True}]}})
        == check.NONE
    )


def test_messages_of_paths_that_the_value_does_not_have_come_last() -> None:
    messages = check.strict_messages({"a": 1, "b": 2}, ["b"], ["gone", "a"])
    assert messages == ['unknown field "a"', 'duplicate field "b"', 'unknown field "gone"']


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "containers",
                    "name",
                    "ports",
                    "env",
                    "labels",
                    "volumes",
                    "emptyDir",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(ANY)
def test_any_value_is_judged(value: Any) -> None:
    problems = check.check(of("v1", "Pod"), value)
    assert isinstance(problems.error, str)
