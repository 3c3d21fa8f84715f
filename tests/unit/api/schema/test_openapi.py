"""OpenAPI v3 documents: complete, consistent, and readable for kubectl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.schema import openapi

GOLDEN = Path(__file__).parents[3] / "golden"
WIDGETS = kinds.Resource("example.com", "v1", "Widget", "widgets", "widget", True)
WIDGET = {
    "type": "object",
    "description": "a widget",
    "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
}


def resources(group_version: kinds.GroupVersion) -> list[kinds.Resource]:
    return [one for one in kinds.BUILT_IN if one.group_version == group_version]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("group_version", kinds.group_versions(), ids=lambda found: found.api_version)
def test_every_reference_leads_somewhere(group_version: kinds.GroupVersion) -> None:
    document = openapi.document(group_version, resources(group_version))
    schemas = document["components"]["schemas"]
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}
    ids = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    # a proxied path has the same operation twice: with and without what lies behind
    assert len(ids) - len(set(ids)) == sum(path.endswith("/proxy/{path}") for path in document["paths"]) * 5


def test_the_index_names_upstreams_group_versions() -> None:
    theirs = set(json.loads((GOLDEN / "openapi-paths-1.37.json").read_text()))
    ours = openapi.index(dict.fromkeys(kinds.group_versions(), "X"))["paths"]
    # upstream also documents every group by itself, and what is no group at all
    assert {path for path in theirs if path.count("/") == 2 or path == "api/v1"} - {"openid/v1/jwks"} == set(
        ours
    )
    assert ours["apis/apps/v1"] == {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=X"}


def test_a_deployment() -> None:
    apps = kinds.GroupVersion("apps", "v1")
    document = openapi.document(apps, resources(apps))
    deployment = document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]
    assert deployment["x-kubernetes-group-version-kind"] == [
        {"group": "apps", "kind": "Deployment", "version": "v1"}
    ]
    spec = document["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]
    assert spec["properties"]["strategy"]["x-kubernetes-patch-strategy"] == "retainKeys"
    assert spec["properties"]["strategy"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}
    ]
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "apps",
        "kind": "Deployment",
        "version": "v1",
    }
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} == {
        one["name"] for one in patch["parameters"]
    }
    scale = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"]
    assert scale["x-kubernetes-group-version-kind"] == {
        "group": "autoscaling",
        "kind": "Scale",
        "version": "v1",
    }
    assert "post" not in document["paths"]["/apis/apps/v1/deployments"]


def test_options_name_the_core_group_and_their_own() -> None:
    apps = kinds.GroupVersion("apps", "v1")
    options = openapi.document(apps, resources(apps))["components"]["schemas"][
        "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    ]
    assert [one["group"] for one in options["x-kubernetes-group-version-kind"]] == ["", "apps"]


def test_special_types_are_as_upstream_writes_them() -> None:
    made = openapi.definitions(["io.k8s.api.core.v1.ContainerPort", "io.k8s.api.core.v1.HTTPGetAction"])
    assert made["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"]["default"] == "TCP"
    assert made["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] == {
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    }


def test_a_custom_resource() -> None:
    where = kinds.GroupVersion("example.com", "v1")
    before = json.dumps(WIDGET)
    document = openapi.document(where, [WIDGETS], {"Widget": WIDGET})
    assert json.dumps(WIDGET) == before
    made = document["components"]["schemas"]["com.example.v1.Widget"]
    assert made["x-kubernetes-group-version-kind"] == [
        {"group": "example.com", "kind": "Widget", "version": "v1"}
    ]
    assert made["properties"]["spec"] == WIDGET["properties"]["spec"]  # type: ignore[index]
    assert set(made["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert "com.example.v1.WidgetList" in document["components"]["schemas"]
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in document["components"]["schemas"]
    create = document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets"]["post"]
    assert create["requestBody"]["content"]["*/*"]["schema"]["$ref"].endswith("com.example.v1.Widget")
    assert references(document) <= {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }


def test_fingerprints_tell_documents_apart() -> None:
    plain = openapi.fingerprint([WIDGETS], {"Widget": WIDGET})
    assert plain == openapi.fingerprint([WIDGETS], {"Widget": dict(reversed(WIDGET.items()))})
    assert plain != openapi.fingerprint([WIDGETS], {"Widget": {**WIDGET, "description": "other"}})
    assert plain != openapi.fingerprint([WIDGETS._replace(namespaced=False)], {"Widget": WIDGET})
