"""Priority: a pod's class becomes its number.

kubernetes plugin/pkg/admission/priority/admission.go.
"""

from __future__ import annotations

from typing import Any, Final

from sampan.control_plane.apiserver.admission.model import CREATE, POD, UPDATE, Local, Request, refused
from sampan.control_plane.apiserver.view import Object, View

GROUP: Final = "scheduling.k8s.io"
DEFAULT_POLICY: Final = "PreemptLowerPriority"


def _system_class(name: str, value: int, description: str) -> dict[str, Any]:
    return {
        "kind": "PriorityClass",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": name},
        "value": value,
        "description": description,
        "preemptionPolicy": DEFAULT_POLICY,
    }


# Made when the server starts, as kube-apiserver does.
SYSTEM_CLASSES: Final = (
    _system_class(
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    _system_class(
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
)


class Priority(Local):
    name = "Priority"
    operations = frozenset({CREATE, UPDATE})
    resources = frozenset({POD, (GROUP, "priorityclasses", "")})

    def __init__(self, view: View) -> None:
        self._view = view

    async def admit(self, request: Request, /) -> None:
        if request.object is None or request.resource != "pods":
            return
        pod_spec = request.object.setdefault("spec", {})
        if request.operation == UPDATE:
            # Written back by clients that do not know the fields: what admission gave stays.
            for field in ("priority", "preemptionPolicy"):
                kept = ((request.old or {}).get("spec") or {}).get(field)
                if pod_spec.get(field) is None and kept is not None:
                    pod_spec[field] = kept
            return
        name, value, policy = self._resolve(request, str(pod_spec.get("priorityClassName") or ""))
        if name:
            pod_spec["priorityClassName"] = name
        given = pod_spec.get("priority")
        if given is not None and given != value:
            why = f"the integer value of priority ({given}) must not be provided in pod spec; priority admission"
            raise refused(request, f"{why} controller computed {value} from the given PriorityClass name")
        pod_spec["priority"] = value
        given = pod_spec.get("preemptionPolicy")
        if given is not None and given != policy:
            why = f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission"
            raise refused(request, f"{why} controller computed {policy} from the given PriorityClass name")
        pod_spec["preemptionPolicy"] = policy

    async def validate(self, request: Request, /) -> None:
        if (
            request.object is None
            or request.resource != "priorityclasses"
            or not request.object.get("globalDefault")
        ):
            return
        default = self._default()
        if default is None:
            return
        name = default["metadata"]["name"]
        if request.operation == CREATE or name != request.name:
            raise refused(
                request, f"PriorityClass {name} is already marked as default. Only one default can exist"
            )

    def _resolve(self, request: Request, name: str) -> tuple[str, int, str]:
        found = self._view.get(GROUP, "priorityclasses", "", name) if name else self._default()
        if found is None:
            if name:
                raise refused(request, f"no PriorityClass with name {name} was found")
            return "", 0, DEFAULT_POLICY
        policy = str(found.get("preemptionPolicy") or DEFAULT_POLICY)
        return str(found["metadata"]["name"]), int(found.get("value") or 0), policy

    def _default(self) -> Object | None:
        """The global default; the lowest one where a race made several."""
        marked = [c for c in self._view.list(GROUP, "priorityclasses") if c.get("globalDefault")]
        return min(marked, key=lambda c: int(c.get("value") or 0), default=None)
