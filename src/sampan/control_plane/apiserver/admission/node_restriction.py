"""NodeRestriction: a node's agent writes about itself and about the pods bound to it, and nothing else.

kubernetes plugin/pkg/admission/noderestriction/admission.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sampan.api.status import not_found
from sampan.control_plane.apiserver.admission.model import (
    CREATE,
    DELETE,
    UPDATE,
    Local,
    Request,
    is_mirror,
    metadata,
    refused,
    spec,
)
from sampan.control_plane.apiserver.authn.model import NODE_PREFIX, NODES
from sampan.control_plane.apiserver.authz.node import pod_references
from sampan.control_plane.apiserver.view import View

LEASES: Final = "kube-node-lease"
_KUBELET_LABELS: Final = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_KUBELET_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")


class NodeRestriction(Local):
    name = "NodeRestriction"
    operations = frozenset({CREATE, UPDATE, DELETE})

    def __init__(self, view: View) -> None:
        self._view = view
        self._checks: dict[tuple[str, str], Callable[[str, Request], None]] = {
            ("", "pods"): self._pod,
            ("", "nodes"): self._node,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "serviceaccounts"): self._token,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._slice,
        }

    def handles(self, request: Request, /) -> bool:
        user = request.user
        if not user.name.startswith(NODE_PREFIX) or NODES not in user.groups:
            return False
        return request.operation in self.operations and (request.group, request.resource) in self._checks

    async def admit(self, request: Request, /) -> None:
        node = request.user.name.removeprefix(NODE_PREFIX)
        if not node:
            raise refused(request, f'could not determine node from user "{request.user.name}"')
        self._checks[request.group, request.resource](node, request)

    def _pod(self, node: str, request: Request) -> None:
        if request.subresource == "status":
            self._pod_status(node, request)
        elif request.subresource == "eviction":
            pod = self._view.get("", "pods", request.namespace, request.name)
            if pod is None:
                raise not_found("", "pods", request.name)
            if spec(pod).get("nodeName") != node:
                raise refused(request, f"node {node} can only evict pods with spec.nodeName set to itself")
        elif request.subresource:
            what = f'unexpected pod subresource "{request.subresource}"'
            raise refused(request, f"{what}, only 'status' and 'eviction' are allowed")
        elif request.operation == CREATE:
            self._mirror_pod(node, request)
        elif request.operation == DELETE:
            if spec(request.old).get("nodeName") != node:
                raise refused(request, f'node "{node}" can only delete pods with spec.nodeName set to itself')
        else:
            what = f'unexpected operation "{request.operation}"'
            raise refused(request, f'{what}, node "{node}" can only create and delete mirror pods')

    def _pod_status(self, node: str, request: Request) -> None:
        if request.operation != UPDATE:
            raise refused(request, f'unexpected operation "{request.operation}"')
        old, new = request.old or {}, request.object or {}
        if spec(old).get("nodeName") != node:
            why = "can only update pod status for pods with spec.nodeName set to itself"
            raise refused(request, f'node "{node}" {why}')
        if (metadata(old).get("labels") or {}) != (metadata(new).get("labels") or {}):
            raise refused(request, f'node "{node}" cannot update labels through pod status')
        claims = ((o.get("status") or {}).get("resourceClaimStatuses") or [] for o in (old, new))
        if next(claims) != next(claims):
            raise refused(request, f'node "{node}" cannot update resource claim statues')

    def _mirror_pod(self, node: str, request: Request) -> None:
        pod = request.object or {}
        if not is_mirror(pod):
            what = 'pod does not have "kubernetes.io/config.mirror" annotation'
            raise refused(request, f'{what}, node "{node}" can only create mirror pods')
        if spec(pod).get("nodeName") != node:
            raise refused(request, f'node "{node}" can only create pods with spec.nodeName set to itself')
        owners = list(metadata(pod).get("ownerReferences") or ())
        wanted = ("v1", "Node", node)
        if len(owners) != 1 or tuple(owners[0].get(k) for k in ("apiVersion", "kind", "name")) != wanted:
            raise refused(
                request, f'node "{node}" can only create pods with an owner reference set to itself'
            )
        if not owners[0].get("controller"):
            why = "can only create pods with a controller owner reference set to itself"
            raise refused(request, f'node "{node}" {why}')
        if owners[0].get("blockOwnerDeletion"):
            raise refused(request, f'node "{node}" must not set blockOwnerDeletion on an owner reference')
        found = self._view.get("", "nodes", "", node)
        if found is None:
            raise not_found("", "nodes", node)
        expected, got = owners[0].get("uid"), metadata(found).get("uid")
        if expected != got:
            raise refused(request, f"node {node} UID mismatch: expected {expected} got {got}")
        bare = {**pod, "metadata": {**metadata(pod), "annotations": {}}}
        others = [plural for plural, _ in pod_references(bare) if plural != "pods"]
        if others:
            raise refused(request, f'node "{node}" can not create pods that reference {others[0]}')

    def _node(self, node: str, request: Request) -> None:
        new, old = request.object or {}, request.old or {}
        name = request.name or metadata(new).get("name", "")
        if name != node:
            raise refused(request, f'node "{node}" is not allowed to modify node "{name}"')
        if request.operation == DELETE:
            return
        if request.operation == UPDATE:
            if (spec(new).get("taints") or []) != (spec(old).get("taints") or []):
                raise refused(request, f'node "{node}" is not allowed to modify taints')
            if (metadata(new).get("ownerReferences") or []) != (metadata(old).get("ownerReferences") or []):
                raise refused(request, f'node "{node}" is not allowed to modify ownerReferences')
        if spec(new).get("configSource") and spec(new)["configSource"] != spec(old).get("configSource"):
            raise refused(request, f'node "{node}" is not allowed to set configSource')
        labels = forbidden_labels(metadata(new).get("labels") or {}, metadata(old).get("labels") or {})
        if labels:
            listed = ", ".join(labels)
            if request.operation == CREATE:
                raise refused(request, f'node "{node}" is not allowed to set the following labels: {listed}')
            raise refused(request, f"is not allowed to modify labels: {listed}")

    def _claim(self, node: str, request: Request) -> None:
        if request.subresource != "status" or request.operation != UPDATE:
            raise refused(request, "may only update PVC status")

        def rest(claim: Mapping[str, Any]) -> dict[str, Any]:
            hidden = ("resourceVersion", "managedFields")
            kept = {k: v for k, v in metadata(claim).items() if k not in hidden}
            own = ("capacity", "conditions", "allocatedResources", "allocatedResourceStatuses")
            status = {k: v for k, v in (claim.get("status") or {}).items() if k not in own}
            return {"metadata": kept, "spec": spec(claim), "status": status}

        if rest(request.old or {}) != rest(request.object or {}):
            why = "is not allowed to update fields other than status.quantity and status.conditions"
            raise refused(request, f'node "{node}" {why}')

    def _token(self, node: str, request: Request) -> None:
        if request.operation != CREATE or request.subresource != "token":
            return
        asked = spec(request.object)
        reference = asked.get("boundObjectRef") or {}
        name, uid = reference.get("name"), reference.get("uid")
        if (reference.get("apiVersion"), reference.get("kind")) != ("v1", "Pod") or not name:
            raise refused(request, "node requested token not bound to a pod")
        if not uid:
            raise refused(request, "node requested token with a pod binding without a uid")
        pod = self._view.get("", "pods", request.namespace, name)
        if pod is None:
            raise not_found("", "pods", name)
        if metadata(pod).get("uid") != uid:
            text = f"the UID in the bound object reference ({uid}) does not match the UID in record."
            raise refused(request, f"{text} The object might have been deleted and then recreated")
        if spec(pod).get("nodeName") != node:
            raise refused(request, "node requested token bound to a pod scheduled on a different node")
        audiences = asked.get("audiences") or [""]
        if len(audiences) > 1:
            raise refused(request, "node may only request 0 or 1 audiences")
        if audiences[0] not in _pod_audiences(pod):
            raise refused(request, f'audience "{audiences[0]}" not found in pod spec volume')

    def _lease(self, node: str, request: Request) -> None:
        if request.namespace != LEASES:
            return
        name = request.name or metadata(request.object).get("name", "")
        if name != node:
            raise refused(request, "can only access node lease with the same name as the requesting node")

    def _csi_node(self, node: str, request: Request) -> None:
        name = request.name or metadata(request.object).get("name", "")
        if name != node:
            raise refused(request, "can only access CSINode with the same name as the requesting node")

    def _slice(self, node: str, request: Request) -> None:
        if request.operation == CREATE and spec(request.object).get("nodeName") != node:
            raise refused(
                request, "can only create ResourceSlice with the same NodeName as the requesting node"
            )


def _pod_audiences(pod: Mapping[str, Any]) -> set[str]:
    """What a pod's own volumes ask tokens for; "" stands for the API server's own audience."""
    sources = [
        s for v in spec(pod).get("volumes") or () for s in (v.get("projected") or {}).get("sources") or ()
    ]
    return {
        str(s["serviceAccountToken"].get("audience") or "") for s in sources if s.get("serviceAccountToken")
    }


def forbidden_labels(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    """Changed labels that would let a node draw pods to itself."""
    changed = {key for key in {*new, *old} if new.get(key) != old.get(key)}
    return sorted(key for key in changed if _forbidden(key))


def _forbidden(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""

    def within(parent: str) -> bool:
        return domain == parent or domain.endswith(f".{parent}")

    if within("node-restriction.kubernetes.io"):
        return True
    if not (within("kubernetes.io") or within("k8s.io")):
        return False
    return key not in _KUBELET_LABELS and not any(within(d) for d in _KUBELET_DOMAINS)
