"""Request bodies that record_upstream.py sends to see how a real kube-apiserver decodes them."""

from __future__ import annotations

import copy
import json
from typing import Any

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SECRETS = "/api/v1/namespaces/default/secrets"

_BASE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    },
}


def _with(path: str, value: Any) -> str:
    """The plain Deployment with one value at a path of dots; a number is an index."""
    body = copy.deepcopy(_BASE)
    holder: Any = body
    *way, last = path.split(".")
    for step in way:
        holder = holder[int(step) if step.isdigit() else step]
    holder[last] = value
    return json.dumps(body)


_POD = "spec.template.spec"
_CONTAINER = "spec.template.spec.containers.0"
_DOUBLE = (
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","name":"y"},"spec":{"replicas":1,"replicas":2,'
    '"selector":{"matchLabels":{"a":"b"}},"zz":1,"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":'
    '[{"name":"c","name":"c","image":"i"}],"foo":1}}}}'
)

BODIES: dict[str, tuple[str, ...]] = {
    DEPLOYMENTS: (
        _with("spec.replicas", "3"),
        _with("spec.replicas", 1.5),
        _with("spec.replicas", 2.0),
        _with("spec.replicas", 3_000_000_000),
        _with("spec.replicas", True),
        _with("spec.replicas", None),
        _with("spec.Replicas", 5),
        _with("spec.paused", "x"),
        _with("spec.paused", 1),
        _with("spec", "x"),
        _with("spec", []),
        _with("spec.foo", 1),
        _with("foo", 1),
        _with("metadata.labels", {"a": 1}),
        _with("metadata.labels", {"a": None}),
        _with("metadata.labels", []),
        _with("metadata.name", 5),
        _with("metadata.foo", 1),
        _with("metadata.creationTimestamp", 5),
        _with("metadata.creationTimestamp", "abc"),
        _with("metadata.creationTimestamp", "2001-02-03 04:05:06"),
        _with("metadata.creationTimestamp", "2001-02-03T04:05:06"),
        _with("metadata.creationTimestamp", "2001-02-03T04:05:06Zx"),
        _with("metadata.managedFields", [{"fieldsV1": "x"}]),
        _with("metadata.ownerReferences", "x"),
        _with("spec.strategy", {"rollingUpdate": {"maxSurge": []}}),
        _with(f"{_POD}.containers", {}),
        _with(f"{_POD}.containers", "x"),
        _with(f"{_POD}.containers", [5]),
        _with(f"{_POD}.terminationGracePeriodSeconds", "5"),
        _with(f"{_POD}.hostUsers", 3),
        _with(f"{_POD}.volumes", [{"name": "v", "emptyDir": "x"}]),
        _with(f"{_POD}.volumes", [{"name": "v", "emptyDir": {"sizeLimit": []}}]),
        _with(f"{_POD}.volumes", [{"name": "v", "foo": 1, "emptyDir": {"bar": 2}}]),
        _with(f"{_POD}.volumes", [{"name": "v", "projected": {"sources": [{"configMap": {"name": 5}}]}}]),
        _with(f"{_CONTAINER}.foo", 1),
        _with(f"{_CONTAINER}.image", 5),
        _with(f"{_CONTAINER}.command", "x"),
        _with(f"{_CONTAINER}.command", [1]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "value": 1}]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "value": True}]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "valueFrom": {"secretKeyRef": {"name": 1}}}]),
        _with(f"{_CONTAINER}.ports", [{"containerPort": "80"}]),
        _with(f"{_CONTAINER}.ports", [{"containerPort": 80, "hostPort": 99_999_999_999}]),
        _with(f"{_CONTAINER}.livenessProbe", {"httpGet": {"port": {}}}),
        _with(f"{_CONTAINER}.livenessProbe", {"httpGet": {"port": True}}),
        _with(f"{_CONTAINER}.resources", {"limits": "x"}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": {}}}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": "abc"}}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": 1}}),
        _DOUBLE,
    ),
    SECRETS: tuple(
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields})
        for fields in (
            {"data": {"a": "***"}},
            {"data": {"a": "aGk"}},
            {"data": {"a": "aGk="}},
            {"data": {"a": 1}},
            {"stringData": {"a": 1}},
            {"immutable": "yes"},
        )
    ),
}

