"""What authorization and admission may see of the stored objects: a synchronous, consistent read view.

The watch cache fills it. No call here does I/O, so an authorizer can answer within a request without waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Object = Mapping[str, Any]


class View(Protocol):
    """Reads by storage group and plural resource name; `namespace` is "" for cluster-scoped objects."""

    def get(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """The object, or None. Callers never change what they get."""

    def list(self, group: str, plural: str, namespace: str = "") -> Iterable[Object]:
        """All objects of the resource, of one namespace when it is given."""

    def revision(self, group: str, plural: str) -> int:
        """The revision of the last change to any object of the resource: a key for derived tables."""
