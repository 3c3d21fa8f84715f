"""What to do with one object, given its owners and dependents: pure.

Rules: k8s.io/kubernetes pkg/controller/garbagecollector (attemptToDeleteItem, processDeletingDependentsItem,
attemptToOrphanWorker).
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

Object = dict[str, Any]

ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"


class Owner(Enum):
    """What is behind an owner reference."""

    SOLID = "exists"
    ABSENT = "is gone, or never was in this namespace"
    WAITING = "is being deleted in the foreground and waits for its dependents"
    UNKNOWN = "cannot be told: its kind is not served, or may not be named from here"


class View(NamedTuple):
    """Owner references with what is behind them; dependents are the objects that name this one as owner."""

    obj: Object
    owners: tuple[tuple[Object, Owner], ...]
    dependents: tuple[Object, ...]


class Nothing(NamedTuple):
    """It stays as it is."""


class Remove(NamedTuple):
    """Delete the object in this way: Background, Foreground or Orphan. `unblock` are dependents in a cycle."""

    propagation: str
    unblock: tuple[Object, ...] = ()


class Disown(NamedTuple):
    """Take these owners' UIDs off the references."""

    uids: frozenset[str]


class Release(NamedTuple):
    """Take the finalizer off the object, after the named owner's references are off its dependents."""

    finalizer: str
    orphans: tuple[Object, ...] = ()


class Push(NamedTuple):
    """Look at these dependents: the object waits for them."""

    dependents: tuple[Object, ...]


Step: TypeAlias = Nothing | Remove | Disown | Release | Push


def plan(view: View) -> Step:
    meta = view.obj["metadata"]
    finalizers = meta.get("finalizers") or ()
    if meta.get("deletionTimestamp"):
        if ORPHAN in finalizers:
            return Release(ORPHAN, view.dependents)
        if FOREGROUND not in finalizers:
            return Nothing()
        blocking = tuple(d for d in view.dependents if blocks(d, meta["uid"]))
        if not blocking:
            return Release(FOREGROUND)
        return Push(tuple(d for d in blocking if not is_waiting(d)))
    return _of_living(view, finalizers)


def _of_living(view: View, finalizers: Any) -> Step:
    absent = [ref for ref, owner in view.owners if owner is Owner.ABSENT]
    waiting = [ref for ref, owner in view.owners if owner is Owner.WAITING]
    others = len(view.owners) - len(absent) - len(waiting)
    if others:
        # someone still owns it: it stays, and forgets those who are gone
        gone = frozenset(ref["uid"] for ref in (*absent, *waiting))
        solid = any(owner is Owner.SOLID for _, owner in view.owners)
        return Disown(gone) if gone and solid else Nothing()
    if not absent and not waiting:
        return Nothing()
    if waiting and view.dependents:
        # the owner waits for this one, so this one waits for its own
        cycle = tuple(d for d in view.dependents if is_waiting(d))
        return Remove("Foreground", cycle)
    if ORPHAN in finalizers:
        return Remove("Orphan")
    return Remove("Foreground" if FOREGROUND in finalizers else "Background")


def blocks(dependent: Object, owner_uid: str) -> bool:
    return any(
        ref["uid"] == owner_uid and ref.get("blockOwnerDeletion")
        for ref in dependent["metadata"].get("ownerReferences") or ()
    )


def is_waiting(obj: Object) -> bool:
    """It is being deleted in the foreground."""
    meta = obj["metadata"]
    return bool(meta.get("deletionTimestamp")) and FOREGROUND in (meta.get("finalizers") or ())


def concerns(obj: Object) -> bool:
    """Whether the collector ever has something to do with the object itself."""
    meta = obj["metadata"]
    if meta.get("deletionTimestamp"):
        return any(f in (ORPHAN, FOREGROUND) for f in meta.get("finalizers") or ())
    return bool(meta.get("ownerReferences"))


def shown(obj: Object) -> tuple[Any, ...]:
    """All of an object that the rules look at: a lease that is renewed is no news."""
    meta = obj["metadata"]
    return meta.get("uid"), meta.get("ownerReferences"), meta.get("finalizers"), meta.get("deletionTimestamp")
