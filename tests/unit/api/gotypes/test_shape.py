"""The shape that Go's types give an object: what vanishes, what appears, what is rewritten."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.api.gotypes import shape
from sampan.api.gotypes.table import ALWAYS, OMITTED, POINTERS, STRUCTS
from sampan.api.schema import builtin
from sampan.api.schema.model import Schema


def schema(api_version: str, kind: str) -> Schema:
    found = builtin.for_kind(api_version, kind)
    assert found is not None
    return found


def normalized(api_version: str, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    obj = {"apiVersion": api_version, "kind": kind, **copy.deepcopy(fields)}
    shape.normalize(obj, schema(api_version, kind))
    del obj["apiVersion"], obj["kind"]
    return obj


CONTAINER = {"name": "a", "resources": {}}
POD = {"metadata": {}, "spec": {"containers": [CONTAINER]}, "status": {}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"spec": {"containers": [{"name": "a"}]}}, POD),
        ({"metadata": {"labels": {}, "finalizers": []}, **{k: POD[k] for k in ("spec",)}}, POD),
        ({"spec": {"containers": [CONTAINER], "hostNetwork": False, "priority": None, "nodeName": ""}}, POD),
        # pointers keep their zeros: false was said, not left out
        (
            {"spec": {"containers": [CONTAINER], "hostUsers": False, "priority": 0}},
            {**POD, "spec": {"containers": [CONTAINER], "hostUsers": False, "priority": 0}},
        ),
        # an empty struct behind a pointer stays
        (
            {"spec": {"containers": [CONTAINER], "securityContext": {}}},
            {**POD, "spec": {"containers": [CONTAINER], "securityContext": {}}},
        ),
        # required texts come, empty
        (
            {"spec": {"containers": [{"image": "i"}]}},
            {**POD, "spec": {"containers": [{"image": "i", "name": "", "resources": {}}]}},
        ),
        # a required list is null where it is empty
        ({"spec": {"containers": []}}, {**POD, "spec": {"containers": None}}),
        (
            {"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1000m", "memory": 1}}}]}},
            {
                **POD,
                "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1", "memory": "1"}}}]},
            },
        ),
    ],
)
def test_pods(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert normalized("v1", "Pod", given) == expected


def test_times_of_templates_are_no_longer_written() -> None:
    found = normalized(
        "apps/v1", "Deployment", {"spec": {"template": {"metadata": {"creationTimestamp": None}}}}
    )
    assert found["spec"]["template"]["metadata"] == {}
    assert found["spec"]["strategy"] == {}
    assert found["spec"]["selector"] is None


def test_a_second_time_changes_nothing() -> None:
    once = normalized("v1", "Pod", {"spec": {"containers": [{"ports": [{"containerPort": 1}], "args": []}]}})
    assert normalized("v1", "Pod", once) == once


def test_texts_that_are_no_quantities_stay_for_validation() -> None:
    found = normalized("v1", "LimitRange", {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "much"}}]}})
    assert found["spec"]["limits"][0]["max"] == {"cpu": "much"}


def test_values_of_a_wrong_type_stay_for_the_decoder() -> None:
    assert normalized("v1", "ConfigMap", {"data": ["a"]})["data"] == ["a"]
    assert normalized("v1", "Pod", {"spec": {"containers": ["a"]}})["spec"]["containers"] == ["a"]


def test_zero_values() -> None:
    definition = builtin.definition("io.k8s.api.core.v1.ContainerPort")
    assert shape.zeros(definition) == {"containerPort": 0}
    assert shape.zeros(Schema("object")) == {}


@pytest.mark.parametrize(
    "table", [ALWAYS, OMITTED, POINTERS, STRUCTS], ids=["always", "omitted", "pointers", "structs"]
)
def test_the_tables_name_real_types_and_fields(table: dict[str, tuple[str, ...]]) -> None:
    fields: dict[str, set[str]] = {}
    for name in builtin.names():
        fields.setdefault(name.rpartition(".")[2], set()).update(builtin.definition(name).properties)
    unknown = {
        (kind, field) for kind, named in table.items() for field in named if field not in fields.get(kind, ())
    }
    assert unknown == set()
