"""DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not reachable.

kubernetes plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from typing import Final

from sampan.control_plane.apiserver.admission.model import CREATE, POD, UPDATE, Local, Request

SECONDS: Final = 300
_TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(Local):
    name = "DefaultTolerationSeconds"
    operations = frozenset({CREATE, UPDATE})
    resources = frozenset({POD})

    async def admit(self, request: Request, /) -> None:
        if request.object is None:
            return
        pod_spec = request.object.setdefault("spec", {})
        tolerations = pod_spec.get("tolerations") or []
        added = [
            {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
            for taint in _TAINTS
            if not any(
                toleration.get("key") in (taint, None, "")
                and toleration.get("effect") in ("NoExecute", None, "")
                for toleration in tolerations
            )
        ]
        if added:
            pod_spec["tolerations"] = [*tolerations, *added]
