"""RuntimeClass: what a pod's runtime class asks for in overhead, nodes and tolerations.

kubernetes plugin/pkg/admission/runtimeclass/admission.go.
"""

from __future__ import annotations

from typing import Any

from sampan.control_plane.apiserver.admission.model import CREATE, POD, Local, Request, refused
from sampan.control_plane.apiserver.view import Object, View


class RuntimeClass(Local):
    name = "RuntimeClass"
    operations = frozenset({CREATE})
    resources = frozenset({POD})

    def __init__(self, view: View) -> None:
        self._view = view

    async def admit(self, request: Request, /) -> None:
        if request.object is None:
            return
        pod_spec = request.object.setdefault("spec", {})
        found = self._class(request, pod_spec)
        overhead = _overhead(found)
        if overhead:
            if pod_spec.get("overhead") and pod_spec["overhead"] != overhead:
                raise refused(
                    request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
                )
            pod_spec["overhead"] = dict(overhead)
        scheduling = (found or {}).get("scheduling") or {}
        _select(request, pod_spec, scheduling.get("nodeSelector") or {})
        tolerations = pod_spec.get("tolerations") or []
        missing = [t for t in scheduling.get("tolerations") or () if t not in tolerations]
        if missing:
            pod_spec["tolerations"] = [*tolerations, *missing]

    async def validate(self, request: Request, /) -> None:
        pod_spec = (request.object or {}).get("spec") or {}
        overhead = _overhead(self._class(request, pod_spec))
        if overhead and pod_spec.get("overhead") != overhead:
            raise refused(
                request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            )
        if not overhead and pod_spec.get("overhead"):
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise refused(request, why)

    def _class(self, request: Request, pod_spec: dict[str, Any]) -> Object | None:
        name = pod_spec.get("runtimeClassName")
        if not name:
            return None
        found = self._view.get("node.k8s.io", "runtimeclasses", "", name)
        if found is None:
            raise refused(request, f'pod rejected: RuntimeClass "{name}" not found')
        return found


def _overhead(found: Object | None) -> dict[str, Any]:
    return ((found or {}).get("overhead") or {}).get("podFixed") or {}


def _select(request: Request, pod_spec: dict[str, Any], wanted: dict[str, str]) -> None:
    if not wanted:
        return
    selector = dict(pod_spec.get("nodeSelector") or {})
    for key, value in wanted.items():
        if selector.setdefault(key, value) != value:
            text = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            raise refused(request, f"{text}; pod.spec.nodeSelector[{key}] = {selector[key]}")
    pod_spec["nodeSelector"] = selector
