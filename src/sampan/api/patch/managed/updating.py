"""Ownership after a write that is no apply: whoever changes a field owns it.

Source: k8s.io/apimachinery pkg/util/managedfields/internal (fieldmanager.go, skipnonapplied.go,
managedfieldsupdater.go) and structured-merge-diff merge/update.go.
"""

from __future__ import annotations

from typing import Any

from sampan.api.patch.managed import fieldset, types
from sampan.api.patch.managed.comparing import Comparison, compare
from sampan.api.patch.managed.entries import (
    UPDATE,
    EntriesError,
    Managed,
    Owned,
    bare,
    cap,
    decode,
    encode,
    manager,
    resettable,
    strip,
    with_entries,
    without_fields,
)
from sampan.api.schema.model import Schema


def update(
    live: dict[str, Any] | None,
    new: dict[str, Any],
    *,
    manager: str,
    schema: Schema | None,
    api_version: str,
    subresource: str,
    now: str,
    status_subresource: bool = True,
) -> dict[str, Any]:
    """The new object with metadata.managedFields as a create, update or patch by `manager` leaves them.

    live: what is stored, None on create. new: what is to be stored; managedFields in it are taken as the writer's wish
    (an empty list resets them) unless the write goes to a subresource. schema: None for kinds without one. now:
    RFC 3339 in UTC. status_subresource: whether writes to the object itself cannot change its status.
    The result shares parts with `new` and `live`; neither is changed.
    """
    stored = _entries(live)
    managed = _wished(stored, new, subresource)
    if not managed and live is not None:
        return with_entries(new, [])  # not tracked so far, and only a create or an apply starts that
    type_ = types.of(schema)
    try:
        comparison = compare(bare(live) if live is not None else {}, bare(new), type_)
    except types.TypedError:
        return with_entries(new, stored)  # upstream too keeps what was known rather than fail the write
    if comparison.same:
        wished = _entries(new)
        return with_entries(new, stored if subresource or not wished or wished == stored else encode(managed))
    ignored = resettable(subresource, status_subresource=status_subresource)
    managed = track(managed, comparison, manager, api_version, subresource, now, ignored)
    return with_entries(new, encode(cap(managed)))


def track(
    managed: Managed,
    comparison: Comparison,
    name: str,
    api_version: str,
    subresource: str,
    now: str,
    ignored: fieldset.FieldSet,
) -> Managed:
    """Ownership after the change: others lose what changed or went, `name` owns what changed or came."""
    removed, modified, added = comparison
    if ignored:
        removed = fieldset.recursive_difference(removed, ignored)
        modified = fieldset.recursive_difference(modified, ignored)
        added = fieldset.recursive_difference(added, ignored)
    changed = fieldset.union(modified, added)
    managed = without_fields(managed, fieldset.union(changed, removed))
    mine = strip(changed)
    if mine:
        key = manager(name, UPDATE, api_version, subresource)
        before = managed.get(key)
        managed[key] = Owned(fieldset.union(mine, before.fields) if before else mine, api_version, now)
    return managed


def _entries(document: dict[str, Any] | None) -> list[dict[str, Any]]:
    return ((document or {}).get("metadata") or {}).get("managedFields") or []


def _wished(stored: list[dict[str, Any]], new: dict[str, Any], subresource: str) -> Managed:
    """The entries that the write starts from: the writer's own where they can be read, else the stored ones."""
    wished = (new.get("metadata") or {}).get("managedFields")
    if not subresource and wished is not None:
        if not wished or wished == [{}]:
            return {}
        if wished != stored:
            try:
                return decode(wished, stored)
            except EntriesError:
                pass
    try:
        return decode(stored, stored)
    except EntriesError:
        return {}
