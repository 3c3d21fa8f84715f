"""Finalizers: patches that put one on an object or take it off, guarded by the version that was looked at."""

from __future__ import annotations

from typing import Any

from sampan.api.kinds.model import Resource
from sampan.control.plan import Patch

Object = dict[str, Any]


def has(obj: Object, name: str) -> bool:
    return name in (obj["metadata"].get("finalizers") or ())


def add(obj: Object, resource: Resource, name: str) -> Patch:
    return _set(obj, resource, [*(obj["metadata"].get("finalizers") or ()), name])


def remove(obj: Object, resource: Resource, name: str) -> Patch:
    return _set(obj, resource, [f for f in obj["metadata"].get("finalizers") or () if f != name])


def _set(obj: Object, resource: Resource, finalizers: list[str]) -> Patch:
    meta = obj["metadata"]
    body = {
        "metadata": {
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "finalizers": finalizers or None,
        }
    }
    return Patch(resource, meta.get("namespace", ""), meta["name"], body, missing_ok=True)
