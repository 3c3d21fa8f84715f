"""Who owns what: owner references, and the adoption and release of objects by controllers.

Rules: Kubernetes' "garbage collection" and ControllerRef; k8s.io/kubernetes pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sampan.api.kinds.model import Resource
from sampan.api.selector.labels import Selector
from sampan.control.plan import Patch

Object = dict[str, Any]


def controller_of(obj: Object) -> Object | None:
    """The owner reference with controller: true."""
    for ref in obj["metadata"].get("ownerReferences") or ():
        if ref.get("controller"):
            found: Object = ref
            return found
    return None


def is_controlled_by(obj: Object, owner: Object) -> bool:
    ref = controller_of(obj)
    return ref is not None and ref["uid"] == owner["metadata"]["uid"]


def controller_ref(owner: Object, resource: Resource) -> Object:
    """The reference that makes `owner` (of that resource) the controller of what carries it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


class Claim(NamedTuple):
    """`owned` are the owner's (adopted ones included); `actions` make the rest of the world agree."""

    owned: tuple[Object, ...]
    actions: tuple[Patch, ...]


def claim(
    owner: Object,
    owner_resource: Resource,
    selector: Selector,
    candidates: Iterable[Object],
    resource: Resource,
) -> Claim:
    """Which candidates are the owner's. Orphans that match are adopted, its own that no longer match are released."""
    owned: list[Object] = []
    actions: list[Patch] = []
    ends = owner["metadata"].get("deletionTimestamp") is not None
    uid = owner["metadata"]["uid"]
    for obj in candidates:
        meta = obj["metadata"]
        ref = controller_of(obj)
        matches = selector.matches(meta.get("labels"))
        if ref is not None:
            if ref["uid"] != uid:
                continue
            if matches:
                owned.append(obj)
            elif not ends:
                actions.append(_release(obj, resource, uid))
        elif matches and not ends and not meta.get("deletionTimestamp"):
            owned.append(obj)
            actions.append(_adopt(obj, resource, controller_ref(owner, owner_resource)))
    return Claim(tuple(owned), tuple(actions))


def _adopt(obj: Object, resource: Resource, ref: Object) -> Patch:
    meta = obj["metadata"]
    refs = [*(meta.get("ownerReferences") or ()), ref]
    body = {
        "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "ownerReferences": refs}
    }
    return Patch(resource, meta.get("namespace", ""), meta["name"], body)


def _release(obj: Object, resource: Resource, owner_uid: str) -> Patch:
    meta = obj["metadata"]
    refs = [ref for ref in meta.get("ownerReferences") or () if ref["uid"] != owner_uid] or None
    body = {
        "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "ownerReferences": refs}
    }
    return Patch(resource, meta.get("namespace", ""), meta["name"], body, missing_ok=True)
