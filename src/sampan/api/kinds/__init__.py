"""The built-in kinds: which resources there are, how they are named and what may be done to them.

`model` is one resource's description, `builtin` the table of Kubernetes 1.37. Custom resources make the same value from
their CRD. What may not be here: schemas, printing, behaviour.
"""

from __future__ import annotations

from typing import Final

from sampan.api.kinds.builtin import BUILT_IN, INERT, PRIORITIES, STORED_AS
from sampan.api.kinds.model import ALL_VERBS, GroupVersion, Resource, Subresource

__all__ = [
    "ALL_VERBS",
    "BUILT_IN",
    "INERT",
    "PRIORITIES",
    "GroupVersion",
    "Resource",
    "Subresource",
    "by_plural",
    "group_versions",
    "of",
    "preferred_version",
    "storage_version",
]

_BY_KIND: Final = {(r.api_version, r.kind): r for r in BUILT_IN}
_BY_PLURAL: Final = {(r.group, r.version, r.plural): r for r in BUILT_IN}
_GROUP_VERSIONS: Final = tuple(dict.fromkeys(r.group_version for r in BUILT_IN))


def of(api_version: str, kind: str) -> Resource:
    """The built-in resource of that kind. Raises KeyError naming it."""
    try:
        return _BY_KIND[api_version, kind]
    except KeyError:
        raise KeyError(f"no built-in kind {kind!r} in version {api_version!r}") from None


def by_plural(group: str, version: str, plural: str) -> Resource | None:
    """The built-in resource at that path, or None."""
    return _BY_PLURAL.get((group, version, plural))


def group_versions() -> tuple[GroupVersion, ...]:
    """Every served group and version, in the order in which upstream's discovery lists them."""
    return _GROUP_VERSIONS


def preferred_version(group: str) -> str:
    """The version that discovery prefers for a built-in group. Raises KeyError naming the group."""
    for found in _GROUP_VERSIONS:
        if found.group == group:
            return found.version
    raise KeyError(f"no built-in group {group!r}")


def storage_version(group: str, plural: str) -> GroupVersion:
    """Group and version in which objects of a built-in resource are stored. Raises KeyError naming the resource.

    Events of events.k8s.io lie in the store as core Events: both groups show the same objects.
    """
    stored = STORED_AS.get((group, plural))
    if stored is not None:
        return stored
    for resource in BUILT_IN:
        if resource.group == group and resource.plural == plural:
            return resource.group_version
    raise KeyError(f"no built-in resource {plural!r} in group {group!r}")
