"""The schemas of built-in types, as the build's compact file gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sampan.api import schema
from sampan.api.schema import UNSET, builtin


def test_all_definitions_can_be_read() -> None:
    names = list(builtin.names())
    assert len(names) == 862
    for name in names:
        found = schema.definition(name)
        assert found.name == name
        assert found.type in ("", "object", "string")


def test_kinds() -> None:
    kinds = list(builtin.kinds())
    assert ("apps/v1", "Deployment") in kinds
    assert ("v1", "PodList") in kinds
    assert all(schema.for_kind(*kind) is not None for kind in kinds)
    assert schema.for_kind("v1", "Nothing") is None
    with pytest.raises(KeyError, match=r"no definition 'a\.B'"):
        schema.definition("a.B")


def deployment() -> schema.Schema:
    found = schema.for_kind("apps/v1", "Deployment")
    assert found is not None
    return found


def test_shared_nodes_are_the_same_object() -> None:
    pod = schema.for_kind("v1", "Pod")
    assert pod is not None
    assert pod.properties["metadata"] is deployment().properties["metadata"]
    template = deployment().properties["spec"].properties["template"]
    assert template.properties["spec"] is pod.properties["spec"]


def test_lists_carry_their_merge_and_apply_markers() -> None:
    ports = schema.definition("io.k8s.api.core.v1.Container").properties["ports"]
    assert (ports.type, ports.list_type, ports.list_map_keys) == (
        "array",
        "map",
        ("containerPort", "protocol"),
    )
    assert (ports.merge_key, ports.merge_strategies) == ("containerPort", ("merge",))
    assert ports.items is not None
    assert ports.items.properties["protocol"].default == "TCP"
    assert ports.items.properties["name"].default is UNSET
    volumes = schema.definition("io.k8s.api.core.v1.PodSpec").properties["volumes"]
    assert volumes.merge_strategies == ("merge", "retainKeys")
    command = schema.definition("io.k8s.api.core.v1.Container").properties["command"]
    assert (command.list_type, command.items and command.items.type) == ("atomic", "string")


def test_a_marker_beside_a_reference_belongs_to_that_field_alone() -> None:
    strategy = deployment().properties["spec"].properties["strategy"]
    assert strategy.merge_strategies == ("retainKeys",)
    assert strategy.properties["type"].type == "string"
    assert schema.definition("io.k8s.api.apps.v1.DeploymentStrategy").merge_strategies == ()
    claim = schema.definition("io.k8s.api.core.v1.PersistentVolumeSpec").properties["claimRef"]
    assert claim.map_type == "granular"
    assert schema.definition("io.k8s.api.core.v1.ObjectReference").map_type == "atomic"


def test_special_types() -> None:
    quantity = schema.definition("io.k8s.apimachinery.pkg.api.resource.Quantity")
    assert (quantity.type, quantity.format) == ("string", "quantity")
    port = schema.definition("io.k8s.apimachinery.pkg.util.intstr.IntOrString")
    assert port.int_or_string
    assert schema.definition("io.k8s.apimachinery.pkg.apis.meta.v1.Time").format == "date-time"
    assert schema.definition("io.k8s.apimachinery.pkg.runtime.RawExtension").preserve_unknown
    assert not deployment().preserve_unknown
    data = schema.definition("io.k8s.api.core.v1.Secret").properties["data"]
    assert data.additional is not None
    assert data.additional.format == "byte"


def test_nulls_and_narrowed_enums_of_the_source_are_gone() -> None:
    kind = deployment().properties["kind"]
    assert (kind.type, kind.enum) == ("string", ())
    for name in builtin.names():
        assert "null" not in str(builtin.body(name).get("type"))


def test_required() -> None:
    assert deployment().properties["spec"].required == ("selector", "template")


def test_recursive_types() -> None:
    props = schema.definition("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
    assert props.properties["not"] is props


def test_names_that_are_no_slots_leave_a_definition_whole() -> None:
    made = builtin._Definition("io.k8s.api.core.v1.PodSpec")
    assert not hasattr(made, "no_such_slot")
    assert made.properties["containers"].merge_key == "name"


def test_default_markers_are_of_real_fields() -> None:
    for (name, field), value in builtin.DEFAULTS.items():
        assert schema.definition(name).properties[field].default == value


def test_descriptions() -> None:
    texts = builtin.descriptions("io.k8s.api.apps.v1.Deployment")
    assert set(texts) == {"", "apiVersion", "kind", "metadata", "spec", "status"}
    assert builtin.descriptions("no.such.Definition") == {}


def test_a_missing_file_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(builtin, "FILE", tmp_path / "none.bin")
    with pytest.raises(FileNotFoundError, match=r"python hatch_build\.py"):
        builtin._file.__wrapped__()


def test_a_file_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="build it again"):
        builtin._File(b"something else")
