"""The RESOURCES of status."""

from __future__ import annotations

from typing import Any

import orjson

from sampan.api import kinds
from sampan.api.status import not_found
from sampan.apps.helm.kube import tables
from sampan.apps.helm.kube.objects import Target
from unit.apps.helm.fakes import FakeCluster, run

COLUMNS = [{"name": "Name"}, {"name": "Data"}, {"name": "Wide", "priority": 1}]


class Tables(FakeCluster):
    """Answers with a table of the objects below the path."""

    def __init__(self, answers: dict[str, list[list[Any]]]) -> None:
        super().__init__()
        self.answers = answers

    async def raw(self, method: str, path: str, **options: Any) -> bytes:
        assert "as=Table" in options["headers"]["Accept"]
        if path not in self.answers:
            raise not_found("", "x", path)
        rows = [{"cells": cells} for cells in self.answers[path]]
        return orjson.dumps({"kind": "Table", "columnDefinitions": COLUMNS, "rows": rows})


def target(api_version: str, kind: str, name: str, **spec: Any) -> Target:
    return Target(kinds.of(api_version, kind), "default", name, {"metadata": {"name": name}, "spec": spec})


def test_kinds_under_headings_with_the_pods_of_workloads() -> None:
    api = Tables(
        {
            "/api/v1/namespaces/default/configmaps/a": [["a", 1, "w"]],
            "/api/v1/namespaces/default/configmaps/longer": [["longer", None, "w"]],
            "/apis/apps/v1/namespaces/default/deployments/d": [["d", 2, "w"]],
            "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb": [["d-1", 0, "w"]],
        }
    )
    targets = [
        target("v1", "ConfigMap", "a"),
        target("v1", "ConfigMap", "longer"),
        target("v1", "ConfigMap", "gone"),
        target("apps/v1", "Deployment", "d", selector={"matchLabels": {"app": "web"}}),
    ]
    shown = run(tables.of_release(api, targets))  # type: ignore[arg-type]
    assert tables.text(shown) == (
        "==> v1/ConfigMap\nNAME     DATA\na        1\nlonger   <none>\n\n"
        "==> v1/Deployment\nNAME   DATA\nd      2\n\n"
        "==> v1/Pod(related)\nNAME   DATA\nd-1    0\n\n"
    )


def test_the_same_as_objects() -> None:
    api = FakeCluster()
    one = target("apps/v1", "Deployment", "d", selector={"matchLabels": {"app": "web"}})
    api.put(one.resource, {"metadata": {"name": "d", "namespace": "default"}})
    meta = {"name": "p", "namespace": "default", "labels": {"app": "web"}}
    api.put(kinds.of("v1", "Pod"), {"metadata": meta})
    found = run(tables.objects_of(api, [one, one, target("v1", "ConfigMap", "gone")]))  # type: ignore[arg-type]
    assert {title: len(objects) for title, objects in found.items()} == {
        "v1/Deployment": 2,
        "v1/Pod(related)": 1,
    }
