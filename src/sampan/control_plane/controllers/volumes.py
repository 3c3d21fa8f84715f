"""How claims and volumes find each other, and what each one's state says: pure.

Behaviour: k8s.io/kubernetes pkg/controller/volume/persistentvolume (pv_controller.go, index.go). Dynamic provisioning and
deletion are external, as for CSI drivers; Recycle is not supported and said so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds, quantity
from sampan.api.selector import nodes as node_selector
from sampan.api.selector.labels import Selector
from sampan.control.plan import Action, Emit, Update

Object = dict[str, Any]

CLAIMS: Final = kinds.of("v1", "PersistentVolumeClaim")
VOLUMES: Final = kinds.of("v1", "PersistentVolume")
CLASSES: Final = kinds.of("storage.k8s.io/v1", "StorageClass")

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
PROVISIONER_BETA: Final = "volume.beta.kubernetes.io/storage-provisioner"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"


class ClaimView(NamedTuple):
    claim: Object
    volumes: tuple[Object, ...]
    storage_class: Object | None
    node: Object | None  # the one that the scheduler has selected

    def volume(self, name: str) -> Object | None:
        return next((v for v in self.volumes if v["metadata"]["name"] == name), None)

    @property
    def waits_for_consumer(self) -> bool:
        mode = (self.storage_class or {}).get("volumeBindingMode")
        return mode == "WaitForFirstConsumer" and SELECTED_NODE not in _annotations(self.claim)


class VolumeView(NamedTuple):
    volume: Object
    claim: Object | None  # the one that claimRef names, if it exists


# --- claims


def plan_claim(view: ClaimView) -> list[Action]:
    claim = view.claim
    name = claim["spec"].get("volumeName", "")
    if BIND_COMPLETED in _annotations(claim):
        return _keep(view, name)
    if claim["metadata"].get("deletionTimestamp"):
        return []
    if not name:
        found = best(view)
        return _bind(found, claim) if found is not None else _wait(view)
    volume = view.volume(name)
    if volume is None:
        return _phase(claim, "Pending")
    ref = volume["spec"].get("claimRef")
    if ref is None:
        why = mismatch(volume, claim)
        if why:
            text = f'Cannot bind to requested volume "{name}": {why}'
            return [Emit(claim, "Warning", "VolumeMismatch", text), *_phase(claim, "Pending")]
        return _bind(volume, claim)
    if is_for(ref, claim):
        return _bind(volume, claim)
    text = f'volume "{name}" already bound to a different claim.'
    return [Emit(claim, "Warning", "FailedBinding", text), *_phase(claim, "Pending")]


def _keep(view: ClaimView, name: str) -> list[Action]:
    """A claim that was bound once stays with its volume, or is lost."""
    claim = view.claim
    volume = view.volume(name) if name else None
    if not name:
        return _lose(
            claim,
            "ClaimLost",
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
        )
    if volume is None:
        return _lose(
            claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        )
    ref = volume["spec"].get("claimRef")
    if ref is None or (is_for(ref, claim) and (not ref.get("uid") or ref["uid"] == claim["metadata"]["uid"])):
        return _bind(volume, claim)
    text = "Two claims are bound to the same volume, this one is bound incorrectly"
    return _lose(claim, "ClaimMisbound", text)


def best(view: ClaimView) -> Object | None:
    """A volume reserved for the claim, else the smallest that satisfies it; None while a consumer is awaited."""
    claim = view.claim
    reserved = [v for v in view.volumes if is_for(v["spec"].get("claimRef") or {}, claim)]
    if reserved:
        return reserved[0]
    if view.waits_for_consumer:
        return None
    free = [
        volume
        for volume in view.volumes
        if volume["spec"].get("claimRef") is None
        and not volume["metadata"].get("deletionTimestamp")
        and (volume.get("status") or {}).get("phase") in ("Available", None)
        and not mismatch(volume, claim)
        and _selected(volume, claim)
        and (view.node is None or _reaches(volume, view.node))
    ]
    return min(free, key=lambda v: (_size(v).nanos, v["metadata"]["name"]), default=None)


def mismatch(volume: Object, claim: Object) -> str:
    """Why the volume does not satisfy the claim; empty when it does."""
    spec, wanted = volume["spec"], claim["spec"]
    asked = quantity.parse(((wanted.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    if _size(volume).compare(asked) < 0:
        return "requested PV is too small"
    if (spec.get("storageClassName") or "") != (wanted.get("storageClassName") or ""):
        return "storageClassName does not match"
    if spec.get("volumeMode", "Filesystem") != wanted.get("volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    if not set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return "incompatible accessMode"
    if (spec.get("volumeAttributesClassName") or "") != (wanted.get("volumeAttributesClassName") or ""):
        return "volumeAttributesClassName does not match"
    return ""


def _selected(volume: Object, claim: Object) -> bool:
    selector = claim["spec"].get("selector")
    return selector is None or Selector.from_object(selector).matches(volume["metadata"].get("labels"))


def _reaches(volume: Object, node: Object) -> bool:
    return node_selector.matches((volume["spec"].get("nodeAffinity") or {}).get("required"), node)


def _size(volume: Object) -> quantity.Quantity:
    return quantity.parse((volume["spec"].get("capacity") or {}).get("storage", "0"))


def _wait(view: ClaimView) -> list[Action]:
    """No volume yet: says for what the claim waits, and tells an external provisioner that it is its turn."""
    claim = view.claim
    wanted = claim["spec"].get("storageClassName")
    pending = _phase(claim, "Pending")
    if not wanted:
        text = "no persistent volumes available for this claim and no storage class is set"
        return [Emit(claim, "Normal", "FailedBinding", text), *pending]
    if view.storage_class is None:
        text = f'storageclass.storage.k8s.io "{wanted}" not found'
        return [Emit(claim, "Warning", "ProvisioningFailed", text), *pending]
    if view.waits_for_consumer:
        text = "waiting for first consumer to be created before binding"
        return [Emit(claim, "Normal", "WaitForFirstConsumer", text), *pending]
    provisioner = view.storage_class.get("provisioner", NO_PROVISIONER)
    if provisioner == NO_PROVISIONER:
        text = "no volume plugin matched name: kubernetes.io/no-provisioner"
        return [Emit(claim, "Warning", "ProvisioningFailed", text), *pending]
    text = (
        f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered."
    )
    told: list[Action] = [Emit(claim, "Normal", "ExternalProvisioning", text)]
    annotations = _annotations(claim)
    if annotations.get(PROVISIONER) != provisioner:
        wanted_annotations = annotations | {PROVISIONER: provisioner, PROVISIONER_BETA: provisioner}
        meta = claim["metadata"] | {"annotations": wanted_annotations}
        told.append(Update(CLAIMS, claim | {"metadata": meta}))
        return told
    return told + pending


def _bind(volume: Object, claim: Object) -> list[Action]:
    """The write that is due next: the volume's reference, then the claim's, then the claim's status.

    One write at a time: each answer changes the version that the next one needs.
    """
    return _bind_volume(volume, claim) or _bind_claim(volume, claim) or _bind_status(volume, claim)


def _bind_volume(volume: Object, claim: Object) -> list[Action]:
    meta, ref = claim["metadata"], volume["spec"].get("claimRef") or {}
    if ref.get("uid") == meta["uid"]:
        return []
    wanted = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }
    made = volume | {"spec": volume["spec"] | {"claimRef": wanted}}
    if not ref:
        annotations = _annotations(volume) | {BOUND_BY_CONTROLLER: "yes"}
        made["metadata"] = volume["metadata"] | {"annotations": annotations}
    return [Update(VOLUMES, made)]


def _bind_claim(volume: Object, claim: Object) -> list[Action]:
    spec, annotations = claim["spec"], _annotations(claim)
    wanted = annotations | {BIND_COMPLETED: "yes"}
    if not spec.get("volumeName"):
        wanted[BOUND_BY_CONTROLLER] = "yes"
    if spec.get("volumeName") == volume["metadata"]["name"] and wanted == annotations:
        return []
    made = claim | {"spec": spec | {"volumeName": volume["metadata"]["name"]}}
    made["metadata"] = claim["metadata"] | {"annotations": wanted}
    return [Update(CLAIMS, made)]


def _bind_status(volume: Object, claim: Object) -> list[Action]:
    status = claim.get("status") or {}
    wanted = status | {
        "phase": "Bound",
        "accessModes": list(volume["spec"].get("accessModes") or ()),
        "capacity": dict(volume["spec"].get("capacity") or {}),
    }
    return [] if wanted == status else [Update(CLAIMS, claim | {"status": wanted}, "status")]


def _phase(claim: Object, phase: str) -> list[Action]:
    status = claim.get("status") or {}
    if status.get("phase") == phase:
        return []
    return [Update(CLAIMS, claim | {"status": status | {"phase": phase}}, "status")]


def _lose(claim: Object, reason: str, text: str) -> list[Action]:
    written = _phase(claim, "Lost")
    return [*written, Emit(claim, "Warning", reason, text)] if written else []


# --- volumes


def plan_volume(view: VolumeView) -> list[Action]:
    volume, claim = view.volume, view.claim
    ref = volume["spec"].get("claimRef")
    if ref is None or not ref.get("uid"):
        return _volume_phase(volume, "Available")
    if claim is None or claim["metadata"]["uid"] != ref["uid"]:
        return _released(volume)
    bound_to = claim["spec"].get("volumeName")
    if bound_to == volume["metadata"]["name"]:
        return _volume_phase(volume, "Bound")
    if not bound_to:
        return []  # the claim's own reconcile finishes the binding
    # the claim went elsewhere: what the controller had reserved is free again
    made = volume | {"spec": {k: v for k, v in volume["spec"].items() if k != "claimRef"}}
    if BOUND_BY_CONTROLLER not in _annotations(volume):
        made["spec"]["claimRef"] = {k: v for k, v in ref.items() if k not in ("uid", "resourceVersion")}
    return [Update(VOLUMES, made)]


def _released(volume: Object) -> list[Action]:
    if volume["spec"].get("persistentVolumeReclaimPolicy") == "Recycle":
        text = "No recycler plugin found for the volume!"
        written = _volume_phase(volume, "Failed", "No recycler plugin found for the volume!")
        return [*written, Emit(volume, "Warning", "VolumeFailedRecycle", text)] if written else []
    return _volume_phase(volume, "Released")


def _volume_phase(volume: Object, phase: str, message: str = "") -> list[Action]:
    status = volume.get("status") or {}
    if status.get("phase") == phase:
        return []
    made = {k: v for k, v in status.items() if k not in ("message", "reason")} | {"phase": phase}
    if message:
        made["message"] = message
    return [Update(VOLUMES, volume | {"status": made}, "status")]


# --- small readings


def is_for(ref: Object, claim: Object) -> bool:
    """Whether a volume's claimRef names this claim (the UID may not be there yet)."""
    meta = claim["metadata"]
    if ref.get("name") != meta["name"] or ref.get("namespace") != meta["namespace"]:
        return False
    return not ref.get("uid") or bool(ref["uid"] == meta["uid"])


def key_of_ref(volume: Object) -> str:
    ref: Object = volume["spec"].get("claimRef") or {}
    return f"{ref['namespace']}/{ref['name']}" if ref.get("name") else ""


def claims_of(claims: Iterable[Object], class_name: str) -> list[Object]:
    """Unbound claims of a class."""
    return [
        claim
        for claim in claims
        if (claim["spec"].get("storageClassName") or "") == class_name
        and BIND_COMPLETED not in _annotations(claim)
    ]


def _annotations(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}
