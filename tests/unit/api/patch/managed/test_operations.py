"""Who owns what after updates and applies."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from made_schemas import ROOT
from sampan.api.patch import managed
from sampan.api.patch.managed import entries, fieldset, types
from sampan.api.patch.managed.applying import LAST_APPLIED
from sampan.api.schema import builtin
from sampan.api.status import ApiError

V = "example.com/v1"


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}Z"


def obj(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": V, "kind": "Thing", "metadata": {"name": "x", **metadata}, "spec": spec}


def update(
    live: Any, new: Any, manager: str, *, second: int = 0, subresource: str = "", schema: Any = ROOT
) -> Any:
    return managed.update(
        live, new, manager=manager, schema=schema, api_version=V, subresource=subresource, now=at(second)
    )


def apply(
    live: Any, config: Any, manager: str, *, force: bool = False, second: int = 0, schema: Any = ROOT
) -> Any:
    return managed.apply(
        live,
        config,
        manager=manager,
        force=force,
        schema=schema,
        api_version=V,
        subresource="",
        now=at(second),
    )


def owners(found: dict[str, Any]) -> dict[str, list[str]]:
    """manager/operation: the paths below spec"""
    return {
        f"{entry['manager']}/{entry['operation']}": [
            fieldset.shown_path(path).removeprefix(".spec") for path in fieldset.members(entry["fieldsV1"])
        ]
        for entry in found["metadata"].get("managedFields") or ()
    }


def with_spec(found: dict[str, Any], **fields: Any) -> dict[str, Any]:
    new = copy.deepcopy(found)
    new["spec"].update(fields)
    return new


def test_who_changes_a_field_takes_it() -> None:
    first = update(None, obj({"replicas": 1, "text": "a"}), "one")
    second = update(first, with_spec(first, replicas=2), "two", second=5)
    assert owners(second) == {"one/Update": ["", ".text"], "two/Update": [".replicas"]}
    assert [entry["time"] for entry in second["metadata"]["managedFields"]] == [at(0), at(5)]


def test_a_removed_field_belongs_to_nobody() -> None:
    first = update(None, obj({"replicas": 1, "text": "a"}), "one")
    new = copy.deepcopy(first)
    del new["spec"]["text"]
    assert owners(update(first, new, "two")) == {"one/Update": ["", ".replicas"]}


def test_nothing_changed_nothing_noted() -> None:
    first = update(None, obj({"replicas": 1}), "one")
    again = update(first, copy.deepcopy(first), "two", second=9)
    assert again == first


def test_a_client_that_drops_managed_fields_loses_nothing_and_one_that_empties_them_resets() -> None:
    first = update(None, obj({"replicas": 1}), "one")
    new = with_spec(first, replicas=2)
    del new["metadata"]["managedFields"]
    assert owners(update(first, new, "two")) == {"one/Update": [""], "two/Update": [".replicas"]}
    new["metadata"]["managedFields"] = []
    assert "managedFields" not in update(first, new, "two")["metadata"]


def test_a_client_may_rewrite_the_entries() -> None:
    first = update(None, obj({"replicas": 1}), "one")
    new = copy.deepcopy(first)
    new["metadata"]["managedFields"][0].update(manager="renamed", operation="Apply")
    assert list(owners(update(first, new, "two"))) == ["renamed/Apply"]
    new["metadata"]["managedFields"][0]["fieldsV1"] = {"nonsense": {}}
    assert list(owners(update(first, new, "two"))) == ["one/Update"]


def test_an_object_that_was_never_tracked_stays_so_until_an_apply() -> None:
    bare = obj({"replicas": 1})
    assert "managedFields" not in update(bare, with_spec(bare, replicas=2), "one")["metadata"]
    found = apply(bare, obj({"text": "a"}), "two")
    assert owners(found) == {"two/Apply": [".text"], "before-first-apply/Update": ["", ".replicas"]}


def test_at_most_ten_updaters_are_kept() -> None:
    found = update(None, obj({"free": {}}), "m00")
    for number in range(1, 15):
        found = update(
            found,
            with_spec(found, free={**found["spec"]["free"], f"f{number}": 1}),
            f"m{number:02d}",
            second=number,
        )
    names = [entry["manager"] for entry in found["metadata"]["managedFields"]]
    assert len(names) == entries.MAX_UPDATERS
    assert names[0] == "ancient-changes"
    joined = owners(found)["ancient-changes/Update"]
    assert {".free.f1", ".free.f5"} <= set(joined)


def test_an_apply_owns_what_it_names_and_gives_back_what_it_no_longer_names() -> None:
    first = apply(None, obj({"replicas": 1, "nested": {"inner": {"a": "1", "b": "2"}}}), "one")
    second = apply(first, obj({"nested": {"inner": {"a": "1"}}}), "one", second=3)
    assert second["spec"] == {"nested": {"inner": {"a": "1"}}}
    assert owners(second) == {"one/Apply": [".nested.inner.a"]}


def test_what_another_owns_too_stays() -> None:
    first = apply(None, obj({"replicas": 1, "text": "a"}), "one")
    both = apply(first, obj({"replicas": 1}), "two")
    left = apply(both, obj({"text": "a"}), "one")
    assert left["spec"] == {"replicas": 1, "text": "a"}
    assert owners(left) == {"one/Apply": [".text"], "two/Apply": [".replicas"]}


def test_conflicts_name_manager_and_field() -> None:
    first = update(None, obj({"replicas": 1, "text": "a"}), "kubectl-create")
    with pytest.raises(ApiError) as caught:
        apply(first, obj({"replicas": 2}), "helm")
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")
    assert (
        caught.value.message
        == f'Apply failed with 1 conflict: conflict with "kubectl-create" using {V}: .spec.replicas'
    )
    assert [(cause.reason, cause.field) for cause in caught.value.causes] == [
        ("FieldManagerConflict", ".spec.replicas")
    ]
    with pytest.raises(ApiError, match="Apply failed with 2 conflicts: conflicts with"):
        apply(first, obj({"replicas": 2, "text": "b"}), "helm")


def test_force_takes_and_equal_values_are_shared() -> None:
    first = update(None, obj({"replicas": 1, "text": "a"}), "create")
    forced = apply(first, obj({"replicas": 2, "text": "a"}), "helm", force=True)
    assert owners(forced) == {"helm/Apply": [".replicas", ".text"], "create/Update": ["", ".text"]}


def test_an_apply_that_changes_nothing_gives_the_same_object() -> None:
    first = apply(None, obj({"replicas": 1}), "one")
    assert apply(first, obj({"replicas": 1}), "one", second=30) == first


def test_kubectl_takes_over_from_client_side_apply() -> None:
    config = '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"replicas":1,"text":"a"}}'
    live = obj({"replicas": 1, "text": "a"}, labels={}, annotations={LAST_APPLIED: config})
    schema = copy.copy(ROOT)
    meta = copy.copy(ROOT.properties["metadata"])
    meta.properties = {**meta.properties, "annotations": ROOT.properties["metadata"].properties["labels"]}
    schema.properties = {**ROOT.properties, "metadata": meta}
    first = update(None, live, "kubectl-client-side-apply", schema=schema)
    found = apply(first, obj({"replicas": 2}), "kubectl", schema=schema)
    assert found["spec"]["replicas"] == 2
    annotation = found["metadata"]["annotations"][LAST_APPLIED]
    assert (
        annotation
        == '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"replicas":2}}\n'
    )
    with pytest.raises(ApiError, match="Apply failed with 1 conflict"):
        apply(first, obj({"replicas": 2}), "helm", schema=schema)


def test_without_a_schema_maps_are_granular_and_lists_atomic() -> None:
    first = apply(None, obj({"a": {"b": 1}, "list": [{"x": 1}]}), "one", schema=None)
    assert owners(first) == {"one/Apply": ["", ".a", ".list", ".a.b"]}
    second = apply(first, obj({"a": {"c": 2}}), "two", schema=None)
    assert second["spec"] == {"a": {"b": 1, "c": 2}, "list": [{"x": 1}]}


def test_an_emptied_container_goes_unless_the_configuration_names_it() -> None:
    first = apply(None, obj({"nested": {"inner": {"a": "1"}}, "replicas": 1}), "one")
    assert apply(first, obj({"replicas": 1}), "one")["spec"] == {"replicas": 1}
    assert apply(first, obj({"nested": {"inner": {}}, "replicas": 1}), "one")["spec"]["nested"] == {
        "inner": {}
    }


@pytest.mark.parametrize(
    ("config", "code", "says"),
    [
        ({**obj({}), "apiVersion": "example.com/v2"}, 400, "Incorrect version specified in apply patch"),
        (obj({}, managedFields=[]), 400, "metadata.managedFields must be nil"),
        (
            obj({"nope": 1}),
            500,
            "failed to create typed patch object (/x; example.com/v1, Kind=Thing): .spec.nope",
        ),
    ],
)
def test_configurations_that_cannot_be_applied(config: Any, code: int, says: str) -> None:
    with pytest.raises(ApiError) as caught:
        apply(None, config, "one")
    assert caught.value.code == code
    assert caught.value.message.startswith(says)


def test_status_is_owned_only_through_its_own_path() -> None:
    first = apply(None, {**obj({"replicas": 1}), "status": {}}, "one", schema=None)
    assert owners(first) == {"one/Apply": ["", ".replicas"]}


def test_fields_that_go_always_has_are_owned_by_nobody() -> None:
    schema = builtin.for_kind("v1", "Service")
    created = {"metadata": {"name": "s"}, "spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}}
    found = update(None, created, "kubectl", schema=schema)
    assert found["metadata"]["managedFields"][0]["fieldsV1"] == {"f:spec": {"f:type": {}}}
    assert types.of(schema).zeros == {"metadata": {}, "spec": {}, "status": {}}
