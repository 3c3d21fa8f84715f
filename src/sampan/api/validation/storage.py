"""PersistentVolume, PersistentVolumeClaim, StorageClass, CSIDriver.

Source: pkg/apis/core/validation/validation.go, pkg/apis/storage/validation/validation.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules, volumes
from sampan.api.validation.rules import Causes, Object

_MAX_NODE_ID: Final = 256
_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_NOT_SOURCES: Final = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def _access_modes(spec: Object, path: str) -> Causes:
    at, modes = error.child(path, "accessModes"), spec.get("accessModes") or []
    for mode in modes:
        if mode not in _MODES:
            yield error.not_supported(at, mode, _MODES)
    if "ReadWriteOncePod" in modes and any(mode in _MODES and mode != "ReadWriteOncePod" for mode in modes):
        yield error.forbidden(at, "may not use ReadWriteOncePod with other access modes")


def _volume_mode(spec: Object, path: str) -> Causes:
    mode = spec.get("volumeMode")
    if mode is not None and mode not in ("Block", "Filesystem"):
        yield error.not_supported(error.child(path, "volumeMode"), mode, ("Block", "Filesystem"))


def persistent_volume(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield error.required("spec.accessModes")
    yield from _access_modes(spec, "spec")
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield error.required("spec.capacity")
    if "storage" not in capacity or len(capacity) > 1:
        yield error.not_supported("spec.capacity", spec.get("capacity"), ("storage",))
    for name, value in capacity.items():
        yield from rules.quantity_value(f"spec.capacity[{name}]", value, positive=True)
    yield from rules.one_of(
        "spec.persistentVolumeReclaimPolicy",
        spec.get("persistentVolumeReclaimPolicy"),
        ("Delete", "Recycle", "Retain"),
        required=False,
    )
    yield from _sources(spec)
    if spec.get("storageClassName"):
        yield from rules.text_rule("spec.storageClassName", spec["storageClassName"], content.dns_subdomain)
    yield from _volume_mode(spec, "spec")


def _sources(spec: Object) -> Causes:
    sources = [name for name in spec if name not in _NOT_SOURCES and spec[name] is not None]
    if not sources:
        yield error.required("spec", "must specify a volume type")
    for name in sources[1:]:
        yield error.forbidden(f"spec.{name}", "may not specify more than 1 volume type")
    if "hostPath" in sources:
        yield from volumes.host_path(spec["hostPath"], "spec.hostPath")
        if (
            spec["hostPath"].get("path", "").rstrip("/") == ""
            and spec.get("persistentVolumeReclaimPolicy") == "Recycle"
        ):
            yield error.forbidden(
                "spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"
            )
    if "nfs" in sources:
        yield from volumes.nfs(spec["nfs"], "spec.nfs")
    if "local" in sources:
        if not spec["local"].get("path"):
            yield error.required("spec.local.path")
        if spec.get("nodeAffinity") is None:
            yield error.required("spec.nodeAffinity", "Local volume requires node affinity")
    if "csi" in sources:
        for name in ("driver", "volumeHandle"):
            if not spec["csi"].get(name):
                yield error.required(f"spec.csi.{name}")


def persistent_volume_update(obj: Object, old: Object) -> Causes:
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from persistent_volume(obj)
    new = {key: value for key, value in spec.items() if key not in _NOT_SOURCES}
    past = {key: value for key, value in before.items() if key not in _NOT_SOURCES}
    if new != past:
        yield error.forbidden(
            "spec.persistentvolumesource",
            f"spec.persistentvolumesource is immutable after creation\n- {error.shown(past)}\n+ {error.shown(new)}",
        )
    yield from rules.immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def claim_spec(spec: Object, path: str) -> Causes:
    if not spec.get("accessModes"):
        yield error.required(error.child(path, "accessModes"), "at least 1 access mode is required")
    yield from rules.label_selector(error.child(path, "selector"), spec.get("selector"))
    yield from _access_modes(spec, path)
    at = f"{error.child(path, 'resources')}[storage]"
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield error.required(at)
    else:
        yield from rules.quantity_value(at, storage, positive=True)
    if spec.get("storageClassName"):
        yield from rules.text_rule(
            error.child(path, "storageClassName"), spec["storageClassName"], content.dns_subdomain
        )
    yield from _volume_mode(spec, path)
    for field in ("dataSource", "dataSourceRef"):
        source = spec.get(field)
        if source is None:
            continue
        for name in ("name", "kind"):
            if not source.get(name):
                yield error.required(error.child(path, field, name))
        if not source.get("apiGroup") and source.get("kind") not in ("PersistentVolumeClaim", None, ""):
            yield error.invalid(
                error.child(path, field),
                source.get("kind"),
                "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
            )


def claim(obj: Object) -> Causes:
    yield from claim_spec(obj.get("spec") or {}, "spec")


def claim_update(obj: Object, old: Object) -> Causes:
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from claim_spec(spec, "spec")
    bound = (obj.get("status") or {}).get("phase") == "Bound"
    if _fixed(spec, before, bound=bound) != _fixed(before, before, bound=bound):
        yield error.forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
            f"claims\n- {error.shown(before)}\n+ {error.shown(spec)}",
        )
    size = rules.amount(((spec.get("resources") or {}).get("requests") or {}).get("storage"))
    past = rules.amount(((before.get("resources") or {}).get("requests") or {}).get("storage"))
    given = rules.amount(((old.get("status") or {}).get("capacity") or {}).get("storage"))
    if size is not None and past is not None and size.compare(past) < 0:
        if given is None or size.compare(given) <= 0:
            yield error.forbidden(
                "spec.resources.requests.storage", "field can not be less than status.capacity"
            )
    yield from rules.immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def _fixed(spec: Object, before: Object, *, bound: bool) -> Object:
    """The part of a claim that may not change; the binder sets the volume once, a default class comes once."""
    loose = set()
    if bound:
        loose |= {"resources", "volumeAttributesClassName"}
    if not before.get("volumeName"):
        loose.add("volumeName")
    if before.get("storageClassName") is None:
        loose.add("storageClassName")
    out = {key: value for key, value in spec.items() if key not in loose}
    if bound and "limits" in (spec.get("resources") or {}):
        out["limits"] = spec["resources"]["limits"]
    return out


def storage_class(obj: Object) -> Causes:
    provisioner = obj.get("provisioner") or ""
    if not provisioner:
        yield error.required("provisioner")
    else:
        yield from error.each_invalid(
            "provisioner", provisioner.lower(), content.label_key(provisioner.lower())
        )
    size = 0
    for key, value in (obj.get("parameters") or {}).items():
        if not key:
            yield error.invalid("parameters", key, "field can not be empty.")
        size += len(key) + len(value)
    if size > 256 * 1024:
        yield error.too_long("parameters", 256 * 1024)
    yield from rules.one_of("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"), required=False)
    yield from rules.one_of(
        "volumeBindingMode", obj.get("volumeBindingMode"), ("Immediate", "WaitForFirstConsumer")
    )


def storage_class_update(obj: Object, old: Object) -> Causes:
    yield from rules.immutables(
        "", obj, old, "parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"
    )


def csi_driver(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    for name in ("attachRequired", "podInfoOnMount", "storageCapacity"):
        if spec.get(name) is None:
            yield error.required(f"spec.{name}")
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in ("Persistent", "Ephemeral"):
            yield error.not_supported("spec.volumeLifecycleModes", mode, ("Persistent", "Ephemeral"))


def volume_attachment(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    attacher = spec.get("attacher") or ""
    if not attacher:
        yield error.required("spec.attacher")
    elif len(attacher) > content.MAX_LABEL:
        yield error.too_long("spec.attacher", content.MAX_LABEL, "character")
    else:
        yield from rules.text_rule("spec.attacher", attacher, content.caseless_subdomain)
    source = spec.get("source") or {}
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    both = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if name is None and inline is None:
        yield error.required("spec.source", both)
    elif name is not None and inline is not None:
        yield error.forbidden("spec.source", both)
    if name == "" and inline is None:
        path = "spec.source.persistentVolumeName"
        yield error.required(path, "must specify non empty persistentVolumeName")
    if name is not None:
        yield from rules.text_rule("spec.source.persistentVolumeName", name, content.dns_subdomain)
    yield from rules.text_rule("spec.nodeName", spec.get("nodeName") or "", content.dns_subdomain)


def volume_attachment_update(obj: Object, old: Object) -> Causes:
    if obj.get("spec") != old.get("spec"):
        yield error.invalid("spec", None, rules.IMMUTABLE)


def csi_node(obj: Object) -> Causes:
    names: set[str] = set()
    for place, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        at, name, node = f"spec.drivers[{place}]", driver.get("name") or "", driver.get("nodeID") or ""
        yield from _driver_name(f"{at}.name", name)
        if not node:
            yield error.required(f"{at}.nodeID")
        elif len(node) > _MAX_NODE_ID:
            yield error.invalid(f"{at}.nodeID", node, f"must be {_MAX_NODE_ID} characters or less")
        allocatable = driver.get("allocatable") or {}
        yield from rules.nonnegative(f"{at}.allocatable.count", allocatable.get("count"))
        if name in names:
            yield error.duplicate(f"{at}.name", name)
        names.add(name)
        keys = driver.get("topologyKeys") or []
        for number, topology in enumerate(keys):
            if not topology:
                yield error.required(at)
            if topology in keys[:number]:
                yield error.duplicate(at, topology)
            yield from rules.text_rule(at, topology, content.label_key)


def _driver_name(path: str, name: str) -> Causes:
    if not name:
        yield error.required(path)
        return
    if len(name) > content.MAX_LABEL:
        yield error.too_long(path, content.MAX_LABEL)
    yield from error.each_invalid(path, name, content.dns_subdomain(name.lower()))
