"""The schemas of the built-in types, read lazily from the compact file that the build makes (hatch_build.py).

Opening costs one read and one inflate; a definition is parsed when it is first looked at. Nodes are shared: every
field that refers to ObjectMeta holds the same Schema.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from sampan.api.schema.model import UNSET, Schema

KUBERNETES: Final = "1.37"
FILE: Final = Path(__file__).parent / "data" / f"kubernetes-{KUBERNETES}.bin"
MAGIC: Final = b"SAMPAN-SCHEMA-1\n"

META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
EXTENSIONS: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING: Final = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
RAW_EXTENSION: Final = "io.k8s.apimachinery.pkg.runtime.RawExtension"

# Go types whose content is not looked into: the schema says "object" or nothing, and any JSON below is kept.
OPAQUE: Final = frozenset(
    {
        RAW_EXTENSION,
        META + "FieldsV1",
        META + "Patch",
        EXTENSIONS + "JSON",
        EXTENSIONS + "JSONSchemaPropsOrArray",
        EXTENSIONS + "JSONSchemaPropsOrBool",
        EXTENSIONS + "JSONSchemaPropsOrStringArray",
    }
)

# The `+default` markers of k8s.io/api v0.37.2 that are not Go zero values. Apply needs those of list map keys (protocol).
DEFAULTS: Final[Mapping[tuple[str, str], Any]] = {
    ("io.k8s.api.certificates.v1.PodCertificateRequestSpec", "maxExpirationSeconds"): 86400,
    ("io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec", "maxExpirationSeconds"): 86400,
    ("io.k8s.api.core.v1.AzureDiskVolumeSource", "cachingMode"): "ReadWrite",
    ("io.k8s.api.core.v1.AzureDiskVolumeSource", "fsType"): "ext4",
    ("io.k8s.api.core.v1.AzureDiskVolumeSource", "kind"): "Shared",
    ("io.k8s.api.core.v1.ContainerPort", "protocol"): "TCP",
    ("io.k8s.api.core.v1.ISCSIPersistentVolumeSource", "iscsiInterface"): "default",
    ("io.k8s.api.core.v1.ISCSIVolumeSource", "iscsiInterface"): "default",
    ("io.k8s.api.core.v1.RBDPersistentVolumeSource", "keyring"): "/etc/ceph/keyring",
    ("io.k8s.api.core.v1.RBDPersistentVolumeSource", "pool"): "rbd",
    ("io.k8s.api.core.v1.RBDPersistentVolumeSource", "user"): "admin",
    ("io.k8s.api.core.v1.RBDVolumeSource", "keyring"): "/etc/ceph/keyring",
    ("io.k8s.api.core.v1.RBDVolumeSource", "pool"): "rbd",
    ("io.k8s.api.core.v1.RBDVolumeSource", "user"): "admin",
    ("io.k8s.api.core.v1.ReplicationControllerSpec", "replicas"): 1,
    ("io.k8s.api.core.v1.ScaleIOPersistentVolumeSource", "fsType"): "xfs",
    ("io.k8s.api.core.v1.ScaleIOPersistentVolumeSource", "storageMode"): "ThinProvisioned",
    ("io.k8s.api.core.v1.ScaleIOVolumeSource", "fsType"): "xfs",
    ("io.k8s.api.core.v1.ScaleIOVolumeSource", "storageMode"): "ThinProvisioned",
    ("io.k8s.api.core.v1.ServicePort", "protocol"): "TCP",
    ("io.k8s.api.resource.v1.DeviceToleration", "operator"): "Equal",
    ("io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec", "limit"): 100,
    ("io.k8s.api.resource.v1beta1.DeviceToleration", "operator"): "Equal",
    ("io.k8s.api.resource.v1beta2.DeviceToleration", "operator"): "Equal",
}


class _File:
    """The opened file: where each definition's JSON lies, and which kind has which definition."""

    __slots__ = ("_bodies", "_packed_texts", "_texts", "kinds", "spans")

    def __init__(self, data: bytes) -> None:
        if not data.startswith(MAGIC):
            raise ValueError(
                f"{FILE} is not a schema file of this version: build it again with hatch_build.py"
            )
        at = len(MAGIC)
        sizes = struct.unpack_from("<3I", data, at)
        at += 12
        head = orjson.loads(zlib.decompress(data[at : at + sizes[0]]))
        at += sizes[0]
        self._bodies = zlib.decompress(data[at : at + sizes[1]])
        at += sizes[1]
        self._packed_texts: bytes = data[at : at + sizes[2]]
        self._texts: dict[str, dict[str, str]] | None = None
        self.kinds: dict[str, str] = head["kinds"]
        self.spans: dict[str, tuple[int, int]] = {}
        start = 0
        for name, length in head["definitions"]:
            self.spans[name] = (start, start + length)
            start += length

    def body(self, name: str) -> dict[str, Any]:
        start, end = self.spans[name]
        parsed: dict[str, Any] = orjson.loads(memoryview(self._bodies)[start:end])
        return parsed

    def texts(self, name: str) -> Mapping[str, str]:
        if self._texts is None:
            import lzma  # only explain and OpenAPI need the texts

            self._texts = orjson.loads(lzma.decompress(self._packed_texts))
            self._packed_texts = b""
        return self._texts.get(name, {})


