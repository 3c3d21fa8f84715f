"""NamespaceLifecycle: nothing is created in a namespace that is not there or on its way out.

k8s.io/apiserver pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.status import Cause, forbidden, not_found
from sampan.control_plane.apiserver.admission.model import CREATE, DELETE, Local, Request, refused
from sampan.control_plane.apiserver.view import View

IMMORTAL: Final = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Local):
    name = "NamespaceLifecycle"
    operations = frozenset({CREATE, DELETE})

    def __init__(self, view: View) -> None:
        self._view = view

    def handles(self, request: Request, /) -> bool:
        if request.operation == CREATE:
            # Reviews answer without telling whether the namespace exists.
            return bool(request.namespace) and request.resource != "localsubjectaccessreviews"
        return request.operation == DELETE and request.is_for("", "namespaces")

    async def admit(self, request: Request, /) -> None:
        if request.operation == DELETE:
            if request.name in IMMORTAL:
                raise forbidden("", "namespaces", request.name, "this namespace may not be deleted")
            return
        if request.is_for("", "namespaces"):
            return
        namespace = self._view.get("", "namespaces", "", request.namespace)
        if namespace is None:
            raise not_found("", "namespaces", request.namespace)
        if (namespace.get("status") or {}).get("phase") == "Terminating":
            name = request.namespace
            why = f"unable to create new content in namespace {name} because it is being terminated"
            error = refused(request, why)
            text = f"namespace {name} is being terminated"
            error.causes = (Cause("NamespaceTerminating", text, "metadata.namespace"),)
            raise error
