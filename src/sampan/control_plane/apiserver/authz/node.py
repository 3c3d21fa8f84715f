"""What a node's agent may touch: its own node and lease, the pods bound to it, and what those pods refer to.

kubernetes plugin/pkg/auth/authorizer/node/{node_authorizer,graph}.go. Upstream keeps a graph; here the references are
collected from the node's pods, one namespace at a time, once per revision of the pods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sampan.control_plane.apiserver.authn.model import NODE_PREFIX, NODES
from sampan.control_plane.apiserver.authz.bootstrap_policy import CLUSTER_ROLES
from sampan.control_plane.apiserver.authz.model import NO_OPINION, Attributes, Decision
from sampan.control_plane.apiserver.authz.rules import Rule
from sampan.control_plane.apiserver.view import Object, View

LEASES: Final = "kube-node-lease"
_YES: Final = Decision(True)
_OWN_VERBS: Final = frozenset({"get", "create", "update", "patch", "delete"})
_SELECTED_NODE: Final = re.compile(r"(?:^|,)spec\.nodeName==?([^,!=]+)(?:,|$)")
_SELECTED_SLICES: Final = re.compile(r"(?:^|,)nodeName==?([^,!=]+)(?:,|$)")

# (plural, name), in the namespace of the pod
Reference = tuple[str, str]


class NodeAuthorizer:
    """An Authorizer with an opinion on users system:node:NAME of the group system:nodes only."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rules = tuple(Rule(rule) for rule in CLUSTER_ROLES["system:node"])
        self._revision = -1
        self._references: dict[tuple[str, str], frozenset[Reference]] = {}
        # "" is the core group's pseudo-name in these keys, as in Attributes.group.
        self._subdivided: dict[tuple[str, str], Callable[[str, Attributes], Decision]] = {
            ("", "secrets"): self._readable,
            ("", "configmaps"): self._readable,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._gettable,
            ("resource.k8s.io", "resourceclaims"): self._gettable,
            ("storage.k8s.io", "volumeattachments"): self._gettable,
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._slice,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("certificates.k8s.io", "podcertificaterequests"): _not_offered,
        }

    def authorize(self, attributes: Attributes, /) -> Decision:
        user = attributes.user
        if not user.name.startswith(NODE_PREFIX) or NODES not in user.groups:
            return NO_OPINION
        node = user.name.removeprefix(NODE_PREFIX)
        if not node:
            return Decision(False, f'unknown node for user "{user.name}"')
        special = (
            self._subdivided.get((attributes.group, attributes.resource)) if attributes.is_resource else None
        )
        if special is not None:
            return special(node, attributes)
        return _YES if any(rule.matches(attributes) for rule in self._rules) else NO_OPINION

    def _readable(self, node: str, a: Attributes) -> Decision:
        if a.verb not in ("get", "list", "watch"):
            return Decision(False, "can only read resources of this type")
        if a.subresource:
            return Decision(False, "cannot read subresource")
        if not a.namespace:
            return Decision(False, "can only read namespaced object of this type")
        return self._related(node, a)

    def _gettable(self, node: str, a: Attributes) -> Decision:
        if a.verb != "get":
            return Decision(False, "can only get individual resources of this type")
        if a.subresource:
            return Decision(False, "cannot get subresource")
        return self._related(node, a)

    def _claim(self, node: str, a: Attributes) -> Decision:
        if a.subresource != "status":
            return self._gettable(node, a)
        if a.verb not in ("update", "patch"):
            return Decision(False, "can only get/update/patch this type")
        return self._related(node, a)

    def _service_account(self, node: str, a: Attributes) -> Decision:
        if a.verb == "get" and not a.subresource:
            return self._readable(node, a)
        if a.verb != "create" or not a.name:
            return Decision(False, "can only create tokens for individual service accounts")
        if a.subresource != "token":
            return Decision(False, "can only create token subresource of serviceaccount")
        return self._related(node, a)

    def _lease(self, node: str, a: Attributes) -> Decision:
        if a.verb not in _OWN_VERBS:
            return Decision(False, "can only get, create, update, patch, or delete a node lease")
        if a.namespace != LEASES:
            return Decision(False, f'can only access leases in the "{LEASES}" system namespace')
        # The name of a new lease is not known here; the NodeRestriction plug-in checks it.
        if a.verb != "create" and a.name != node:
            return Decision(False, "can only access node lease with the same name as the requesting node")
        return _YES

    def _csi_node(self, node: str, a: Attributes) -> Decision:
        if a.subresource:
            return Decision(False, "cannot authorize CSINode subresources")
        if a.verb not in _OWN_VERBS:
            return Decision(False, "can only get, create, update, patch, or delete a CSINode")
        if a.verb != "create" and a.name != node:
            return Decision(False, "can only access CSINode with the same name as the requesting node")
        return _YES

    def _slice(self, node: str, a: Attributes) -> Decision:
        if a.subresource:
            return Decision(False, "cannot authorize ResourceSlice subresources")
        if a.verb == "create":
            return _YES
        if a.verb in ("list", "watch", "deletecollection"):
            if _selects(_SELECTED_SLICES, a.field_selector, node):
                return _YES
            text = "can only list/watch/deletecollection resourceslices with nodeName field selector"
            return Decision(False, text)
        if a.verb in _OWN_VERBS:
            found = self._view.get("resource.k8s.io", "resourceslices", "", a.name)
            own = found is not None and (found.get("spec") or {}).get("nodeName") == node
            return _YES if own else _unrelated(node)
        return Decision(
            False,
            "only the following verbs are allowed for a ResourceSlice: " + ", ".join(sorted(_OWN_VERBS)),
        )

    def _node(self, node: str, a: Attributes) -> Decision:
        if a.subresource == "status":
            return _YES if a.verb in ("update", "patch") else NO_OPINION
        if a.subresource:
            return NO_OPINION
        # Which node is written is for the NodeRestriction plug-in.
        if a.verb in ("create", "update", "patch"):
            return _YES
        if a.verb not in ("get", "list", "watch"):
            return NO_OPINION
        if a.name == node:
            return _YES
        if not a.name:
            return Decision(False, f"node '{node}' cannot read all nodes, only its own Node object")
        return Decision(False, f"node '{node}' cannot read '{a.name}', only its own Node object")

    def _pod(self, node: str, a: Attributes) -> Decision:
        if a.subresource == "status":
            return _YES if a.verb in ("update", "patch") else NO_OPINION
        if a.subresource == "eviction":
            return _YES if a.verb == "create" else NO_OPINION
        if a.subresource:
            return NO_OPINION
        if a.verb == "get":
            return self._gettable(node, a)
        if a.verb in ("list", "watch"):
            if _selects(_SELECTED_NODE, a.field_selector, node):
                return _YES
            if a.name:
                return self._related(node, a)
            return Decision(False, "can only list/watch pods with spec.nodeName field selector")
        # Which pods are created and deleted is for the NodeRestriction plug-in.
        return _YES if a.verb in ("create", "delete") else NO_OPINION

    def _related(self, node: str, a: Attributes) -> Decision:
        if not a.name:
            return Decision(False, "No Object name found")
        if a.resource == "persistentvolumes":
            related = self._has_volume(node, self._view.get("", a.resource, "", a.name))
        elif a.resource == "volumeattachments":
            found = self._view.get("storage.k8s.io", a.resource, "", a.name) or {}
            related = (found.get("spec") or {}).get("nodeName") == node
        else:
            related = bool(a.namespace) and (a.resource, a.name) in self._reachable(node, a.namespace)
            if not related and a.resource == "secrets":
                related = self._is_volume_secret(node, a.namespace, a.name)
        return _YES if related else _unrelated(node)

    def _reachable(self, node: str, namespace: str) -> frozenset[Reference]:
        """All that the node's pods in a namespace refer to, themselves included."""
        revision = self._view.revision("", "pods")
        if revision != self._revision:
            self._references, self._revision = {}, revision
        references = self._references.get((node, namespace))
        if references is None:
            pods = self._view.list("", "pods", namespace)
            mine = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName") == node]
            references = frozenset(reference for pod in mine for reference in pod_references(pod))
            self._references[node, namespace] = references
        return references

    def _has_volume(self, node: str, volume: Object | None) -> bool:
        claim = ((volume or {}).get("spec") or {}).get("claimRef") or {}
        name, namespace = str(claim.get("name") or ""), str(claim.get("namespace") or "")
        return bool(namespace) and ("persistentvolumeclaims", name) in self._reachable(node, namespace)

    def _is_volume_secret(self, node: str, namespace: str, name: str) -> bool:
        """Drivers' secrets lie where the volume says, not where the pod is."""
        return any(
            (namespace, name) in _volume_secrets(volume.get("spec") or {}) and self._has_volume(node, volume)
            for volume in self._view.list("", "persistentvolumes")
        )


