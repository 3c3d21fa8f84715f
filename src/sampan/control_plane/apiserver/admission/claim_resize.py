"""PersistentVolumeClaimResize: a claim may grow when its class says so.

kubernetes plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.api import quantity
from sampan.control_plane.apiserver.admission.model import UPDATE, Local, Request, metadata, refused, spec
from sampan.control_plane.apiserver.view import View


class PersistentVolumeClaimResize(Local):
    name = "PersistentVolumeClaimResize"
    operations = frozenset({UPDATE})
    resources = frozenset({("", "persistentvolumeclaims", "")})

    def __init__(self, view: View) -> None:
        self._view = view

    async def validate(self, request: Request, /) -> None:
        if request.object is None or request.old is None:
            return
        if _size(request.object).compare(_size(request.old)) <= 0:
            return
        if (request.old.get("status") or {}).get("phase") != "Bound":
            raise refused(request, "Only bound persistent volume claims can be expanded")
        name = _class(request.object)
        found = (
            self._view.get("storage.k8s.io", "storageclasses", "", name)
            if name == _class(request.old)
            else None
        )
        if not (found or {}).get("allowVolumeExpansion"):
            why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must"
            raise refused(request, f"{why} support resize")


def _size(claim: Mapping[str, Any]) -> quantity.Quantity:
    return quantity.parse(((spec(claim).get("resources") or {}).get("requests") or {}).get("storage") or "0")


def _class(claim: Mapping[str, Any]) -> str:
    annotations = metadata(claim).get("annotations") or {}
    return str(
        annotations.get("volume.beta.kubernetes.io/storage-class")
        or spec(claim).get("storageClassName")
        or ""
    )
