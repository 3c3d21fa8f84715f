"""Fields that client-side apply owned become owned by apply."""

from __future__ import annotations

from typing import Any

from sampan.apps.helm.kube import migrate


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def test_updates_become_apply() -> None:
    mine = entry("helm", "Update", {"f:data": {"f:a": {}}})
    other = entry("kubectl", "Update", {"f:data": {"f:b": {}}})
    assert migrate.moved([mine, other], "helm") == [{**mine, "operation": "Apply"}, other]


def test_updates_join_what_is_applied_already() -> None:
    applied = entry("helm", "Apply", {"f:data": {"f:a": {}, "f:b": {".": {}}}})
    mine = entry("helm", "Update", {"f:data": {"f:b": {"f:c": {}}}, "f:metadata": {}})
    found = migrate.moved([mine, applied], "helm")
    assert found == [
        {**applied, "fieldsV1": {"f:data": {"f:a": {}, "f:b": {".": {}, "f:c": {}}}, "f:metadata": {}}}
    ]


def test_another_version_and_subresources_are_not_joined() -> None:
    applied = entry("helm", "Apply", {"f:a": {}})
    old = {**entry("helm", "Update", {"f:b": {}}), "apiVersion": "v1beta1"}
    status = entry("helm", "Update", {"f:status": {}}, subresource="status")
    assert migrate.moved([applied, old, status], "helm") == [applied, status]


def test_nothing_to_move_makes_no_patch() -> None:
    applied = entry("helm", "Apply", {})
    meta = {"resourceVersion": "7", "managedFields": [applied]}
    assert migrate.patch({"metadata": meta}, "helm") == []
    assert migrate.patch({"metadata": {"resourceVersion": "7"}}, "helm") == []


def test_the_patch_holds_the_version_that_was_read() -> None:
    meta = {"resourceVersion": "7", "managedFields": [entry("helm", "Update", {"f:a": {}})]}
    body = migrate.patch({"metadata": meta}, "helm")
    assert [one["path"] for one in body] == ["/metadata/managedFields", "/metadata/resourceVersion"]
    assert body[1]["value"] == "7"