def _not_offered(node: str, a: Attributes) -> Decision:
    return NO_OPINION


def _unrelated(node: str) -> Decision:
    return Decision(False, f"no relationship found between node '{node}' and this object")


def _selects(pattern: re.Pattern[str], selector: str, node: str) -> bool:
    """Whether a conjunction of field requirements holds one that says equals `node`."""
    return any(match == node for match in pattern.findall(selector))


def pod_references(pod: Object) -> Iterator[Reference]:
    """A pod, and the service account, secrets, config maps and claims in its namespace that its node must read."""
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    name = str(metadata.get("name") or "")
    yield "pods", name
    # A mirror pod is the node's own word, so it opens nothing.
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return
    if spec.get("serviceAccountName"):
        yield "serviceaccounts", spec["serviceAccountName"]
    for secret in spec.get("imagePullSecrets") or ():
        yield "secrets", secret.get("name", "")
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            yield from _environment(container)
    for volume in spec.get("volumes") or ():
        yield from _volume(volume, name)
    for status in (pod.get("status") or {}).get("resourceClaimStatuses") or ():
        if status.get("resourceClaimName"):
            yield "resourceclaims", status["resourceClaimName"]
    for claim in spec.get("resourceClaims") or ():
        if claim.get("resourceClaimName"):
            yield "resourceclaims", claim["resourceClaimName"]


