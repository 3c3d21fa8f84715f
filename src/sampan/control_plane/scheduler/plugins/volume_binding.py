"""VolumeBinding: claims that are bound tie a pod to nodes; claims that wait for a first consumer are told the node.

Behaviour: k8s.io/kubernetes pkg/scheduler/framework/plugins/volumebinding. Thin: a waiting claim that a PersistentVolume
could satisfy is matched by class, mode, size and affinity; CSI storage capacity is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from sampan.api import quantity
from sampan.api.selector import nodes as node_selector
from sampan.api.selector.labels import Selector
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.framework import (
    NODE_ADDED,
    NODE_CHANGED,
    STORAGE_CHANGED,
    NodeFilter,
    Reason,
    Rejection,
)
from sampan.control_plane.scheduler.model import NodeInfo, PodInfo

Object = dict[str, Any]

NODE_CONFLICT: Final = (Reason("node(s) didn't match PersistentVolume's node affinity", resolvable=False),)
NO_VOLUME: Final = (Reason("node(s) didn't find available persistent volumes to bind", resolvable=False),)
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"


class Volumes(Protocol):
    """What the plug-in asks about storage; `run` answers from its informers."""

    def claim(self, namespace: str, name: str) -> Object | None: ...

    def volume(self, name: str) -> Object | None: ...

    def volumes(self) -> Iterable[Object]: ...

    def storage_class(self, name: str) -> Object | None: ...


class Claims(NamedTuple):
    """The claims of one pod: volumes that are bound, and claims that wait for the choice of a node."""

    bound: tuple[Object, ...]
    waiting: tuple[Object, ...]


class VolumeBinding:
    name = "VolumeBinding"
    weight = 0
    wakes = frozenset({NODE_ADDED, NODE_CHANGED, STORAGE_CHANGED})

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes

    def filter(self, pod: PodInfo, cluster: Cluster) -> NodeFilter | Rejection | None:
        names = claim_names(pod)
        if not names:
            return None
        claims = self.claims(pod, names)
        if isinstance(claims, Rejection):
            return claims

        def fits(node: NodeInfo) -> Sequence[Reason]:
            affinities = [(v["spec"].get("nodeAffinity") or {}).get("required") for v in claims.bound]
            if not all(node_selector.matches(required, node.obj) for required in affinities):
                return NODE_CONFLICT
            taken: set[str] = set()
            return () if all(self._can_have(claim, node, taken) for claim in claims.waiting) else NO_VOLUME

        return fits

    def score(self, pod: PodInfo, cluster: Cluster, nodes: Sequence[NodeInfo]) -> None:
        return None

    def claims(self, pod: PodInfo, names: Sequence[str]) -> Claims | Rejection:
        bound: list[Object] = []
        waiting: list[Object] = []
        for name in names:
            claim = self._volumes.claim(pod.namespace, name)
            if claim is None:
                return Rejection(f'persistentvolumeclaim "{name}" not found')
            if claim["metadata"].get("deletionTimestamp"):
                return Rejection(f'persistentvolumeclaim "{name}" is being deleted')
            volume_name = claim["spec"].get("volumeName", "")
            if (claim.get("status") or {}).get("phase") == "Lost":
                text = (
                    f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume_name}"'
                )
                return Rejection(text)
            if volume_name and (claim.get("status") or {}).get("phase") == "Bound":
                volume = self._volumes.volume(volume_name)
                if volume is None:
                    return Rejection(
                        "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
                    )
                bound.append(volume)
            elif not volume_name and self._waits(claim):
                waiting.append(claim)
            else:
                return Rejection("pod has unbound immediate PersistentVolumeClaims")
        return Claims(tuple(bound), tuple(waiting))

    def _waits(self, claim: Object) -> bool:
        storage_class = self._volumes.storage_class(claim["spec"].get("storageClassName") or "")
        return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _can_have(self, claim: Object, node: NodeInfo, taken: set[str]) -> bool:
        chosen = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
        if chosen:
            return bool(chosen == node.name)
        for volume in self._volumes.volumes():
            name = volume["metadata"]["name"]
            if name not in taken and _suits(volume, claim) and _reaches(volume, node):
                taken.add(name)
                return True
        storage_class = self._volumes.storage_class(claim["spec"].get("storageClassName") or "") or {}
        if storage_class.get("provisioner", NO_PROVISIONER) == NO_PROVISIONER:
            return False
        topologies = storage_class.get("allowedTopologies")
        return not topologies or any(_in_topology(term, node) for term in topologies)


def claim_names(pod: PodInfo) -> list[str]:
    """The claims of a pod's volumes; those of ephemeral volumes are named after pod and volume."""
    names = []
    for volume in pod.spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            names.append(f"{pod.name}-{volume['name']}")
    return names


def _suits(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    ref = spec.get("claimRef")
    if ref:
        mine = (
            ref.get("name") == claim["metadata"]["name"]
            and ref.get("namespace") == claim["metadata"]["namespace"]
        )
        if not mine:
            return False
    elif (volume.get("status") or {}).get("phase") != "Available":
        return False
    if (spec.get("storageClassName") or "") != (wanted.get("storageClassName") or ""):
        return False
    if spec.get("volumeMode", "Filesystem") != wanted.get("volumeMode", "Filesystem"):
        return False
    if not set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return False
    asked = ((wanted.get("resources") or {}).get("requests") or {}).get("storage", "0")
    if quantity.parse((spec.get("capacity") or {}).get("storage", "0")).compare(quantity.parse(asked)) < 0:
        return False
    selector = wanted.get("selector")
    return selector is None or Selector.from_object(selector).matches(volume["metadata"].get("labels"))


def _reaches(volume: Object, node: NodeInfo) -> bool:
    return node_selector.matches((volume["spec"].get("nodeAffinity") or {}).get("required"), node.obj)


def _in_topology(term: Object, node: NodeInfo) -> bool:
    return all(node.labels.get(e["key"]) in e["values"] for e in term.get("matchLabelExpressions") or ())
