"""StorageObjectInUseProtection: claims, volumes and their attribute classes are born with a finalizer.

kubernetes plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go. The finalizer is taken off by the
protection controllers, once nothing uses the object.
"""

from __future__ import annotations

from typing import Final

from sampan.control_plane.apiserver.admission.model import CREATE, Local, Request

FINALIZERS: Final = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
    "volumeattributesclasses": "kubernetes.io/vac-protection",
}


class StorageObjectInUseProtection(Local):
    name = "StorageObjectInUseProtection"
    operations = frozenset({CREATE})
    resources = frozenset(
        {
            ("", "persistentvolumeclaims", ""),
            ("", "persistentvolumes", ""),
            ("storage.k8s.io", "volumeattributesclasses", ""),
        }
    )

    async def admit(self, request: Request, /) -> None:
        if request.object is None:
            return
        finalizer = FINALIZERS[request.resource]
        metadata = request.object.setdefault("metadata", {})
        finalizers = metadata.get("finalizers") or []
        if finalizer not in finalizers:
            metadata["finalizers"] = [*finalizers, finalizer]
