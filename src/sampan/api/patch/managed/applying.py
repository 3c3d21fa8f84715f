"""Server-side apply: the applied configuration is merged into the live object, and what its manager no longer names
is removed unless somebody else owns it.

Source: k8s.io/apimachinery pkg/util/managedfields/internal (structuredmerge.go, lastappliedmanager.go,
lastappliedupdater.go, skipnonapplied.go, conflict.go) and structured-merge-diff merge/update.go.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

from sampan.api.patch.managed import fieldset, types
from sampan.api.patch.managed.comparing import compare, to_fieldset
from sampan.api.patch.managed.entries import (
    APPLY,
    EntriesError,
    Managed,
    Manager,
    Owned,
    bare,
    decode,
    encode,
    manager,
    resettable,
    strip,
    with_entries,
    without_fields,
)
from sampan.api.patch.managed.fieldset import FieldSet, Path
from sampan.api.patch.managed.merging import (
    merge,
    named_fields,
    reconcile,
    remove,
    validate,
    without_emptied,
)
from sampan.api.patch.managed.types import MISSING, Type, TypedError
from sampan.api.patch.managed.updating import track
from sampan.api.schema.model import Schema
from sampan.api.status import ApiError, Cause, bad_request

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE_FIRST_APPLY: Final = "before-first-apply"
_KUBECTL: Final = "kubectl"  # the field manager that client-side apply is handed over to without conflicts
_MAX_ANNOTATIONS: Final = 256 * 1024  # TotalAnnotationSizeLimitB


class _Conflict(NamedTuple):
    manager: Manager
    path: Path


class _ConflictsError(Exception):
    def __init__(self, conflicts: list[_Conflict]) -> None:
        super().__init__()
        self.conflicts = conflicts


class _Outcome(NamedTuple):
    """document: None where the apply changes nothing."""

    document: dict[str, Any] | None
    managed: Managed


def apply(
    live: dict[str, Any] | None,
    applied: dict[str, Any],
    *,
    manager: str,
    force: bool,
    schema: Schema | None,
    api_version: str,
    subresource: str,
    now: str,
    status_subresource: bool = True,
) -> dict[str, Any]:
    """The object that results, with metadata.managedFields; equal to `live` where nothing changes.

    Arguments as those of `update`. The result shares parts with both; neither is changed. Raises ApiError: 409 with a
    cause FieldManagerConflict per field that another manager set to another value, unless `force`; 400 for a
    configuration of another version or with managedFields; 500 (as upstream answers) for one that does not fit the
    schema.
    """
    _check(applied, api_version)
    request = _Request(
        live, applied, manager, types.of(schema), api_version, subresource, now, status_subresource
    )
    try:
        outcome = request.run(force=force)
    except _ConflictsError as failed:
        raise _conflict_error(failed.conflicts) from None
    if outcome.document is None:
        return with_entries(live or {}, encode(outcome.managed))
    document = outcome.document
    if manager == _KUBECTL:
        document = _last_applied_updated(document, applied)
    return with_entries(document, encode(outcome.managed))


def _check(applied: dict[str, Any], api_version: str) -> None:
    given = applied.get("apiVersion") or ""
    if given != api_version:
        raise bad_request(
            f"Incorrect version specified in apply patch. Specified patch version: {given}, expected: {api_version}"
        )
    if (applied.get("metadata") or {}).get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")


class _Request:
    """One apply. Runs twice where kubectl takes over from client-side apply."""

    def __init__(
        self,
        live: dict[str, Any] | None,
        applied: dict[str, Any],
        name: str,
        type_: Type,
        api_version: str,
        subresource: str,
        now: str,
        status_subresource: bool,
    ) -> None:
        self._live = bare(live) if live is not None else {}
        self._exists = live is not None
        self._applied = applied
        self._type = type_
        self._api_version = api_version
        self._subresource = subresource
        self._now = now
        self._name = name
        self._key = manager(name, APPLY, api_version, subresource)
        self._ignored = resettable(subresource, status_subresource=status_subresource)
        self._managed = self._stored((live or {}).get("metadata") or {})

    def _stored(self, metadata: dict[str, Any]) -> Managed:
        entries = metadata.get("managedFields") or []
        try:
            managed = decode(entries, entries)
        except EntriesError as bad:
            raise ApiError(500, "", f"failed to decode managed fields: {bad}") from bad
        if managed or not self._exists:
            return {
                key: owned._replace(fields=reconcile(owned.fields, self._type))
                for key, owned in managed.items()
            }
        # Never tracked: all that is there belongs to a manager of its own, or the apply could take anything.
        everything = compare({}, self._live, self._type)
        return track({}, everything, BEFORE_FIRST_APPLY, self._api_version, self._subresource, self._now, {})

    def run(self, *, force: bool) -> _Outcome:
        try:
            validate(self._applied, self._type, duplicates=False)
        except TypedError as bad:
            raise ApiError(500, "", f"failed to create typed patch object ({self._shown()}): {bad}") from bad
        try:
            return self._merged(force=force)
        except _ConflictsError as failed:
            if self._name != _KUBECTL:
                raise
            allowed = self._allowed()
            if allowed is None:
                raise
            rest = [conflict for conflict in failed.conflicts if not fieldset.has(allowed, conflict.path)]
            if rest:
                raise _ConflictsError(rest) from None
            return self._merged(force=True)

    def _shown(self) -> str:
        metadata = self._applied.get("metadata") or {}
        group_version = self._api_version if "/" in self._api_version else f"/{self._api_version}"
        return (
            f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; "
            f"{group_version}, Kind={self._applied.get('kind', '')}"
        )

    def _merged(self, *, force: bool) -> _Outcome:
        try:
            document = merge(self._live, self._applied, self._type)
            fields = to_fieldset(self._applied, self._type)
            if self._ignored:
                fields = fieldset.recursive_difference(fields, self._ignored)
            managed = dict(self._managed)
            last = managed.get(self._key)
            managed[self._key] = Owned(fields, self._api_version, last.time if last else "")
            if last is None or not last.fields:
                managed = self._settled(document, managed, force=force)
            else:
                document = self._pruned(document, managed, last.fields)
                managed = self._settled(document, managed, force=force)
                whole = without_emptied(document)
                # A container that was emptied goes, unless the configuration names it.
                document = merge(whole, self._applied, self._type) if whole != document else document
        except TypedError as bad:
            raise ApiError(500, "", f"failed to merge config: {bad}") from bad
        mine = managed.get(self._key)
        if mine is not None:
            stripped = strip(mine.fields)
            if stripped:
                managed[self._key] = mine._replace(fields=stripped)
            else:
                del managed[self._key]
        changed = document != self._live
        if changed and self._key in managed:
            managed[self._key] = managed[self._key]._replace(time=self._now)
        return _Outcome(document if changed else None, managed)

    def _pruned(self, merged: dict[str, Any], managed: Managed, last: FieldSet) -> dict[str, Any]:
        """Without what the manager applied last time, not this time, and nobody else owns."""
        type_ = self._type

        def without(fields: FieldSet) -> dict[str, Any]:
            rest = remove(merged, fields, type_)
            return {} if rest is MISSING else rest

        def named(fields: FieldSet) -> FieldSet:
            return named_fields(fields, type_)

        named_last = named(last)
        all_fields = named(to_fieldset(merged, type_))
        owned: FieldSet = {}
        for holder in managed.values():
            owned = fieldset.union(owned, holder.fields)
        kept = named(to_fieldset(without(named_last), type_))
        pruned = without(fieldset.difference(all_fields, fieldset.union(kept, named(owned))))
        # Items may have gone along that the manager never owned: only what it owned goes.
        gone = fieldset.difference(all_fields, named(to_fieldset(pruned, type_)))
        return without(fieldset.intersection(gone, named_last))

    def _settled(self, document: dict[str, Any], managed: Managed, *, force: bool) -> Managed:
        """Ownership after the apply. Raises _ConflictsError."""
        removed, modified, added = compare(self._live, document, self._type)
        if self._ignored:
            removed = fieldset.recursive_difference(removed, self._ignored)
            modified = fieldset.recursive_difference(modified, self._ignored)
            added = fieldset.recursive_difference(added, self._ignored)
        changed = fieldset.union(modified, added)
        if changed and not force:
            conflicts = [
                _Conflict(key, path)
                for key in sorted(managed)
                if key != self._key
                for path in fieldset.members(fieldset.intersection(managed[key].fields, changed))
            ]
            if conflicts:
                raise _ConflictsError(conflicts)
        return without_fields(managed, fieldset.union(changed, removed), keep=self._key)

    def _allowed(self) -> FieldSet | None:
        """Fields whose live value is what client-side apply wrote: kubectl may take those over."""
        text = ((self._live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
        if not text:
            return None
        try:
            last = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(last, dict) or last.get("apiVersion") != self._api_version:
            return None
        try:
            validate(last, self._type, duplicates=False)
            fields = to_fieldset(last, self._type)
            difference = compare(last, self._live, self._type)
        except TypedError:
            return None
        for gone in difference:
            fields = fieldset.difference(fields, gone)
        return fields


def _conflict_error(conflicts: list[_Conflict]) -> ApiError:
    causes = [
        Cause(
            "FieldManagerConflict",
            f"conflict with {conflict.manager.shown()}",
            fieldset.shown_path(conflict.path),
        )
        for conflict in conflicts
    ]
    if len(causes) == 1:
        message = f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}"
    else:
        lines: list[str] = []
        for key in sorted({conflict.manager for conflict in conflicts}):
            lines.append(f"conflicts with {key.shown()}:")
            lines += [
                f"- {fieldset.shown_path(conflict.path)}" for conflict in conflicts if conflict.manager == key
            ]
        message = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", message, causes=causes)


def _last_applied_updated(document: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    """Keeps the annotation of client-side apply true where it is there, so that one can go back."""
    metadata = document.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if not annotations.get(LAST_APPLIED):
        return document
    config = dict(applied)
    own = dict(config.get("metadata") or {})
    if LAST_APPLIED in (own.get("annotations") or {}):
        own["annotations"] = {key: value for key, value in own["annotations"].items() if key != LAST_APPLIED}
        if not own["annotations"]:
            del own["annotations"]
        config["metadata"] = own
    text = orjson.dumps(config, option=orjson.OPT_SORT_KEYS).decode()
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    annotations = {**annotations, LAST_APPLIED: text + "\n"}
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > _MAX_ANNOTATIONS:
        del annotations[LAST_APPLIED]
    return {**document, "metadata": {**metadata, "annotations": annotations}}
