from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sampan.api.schema import structural
from sampan.api.status import ApiError, Cause
from sampan.control_plane.apiserver.crd import list_type, schema_walk, validation
from sampan.control_plane.apiserver.crd.custom import Version

GOLDEN = orjson.loads(Path(__file__).parents[4].joinpath("golden", "crd-validation-1.37.json").read_bytes())


def crd(schema: dict[str, Any], **version: Any) -> dict[str, Any]:
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    return {
        "metadata": {"name": "things.t.example.com", "uid": "u"},
        "spec": {"group": "t.example.com", "names": names, "scope": "Namespaced", "versions": [served]},
        "status": {"acceptedNames": names, "conditions": [{"type": "Established", "status": "True"}]},
    }


def version(schema: dict[str, Any], **rest: Any) -> Version:
    made = crd(schema, **rest)
    return Version(made, made["spec"]["versions"][0])


THING = version(GOLDEN["schema"])


def told(causes: list[Cause]) -> list[tuple[str, str, str]]:
    return sorted((cause.field, cause.message, cause.reason) for cause in causes)


def canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: orjson.dumps(case["spec"]).decode()[:60])
def test_answers_are_those_of_kube_apiserver(case: dict[str, Any]) -> None:
    """Recorded from kube-apiserver 1.37.2: what it stores, or every cause that it gives."""
    obj = {"apiVersion": "t.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": case["spec"]}
    obj = copy.deepcopy(obj)
    THING.prune(obj)
    THING.default(obj)
    causes = THING.validate(obj)
    if case["code"] == 201:
        assert causes == []
        assert canonical(obj["spec"]) == canonical(case["result"])
    else:
        expected = [(c.get("field", ""), c["message"], c["reason"]) for c in case["causes"]]
        assert told(causes) == sorted(expected)


def test_what_is_unknown_is_named_and_dropped() -> None:
    obj: dict[str, Any] = {
        "spec": {"unknown": 1, "obj": {"z": 1}, "arrd": [{"q": 1}], "free": {"any": {"thing": 1}}}
    }
    obj |= {"metadata": {"name": "a", "labels": {"x": "y"}}, "other": []}
    assert THING.prune(obj) == ["other", "spec.arrd[0].q", "spec.obj.z", "spec.unknown"]
    assert obj["spec"] == {"obj": {}, "arrd": [{}], "free": {"any": {"thing": 1}}}
    assert obj["metadata"] == {"name": "a", "labels": {"x": "y"}}


def test_an_embedded_object_must_say_what_it_is() -> None:
    with pytest.raises(ApiError) as raised:
        THING.prune({"spec": {"emb": {"apiVersion": 1}}})
    assert raised.value.code == 400
    assert raised.value.message == (
        'Thing in version "v1" cannot be handled as a Thing: spec.emb.apiVersion: Invalid value: 1: must be a string'
    )


def test_an_update_is_not_blamed_for_what_was_there() -> None:
    old = {"spec": {"min": 0, "req": {}, "arr": [1]}}
    assert THING.validate({"spec": {"min": 0, "req": {}, "str": "new"}}, old) == []
    assert [c.field for c in THING.validate({"spec": {"min": -1, "req": {}}}, old)] == ["spec.min"]
    assert {c.field for c in THING.validate({"spec": {"req": {"x": "1"}}}, old)} == {"spec.req.y"}
    assert [c.field for c in THING.validate({"spec": {"arr": [1]}}, old)] == ["spec.arr[0]"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, None),
        (3, None),
        (-1, "Invalid value: -1: should be a non-negative integer"),
        (2**31, "Invalid value: 2147483648: should be less than or equal to 2147483647"),
        ("x", "Invalid value: 0: .spec.n accessor error: x is of the type string, expected int64"),
    ],
)
def test_what_is_scaled_is_a_number_of_replicas(value: Any, said: str | None) -> None:
    scale = {"scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    found = version(free, subresources=scale).validate({"spec": {"n": value}})
    assert told(found) == ([(".spec.n", said, "FieldValueInvalid")] if said else [])


def test_defaults_are_copies() -> None:
    first: dict[str, Any] = {"spec": {}}
    second: dict[str, Any] = {"spec": {}}
    THING.default(first)
    first["spec"]["dflt"]["a"] = 99
    THING.default(second)
    assert second["spec"]["dflt"] == {"a": 7}


# Any JSON, mostly of the schema's own fields, so that every keyword meets every kind of value.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
)
FIELDS = st.sampled_from(
    [*GOLDEN["schema"]["properties"]["spec"]["properties"], "a", "k", "x", "unknown", "apiVersion"]
)
JSON = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(FIELDS, below, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, JSON, max_size=6))
def test_whatever_comes_is_judged(spec: dict[str, Any]) -> None:
    """No value breaks the walkers; pruning and defaulting a second time change nothing; text round-trips."""
    obj = {"apiVersion": "t.example.com/v1", "kind": "Thing", "metadata": {}, "spec": spec}
    try:
        THING.prune(obj)
    except ApiError as error:
        assert error.code == 400
        return
    THING.default(obj)
    again = copy.deepcopy(obj)
    assert THING.prune(again) == []
    THING.default(again)
    assert again == obj
    causes = THING.validate(obj)
    assert causes == THING.validate(copy.deepcopy(obj))
    assert all(cause.message and cause.reason for cause in causes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([1, "1", True, None, {"a": 1}, [1]]), max_size=6))
def test_sets_hold_nothing_twice(items: list[Any]) -> None:
    schema = structural.from_crd({"type": "array", "items": {}, "x-kubernetes-list-type": "set"}, root=False)
    kinds = [orjson.dumps(item) for item in items]
    expected = [index for index, kind in enumerate(kinds) if kinds[:index].count(kind) == 1]
    found = [cause.field for cause in list_type.violations(items, schema, "l")]
    assert found == [f"l[{index}]" for index in expected]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, "integer"),
        (True, "boolean"),
        (2**63, "number"),
        (1.0, "number"),
        (None, "null"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_types(value: Any, kind: str) -> None:
    assert validation.type_name(value) == kind


def test_whole_floats_become_integers() -> None:
    assert schema_walk.normalize({"a": [1.0, 1.5, {"b": 2e3}], "c": 1e300}) == {
        "a": [1, 1.5, {"b": 2000}],
        "c": 1e300,
    }
    assert isinstance(schema_walk.normalize([1.0])[0], int)
