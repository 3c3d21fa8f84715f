"""What is served: every built-in resource in each of its versions, and the custom resources of the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sampan.api import kinds
from sampan.api.kinds import GroupVersion, Resource
from sampan.api.schema import builtin
from sampan.api.schema.model import Schema
from sampan.control_plane.apiserver.cache.cache import Cache
from sampan.control_plane.apiserver.cache.table import Table
from sampan.control_plane.apiserver.crd.custom import Version
from sampan.control_plane.apiserver.registry import fields

Reader = fields.Reader


class Served:
    """A resource in one version, with what the verbs need to know of it.

    stored: group and version in which its objects lie in the store. custom: the CRD's version, None for built-in kinds.
    """

    __slots__ = (
        "_schema",
        "custom",
        "inert",
        "key",
        "printer",
        "readers",
        "resource",
        "stored",
        "table",
    )

    def __init__(
        self,
        resource: Resource,
        stored: GroupVersion,
        table: Table,
        *,
        custom: Version | None = None,
        readers: Mapping[str, Reader] | None = None,
    ) -> None:
        self.resource = resource
        self.stored = stored
        self.table = table
        self.key = (stored.group, resource.plural)
        self.custom = custom
        self.inert = custom is None and (resource.group, resource.plural) in kinds.INERT
        self.readers = fields.readers(resource.group, self.key, readers)
        self._schema: Schema | None = None
        self.printer: Any = None  # made when a Table is first asked for

    @property
    def group(self) -> str:
        return self.resource.group

    @property
    def kind(self) -> str:
        return self.resource.kind

    @property
    def schema(self) -> Schema:
        """Parsed when first asked for."""
        if self.custom is not None:
            return self.custom.schema
        if self._schema is None:
            found = builtin.for_kind(self.resource.api_version, self.resource.kind)
            self._schema = found if found is not None else _anything()
        return self._schema

    @property
    def is_stored_version(self) -> bool:
        return self.stored == self.resource.group_version

    def __repr__(self) -> str:
        return f"Served({self.resource.api_version} {self.resource.plural})"


def _anything() -> Schema:
    schema = Schema("object")
    schema.preserve_unknown = True
    return schema


class Resources:
    """Looked up by group, version and plural. `changed` is called after the custom ones have changed."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._built_in = {
            (resource.group, resource.version, resource.plural): Served(
                resource, stored, cache.table(stored.group, resource.plural)
            )
            for resource, stored in ((r, kinds.storage_version(r.group, r.plural)) for r in kinds.BUILT_IN)
        }
        self._custom: dict[tuple[str, str, str], Served] = {}
        self._served = dict(self._built_in)
        self._listeners: list[Callable[[], None]] = []
        self.generation = 0

    def find(self, group: str, version: str, plural: str) -> Served | None:
        return self._served.get((group, version, plural))

    def of_kind(self, group: str, version: str, kind: str) -> Served | None:
        for served in self._served.values():
            if served.kind == kind and served.group == group and served.resource.version == version:
                return served
        return None

    def built_in(self) -> Iterable[Served]:
        return self._built_in.values()

    def custom(self) -> Iterable[Served]:
        return self._custom.values()

    def all(self) -> Iterable[Served]:
        return self._served.values()

    def has_group_version(self, group: str, version: str) -> bool:
        return any(g == group and v == version for g, v, _ in self._served)

    def table_of(self, group: str, plural: str) -> Table:
        return self._cache.table(group, plural)

    def set_custom(self, custom: Mapping[tuple[str, str, str], Served]) -> None:
        """Replaces the custom resources. Watches of what is gone end."""
        before = {served.table for served in self._custom.values()}
        self._custom = {key: served for key, served in custom.items() if key not in self._built_in}
        self._served = {**self._built_in, **self._custom}
        for table in before - {served.table for served in self._custom.values()}:
            table.drop_watchers()
        self.generation += 1
        for listener in self._listeners:
            listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)
