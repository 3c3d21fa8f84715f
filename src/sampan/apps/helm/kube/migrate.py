"""From client-side to server-side apply: what an object's manager owned by updates becomes owned by apply. Pure.

k8s.io/client-go util/csaupgrade: without it the fields of the past stay owned by a manager that nobody is any more,
and are never removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]
Entry = dict[str, Any]


def patch(obj: Object, manager: str) -> list[dict[str, Any]]:
    """A JSON patch that moves the manager's fields over; empty when there is nothing to move.

    It sets the resourceVersion that was read, so that a change in between makes it fail with a conflict.
    """
    meta = obj["metadata"]
    before: list[Entry] = meta.get("managedFields") or []
    after = moved(before, manager)
    if after == before:
        return []
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": after},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
    ]


def moved(entries: list[Entry], manager: str) -> list[Entry]:
    """The entries with the manager's updates joined into its apply entry, which is made of the newest one if need be."""
    updates = [entry for entry in entries if _is(entry, manager, "Update")]
    if not updates:
        return entries
    goal = next((entry for entry in entries if _is(entry, manager, "Apply")), updates[0])
    made = {**goal, "operation": "Apply"}
    fitting = next((u for u in updates if u.get("apiVersion") == goal.get("apiVersion")), None)
    if fitting is not None:
        made["fieldsV1"] = _union(goal.get("fieldsV1") or {}, fitting.get("fieldsV1") or {})
    kept = []
    for entry in entries:
        if entry is goal:
            kept.append(made)
        elif not _is(entry, manager, "Update"):
            kept.append(entry)
    return kept


def _is(entry: Entry, manager: str, operation: str) -> bool:
    return (
        entry.get("manager") == manager
        and entry.get("operation") == operation
        and not entry.get("subresource")
    )


def _union(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Two field sets as one: they are trees of names."""
    joined = dict(a)
    for name, below in b.items():
        joined[name] = _union(joined.get(name) or {}, below or {})
    return joined
