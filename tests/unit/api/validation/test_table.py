"""What a real kube-apiserver 1.37 answered to bad objects, cause by cause."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from sampan.api import defaults, kinds, strategy, validation
from sampan.api.kinds.model import GroupVersion

GOLDEN = Path(__file__).parents[3] / "golden" / "validation-1.37.json"
CASES = {case["case"]: case for case in json.loads(GOLDEN.read_text())["cases"]}

# The values that messages show: upstream prints its internal Go types, or a Go diff, where we print the object's JSON.
SHOWN = re.compile(
    r"(Invalid value|Unsupported value|Duplicate value): (\{.*\}|\[.*\]|null|\"[^\"]*\")(?=: |$)", re.S
)
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def comparable(cause: Any) -> tuple[str, str, str]:
    reason, field, message = cause
    message = UID.sub("UID", message.partition("\n")[0])
    match = SHOWN.match(message)
    if match is not None and match[2][:1] in "{[n":
        message = f"{match[1]}: ...{message[match.end() :]}"
    return reason, field, message


def verdict(case: dict[str, Any]) -> set[tuple[str, str, str]]:
    obj, old = copy.deepcopy(case["object"]), copy.deepcopy(case.get("old"))
    group, version = GroupVersion.parse(obj["apiVersion"])
    defaults.apply(group, version, obj["kind"], obj)
    metadata = obj["metadata"]
    if kinds.of(obj["apiVersion"], obj["kind"]).namespaced:
        metadata.setdefault("namespace", "default")
    if old is None:
        metadata.setdefault("uid", "00000000-0000-0000-0000-000000000001")
        metadata.setdefault("creationTimestamp", "2001-02-03T04:05:06Z")
        strategy.prepare_create(group, obj["kind"], obj)
    else:
        strategy.prepare_update(group, obj["kind"], obj, old, "")
    causes = validation.validate(group, version, obj["kind"], obj, old)
    return {comparable((cause.reason, cause.field, cause.message)) for cause in causes}


# Upstream shows no value, or only the scheme, where ours shows what was given.
SHOWS_MORE = {"vwc", "update sc"}


@pytest.mark.parametrize("name", sorted(CASES.keys() - SHOWS_MORE))
def test_the_causes_are_upstreams(name: str) -> None:
    case = CASES[name]
    assert verdict(case) == {comparable(cause) for cause in case["causes"]}


@pytest.mark.parametrize("name", sorted(SHOWS_MORE))
def test_fields_and_reasons_are_upstreams(name: str) -> None:
    case = CASES[name]
    assert {cause[:2] for cause in verdict(case)} == {tuple(cause[:2]) for cause in case["causes"]}


def test_good_and_bad_objects_were_recorded() -> None:
    assert sum(not case["causes"] for case in CASES.values()) > 8
    assert sum(bool(case["causes"]) for case in CASES.values()) > 90


def test_a_custom_resource_is_asked_for_its_metadata() -> None:
    obj = {"metadata": {"name": "Bad", "finalizers": ["plain"]}, "spec": {"anything": True}}
    causes = validation.validate("example.com", "v1", "Widget", obj)
    assert [cause.field for cause in causes] == ["metadata.name"]


def test_a_status_write_is_not_asked_for_the_spec() -> None:
    old = {"metadata": {"name": "x", "namespace": "d", "uid": "1"}, "spec": {"replicas": -1}}
    assert validation.validate("apps", "v1", "Deployment", copy.deepcopy(old), old, "status") == []


def test_big_data_is_refused() -> None:
    obj = {"metadata": {"name": "x", "namespace": "d"}, "data": {"a": "x" * (1024 * 1024 + 1)}}
    causes = validation.validate("", "v1", "ConfigMap", obj)
    assert [cause.message for cause in causes] == ["Too long: may not be more than 1048576 bytes"]


def test_an_object_that_is_being_deleted_gets_no_new_finalizers() -> None:
    old = {"metadata": {"name": "x", "namespace": "d", "deletionTimestamp": "2001-02-03T04:05:06Z"}}
    new = {"metadata": {**old["metadata"], "finalizers": ["a.b/c"]}}
    causes = validation.validate("", "v1", "ConfigMap", new, old)
    assert [cause.reason for cause in causes] == ["FieldValueForbidden"]
    assert 'found new finalizers []string{"a.b/c"}' in causes[0].message


def test_what_is_stored_is_not_asked_again_when_only_the_metadata_changes() -> None:
    spec = {"replicas": -1, "selector": None}  # stored by an older version, say
    old = {"metadata": {"name": "x", "namespace": "d", "uid": "1"}, "spec": spec}
    new = {"metadata": {**old["metadata"], "labels": {"a": "b"}}, "spec": dict(spec)}
    assert validation.validate("apps", "v1", "Deployment", new, old) == []
    new["metadata"]["labels"] = {"a": "not good"}
    assert [c.field for c in validation.validate("apps", "v1", "Deployment", new, old)] == ["metadata.labels"]
    new["spec"]["replicas"] = -2
    assert len(validation.validate("apps", "v1", "Deployment", new, old)) > 1


@pytest.mark.parametrize(
    ("group", "kind", "refused"),
    [("apiextensions.k8s.io", "CustomResourceDefinition", False), ("apps", "Deployment", True)],
)
def test_only_kinds_of_the_main_server_know_their_finalizers(group: str, kind: str, refused: bool) -> None:
    metadata = {"name": "x.y", "uid": "1", "finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}
    obj = {"metadata": metadata}
    causes = validation.validate(group, "v1", kind, copy.deepcopy(obj), obj)
    assert ["metadata.finalizers[0]" in cause.field for cause in causes] == [True] * refused
