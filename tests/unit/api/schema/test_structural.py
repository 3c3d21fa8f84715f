"""Schemas of custom resources and what is not structural in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import schema
from sampan.api.schema import structural

NODE: dict[str, Any] = {
    "type": "object",
    "description": "a widget",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "format": "int32", "default": 3, "minimum": 1},
                "port": {"x-kubernetes-int-or-string": True},
                "parts": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}},
                        "required": ["name"],
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "labels": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "x-kubernetes-map-type": "atomic",
                },
                "any": {"type": "object", "additionalProperties": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "maybe": {"type": "string", "nullable": True, "enum": ["a", "b"]},
                "pod": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
        }
    },
}


def test_a_schema_carries_everything() -> None:
    made = structural.from_crd(NODE)
    assert (made.type, made.description, made.required) == ("object", "a widget", ("spec",))
    assert made.properties["metadata"] is schema.definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    assert made.properties["kind"].type == "string"
    spec = made.properties["spec"].properties
    assert (spec["size"].type, spec["size"].format, spec["size"].default) == ("integer", "int32", 3)
    assert spec["size"].raw["minimum"] == 1
    assert spec["port"].int_or_string
    assert spec["port"].default is schema.UNSET
    assert (spec["parts"].list_type, spec["parts"].list_map_keys) == ("map", ("name",))
    assert spec["parts"].items is not None
    assert spec["parts"].items.required == ("name",)
    assert spec["labels"].additional is not None
    assert (spec["labels"].additional.type, spec["labels"].map_type) == ("string", "atomic")
    assert spec["any"].additional is not None
    assert spec["any"].additional.preserve_unknown
    assert spec["free"].preserve_unknown
    assert (spec["maybe"].nullable, spec["maybe"].enum) == (True, ("a", "b"))
    assert spec["pod"].embedded_resource
    assert "metadata" in spec["pod"].properties
    assert "metadata" not in made.properties["spec"].properties


def test_a_structural_schema_has_no_violations() -> None:
    assert structural.violations(NODE) == []


GOLDEN = Path(__file__).parents[3] / "golden" / "structural-1.37.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())


def judged_elsewhere(schema: dict[str, Any]) -> bool:
    """Is a default a valid value? That is asked of a validator of values."""
    return "default" in schema.get("properties", {}).get("f", {}) and "x-kubernetes-list-type" not in str(
        schema
    )


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_violations_are_upstreams(case: dict[str, Any]) -> None:
    ours = {tuple(cause) for cause in structural.violations(case["schema"])}
    theirs = {(cause["reason"], cause["message"], cause["field"]) for cause in case["causes"]}
    if "$schema" in str(case["schema"]) or judged_elsewhere(case["schema"]):
        assert ours == set()
        assert theirs
    elif "pattern" in case["schema"].get("properties", {}).get("f", {}):
        # the same finding; what is wrong with the expression is said in Python's words
        assert [(reason, where) for reason, _, where in ours] == [
            (reason, where) for reason, _, where in theirs
        ]
    else:
        assert ours == theirs


def test_expressions_of_gos_own_syntax_are_not_judged() -> None:
    node = {"type": "object", "properties": {"f": {"type": "string", "pattern": "^\\pL+\\z"}}}
    assert structural.violations(node) == []
