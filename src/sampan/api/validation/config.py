"""ConfigMap, Secret, Namespace, Node, LimitRange, ResourceQuota, Event.

Source: pkg/apis/core/validation/validation.go, events.go.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import orjson

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

MAX_DATA: Final = 1024 * 1024  # MaxSecretSize
_FROZEN: Final = "field is immutable when `immutable` is set"
_QUOTA_WHOLE: Final = (
    "pods",
    "services",
    "secrets",
    "configmaps",
    "replicationcontrollers",
    "resourcequotas",
)
_QUOTA_STANDARD: Final = frozenset(
    {
        *(
            "cpu",
            "memory",
            "ephemeral-storage",
            "pods",
            "resourcequotas",
            "services",
            "replicationcontrollers",
        ),
        *("secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers"),
        *(
            f"{side}.{name}"
            for side in ("requests", "limits")
            for name in ("cpu", "memory", "ephemeral-storage")
        ),
        "requests.storage",
    }
)
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def config_map(obj: Object) -> Causes:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        yield from rules.text_rule(f"data[{key}]", key, content.config_key)
        if key in binary:
            yield error.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in binary.items():
        yield from rules.text_rule(f"binaryData[{key}]", key, content.config_key)
        size += _decoded_size(value)
    if size > MAX_DATA:
        yield error.too_long("[]", MAX_DATA)  # upstream's path of the whole object


def _decoded_size(value: str) -> int:
    return len(value) * 3 // 4 - value[-2:].count("=")


def config_map_update(obj: Object, old: Object) -> Causes:
    yield from _frozen(obj, old, "data", "binaryData")
    yield from config_map(obj)


def _frozen(obj: Object, old: Object, *fields: str) -> Causes:
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        yield error.forbidden("immutable", _FROZEN)
    for field in fields:
        if (obj.get(field) or {}) != (old.get(field) or {}):
            yield error.forbidden(field, _FROZEN)


def secret(obj: Object) -> Causes:
    data = obj.get("data") or {}
    size = 0
    for key, value in data.items():
        yield from rules.text_rule(f"data[{key}]", key, content.config_key)
        size += _decoded_size(value)
    if size > MAX_DATA:
        yield error.too_long("data", MAX_DATA)
    kind = obj.get("type") or ""
    if kind == "kubernetes.io/service-account-token":
        label = "kubernetes.io/service-account.name"
        if not ((obj.get("metadata") or {}).get("annotations") or {}).get(label):
            yield error.required(f"metadata.annotations[{label}]")
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            yield error.required("data[username]")
            yield error.required("data[password]")
    for name in _SECRET_KEYS.get(kind, ()):
        if name not in data or (kind == "kubernetes.io/ssh-auth" and not data[name]):
            yield error.required(f"data[{name}]")
        elif name.startswith(".docker"):
            yield from _json(data[name], f"data[{name}]")


_SECRET_KEYS: Final = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def _json(encoded: str, path: str) -> Causes:
    try:
        found: Any = orjson.loads(base64.b64decode(encoded))
    except (orjson.JSONDecodeError, binascii.Error) as bad:
        yield error.invalid(path, "<secret contents redacted>", str(bad))
        return
    if not isinstance(found, dict):
        yield error.invalid(path, "<secret contents redacted>", "expected a JSON object")


def secret_update(obj: Object, old: Object) -> Causes:
    yield from rules.immutable("type", obj.get("type"), old.get("type"))
    yield from _frozen(obj, old, "data")
    yield from secret(obj)


def namespace(obj: Object) -> Causes:
    for name in (obj.get("spec") or {}).get("finalizers") or ():
        yield from rules.text_rule("spec.finalizers", name, content.label_key)


def node(obj: Object) -> Causes:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    seen: set[tuple[str, str]] = set()
    for place, taint in enumerate(spec.get("taints") or ()):
        at = f"metadata.taints[{place}]"  # upstream names this path so
        yield from rules.text_rule(f"{at}.key", taint.get("key", ""), content.label_key)
        wrong = content.label_value(taint.get("value") or "")
        if wrong:
            yield error.invalid(f"{at}.value", taint["value"], ";".join(wrong))
        yield from rules.one_of(f"{at}.effect", taint.get("effect"), _EFFECTS)
        key = (taint.get("key", ""), taint.get("effect", ""))
        if key in seen:
            yield error.duplicate(at, taint, "taints must be unique by key and effect pair")
        seen.add(key)
    for place, network in enumerate(spec.get("podCIDRs") or ()):
        yield from rules.cidr(f"spec.podCIDRs[{place}]", network)
    for field in ("capacity", "allocatable"):
        for name, value in (status.get(field) or {}).items():
            yield from rules.quantity_value(f"status.{field}[{name}]", value)


def node_update(obj: Object, old: Object) -> Causes:
    yield from node(obj)
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
        yield error.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    provider = before.get("providerID")
    if provider and spec.get("providerID") != provider:
        says = "modified" if spec.get("providerID") else "cleared"
        yield error.invalid("spec.providerID", None, f"field cannot be {says} once set")


def limit_range(obj: Object) -> Causes:
    kinds: set[str] = set()
    for place, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at = f"spec.limits[{place}]"
        kind = limit.get("type") or ""
        yield from rules.text_rule(f"{at}.type", kind, content.label_key)
        if kind in kinds:
            yield error.duplicate(f"{at}.type", kind)
        kinds.add(kind)
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if limit.get(field):
                    yield error.forbidden(f"{at}.{field}", "may not be specified when `type` is 'Pod'")
        if kind == "PersistentVolumeClaim":
            if not any("storage" in (limit.get(field) or {}) for field in ("min", "max")):
                yield error.required(
                    f"{at}.limits",
                    "either minimum or maximum storage value is required, but neither was provided",
                )
        yield from _limit_order(limit, at)


def _limit_order(limit: Object, at: str) -> Causes:
    """min <= defaultRequest <= default <= max, for every resource."""
    names = dict.fromkeys(
        name for field in ("max", "min", "default", "defaultRequest") for name in limit.get(field) or ()
    )
    titles = {"min": "min", "defaultRequest": "default request", "default": "default", "max": "max"}
    pairs = (
        ("min", "max", "min"),
        ("min", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "max", "defaultRequest"),
        ("defaultRequest", "default", "defaultRequest"),
        ("min", "default", "default"),
        ("default", "max", "default"),
    )
    for name in names:
        for low, high, blamed in pairs:
            first = rules.amount((limit.get(low) or {}).get(name))
            second = rules.amount((limit.get(high) or {}).get(name))
            if first is not None and second is not None and first.compare(second) > 0:
                title = "default limit" if (low, high) == ("defaultRequest", "default") else titles[high]
                yield error.invalid(
                    f"{at}.{blamed}[{name}]",
                    str(first if blamed in (low, "default") and low != "default" else second),
                    f"{titles[low]} value {first} is greater than {title} value {second}",
                )


def resource_quota(obj: Object) -> Causes:
    for name, value in ((obj.get("spec") or {}).get("hard") or {}).items():
        at = f"spec.hard[{name}]"
        yield from rules.text_rule(at, name, content.label_key)
        if "/" not in name and name not in _QUOTA_STANDARD and "hugepages-" not in name:
            yield error.invalid(at, name, "must be a standard resource for quota")
        whole = name in _QUOTA_WHOLE or name.startswith("count/")
        yield from rules.quantity_value(at, value, whole=whole)


def resource_quota_update(obj: Object, old: Object) -> Causes:
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from resource_quota(obj)
    if set(spec.get("scopes") or ()) != set(before.get("scopes") or ()):
        yield error.invalid("spec.scopes", spec.get("scopes"), rules.IMMUTABLE)


def event(obj: Object) -> Causes:
    involved = obj.get("involvedObject") or obj.get("regarding") or {}
    namespace_ = (obj.get("metadata") or {}).get("namespace") or ""
    about = involved.get("namespace") or ""
    if about and about != namespace_:
        yield error.invalid("involvedObject.namespace", about, "does not match event.namespace")
    if not about and namespace_ not in ("default", "kube-system") and obj.get("apiVersion") == "v1":
        # Events about objects without a namespace belong to one of two namespaces.
        if involved.get("kind") in ("Node", "Namespace", "PersistentVolume"):
            yield error.invalid("involvedObject.namespace", about, "does not match event.namespace")
