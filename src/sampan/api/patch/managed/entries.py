"""The entries of metadata.managedFields: who owns what, since when.

Source: k8s.io/apimachinery pkg/util/managedfields/internal (managedfields.go, capmanagers.go, stripmeta.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api.patch.managed import fieldset
from sampan.api.patch.managed.fieldset import FieldSet

APPLY: Final = "Apply"
UPDATE: Final = "Update"
MAX_UPDATERS: Final = 10  # DefaultMaxUpdateManagers: above it, the oldest update entries become one
ANCIENT: Final = "ancient-changes"

# Fields that nobody owns.
STRIPPED: Final = fieldset.of(
    [
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    ]
)
_STATUS: Final = fieldset.of([("f:status",)])
_SPEC: Final = fieldset.of([("f:spec",)])


class Manager(NamedTuple):
    """What tells entries apart. An applier has one entry whatever version it applied in: `api_version` is ""."""

    name: str
    operation: str
    api_version: str
    subresource: str

    def shown(self) -> str:
        """As conflicts name it: "kubectl-client-side-apply" using apps/v1."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


class Owned(NamedTuple):
    fields: FieldSet
    api_version: str
    time: str  # RFC 3339 in UTC, or ""


Managed = dict[Manager, Owned]


class EntriesError(ValueError):
    """managedFields that cannot be read."""


def manager(name: str, operation: str, api_version: str, subresource: str) -> Manager:
    return Manager(name or "unknown", operation, api_version if operation == UPDATE else "", subresource)


def decode(entries: Any, trusted: Iterable[Any] = ()) -> Managed:
    """The entries by manager. Those found in `trusted` (what we have stored) are taken as canonical.

    Raises EntriesError.
    """
    managed: Managed = {}
    known = list(trusted)
    for place, entry in enumerate(entries or ()):
        if not isinstance(entry, dict) or entry.get("operation") not in (APPLY, UPDATE):
            raise EntriesError("operation must be `Apply` or `Update`")
        api_version = entry.get("apiVersion")
        if not api_version or not isinstance(api_version, str):
            raise EntriesError("apiVersion must not be empty")
        fields_type = entry.get("fieldsType")
        if fields_type != "FieldsV1":
            if not fields_type:
                raise EntriesError(f"missing fieldsType in managed fields entry {place}")
            raise EntriesError(f'invalid fieldsType "{fields_type}" in managed fields entry {place}')
        fields = entry.get("fieldsV1")
        if entry not in known:
            try:
                fields = fieldset.parse(fields)
            except fieldset.FieldsError as bad:
                raise EntriesError(f"error decoding versioned set from {entry}: {bad}") from bad
        key = Manager(
            entry.get("manager") or "",
            entry["operation"],
            api_version if entry["operation"] == UPDATE else "",
            entry.get("subresource") or "",
        )
        managed[key] = Owned(fields or {}, api_version, entry.get("time") or "")
    return managed


def encode(managed: Managed) -> list[dict[str, Any]]:
    """The entries as the object carries them, in upstream's order."""
    entries: list[dict[str, Any]] = []
    for key in sorted(managed, key=lambda key: _order(key, managed[key])):
        owned = managed[key]
        entry: dict[str, Any] = {}
        if key.name:
            entry["manager"] = key.name
        entry["operation"] = key.operation
        entry["apiVersion"] = owned.api_version
        if owned.time:
            entry["time"] = owned.time
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = owned.fields
        if key.subresource:
            entry["subresource"] = key.subresource
        entries.append(entry)
    return entries


def _order(key: Manager, owned: Owned) -> tuple[str, ...]:
    return key.operation, owned.time, key.name, owned.api_version, key.subresource


def strip(fields: FieldSet) -> FieldSet:
    return fieldset.difference(fields, STRIPPED)


def resettable(subresource: str, *, status_subresource: bool) -> FieldSet:
    """Fields that a write through this path cannot set, so that its manager never owns them."""
    if subresource == "status":
        return _SPEC
    return _STATUS if status_subresource and not subresource else {}


def cap(managed: Managed) -> Managed:
    """At most MAX_UPDATERS update entries: the oldest of each version are joined."""
    updaters = [key for key in managed if key.operation == UPDATE]
    if len(updaters) <= MAX_UPDATERS:
        return managed
    out = dict(managed)
    updaters.sort(key=lambda key: (managed[key].time, key))
    first: dict[str, Manager] = {}
    count = len(updaters)
    for key in updaters:
        if count <= MAX_UPDATERS:
            break
        owned = out[key]
        bucket = Manager(ANCIENT, UPDATE, owned.api_version, "")
        if owned.api_version not in first:
            first[owned.api_version] = key
            continue
        if bucket not in out:
            out[bucket] = out.pop(first[owned.api_version])
        joined = fieldset.union(owned.fields, out[bucket].fields)
        del out[key]
        out[bucket] = Owned(joined, owned.api_version, owned.time)
        count -= 1
    return out


def without_fields(managed: Managed, gone: FieldSet, *, keep: Manager | None = None) -> Managed:
    """Everybody (but `keep`) loses the given fields; who owns nothing is dropped."""
    out: Managed = {}
    for key, owned in managed.items():
        fields = owned.fields if key == keep else fieldset.difference(owned.fields, gone)
        if fields:
            out[key] = owned if fields is owned.fields else owned._replace(fields=fields)
    return out


def bare(document: dict[str, Any]) -> dict[str, Any]:
    """The object without managedFields (a shallow copy)."""
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return document
    return {**document, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def with_entries(document: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The object with these entries (a shallow copy)."""
    metadata = dict(document.get("metadata") or {})
    metadata.pop("managedFields", None)
    if entries:
        metadata["managedFields"] = entries
    return {**document, "metadata": metadata}
