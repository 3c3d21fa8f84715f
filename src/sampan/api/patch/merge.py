"""JSON merge patch (RFC 7396): apply, and the two- and three-way patches that clients compute.

Source: k8s.io/apimachinery pkg/util/jsonmergepatch, gopkg.in/evanphx/json-patch.v4 merge.go.
"""

from __future__ import annotations

from typing import Any

from sampan.api.patch.error import PatchError
from sampan.api.patch.plain import clone, json_type, same


def apply(doc: Any, patch: Any) -> Any:
    """The document with `patch` merged in: null removes, objects merge, all else replaces.

    Raises PatchError(400) where the patch is neither an object nor an array.
    """
    if not isinstance(patch, (dict, list)):
        raise PatchError("Invalid JSON Patch", 400)
    return _merged(clone(doc), clone(patch))


def _merged(doc: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch if isinstance(doc, dict) else _pruned(patch)
    if not isinstance(doc, dict):
        doc = {}
    for key, value in patch.items():
        if value is None:
            doc.pop(key, None)
        else:
            doc[key] = _merged(doc.get(key), value)
    return doc


def _pruned(value: Any) -> Any:
    """Without nulls in objects, within arrays too: upstream goes further than the RFC here."""
    if isinstance(value, dict):
        return {key: _pruned(inner) for key, inner in value.items() if inner is not None}
    return list(map(_pruned, value)) if isinstance(value, list) else value


def diff(original: dict[str, Any], modified: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that makes `modified` out of `original`."""
    patch: dict[str, Any] = {}
    for key, value in modified.items():
        if key not in original:
            patch[key] = clone(value)
            continue
        before = original[key]
        if isinstance(before, dict) and isinstance(value, dict):
            inner = diff(before, value)
            if inner:
                patch[key] = inner
        elif not same(before, value):
            patch[key] = clone(value)
    for key in original:
        if key not in modified:
            patch[key] = None
    return patch


def three_way(
    original: dict[str, Any] | None, modified: dict[str, Any] | None, current: dict[str, Any] | None
) -> dict[str, Any]:
    """What `kubectl apply` and Helm send for kinds without merge keys.

    Adds and changes are taken between `current` and `modified`, deletions between `original` and `modified`, so that
    what others added to `current` stays.
    """
    changes = _split(diff(current or {}, modified or {}), nulls=False)
    deletions = _split(diff(original or {}, modified or {}), nulls=True)
    if conflicting(changes, deletions):
        raise PatchError("the changes and the deletions of the merge patch contradict each other", 422)
    return _joined(deletions, changes)


def _split(patch: dict[str, Any], *, nulls: bool) -> dict[str, Any]:
    """Only the deletions (nulls) of a patch, or only the rest. An empty object that was set is a value."""
    out: dict[str, Any] = {}
    for key, value in patch.items():
        if value is None:
            if nulls:
                out[key] = None
        elif isinstance(value, dict):
            if not value:
                if not nulls:
                    out[key] = value
                continue
            inner = _split(value, nulls=nulls)
            if inner:
                out[key] = inner
        elif not nulls:
            out[key] = value
    return out


def _joined(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Two patches as one, keeping nulls; the right one wins."""
    out = dict(left)
    for key, value in right.items():
        before = out.get(key)
        out[key] = _joined(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return out


def conflicting(left: Any, right: Any) -> bool:
    """Whether two merge patches set one key to different values."""
    if isinstance(left, dict) and isinstance(right, dict):
        return any(key in right and conflicting(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) != len(right) or any(map(conflicting, left, right))
    return json_type(left) != json_type(right) or not same(left, right)
