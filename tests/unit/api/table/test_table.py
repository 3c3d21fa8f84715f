"""Tables against those of a real kube-apiserver 1.37 (recorded), cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.api import kinds, table

GOLDEN = Path(__file__).parents[3] / "golden" / "tables"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return found


def printer(found: dict[str, Any]) -> table.Printer:
    if found["kind"] != "Widget":
        return table.printer(kinds.of(found["apiVersion"], found["kind"]))
    definition = recorded("crd")["object"]["spec"]
    resource = kinds.Resource("example.com", "v1", "Widget", "widgets", "widget", True)
    return table.printer(resource, definition["versions"][0]["additionalPrinterColumns"])


@pytest.mark.parametrize("name", CASES)
def test_columns_and_cells_are_upstreams(name: str) -> None:
    case = recorded(name)
    ours = printer(case["object"])
    columns = [
        {key: value for key, value in one.to_json().items() if key != "description"} for one in ours.columns
    ]
    assert columns == case["table"]["columnDefinitions"]
    assert ours.cells(case["object"], case["now"]) == case["table"]["rows"][0]["cells"]


def test_nearly_every_resource_has_been_recorded() -> None:
    seen = {(kind["object"]["apiVersion"], kind["object"]["kind"]) for kind in map(recorded, CASES)}
    missing = {one.plural for one in kinds.BUILT_IN if "create" in one.verbs and "get" in one.verbs} - {
        kinds.of(*kind).plural for kind in seen if kind[0] != "example.com/v1"
    }
    assert missing == {"devicetaintrules", "podcertificaterequests", "resourceclaimtemplates"}


def storage_class(name: str, created: str, default: bool) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": str(default).lower()}
    return {
        "metadata": {"name": name, "creationTimestamp": created, "annotations": annotations},
        "provisioner": "p",
    }


def test_a_list_of_storage_classes_shows_the_newest_default() -> None:
    listed = [
        storage_class("a", "2025-01-01T00:00:00Z", True),
        storage_class("b", "2025-01-02T00:00:00Z", True),
        storage_class("c", "2025-01-03T00:00:00Z", False),
    ]
    rows = table.printer(kinds.of("storage.k8s.io/v1", "StorageClass")).rows(listed, 0.0)
    assert [row[0] for row in rows] == ["a", "b (default)", "c"]


def test_a_custom_resource_without_columns_shows_its_age() -> None:
    resource = kinds.Resource("example.com", "v1", "Widget", "widgets", "widget", True)
    ours = table.printer(resource)
    assert [one.name for one in ours.columns] == ["Name", "Age"]
    made = {"metadata": {"name": "w", "creationTimestamp": "1970-01-01T00:00:00Z"}}
    assert ours.cells(made, 300.0) == ["w", "5m"]


def test_a_column_that_cannot_be_read_is_refused() -> None:
    resource = kinds.Resource("example.com", "v1", "Widget", "widgets", "widget", True)
    with pytest.raises(table.PathError, match="unterminated"):
        table.printer(resource, [{"name": "A", "type": "string", "jsonPath": ".spec.a["}])


@pytest.mark.parametrize("resource", kinds.BUILT_IN, ids=lambda one: f"{one.group}-{one.plural}")
def test_an_empty_object_has_a_row(resource: kinds.Resource) -> None:
    ours = table.printer(resource)
    cells = ours.cells({"metadata": {}}, 0.0)
    assert len(cells) >= len(ours.columns)
    assert all(isinstance(cell, str | int | float | bool | None) for cell in cells)
