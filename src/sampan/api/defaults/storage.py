"""Defaults of volumes, claims and storage classes. Source: pkg/apis/core/v1 and storage/v1 defaults.go."""

from __future__ import annotations

from sampan.api.defaults.pods import azure_disk, claim_spec, host_path, iscsi, rbd, scale_io
from sampan.api.defaults.setting import Object, child, empty, resource_list, unset


def persistent_volume(obj: Object) -> None:
    empty(child(obj, "status"), phase="Pending")
    spec = child(obj, "spec")
    empty(spec, persistentVolumeReclaimPolicy="Retain")
    unset(spec, volumeMode="Filesystem")
    resource_list(spec.get("capacity"))
    for name, setter in (
        ("hostPath", host_path),
        ("rbd", rbd),
        ("iscsi", iscsi),
        ("azureDisk", azure_disk),
        ("scaleIO", scale_io),
    ):
        if spec.get(name) is not None:
            setter(spec[name])


def persistent_volume_claim(obj: Object) -> None:
    status = child(obj, "status")
    empty(status, phase="Pending")
    claim_spec(child(obj, "spec"))
    resource_list(status.get("capacity"))
    resource_list(status.get("allocatedResources"))


def storage_class(obj: Object) -> None:
    unset(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def csi_driver(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(
        spec,
        attachRequired=True,
        podInfoOnMount=False,
        storageCapacity=False,
        fsGroupPolicy="ReadWriteOnceWithFSType",
        requiresRepublish=False,
        seLinuxMount=False,
        preventPodSchedulingIfMissing=False,
    )
    empty(spec, volumeLifecycleModes=["Persistent"])
