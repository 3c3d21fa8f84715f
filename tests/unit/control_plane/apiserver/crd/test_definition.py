from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.control_plane.apiserver.crd import definition, status
from sampan.control_plane.apiserver.crd.custom import list_kind, served_versions
from sampan.control_plane.apiserver.crd.registry import Registry
from unit.control_plane.apiserver.fakes import FakeView

NOW = 1_800_000_000.0
A = "spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.a"


def crd(**changes: Any) -> dict[str, Any]:
    """A good CRD with values put in by dotted path; None takes a value away."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    made: dict[str, Any] = {
        "metadata": {"name": "foos.t.example.com"},
        "spec": {
            "group": "t.example.com",
            "scope": "Namespaced",
            "names": {"plural": "foos", "singular": "foo", "kind": "Foo"},
            "versions": [version],
        },
    }
    for path, value in changes.items():
        put(made, path, value)
    definition.defaulted(made)
    definition.prepare_create(made)
    return made


def put(obj: Any, path: str, value: Any) -> None:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        obj = obj[part]
    if value is None:
        del obj[last]
    else:
        obj[last] = value


def wrong(**changes: Any) -> list[str]:
    return [f"{cause.field}: {cause.message}" for cause in definition.violations(crd(**changes))]


def test_a_good_one_is_good() -> None:
    assert wrong() == []
    made = crd()
    assert made["spec"]["names"]["listKind"] == "FooList"
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert made["status"] == {"storedVersions": ["v1"]}


SIMPLE_PATH = "must be a simple json path starting with ."
IMMUTABLE = "field is immutable"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "metadata.name",
            "x.t.example.com",
            'metadata.name: Invalid value: "x.t.example.com": must be spec.names.plural+"."+spec.group',
        ),
        (
            "spec.group",
            "nodots",
            'spec.group: Invalid value: "nodots": should be a domain with at least one dot',
        ),
        ("spec.group", None, "spec.group: Required value"),
        ("spec.scope", "X", 'spec.scope: Unsupported value: "X": supported values: "Cluster", "Namespaced"'),
        ("spec.scope", None, "spec.scope: Required value"),
        ("spec.names.plural", None, "spec.names.plural: Required value"),
        ("spec.names.kind", None, "spec.names.kind: Required value"),
        (
            "spec.names.listKind",
            "Foo",
            'spec.names.listKind: Invalid value: "Foo": kind and listKind may not be the same',
        ),
        ("spec.versions.0.schema", None, "spec.versions[0].schema.openAPIV3Schema: Required value"),
        (
            "spec.conversion",
            {"strategy": "X"},
            'spec.conversion.strategy: Unsupported value: "X": supported values: "None", "Webhook"',
        ),
        (
            "spec.conversion",
            {"strategy": "Webhook"},
            "spec.conversion.strategy: Forbidden: conversion by webhook is not supported by this server yet",
        ),
        (
            "spec.versions.0.subresources",
            {"scale": {}},
            "spec.subresources.scale.specReplicasPath: Required value",
        ),
        (
            "spec.versions.0.subresources",
            {"scale": {"specReplicasPath": ".spec.r", "statusReplicasPath": "status"}},
            f'spec.subresources.scale.statusReplicasPath: Invalid value: "status": {SIMPLE_PATH}',
        ),
        (
            "spec.versions.0.additionalPrinterColumns",
            [{"name": "A", "type": "string"}],
            "spec.additionalPrinterColumns[0].JSONPath: Required value",
        ),
        (
            "spec.versions.0.additionalPrinterColumns",
            [{"name": "A", "type": "x", "jsonPath": ".spec"}],
            'spec.additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
        ),
        (
            "spec.versions.0.selectableFields",
            [{"jsonPath": ".spec.zz"}],
            'spec.selectableFields[0].jsonPath: Invalid value: ".spec.zz": is an invalid path: does not refer to a valid field',
        ),
        (
            A,
            {"type": "string", "default": 1},
            'spec.validation.openAPIV3Schema.properties[spec].properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"',
        ),
        (
            A,
            {"type": "object", "default": {"b": 1}},
            'spec.validation.openAPIV3Schema.properties[spec].properties[a].default: Invalid value: {"b":1}: must not have unknown fields',
        ),
        (
            A,
            {},
            "spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Required value: must not be empty for specified object fields",
        ),
        (
            A,
            {"type": "strin"},
            'spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Unsupported value: "strin"',
        ),
        (
            "spec.versions.0.deprecationWarning",
            "x",
            'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions',
        ),
        (
            "spec.preserveUnknownFields",
            True,
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set",
        ),
    ],
)
def test_each_mistake_is_named(path: str, value: Any, said: str) -> None:
    assert any(text.startswith(said) for text in wrong(**{path: value})), wrong(**{path: value})


def test_versions_are_told_apart_when_their_schemas_differ() -> None:
    made = crd()
    second = copy.deepcopy(made["spec"]["versions"][0])
    second |= {"name": "v2", "storage": False}
    made["spec"]["versions"].append(second)
    assert definition.violations(made) == []
    put(second, "schema.openAPIV3Schema.properties.spec.properties.a", {})
    (cause,) = definition.violations(made)
    assert cause.field == "spec.versions[1].schema.openAPIV3Schema.properties[spec].properties[a].type"
    second |= {"name": "v1", "storage": True}
    messages = [cause.message for cause in definition.violations(made)]
    assert any("must contain unique version names" in message for message in messages)
    assert any("exactly one version marked as storage" in message for message in messages)


@pytest.mark.parametrize(
    ("value", "good"), [(None, False), ("bad", False), ("unapproved", True), ("https://x/1", True)]
)
def test_groups_of_the_project_need_approval(value: str | None, good: bool) -> None:
    made = crd(**{"spec.group": "x.k8s.io", "metadata.name": "foos.x.k8s.io"})
    made["metadata"]["annotations"] = {definition.APPROVED: value} if value else {}
    assert (definition.violations(made) == []) is good


def test_rules_are_taken_with_a_warning() -> None:
    rules = {"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}]}
    assert wrong(**{A: rules}) == []
    (text,) = definition.warnings(crd(**{A: rules}))
    assert text.startswith("x-kubernetes-validations of v1 are stored but not enforced")
    assert definition.warnings(crd()) == []


def established(**changes: Any) -> dict[str, Any]:
    made = crd(**changes)
    made["status"] = status.next_status(made, [], NOW)
    return made


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.scope", "Cluster", "spec.scope: field is immutable"),
        ("spec.names.kind", "Fool", "spec.names.kind: field is immutable"),
        ("spec.names.plural", "fooz", "spec.names.plural: field is immutable"),
        (
            "spec.versions.0.name",
            "v2",
            "status.storedVersions[0]: missing from spec.versions; v1 was previously",
        ),
    ],
)
def test_what_is_served_stays(path: str, value: Any, said: str) -> None:
    old = established()
    new = copy.deepcopy(old)
    put(new, path, value)
    definition.prepare_update(new, old)
    texts = [f"{c.field}: {c.message.split(': ', 2)[-1]}" for c in definition.violations(new, old)]
    assert any(text.startswith(said) for text in texts), texts


def test_a_new_storage_version_joins_the_stored_ones() -> None:
    old = established()
    new = copy.deepcopy(old)
    second = copy.deepcopy(new["spec"]["versions"][0]) | {"name": "v2"}
    new["spec"]["versions"][0]["storage"] = False
    new["spec"]["versions"].append(second)
    new["status"] = {}
    definition.prepare_update(new, old)
    assert new["status"]["storedVersions"] == ["v1", "v2"]
    assert new["status"]["conditions"] == old["status"]["conditions"]
    assert definition.violations(new, old) == []


def conditions(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in found["conditions"]}


def test_names_that_are_free_are_accepted() -> None:
    found = status.next_status(crd(), [], NOW)
    assert conditions(found) == {
        "NamesAccepted": ("True", "NoConflicts", "no conflicts found"),
        "Established": ("True", "InitialNamesAccepted", "the initial names have been accepted"),
    }
    assert found["acceptedNames"] == {
        "plural": "foos",
        "singular": "foo",
        "kind": "Foo",
        "listKind": "FooList",
    }
    assert found["conditions"][0]["lastTransitionTime"] == "2027-01-15T08:00:00Z"


def test_a_second_look_changes_nothing() -> None:
    made = established()
    assert status.next_status(made, [made], NOW + 100) == made["status"]


def test_names_that_are_taken_are_refused() -> None:
    second = crd(**{"metadata.name": "bars.t.example.com", "spec.names.plural": "bars"})
    second["spec"]["names"] |= {
        "singular": "bar",
        "kind": "Foo",
        "listKind": "FooList",
        "shortNames": ["foo", "f"],
    }
    found = status.next_status(second, [established()], NOW)
    said = conditions(found)
    assert said["NamesAccepted"] == ("False", "ListKindConflict", '"FooList" is already in use')
    assert said["Established"] == ("False", "NotAccepted", "not all names are accepted")
    assert found["acceptedNames"] == {"plural": "bars", "singular": "bar", "kind": ""}
    assert served_versions({**second, "status": found}) == []
    other_group = crd(**{"spec.group": "u.example.com", "metadata.name": "foos.u.example.com"})
    assert conditions(status.next_status(other_group, [established()], NOW))["NamesAccepted"][0] == "True"


def test_a_name_that_becomes_free_is_taken() -> None:
    second = crd(**{"metadata.name": "bars.t.example.com", "spec.names.plural": "bars"})
    second["status"] = status.next_status(second, [established()], NOW)
    second["status"] = status.next_status(second, [], NOW + 60)
    assert conditions(second["status"])["Established"][0] == "True"
    assert {c["lastTransitionTime"] for c in second["status"]["conditions"]} == {"2027-01-15T08:01:00Z"}


def test_the_end_of_a_definition() -> None:
    made = established()
    assert status.with_finalizer([]) == status.with_finalizer([status.FINALIZER]) == [status.FINALIZER]
    made["status"] = status.terminating(made, *status.PENDING, NOW)
    made["status"] = status.terminating(made, *status.IN_PROGRESS, NOW + 5)
    assert conditions(made["status"])["Terminating"][:2] == ("True", "InstanceDeletionInProgress")
    assert served_versions(made)[0].terminating
    made["status"] = status.terminating(made, *status.COMPLETED, NOW + 9, done=True)
    assert conditions(made["status"])["Terminating"][:2] == ("False", "InstanceDeletionCompleted")


def test_what_is_served() -> None:
    made = established()
    made["spec"]["versions"][0]["subresources"] = {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.n",
            "statusReplicasPath": ".status.n",
            "labelSelectorPath": ".status.s",
        },
    }
    made["spec"]["versions"].append(
        {**made["spec"]["versions"][0], "name": "v0", "served": False, "storage": False}
    )
    (version,) = served_versions(made)
    resource = version.resource
    assert (resource.api_version, resource.kind, resource.plural, resource.namespaced) == (
        "t.example.com/v1",
        "Foo",
        "foos",
        True,
    )
    assert [(s.name, s.kind, s.group) for s in resource.subresources] == [
        ("status", "Foo", ""),
        ("scale", "Scale", "autoscaling"),
    ]
    assert version.has_status
    assert version.scale == (("spec", "n"), ("status", "n"), ("status", "s"))
    assert list_kind(made) == "FooList"
    assert version.stored.version == "v1"


def test_a_deprecated_version_warns() -> None:
    made = established()
    made["spec"]["versions"][0]["deprecated"] = True
    assert served_versions(made)[0].warning == "t.example.com/v1 Foo is deprecated"
    made["spec"]["versions"][0]["deprecationWarning"] = "use v2"
    assert served_versions(made)[0].warning == "use v2"


def test_selectable_fields_are_read_as_text() -> None:
    made = established()
    listed = [".spec.a", ".spec.n", ".spec.b"]
    made["spec"]["versions"][0]["selectableFields"] = [{"jsonPath": path} for path in listed]
    readers = served_versions(made)[0].selectable_fields
    obj = {"spec": {"n": 3, "b": True}}
    assert {path: read(obj) for path, read in readers.items()} == {
        "spec.a": "",
        "spec.n": "3",
        "spec.b": "true",
    }


def test_the_registry_follows_the_definitions() -> None:
    view = FakeView()
    registry = Registry(view)
    assert not registry.refresh() or not list(registry.all())
    view.put(definition.GROUP, definition.PLURAL, established())
    assert registry.refresh()
    first = registry.find("t.example.com", "v1", "foos")
    assert first is not None
    assert not registry.refresh()
    again = established()
    again["metadata"]["labels"] = {"a": "b"}
    view.put(definition.GROUP, definition.PLURAL, again)
    assert not registry.refresh()
    assert registry.find("t.example.com", "v1", "foos") is first
    put(again, A, {"type": "integer"})
    view.put(definition.GROUP, definition.PLURAL, copy.deepcopy(again))
    assert registry.refresh()
    assert registry.find("t.example.com", "v1", "foos") is not first
    view.remove(definition.GROUP, definition.PLURAL, "", "foos.t.example.com")
    assert registry.refresh()
    assert registry.find("t.example.com", "v1", "foos") is None
