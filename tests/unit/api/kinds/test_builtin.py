"""The table of built-in kinds against the discovery of a real kube-apiserver 1.37."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.schema import builtin

GOLDEN = Path(__file__).parents[3] / "golden"


def upstream() -> list[dict[str, Any]]:
    found = json.loads((GOLDEN / "discovery-1.37.json").read_text())
    return [*found["api"], *found["apis"]]


def told(resource: kinds.Resource) -> dict[str, Any]:
    """Our resource as aggregated discovery shows it."""
    shown: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        shown["shortNames"] = list(resource.short_names)
    if resource.categories:
        shown["categories"] = list(resource.categories)
    if resource.subresources:
        shown["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for sub in resource.subresources
        ]
    return shown


def test_every_resource_equals_upstreams_discovery() -> None:
    for group in upstream():
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            ours = [
                told(one)
                for one in kinds.BUILT_IN
                if one.group_version == kinds.GroupVersion(name, version["version"])
            ]
            assert ours == version["resources"]


def test_groups_and_versions_come_in_upstreams_order() -> None:
    theirs = [
        (group["metadata"].get("name", ""), version["version"])
        for group in upstream()
        for version in group["versions"]
    ]
    assert list(kinds.group_versions()) == theirs


def test_every_kind_has_a_schema() -> None:
    assert [one for one in kinds.BUILT_IN if builtin.for_kind(one.api_version, one.kind) is None] == []


def test_inert_resources_exist() -> None:
    known = {(one.group, one.plural) for one in kinds.BUILT_IN}
    assert kinds.INERT - known == set()


def test_priorities_are_of_served_versions() -> None:
    # upstream's aggregator has no APIService for its own group
    missing = set(kinds.group_versions()) - set(kinds.PRIORITIES)
    assert missing == {kinds.GroupVersion("apiregistration.k8s.io", "v1")}
    assert set(kinds.PRIORITIES) <= set(kinds.group_versions())


def test_look_up() -> None:
    assert kinds.of("apps/v1", "Deployment").plural == "deployments"
    assert kinds.by_plural("", "v1", "pods") == kinds.of("v1", "Pod")
    assert kinds.by_plural("", "v1", "nothings") is None
    with pytest.raises(KeyError, match="no built-in kind 'Nothing' in version 'v1'"):
        kinds.of("v1", "Nothing")


def test_stored_versions() -> None:
    assert kinds.storage_version("autoscaling", "horizontalpodautoscalers") == ("autoscaling", "v2")
    assert kinds.storage_version("events.k8s.io", "events") == ("", "v1")
    assert kinds.storage_version("apps", "deployments") == ("apps", "v1")
    with pytest.raises(KeyError, match="nothings"):
        kinds.storage_version("apps", "nothings")


def test_preferred_version() -> None:
    assert kinds.preferred_version("autoscaling") == "v2"
    with pytest.raises(KeyError, match=r"nothing\.example"):
        kinds.preferred_version("nothing.example")
