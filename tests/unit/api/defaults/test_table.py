"""Objects as a real kube-apiserver 1.37 defaulted them: request in, stored object out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import defaults, strategy
from sampan.api.kinds.model import GroupVersion
from sampan.api.schema import builtin

GOLDEN = Path(__file__).parents[3] / "golden" / "defaulted"
CASES = {path.stem: json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}

# What the server fills in from elsewhere: the request's user, the allocators, the clock.
BY_OTHERS = {
    "CertificateSigningRequest": {".spec.groups", ".spec.uid", ".spec.username"},
    "Service": {
        ".spec.clusterIP",
        ".spec.clusterIPs",
        ".spec.ipFamilies",
        ".spec.ipFamilyPolicy",
        ".spec.healthCheckNodePort",
        ".spec.ports[0].nodePort",
        ".spec.ports[1].nodePort",
    },
    "Pod": {".status.conditions[0].lastTransitionTime"},
    "PersistentVolume": {".status.lastPhaseTransitionTime"},
    "Namespace": set(),
}
SYSTEM = ("uid", "creationTimestamp", "resourceVersion", "managedFields", "namespace")


def differences(found: Any, wanted: Any, path: str = "") -> list[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [
            line
            for key in sorted(found.keys() | wanted.keys())
            if not (path == ".metadata" and key in SYSTEM)
            for line in (
                differences(found[key], wanted[key], f"{path}.{key}")
                if key in found and key in wanted
                else [f"{path}.{key}"]
            )
        ]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        return [
            line
            for place, pair in enumerate(zip(found, wanted, strict=True))
            for line in differences(*pair, f"{path}[{place}]")
        ]
    return [] if found == wanted and type(found) is type(wanted) else [path]


def is_builtin(case: dict[str, Any]) -> bool:
    return builtin.for_kind(case["request"]["apiVersion"], case["request"]["kind"]) is not None


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if is_builtin(case)])
def test_a_create_gives_the_object_that_upstream_stores(name: str) -> None:
    case = CASES[name]
    found, wanted = json.loads(json.dumps(case["request"])), case["created"]
    group, version = GroupVersion.parse(found["apiVersion"])
    defaults.apply(group, version, found["kind"], found)
    for field in ("name", "uid", "creationTimestamp"):
        found["metadata"][field] = wanted["metadata"][field]
    strategy.prepare_create(group, found["kind"], found)
    expected = BY_OTHERS.get(found["kind"], set())
    assert [line for line in differences(found, wanted) if line not in expected] == []


def test_the_recordings_are_there() -> None:
    assert len(CASES) > 90


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if is_builtin(case)])
def test_defaulting_twice_changes_nothing(name: str) -> None:
    once = json.loads(json.dumps(CASES[name]["request"]))
    group, version = GroupVersion.parse(once["apiVersion"])
    defaults.apply(group, version, once["kind"], once)
    twice = json.loads(json.dumps(once))
    defaults.apply(group, version, once["kind"], twice)
    assert twice == once


def test_kinds_that_are_not_built_in_stay_as_they_are() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"labels": {}}, "spec": None}
    before = json.loads(json.dumps(obj))
    defaults.apply("example.com", "v1", "Widget", obj)
    assert obj == before
