"""Defaults of the small core kinds. Source: pkg/apis/core/v1/defaults.go."""

from __future__ import annotations

import base64

from sampan.api.defaults.setting import Object, child, empty, items, resource_list


def config_map(obj: Object) -> None:
    # Upstream makes an empty map here, which its encoder then leaves out again.
    if not obj.get("data"):
        obj.pop("data", None)


def secret(obj: Object) -> None:
    """stringData is for writing only: it goes into data here, as upstream's conversion does."""
    empty(obj, type="Opaque")
    texts = obj.pop("stringData", None)
    if texts:
        data = child(obj, "data")
        for name, text in texts.items():
            data[name] = base64.b64encode(text.encode()).decode()


def namespace(obj: Object) -> None:
    metadata = child(obj, "metadata")
    if metadata.get("name"):
        child(metadata, "labels")["kubernetes.io/metadata.name"] = metadata["name"]
    empty(child(obj, "status"), phase="Active")


def node(obj: Object) -> None:
    spec = child(obj, "spec")
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    status = child(obj, "status")
    if status.get("allocatable") is None and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])
    resource_list(status.get("capacity"))
    resource_list(status.get("allocatable"))


def limit_range(obj: Object) -> None:
    for item in items(child(obj, "spec"), "limits"):
        if item.get("type") == "Container":
            default, request = child(item, "default"), child(item, "defaultRequest")
            for name, amount in (item.get("max") or {}).items():
                default.setdefault(name, amount)
            for name, amount in default.items():
                request.setdefault(name, amount)
            for name, amount in (item.get("min") or {}).items():
                request.setdefault(name, amount)
            for name in ("default", "defaultRequest"):
                if not item[name]:
                    del item[name]
        for name in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            resource_list(item.get(name))


def resource_quota(obj: Object) -> None:
    resource_list(child(obj, "spec").get("hard"))
    status = child(obj, "status")
    resource_list(status.get("hard"))
    resource_list(status.get("used"))
