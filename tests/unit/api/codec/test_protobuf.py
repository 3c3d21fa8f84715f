"""Kubernetes' protobuf: bytes that kubectl sent, round trips of real objects, and hostile bytes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.api import kinds
from sampan.api.codec import DecodeError, EncodeError, protobuf
from sampan.api.codec.protobuf_table import for_kind, message

GOLDEN = Path(__file__).parents[3] / "golden"


def recorded() -> list[dict[str, Any]]:
    """The stored objects that a real API server gave, custom ones left out."""
    found = [json.loads(path.read_text())["object"] for path in sorted((GOLDEN / "tables").glob("*.json"))]
    return [one for one in found if one["apiVersion"] != "example.com/v1"]


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [without_nulls(child) for child in value]
    return value


def test_stored_objects_survive() -> None:
    objects = recorded()
    assert len(objects) > 100
    for found in objects:
        ours = without_nulls(protobuf.decode(protobuf.encode(found)))
        for claim in found.get("spec", {}).get("volumeClaimTemplates", ()):
            # a kind inside an object is not on the wire: Go's defaulting puts it back
            del claim["apiVersion"], claim["kind"]
        assert ours == without_nulls(found)


def test_every_served_kind_has_a_message() -> None:
    assert [one for one in kinds.BUILT_IN if for_kind(one.api_version, one.kind) is None] == []
    assert [
        one
        for one in kinds.BUILT_IN
        if "list" in one.verbs and for_kind(one.api_version, f"{one.kind}List") is None
    ] == []


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "DeleteOptions"),
        ("policy/v1", "DeleteOptions"),
        ("v1", "Status"),
        ("v1", "List"),
        ("autoscaling/v1", "Scale"),
        ("policy/v1", "Eviction"),
        ("authentication.k8s.io/v1", "TokenRequest"),
        ("meta.k8s.io/v1", "PartialObjectMetadata"),
        ("metrics.k8s.io/v1beta1", "PodMetrics"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io/v1", "APIService"),
    ],
)
def test_kinds_that_are_no_resources(api_version: str, kind: str) -> None:
    empty = {"apiVersion": api_version, "kind": kind}
    assert protobuf.decode(protobuf.encode(empty)) == empty


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def envelope(api_version: str, kind: str, body: bytes) -> bytes:
    names = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\x00" + field(1, names) + field(2, body)


def test_go_writes_zero_values_that_json_leaves_out() -> None:
    # metadata{name:"n", generateName:"", namespace:"", ..., creationTimestamp:{}} as Go's generated code writes them
    metadata = field(1, b"n") + field(2, b"") + field(3, b"") + b"\x38\x00" + field(8, b"")
    found = protobuf.decode(envelope("v1", "Namespace", field(1, metadata) + field(2, b"") + field(3, b"")))
    assert found == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n"},
        "spec": {},
        "status": {},
    }


def test_zero_values_that_json_keeps() -> None:
    # ContainerStatus: name and ready are no omitempty fields
    status = field(1, b"") + b"\x20\x00" + b"\x28\x00"
    body = field(3, field(8, status))
    found = protobuf.decode_as("v1", "Pod", body)
    assert found["status"]["containerStatuses"] == [{"name": "", "ready": False, "restartCount": 0}]


def test_embedded_structs_are_inline() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {
            "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
            "containers": [
                {
                    "name": "c",
                    "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 5},
                    "env": [
                        {
                            "name": "E",
                            "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
                        }
                    ],
                }
            ],
        },
    }
    assert protobuf.decode(protobuf.encode(pod)) == pod


def test_schemas_of_custom_resources() -> None:
    schema = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {
            "a": {
                "type": "array",
                "items": {"type": "string", "default": "x", "enum": ["x", 1, None, {"b": []}]},
            },
            "b": {"additionalProperties": {"type": "number", "maximum": 1.5}, "type": "object"},
            "c": {"additionalProperties": True},
        },
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ]
        },
    }
    found = protobuf.decode(protobuf.encode(definition))
    assert found["spec"]["versions"] == definition["spec"]["versions"]  # type: ignore[index]


def test_list_wrappers() -> None:
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": {"user": {"extra": {"k": ["a", "b"], "none": []}}},
    }
    assert protobuf.decode(protobuf.encode(review))["status"] == review["status"]


@pytest.mark.parametrize(
    "text", ["0s", "5s", "1.5s", "200ms", "1h0m5s", "2m30s", "-3s", "15µs", "7ns", "24h0m0s", "1.000000001s"]
)
def test_durations(text: str) -> None:
    metrics = {"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics", "window": text}
    assert protobuf.decode(protobuf.encode(metrics))["window"] == text


def test_times() -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"creationTimestamp": "2001-02-03T04:05:06Z"},
        "spec": {"renewTime": "1969-12-31T23:59:59.250000Z"},
    }
    assert protobuf.decode(protobuf.encode(lease)) == lease
    shifted = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"creationTimestamp": "2001-02-03T05:05:06+01:00"},
    }
    assert (
        protobuf.decode(protobuf.encode(shifted))["metadata"]["creationTimestamp"] == "2001-02-03T04:05:06Z"
    )


def test_an_object_inside_an_object_may_be_protobuf_too() -> None:
    inner = protobuf.encode({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})
    found = protobuf.decode(envelope("v1", "List", field(2, field(1, inner))))
    assert found["items"] == [{"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}]


def test_a_field_that_comes_twice_is_merged() -> None:
    found = protobuf.decode_as("v1", "Pod", field(1, field(1, b"a")) + field(1, field(3, b"ns")))
    assert found["metadata"] == {"name": "a", "namespace": "ns"}


def test_unknown_fields_are_skipped() -> None:
    unknown = b"\xf8\x07\x01" + b"\xf9\x07" + b"\0" * 8 + b"\xfa\x07\x01x" + b"\xfd\x07" + b"\0" * 4
    assert protobuf.decode_as("v1", "Pod", unknown + field(1, field(1, b"a")))["metadata"] == {"name": "a"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "expected an envelope"),
        (b'{"a":1}', "expected an envelope"),
        (b"k8s\x00\x0a", "unexpected end of data"),
        (b"k8s\x00\x0a\x05a", "unexpected end of data"),
        (b"k8s\x00\x0b\x00", "wire type 3 is not supported"),
        (b"k8s\x00" + b"\xff" * 11, "integer overflow"),
        (b"k8s\x00\x02\x00", "illegal field number 0"),
        (envelope("v1", "Nope", b""), "no kind 'Nope' is known in version 'v1'"),
        (envelope("v1", "Pod", b"\x08\x01"), "wrong wire type 0 for field 'metadata'"),
        (envelope("v1", "Pod", b"") + field(3, b"gzip"), "content encoding 'gzip'"),
        (envelope("apps/v1", "ControllerRevision", field(2, field(1, b"{"))), "invalid JSON"),
    ],
)
def test_malformed(data: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        protobuf.decode(data)


def test_depth_is_bounded() -> None:
    body = b""
    for _ in range(120):  # JSONSchemaProps.not
        length = len(body)
        size = bytes([length & 0x7F | 0x80, length >> 7]) if length > 127 else bytes([length])
        body = b"\xe2\x01" + size + body
    spec = message("k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation")
    assert 1 in spec.by_number
    with pytest.raises(DecodeError, match="max depth"):
        protobuf._message(
            spec.name, b"\x0a" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body, 0, len(body) + 3, 0
        )
    deep = envelope("v1", "Pod", b"")
    for _ in range(3):
        deep = b"k8s\x00" + field(1, field(1, b"v1") + field(2, b"List")) + field(2, field(2, field(1, deep)))
    assert protobuf.decode(deep)["kind"] == "List"


@settings(max_examples=300)
@given(st.integers(0, 10**9))
def test_changed_bytes_are_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(4, len(data))
        what = chance.random()
        if what < 0.5:
            data[at] = chance.randrange(256)
        elif what < 0.7 and at > 8:
            del data[at:]
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 5))
    try:
        found = protobuf.decode(bytes(data))
    except DecodeError:
        return
    assert isinstance(found, dict)


SEEDS = [protobuf.encode(one) for one in recorded()]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for body in (data, b"k8s\x00" + data, envelope("v1", "Pod", data)):
        try:
            protobuf.decode(body)
        except DecodeError:
            pass


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"apiVersion": "example.com/v1", "kind": "Widget"}, "no protobuf form for kind 'Widget'"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": "x"}, "wants an object"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 5}}, "'name'"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"finalizers": "x"}}, "wants a list"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "x"}}, "RFC 3339"),
        ({"apiVersion": "v1", "kind": "Secret", "data": {"a": "*"}}, "base64"),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "x"}}, "'replicas'"),
    ],
)
def test_what_cannot_be_written(value: dict[str, Any], why: str) -> None:
    with pytest.raises(EncodeError, match=why):
        protobuf.encode(value)
