"""The two entrances: prepare an object for a create or for an update."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sampan.api.gotypes import shape
from sampan.api.patch.plain import clone
from sampan.api.schema import builtin
from sampan.api.strategy.model import Object, Strategy
from sampan.api.strategy.table import CUSTOM, CUSTOM_WITHOUT_STATUS, PLAIN, STRATEGIES

# What a status write keeps of the metadata where a kind resets it: metav1.ResetObjectMetaForStatus.
_RESET: Final = ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "labels", "annotations")
_RESET_OWN: Final = ("finalizers", "ownerReferences")


def prepare_create(group: str, kind: str, obj: Object, *, status_subresource: bool = True) -> None:
    """Makes an object fit for its first storing, in place.

    metadata.name, uid and creationTimestamp must be there. `status_subresource` counts for custom resources only.
    """
    strategy = _strategy(group, kind, status_subresource)
    metadata = obj["metadata"]
    metadata.pop("deletionTimestamp", None)
    metadata.pop("deletionGracePeriodSeconds", None)
    metadata.pop("selfLink", None)
    if strategy.status is not None:
        obj["status"] = clone(strategy.status)
    if strategy.generation:
        metadata["generation"] = 1
    if strategy.on_create is not None:
        strategy.on_create(obj)
    if strategy.status is not None:
        schema = builtin.for_kind(obj.get("apiVersion", ""), kind)
        if schema is None:
            del obj["status"]
        elif "status" in schema.properties:
            shape.normalize(obj["status"], schema.properties["status"])


def prepare_update(
    group: str,
    kind: str,
    obj: Object,
    old: Object,
    subresource: str,
    *,
    now: str = "",
    status_subresource: bool = True,
) -> None:
    """Makes a changed object fit for storing over `old`, in place; `old` is not changed.

    subresource: "" for the object itself, else status, scale, approval, finalize, ephemeralcontainers, resize. now:
    RFC 3339, for the times that some kinds note. `status_subresource` counts for custom resources only.
    """
    strategy = _strategy(group, kind, status_subresource)
    metadata, before = obj["metadata"], old["metadata"]
    _keep(metadata, before, "generation")
    if subresource == "status":
        _status_update(strategy, obj, old, now, custom=strategy in (CUSTOM, CUSTOM_WITHOUT_STATUS))
    elif subresource == "finalize":
        _keep(obj, old, "status")
    elif subresource == "approval":
        _keep(obj, old, "spec")
        conditions = (obj.get("status") or {}).get("conditions")
        _keep(obj, old, "status")
        if conditions is not None:
            obj.setdefault("status", {})["conditions"] = conditions
    else:
        if strategy.status is not None or (group, kind) == ("", "Node"):
            _keep(obj, old, "status")
        if subresource in strategy.parts:
            for name in (*_RESET, *_RESET_OWN):
                _keep(metadata, before, name)
            strategy.parts[subresource](obj, old, now)
        elif strategy.on_update is not None:
            strategy.on_update(obj, old, now)
        if strategy.generation and _changed(strategy.generation, obj, old):
            metadata["generation"] = int(before.get("generation") or 0) + 1
    _system_metadata(metadata, before)


def _strategy(group: str, kind: str, status_subresource: bool) -> Strategy:
    known = STRATEGIES.get((group, kind))
    if known is not None:
        return known
    if (group, kind) in _builtin_kinds():
        return PLAIN
    return CUSTOM if status_subresource else CUSTOM_WITHOUT_STATUS


@cache
def _builtin_kinds() -> frozenset[tuple[str, str]]:
    return frozenset((api_version.rpartition("/")[0], kind) for api_version, kind in builtin.kinds())


def _status_update(strategy: Strategy, obj: Object, old: Object, now: str, *, custom: bool) -> None:
    metadata, before = obj["metadata"], old["metadata"]
    if custom:
        # Everything but the status and the record of who set it is taken from the old object.
        status, managed = obj.get("status"), metadata.get("managedFields")
        version = metadata.get("resourceVersion")
        obj.clear()
        obj.update({key: value for key, value in old.items() if key != "status"})
        obj["metadata"] = kept = {key: value for key, value in before.items() if key != "managedFields"}
        if managed is not None:
            kept["managedFields"] = managed
        if version is not None:
            kept["resourceVersion"] = version
        if status is not None:
            obj["status"] = status
        return
    for field in old.keys() | obj.keys():
        if field not in ("apiVersion", "kind", "metadata", "status"):
            _keep(obj, old, field)
    if strategy.keeps_labels:
        _keep(metadata, before, "labels")
    if strategy.resets_metadata:
        for name in (*_RESET, *_RESET_OWN):
            _keep(metadata, before, name)
    if strategy.on_status is not None:
        strategy.on_status(obj, old, now)


def _changed(fields: tuple[str, ...], obj: Object, old: Object) -> bool:
    for field in fields:
        if field == "*":
            others = (obj.keys() | old.keys()) - {"metadata", "status", "apiVersion", "kind"}
            if any(_value(obj, name) != _value(old, name) for name in others):
                return True
        elif field == "**":
            others = (obj.keys() | old.keys()) - {"metadata", "apiVersion", "kind"}
            if any(_value(obj, name) != _value(old, name) for name in others):
                return True
        elif field.startswith("metadata."):
            name = field.partition(".")[2]
            if _value(obj["metadata"], name) != _value(old["metadata"], name):
                return True
        elif _value(obj, field) != _value(old, field):
            return True
    return False


def _value(obj: Object, field: str) -> Any:
    """Empty and missing are the same (apiequality.Semantic)."""
    return obj.get(field) or None


def _keep(obj: Object, old: Object, field: str) -> None:
    if field in old:
        obj[field] = clone(old[field])
    else:
        obj.pop(field, None)


def _system_metadata(metadata: Object, before: Object) -> None:
    if not metadata.get("uid") and "uid" in before:
        metadata["uid"] = before["uid"]
    metadata.pop("selfLink", None)
    for field in ("creationTimestamp", "deletionTimestamp"):
        if before.get(field):
            metadata[field] = before[field]
    if metadata.get("deletionGracePeriodSeconds") is None and "deletionGracePeriodSeconds" in before:
        metadata["deletionGracePeriodSeconds"] = before["deletionGracePeriodSeconds"]