# Schemas of one field of a custom resource: what a CRD with it is answered.
SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "string"},
    {},
    {"type": "array"},
    {"type": "array", "items": {}},
    {"type": "string", "$ref": "#/x"},
    {"type": "string", "$schema": "http://json-schema.org/schema#"},
    {"type": "string", "id": "x"},
    {"type": "object", "patternProperties": {"a": {"type": "string"}}},
    {"type": "object", "definitions": {"a": {"type": "string"}}},
    {"type": "object", "dependencies": {"a": ["b"]}},
    {"type": "array", "items": {"type": "string"}, "additionalItems": True},
    {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    {"type": "object", "additionalProperties": False},
    {"type": "object", "additionalProperties": True},
    {"type": "object", "additionalProperties": {}},
    {"type": "object", "anyOf": [{"type": "object", "description": "x"}]},
    {"type": "object", "allOf": [{"title": "x", "nullable": True, "default": {}}]},
    {
        "type": "object",
        "not": {"x-kubernetes-preserve-unknown-fields": True, "additionalProperties": {"type": "string"}},
    },
    {"type": "object", "oneOf": [{"required": ["a"], "properties": {"a": {"minLength": 1}}}]},
    {"type": "object", "allOf": [{"items": {"minLength": 1}}]},
    {
        "type": "object",
        "properties": {"metadata": {"type": "object"}},
        "allOf": [{"properties": {"metadata": {}}}],
    },
    {"x-kubernetes-int-or-string": True},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "string"}, {"type": "integer"}]},
    {
        "x-kubernetes-int-or-string": True,
        "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^a"}],
    },
    {"x-kubernetes-int-or-string": True, "type": "string"},
    {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
    {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-preserve-unknown-fields": True},
    {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
    {"type": "object", "x-kubernetes-embedded-resource": True},
    {"type": "string", "x-kubernetes-embedded-resource": True},
    {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"kind": {"type": "integer"}}},
    {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-map-keys": ["a"]},
    {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "bag"},
    {"type": "string", "x-kubernetes-list-type": "set"},
    {"x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-list-type": "set"},
    {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"},
    {
        "type": "array",
        "items": {"type": "array", "items": {"type": "string"}},
        "x-kubernetes-list-type": "set",
    },
    {"type": "array", "items": {"type": "string", "nullable": True}, "x-kubernetes-list-type": "set"},
    {
        "type": "array",
        "items": {"type": "string"},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
    },
    {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
    {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"type": "string"}}},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
    },
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["a", "b"],
            "properties": {
                "a": {"type": "array", "items": {"type": "string"}},
                "b": {"type": "string", "nullable": True},
            },
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a", "b"],
    },
    {
        "type": "array",
        "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a", "a", "c"],
    },
    {"type": "string", "x-kubernetes-map-type": "atomic"},
    {"type": "object", "x-kubernetes-map-type": "loose"},
    {"type": "object", "x-kubernetes-map-type": "granular"},
    {"type": "text"},
    {"type": "string", "pattern": "("},
    {"type": "string", "format": "nonsense"},
    {"type": "string", "default": 5},
    {"type": "string", "default": "x", "enum": ["y"]},
    {"type": "integer", "minimum": 5, "maximum": 3},
    {"type": "object", "required": ["zz"]},
    {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {}}}}},
    },
)
ROOTS: tuple[dict[str, Any], ...] = (
    {},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"metadata": {"type": "object"}}},
    {"type": "object", "properties": {"metadata": {"type": "string"}}},
    {
        "type": "object",
        "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    {
        "type": "object",
        "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}},
    },
    {"type": "object", "properties": {"metadata": {"type": "object", "description": "x"}}},
    {"type": "object", "properties": {"kind": {"type": "integer"}, "apiVersion": {"type": "object"}}},
    {"type": "object", "nullable": True},
    {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
)


def definition(schema: dict[str, Any]) -> str:
    """A CRD with that schema."""
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": [version],
            },
        }
    )