@cache
def _file() -> _File:
    try:
        data = FILE.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{FILE} is missing: it is made when the package is built, or in a source tree by `python hatch_build.py`"
        ) from None
    return _File(data)


class _Definition(Schema):
    """A named definition: its slots are filled when the first of them is read."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, slot: str) -> Any:
        # Reached only while a slot is empty.
        if slot not in Schema.__slots__:
            raise AttributeError(slot)
        name = self.name
        Schema.__init__(self)
        self.name = name
        _fill(self, _file().body(name))
        return getattr(self, slot)


def _fill(schema: Schema, body: Mapping[str, Any]) -> None:
    """Reads one node of the file into `schema`."""
    schema.type = body.get("type", "")
    schema.format = body.get("format", "")
    if schema.format == "int-or-string":
        schema.int_or_string = True
    elif schema.format == "quantity":
        schema.type = "string"
    properties = body.get("properties")
    if properties:
        schema.properties = {field: _node(child, schema.name, field) for field, child in properties.items()}
    if "items" in body:
        schema.items = _node(body["items"])
    if "additionalProperties" in body:
        schema.additional = _node(body["additionalProperties"])
    schema.required = tuple(body.get("required", ()))
    schema.preserve_unknown = schema.name in OPAQUE
    schema.embedded_resource = schema.name == RAW_EXTENSION
    _mark(schema, body)


def _mark(schema: Schema, body: Mapping[str, Any]) -> None:
    """The x-kubernetes-* markers."""
    schema.list_type = body.get("x-kubernetes-list-type", schema.list_type)
    schema.list_map_keys = tuple(body.get("x-kubernetes-list-map-keys", schema.list_map_keys))
    schema.map_type = body.get("x-kubernetes-map-type", schema.map_type)
    schema.merge_key = body.get("x-kubernetes-patch-merge-key", schema.merge_key)
    if "x-kubernetes-patch-strategy" in body:
        schema.merge_strategies = tuple(body["x-kubernetes-patch-strategy"].split(","))


def _node(body: Mapping[str, Any], owner: str = "", field: str = "") -> Schema:
    default = DEFAULTS.get((owner, field), UNSET) if field else UNSET
    if "$ref" in body:
        target = definition(body["$ref"])
        if len(body) == 1:
            return target
        # A marker beside the reference belongs to this one field.
        copied = Schema()
        for slot in Schema.__slots__:
            setattr(copied, slot, getattr(target, slot))
        _mark(copied, body)
        return copied
    schema = Schema()
    _fill(schema, body)
    schema.default = default
    return schema


@cache
def definition(name: str) -> Schema:
    """The definition of that full name (io.k8s.api.core.v1.PodSpec). Raises KeyError naming it."""
    if name not in _file().spans:
        raise KeyError(f"no definition {name!r} in Kubernetes {KUBERNETES}")
    return _Definition(name)


def for_kind(api_version: str, kind: str) -> Schema | None:
    """The schema of a built-in kind's whole object, or None for a kind that is not built in."""
    name = definition_name(api_version, kind)
    return None if name is None else definition(name)


def definition_name(api_version: str, kind: str) -> str | None:
    """The full name of a built-in kind's definition, or None for a kind that is not built in."""
    return _file().kinds.get(f"{api_version} {kind}")


def names() -> Iterator[str]:
    """All definitions' full names, sorted."""
    return iter(_file().spans)


def kinds() -> Iterator[tuple[str, str]]:
    """(apiVersion, kind) of every kind that has a definition, lists and options included."""
    for key in _file().kinds:
        api_version, _, kind = key.partition(" ")
        yield api_version, kind


def body(name: str) -> dict[str, Any]:
    """A fresh copy of the definition's JSON: references are bare names in `$ref`, descriptions are left out."""
    return _file().body(name)


def descriptions(name: str) -> Mapping[str, str]:
    """The definition's text under "", its fields' texts under their names."""
    return _file().texts(name)
