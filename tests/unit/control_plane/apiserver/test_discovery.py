from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.control_plane.apiserver.discovery import version_rank
from unit.control_plane.apiserver.running import Running, serve

GOLDEN = json.loads((Path(__file__).parents[3] / "golden" / "discovery-1.37.json").read_text())
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList"


def shape(groups: list[dict[str, Any]]) -> list[Any]:
    """What counts: groups and versions in order, resources by name."""
    return [
        (
            group["metadata"].get("name", ""),
            [
                (
                    version["version"],
                    sorted(
                        (normal(resource) for resource in version["resources"]), key=lambda r: r["resource"]
                    ),
                )
                for version in group["versions"]
            ],
        )
        for group in groups
    ]


def normal(resource: dict[str, Any]) -> dict[str, Any]:
    found = {**resource, "verbs": sorted(resource["verbs"])}
    if "subresources" in found:
        subs = [{**sub, "verbs": sorted(sub["verbs"])} for sub in found["subresources"]]
        found["subresources"] = sorted(subs, key=lambda sub: sub["subresource"])
    return found


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_aggregated_discovery_is_that_of_kube_apiserver(version: str) -> None:
    async def check(server: Running) -> None:
        for root in ("api", "apis"):
            answer = await server.ask("GET", f"/{root}", accept=AGGREGATED % version)
            assert answer.headers["content-type"] == (
                f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            )
            assert answer.json["apiVersion"] == f"apidiscovery.k8s.io/{version}"
            assert shape(answer.json["items"]) == shape(GOLDEN[root])
            again = await server.ask(
                "GET", f"/{root}", accept=AGGREGATED % version, if_none_match=answer.headers["etag"]
            )
            assert again.status == 304

    serve(check)


def test_plain_discovery_says_the_same() -> None:
    async def check(server: Running) -> None:
        assert (await server.ok("GET", "/api"))["versions"] == ["v1"]
        groups = (await server.ok("GET", "/apis"))["groups"]
        assert [group["name"] for group in groups] == [group["metadata"]["name"] for group in GOLDEN["apis"]]
        scaling = next(group for group in groups if group["name"] == "autoscaling")
        assert scaling["preferredVersion"]["version"] == "v2"
        assert (await server.ok("GET", "/apis/autoscaling"))["versions"] == scaling["versions"]
        listed = await server.ok("GET", "/api/v1")
        assert listed["groupVersion"] == "v1"
        eviction = next(item for item in listed["resources"] if item["name"] == "pods/eviction")
        assert (eviction["kind"], eviction["group"], eviction["version"]) == ("Eviction", "policy", "v1")
        pods = next(item for item in listed["resources"] if item["name"] == "pods")
        assert pods["shortNames"] == ["po"]
        for missing in ("/apis/nope", "/apis/apps/v9", "/api/v2"):
            assert (await server.ask("GET", missing)).status == 404

    serve(check)


def test_versions_are_ordered_as_kubernetes_orders_them() -> None:
    names = ["v1alpha1", "v2beta1", "other", "v1", "v10", "v1beta2", "v2", "v1beta1"]
    assert sorted(names, key=version_rank) == [
        "v10",
        "v2",
        "v1",
        "v2beta1",
        "v1beta2",
        "v1beta1",
        "v1alpha1",
        "other",
    ]