def _environment(container: Mapping[str, Any]) -> Iterator[Reference]:
    for source in container.get("envFrom") or ():
        yield from _named(source, (("secretRef", "secrets"), ("configMapRef", "configmaps")))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield from _named(source, (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")))


def _named(source: Mapping[str, Any], keys: tuple[tuple[str, str], ...]) -> Iterator[Reference]:
    for key, plural in keys:
        name = (source.get(key) or {}).get("name")
        if name:
            yield plural, name


_SECRET_VOLUMES: Final = ("cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos")


def _volume(volume: Mapping[str, Any], pod: str) -> Iterator[Reference]:
    if (volume.get("secret") or {}).get("secretName"):
        yield "secrets", volume["secret"]["secretName"]
    yield from _named(volume, (("configMap", "configmaps"),))
    if (volume.get("persistentVolumeClaim") or {}).get("claimName"):
        yield "persistentvolumeclaims", volume["persistentVolumeClaim"]["claimName"]
    if volume.get("ephemeral") is not None:
        yield "persistentvolumeclaims", f"{pod}-{volume.get('name', '')}"
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _named(source, (("secret", "secrets"), ("configMap", "configmaps")))
    if (volume.get("azureFile") or {}).get("secretName"):
        yield "secrets", volume["azureFile"]["secretName"]
    yield from _named(volume.get("csi") or {}, (("nodePublishSecretRef", "secrets"),))
    for kind in _SECRET_VOLUMES:
        yield from _named(volume.get(kind) or {}, (("secretRef", "secrets"),))


def _volume_secrets(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the secrets that a persistent volume's driver reads on the node."""
    keys = ("secretRef", "nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")
    for source in spec.values():
        if not isinstance(source, Mapping):
            continue
        for key in keys:
            secret = source.get(key)
            if isinstance(secret, Mapping) and secret.get("name"):
                yield str(secret.get("namespace") or ""), str(secret["name"])
