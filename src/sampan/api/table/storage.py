"""Volumes, classes and CSI objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sampan.api.table import cells as shared
from sampan.api.table.model import Object, Printer, columns, field, items, name, text

_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _phase(found: Object) -> str:
    deleting = field(found, "metadata", "deletionTimestamp") is not None
    return "Terminating" if deleting else text(found, "status", "phase")


def _class(found: Object) -> str:
    old = field(found, "metadata", "annotations", _CLASS)
    return text(found, "spec", "storageClassName") if old is None else str(old)


def _volume(found: Object, now: float) -> list[Any]:
    claim = field(found, "spec", "claimRef")
    return [
        name(found),
        text(found, "spec", "capacity", "storage") or "0",
        shared.access_modes(items(found, "spec", "accessModes")),
        text(found, "spec", "persistentVolumeReclaimPolicy"),
        _phase(found),
        f"{text(claim, 'namespace')}/{text(claim, 'name')}" if isinstance(claim, Mapping) else "",
        _class(found),
        shared.or_unset(field(found, "spec", "volumeAttributesClassName")),
        text(found, "status", "reason"),
        shared.age(found, now),
        shared.or_unset(field(found, "spec", "volumeMode")),
    ]


def _claim(found: Object, now: float) -> list[Any]:
    volume, capacity, modes = text(found, "spec", "volumeName"), "", ""
    if volume:
        capacity = text(found, "status", "capacity", "storage") or "0"
        modes = shared.access_modes(items(found, "status", "accessModes"))
    return [
        name(found),
        _phase(found),
        volume,
        capacity,
        modes,
        _class(found),
        shared.or_unset(field(found, "spec", "volumeAttributesClassName")),
        shared.age(found, now),
        shared.or_unset(field(found, "spec", "volumeMode")),
    ]


def _storage_class(found: Object, now: float) -> list[Any]:
    return [
        name(found),
        text(found, "provisioner"),
        text(found, "reclaimPolicy") or "Delete",
        text(found, "volumeBindingMode") or "Immediate",
        bool(field(found, "allowVolumeExpansion")),
        shared.age(found, now),
    ]


def _storage_classes(found: Sequence[Object], now: float) -> list[list[Any]]:
    """Only a list shows which class is the default: of several it is the newest, then the first by name."""
    rows = [_storage_class(one, now) for one in found]
    defaults = [
        index
        for index, one in enumerate(found)
        if any(field(one, "metadata", "annotations", key) == "true" for key in _DEFAULT)
    ]
    if defaults:
        by_name = sorted(defaults, key=lambda index: name(found[index]))
        chosen = max(by_name, key=lambda index: text(found[index], "metadata", "creationTimestamp"))
        rows[chosen][0] += " (default)"
    return rows


def _csi_driver(found: Object, now: float) -> list[Any]:
    spec = field(found, "spec") or {}
    tokens = field(spec, "tokenRequests")
    return [
        name(found),
        spec.get("attachRequired") is not False,
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        shared.UNSET if tokens is None else ",".join(text(one, "audience") for one in tokens),
        bool(spec.get("requiresRepublish")),
        ",".join(items(spec, "volumeLifecycleModes")) or shared.NONE,
        shared.age(found, now),
    ]


def _csi_node(found: Object, now: float) -> list[Any]:
    return [name(found), len(items(found, "spec", "drivers")), shared.age(found, now)]


def _attachment(found: Object, now: float) -> list[Any]:
    return [
        name(found),
        text(found, "spec", "attacher"),
        text(found, "spec", "source", "persistentVolumeName"),
        text(found, "spec", "nodeName"),
        bool(field(found, "status", "attached")),
        shared.age(found, now),
    ]


def _attributes_class(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "driverName"), shared.age(found, now)]


def _attachment_columns() -> Any:
    made = columns("Name", "Attacher", "PV", "Node", "Attached:boolean", "Age")
    return (made[0], made[1]._replace(format="name"), *made[2:])


PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "persistentvolumeclaims"): Printer(
        columns(
            "Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass",
            "Age", "VolumeMode+",
        ),
        _claim,
    ),
    ("", "persistentvolumes"): Printer(
        columns(
            "Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass",
            "VolumeAttributesClass", "Reason", "Age", "VolumeMode+",
        ),
        _volume,
    ),
    ("storage.k8s.io", "csidrivers"): Printer(
        columns(
            "Name", "AttachRequired:boolean", "PodInfoOnMount:boolean", "StorageCapacity:boolean",
            "TokenRequests", "RequiresRepublish:boolean", "Modes", "Age",
        ),
        _csi_driver,
    ),
    ("storage.k8s.io", "csinodes"): Printer(columns("Name", "Drivers:integer", "Age"), _csi_node),
    ("storage.k8s.io", "storageclasses"): Printer(
        columns("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"),
        _storage_class,
        _storage_classes,
    ),
    ("storage.k8s.io", "volumeattachments"): Printer(_attachment_columns(), _attachment),
    ("storage.k8s.io", "volumeattributesclasses"): Printer(columns("Name", "DriverName", "Age"), _attributes_class),
}  # fmt: skip
