"""Writing objects: by the server, by the client's patches, retried, refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import apply
from sampan.apps.helm.kube.apply import How, Incomplete
from sampan.apps.helm.kube.objects import Target
from unit.apps.helm.fakes import FakeCluster, run, written

GADGET = Resource("example.com", "v1", "Gadget", "gadgets", "gadget", True)
CONFIG_MAP = kinds.of("v1", "ConfigMap")


def target(name: str = "x", resource: Resource = CONFIG_MAP, **more: Any) -> Target:
    obj = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": "default"},
        **more,
    }
    return Target(resource, "default", name, obj)


def update(api: FakeCluster, before: list[Target], after: list[Target], how: How) -> apply.Changed:
    return run(apply.update(api, before, after, how))  # type: ignore[arg-type]


def put(api: FakeCluster, one: Target, **more: Any) -> None:
    api.put(one.resource, {**one.obj, **more})


CLIENT_SIDE = How(server_side=False)


def test_custom_resources_get_a_merge_patch_of_both_manifests() -> None:
    """The live object is not looked at: what a user changed there stays unless the manifest changes it too."""
    api = FakeCluster()
    old = target("g", GADGET, spec={"a": 1, "b": 1})
    put(api, old, spec={"a": 9, "b": 1, "mine": 1})
    update(api, [old], [target("g", GADGET, spec={"a": 1, "c": 1})], CLIENT_SIDE)
    patch = next(how for how in api.how if how["verb"] == "patch")
    assert patch["body"] == {"spec": {"b": None, "c": 1}}
    assert patch["content_type"] == "application/merge-patch+json"


def test_with_three_way_the_live_one_counts() -> None:
    api = FakeCluster()
    old = target("g", GADGET, spec={"a": 1})
    put(api, old, spec={"a": 9})
    update(api, [old], [old], CLIENT_SIDE._replace(three_way=True))
    assert next(how["body"] for how in api.how if how["verb"] == "patch") == {"spec": {"a": 1}}


def test_nothing_to_change_sends_nothing() -> None:
    api = FakeCluster()
    one = target(data={"a": "b"})
    put(api, one)
    update(api, [one], [one], CLIENT_SIDE)
    assert written(api) == []


def test_a_refused_patch_names_the_object() -> None:
    api = FakeCluster()
    put(api, target(data={"a": "b"}))
    api.refuse("patch", "x")
    with pytest.raises(Incomplete, match='cannot patch "x" with kind ConfigMap: x is forbidden'):
        update(api, [target()], [target(data={"a": "c"})], CLIENT_SIDE)


def test_an_object_that_is_not_in_the_original_starts_from_the_live_one() -> None:
    api = FakeCluster()
    put(api, target(data={"a": "b", "gone": "x"}))
    update(api, [], [target(data={"a": "b"})], CLIENT_SIDE)
    assert next(how["body"] for how in api.how if how["verb"] == "patch")["data"] == {"gone": None}


def test_updates_go_on_after_a_failure_but_not_after_a_failed_creation() -> None:
    api = FakeCluster()
    for name in ("a", "b"):
        put(api, target(name))
    api.refuse("apply", "a")
    with pytest.raises(Incomplete) as caught:
        update(api, [], [target("a"), target("b")], How())
    assert [one.name for one in caught.value.changed.updated] == ["a", "b"]
    api.refuse("apply", "new")
    with pytest.raises(Incomplete, match="failed to create resource: server-side apply failed") as caught:
        update(api, [], [target("new"), target("b")], How())
    assert [one.name for one in caught.value.changed.created] == ["new"]
    assert caught.value.changed.updated == ()


def test_what_cannot_be_deleted_is_named() -> None:
    api = FakeCluster()
    put(api, target("old"))
    api.refuse("delete", "old")
    with pytest.raises(Incomplete) as caught:
        update(api, [target("old")], [], How())
    assert str(caught.value) == (
        "failed to delete resource namespace=default, name=old, kind=ConfigMap: old is forbidden"
    )


def test_a_live_annotation_keeps_what_the_manifest_drops() -> None:
    api = FakeCluster()
    one = target("old")
    api.put(
        one.resource,
        {**one.obj, "metadata": {**one.obj["metadata"], "annotations": {"helm.sh/resource-policy": "keep"}}},
    )
    assert update(api, [one], [], How()).deleted == ()


def test_conflicts_of_a_quota_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeCluster()
    left = [ApiError(409, "Conflict", "modified", kind="resourcequotas")] * 2
    plain = api.apply

    async def busy(*args: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return await plain(*args, **options)

    async def at_once(_: float) -> None:
        pass

    monkeypatch.setattr(api, "apply", busy)
    monkeypatch.setattr(asyncio, "sleep", at_once)
    run(apply.create(api, [target()], How()))  # type: ignore[arg-type]
    assert written(api) == [("apply", "x")]


def test_a_server_without_apply() -> None:
    api = FakeCluster()
    api.refuse("apply", "x", ApiError(415, "UnsupportedMediaType", "no"))
    with pytest.raises(HelmError, match="server-side apply not available on the server: no"):
        run(apply.create(api, [target()], How()))  # type: ignore[arg-type]


def test_replacing_names_the_version_that_is_there() -> None:
    api = FakeCluster()
    put(api, target())
    update(api, [target()], [target(data={"a": "b"})], How(server_side=False, replace=True))
    assert api.objects["configmaps", "default", "x"]["data"] == {"a": "b"}
    api.refuse("replace", "x")
    with pytest.raises(Incomplete, match="failed to replace object: x is forbidden"):
        update(api, [target()], [target()], How(server_side=False, replace=True))


def test_objects_that_cannot_be_looked_at() -> None:
    api = FakeCluster()
    api.refuse("get", "x")
    with pytest.raises(HelmError) as caught:
        run(apply.find_existing(api, [target()], "web", "default", take=False))  # type: ignore[arg-type]
    assert str(caught.value) == (
        'could not get information about the resource ConfigMap "x" in namespace "default": x is forbidden'
    )


def test_deletion_goes_on_and_tells_what_failed() -> None:
    api = FakeCluster()
    for name in ("a", "b", "c"):
        put(api, target(name))
    api.refuse("delete", "b")
    found = run(apply.delete(api, [target(n) for n in ("a", "b", "c", "gone")], "orphan"))  # type: ignore[arg-type]
    assert found == ["b is forbidden"]
    assert sorted(api.objects) == [("configmaps", "default", "b")]
    assert api.how[0]["propagation"] == "Orphan"
