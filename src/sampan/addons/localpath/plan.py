"""What the provisioner decides: which claims it serves and with what volume, which volumes it removes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from sampan.addons.localpath.model import Config

Object: TypeAlias = Mapping[str, Any]

PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
HOSTNAME: Final = "kubernetes.io/hostname"
_MODES: Final = ("ReadWriteOnce", "ReadWriteOncePod")


class Refused(NamedTuple):
    """A claim that is ours but cannot be served; `why` tells everything that is wrong."""

    why: str


def storage_class(config: Config) -> dict[str, Any]:
    """The class, as k3s and rancher's provisioner have it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": config.storage_class,
            "annotations": {DEFAULT_CLASS: "true" if config.default else "false"},
        },
        "provisioner": config.provisioner,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(config: Config, claim: Object, its_class: Object | None) -> dict[str, Any] | Refused | None:
    """The volume to make for a claim; None when the claim is bound, not ours, or waits for a node."""
    spec = claim.get("spec") or {}
    meta = claim["metadata"]
    if spec.get("volumeName") or meta.get("deletionTimestamp") or its_class is None:
        return None
    if its_class.get("provisioner") != config.provisioner:
        return None
    node = (meta.get("annotations") or {}).get(SELECTED_NODE)
    immediate = its_class.get("volumeBindingMode", "Immediate") == "Immediate"
    if node != config.node_name and not (node is None and immediate):
        return None
    if wrong := _wrong(spec, its_class):
        return Refused("; ".join(wrong))
    name = f"pvc-{meta['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: config.provisioner}},
        "spec": {
            "capacity": {
                "storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
            },
            "accessModes": list(spec.get("accessModes") or _MODES[:1]),
            "persistentVolumeReclaimPolicy": its_class.get("reclaimPolicy", "Delete"),
            "storageClassName": its_class["metadata"]["name"],
            "mountOptions": list(its_class.get("mountOptions") or ()),
            "volumeMode": "Filesystem",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "hostPath": {"path": str(folder(config, name, meta)), "type": "DirectoryOrCreate"},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": HOSTNAME, "operator": "In", "values": [config.node_name]}
                            ]
                        }
                    ]
                }
            },
        },
    }


def folder(config: Config, name: str, claim: Mapping[str, Any]) -> Path:
    """Rancher's pattern: the volume's name, the claim's namespace and name."""
    return config.directory / f"{name}_{claim['namespace']}_{claim['name']}"


def _wrong(spec: Object, its_class: Object) -> list[str]:
    wrong = []
    if unknown := [m for m in spec.get("accessModes") or () if m not in _MODES]:
        wrong.append(f"access modes {', '.join(unknown)} are not supported, expected {' or '.join(_MODES)}")
    if spec.get("volumeMode") not in (None, "", "Filesystem"):
        wrong.append(f"volume mode {spec['volumeMode']!r} is not supported, expected 'Filesystem'")
    wrong += [
        f"{field} is not supported"
        for field in ("selector", "dataSource", "dataSourceRef")
        if spec.get(field)
    ]
    if parameters := its_class.get("parameters"):
        wrong.append(f"parameters {', '.join(sorted(parameters))} of the class are not supported")
    return wrong


def to_remove(config: Config, pv: Object) -> Path | None:
    """The folder of a volume that is to go: ours, on this node, released, with reclaim policy Delete. Else None.

    A path that is not one that `volume` makes is nobody's to delete: None as well.
    """
    spec = pv.get("spec") or {}
    annotations = pv["metadata"].get("annotations") or {}
    if annotations.get(PROVISIONED_BY) != config.provisioner or not on_node(pv, config.node_name):
        return None
    if (pv.get("status") or {}).get("phase") != "Released" or spec.get(
        "persistentVolumeReclaimPolicy"
    ) != "Delete":
        return None
    path = Path((spec.get("hostPath") or {}).get("path") or "/")
    expected = folder(config, pv["metadata"]["name"], spec.get("claimRef") or {"namespace": "", "name": ""})
    return path if path == expected and path.parent == config.directory else None


def on_node(pv: Object, node_name: str) -> bool:
    required = ((pv.get("spec") or {}).get("nodeAffinity") or {}).get("required") or {}
    return any(
        expression.get("key") == HOSTNAME and node_name in (expression.get("values") or ())
        for term in required.get("nodeSelectorTerms") or ()
        for expression in term.get("matchExpressions") or ()
    )
