"""Claims carried out: what matches is adopted, what no longer does is released, after asking whether the owner still lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sampan.api.kinds.model import Resource
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.status import conflict
from sampan.client.cache import Informer, key_of
from sampan.control import ownership
from sampan.control.controller import Context, Keys
from sampan.control.ownership import controller_of

Object = dict[str, Any]


def candidates(store: Informer, owner: Object) -> list[Object]:
    """What `owner` may claim: what names it as owner, and what nobody controls in its namespace."""
    meta = owner["metadata"]
    return [*store.by("owner", meta["uid"]), *store.by("orphan", meta.get("namespace", ""))]


async def claimed(
    context: Context,
    owner: Object,
    owner_resource: Resource,
    selector: Selector,
    resource: Resource,
    *,
    adopts: bool = True,
) -> list[Object]:
    """The owner's objects of `resource`; adopts and releases first. Raises ApiError.

    With `adopts` false (a selector that matches everything) orphans are left alone.
    """
    store = context.store(resource)
    found = candidates(store, owner) if adopts else store.by("owner", owner["metadata"]["uid"])
    claim = ownership.claim(owner, owner_resource, selector, found, resource)
    if not claim.actions:
        return list(claim.owned)
    if any(obj for obj in claim.owned if controller_of(obj) is None):
        await _still_lives(context, owner, owner_resource)
    applied = await context.execute.apply(claim.actions)
    if applied.error is not None:
        raise applied.error
    return [store.get(key_of(obj)) or obj for obj in claim.owned]


async def _still_lives(context: Context, owner: Object, resource: Resource) -> None:
    """Adopting for an owner that is gone would make orphans that the garbage collector deletes."""
    meta = owner["metadata"]
    fresh = await context.client.get(resource, meta["name"], meta.get("namespace"))
    if fresh["metadata"]["uid"] != meta["uid"] or fresh["metadata"].get("deletionTimestamp"):
        raise conflict(
            resource.group, resource.plural, meta["name"], "the owner has been deleted or replaced"
        )


def adopters(resource: Resource, selector_of: Callable[[Object], Selector]) -> Keys:
    """Keys of the owners of that resource whose selector matches an object that nobody controls (any more)."""

    def keys(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
        if new is None or controller_of(new) is not None:
            return ()
        meta = new["metadata"]
        if (
            old is not None
            and controller_of(old) is None
            and old["metadata"].get("labels") == meta.get("labels")
        ):
            return ()
        return [
            key_of(owner)
            for owner in context.store(resource).by("namespace", meta.get("namespace", ""))
            if _selector(selector_of, owner).matches(meta.get("labels"))
        ]

    return keys


def _selector(selector_of: Callable[[Object], Selector], owner: Object) -> Selector:
    try:
        return selector_of(owner)
    except SelectorError:
        return Selector(None)


def both(*several: Keys) -> Keys:
    """All the keys that several functions name."""

    def keys(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
        return list(dict.fromkeys(key for each in several for key in each(context, old, new)))

    return keys
