"""All custom resources of the moment, kept in step with the stored CRDs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sampan.control_plane.apiserver.crd.custom import Version, served_versions
from sampan.control_plane.apiserver.crd.definition import GROUP, PLURAL
from sampan.control_plane.apiserver.view import Object, View

Key = tuple[str, str, str]  # group, version, plural


class Registry:
    """Ask `refresh` before use (or whenever CRDs may have changed); it costs nothing while they have not."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._revision = -1
        self._made: dict[str, tuple[Object, list[Version]]] = {}
        self._versions: dict[Key, Version] = {}

    def refresh(self) -> bool:
        """Whether anything that is served has changed. What was compiled for unchanged CRDs is kept."""
        revision = self._view.revision(GROUP, PLURAL)
        if revision == self._revision:
            return False
        self._revision = revision
        before = self._versions
        made: dict[str, tuple[Object, list[Version]]] = {}
        for crd in self._view.list(GROUP, PLURAL):
            name = str(crd["metadata"]["name"])
            known = self._made.get(name)
            made[name] = known if known is not None and _alike(known[0], crd) else (crd, served_versions(crd))
        self._made = made
        self._versions = {_key(version): version for _, listed in made.values() for version in listed}
        return self._versions != before

    def find(self, group: str, version: str, plural: str) -> Version | None:
        return self._versions.get((group, version, plural))

    def all(self) -> Iterable[Version]:
        return self._versions.values()

    def by_key(self) -> Mapping[Key, Version]:
        return self._versions


def _key(version: Version) -> Key:
    return version.resource.group, version.resource.version, version.resource.plural


def _alike(old: Object, new: Object) -> bool:
    """Whether two states of a CRD serve the same: only its spec, names and conditions count."""
    if old is new:
        return True

    def served(crd: Object) -> tuple[object, ...]:
        status, metadata = crd.get("status") or {}, crd.get("metadata") or {}
        conditions = [(c.get("type"), c.get("status")) for c in status.get("conditions") or ()]
        return crd.get("spec"), status.get("acceptedNames"), conditions, metadata.get("uid")

    return served(old) == served(new)
