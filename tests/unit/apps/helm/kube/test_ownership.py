"""Marks of ownership, and what is said of objects that belong to somebody else."""

from __future__ import annotations

from sampan.api import kinds
from sampan.apps.helm.kube import ownership
from sampan.apps.helm.kube.objects import Target


def target(meta: dict[str, object]) -> Target:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", **meta}}
    return Target(kinds.of("v1", "ConfigMap"), "default", "x", obj)


def test_a_marked_object_is_the_releases_own() -> None:
    one = target({"labels": {"a": "b"}, "annotations": None})
    ownership.mark(one, "web", "default")
    assert one.obj["metadata"]["labels"] == {"a": "b", "app.kubernetes.io/managed-by": "Helm"}
    assert ownership.complaints(one.obj, "web", "default") == []


def test_foreign_objects() -> None:
    one = target({"labels": {"app.kubernetes.io/managed-by": "somebody"}})
    found = ownership.complaints(one.obj, "web", "default")
    assert ownership.refusal(one, found) == (
        'ConfigMap "x" in namespace "default" exists and cannot be imported into the current release: '
        'invalid ownership metadata; label validation error: key "app.kubernetes.io/managed-by" must equal "Helm": '
        'current value is "somebody"; annotation validation error: missing key "meta.helm.sh/release-name": must be '
        'set to "web"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to '
        '"default"'
    )


def test_another_release() -> None:
    one = target({})
    ownership.mark(one, "other", "default")
    assert ownership.complaints(one.obj, "web", "default") == [
        'annotation validation error: key "meta.helm.sh/release-name" must equal "web": current value is "other"'
    ]


def test_the_policy_to_keep() -> None:
    assert ownership.is_kept(target({"annotations": {"helm.sh/resource-policy": " Keep "}}).obj)
    assert not ownership.is_kept(target({"annotations": {"helm.sh/resource-policy": "delete"}}).obj)
    assert not ownership.is_kept(target({}).obj)
