"""TaintNodesByCondition: a node is not ready until the node controller has seen that it is.

kubernetes plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from typing import Final

from sampan.control_plane.apiserver.admission.model import CREATE, Local, Request

TAINT: Final = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(Local):
    name = "TaintNodesByCondition"
    operations = frozenset({CREATE})
    resources = frozenset({("", "nodes", "")})

    async def admit(self, request: Request, /) -> None:
        if request.object is None:
            return
        node_spec = request.object.setdefault("spec", {})
        taints = node_spec.get("taints") or []
        if not any((t.get("key"), t.get("effect")) == (TAINT["key"], TAINT["effect"]) for t in taints):
            node_spec["taints"] = [*taints, dict(TAINT)]
