"""DefaultStorageClass and DefaultIngressClass: what names no class gets the newest one that is marked default.

kubernetes plugin/pkg/admission/{storage/storageclass/setdefault,network/defaultingressclass}.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sampan.control_plane.apiserver.admission.model import CREATE, Local, Request, metadata
from sampan.control_plane.apiserver.view import Object, View

DEFAULT_STORAGE: Final = "storageclass.kubernetes.io/is-default-class"
_OLD_DEFAULT_STORAGE: Final = "storageclass.beta.kubernetes.io/is-default-class"
DEFAULT_INGRESS: Final = "ingressclass.kubernetes.io/is-default-class"


class DefaultStorageClass(Local):
    name = "DefaultStorageClass"
    operations = frozenset({CREATE})
    resources = frozenset({("", "persistentvolumeclaims", "")})

    def __init__(self, view: View) -> None:
        self._view = view

    async def admit(self, request: Request, /) -> None:
        claim = request.object or {}
        annotations = metadata(claim).get("annotations") or {}
        claim_spec = claim.setdefault("spec", {})
        # An empty class is a wish as well: no dynamic volume.
        if (
            claim_spec.get("storageClassName") is not None
            or "volume.beta.kubernetes.io/storage-class" in annotations
        ):
            return
        classes = self._view.list("storage.k8s.io", "storageclasses")
        name = newest_default(classes, (DEFAULT_STORAGE, _OLD_DEFAULT_STORAGE))
        if name:
            claim_spec["storageClassName"] = name


class DefaultIngressClass(Local):
    name = "DefaultIngressClass"
    operations = frozenset({CREATE})
    resources = frozenset({("networking.k8s.io", "ingresses", "")})

    def __init__(self, view: View) -> None:
        self._view = view

    async def admit(self, request: Request, /) -> None:
        ingress = request.object or {}
        annotations = metadata(ingress).get("annotations") or {}
        ingress_spec = ingress.setdefault("spec", {})
        if ingress_spec.get("ingressClassName") is not None or "kubernetes.io/ingress.class" in annotations:
            return
        name = newest_default(self._view.list("networking.k8s.io", "ingressclasses"), (DEFAULT_INGRESS,))
        if name:
            ingress_spec["ingressClassName"] = name


def newest_default(classes: Iterable[Object], annotations: tuple[str, ...]) -> str:
    """The name of the youngest class that one of the annotations marks, the first by name among equals; or ""."""
    marked = [
        (str(metadata(c).get("creationTimestamp") or ""), str(metadata(c).get("name") or ""))
        for c in classes
        if any((metadata(c).get("annotations") or {}).get(key) == "true" for key in annotations)
    ]
    if not marked:
        return ""
    newest = max(created for created, _ in marked)
    return min(name for created, name in marked if created == newest)
