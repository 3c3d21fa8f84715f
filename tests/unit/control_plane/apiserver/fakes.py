"""A read view over plain objects, for tests of what reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]


class FakeView:
    """Objects by group and plural. Every change moves the revision of its resource."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self._revisions: dict[tuple[str, str], int] = {}

    def put(self, group: str, plural: str, *objects: Object) -> FakeView:
        for obj in objects:
            metadata = obj["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            self._objects.setdefault((group, plural), {})[key] = obj
        self._revisions[group, plural] = self.revision(group, plural) + 1
        return self

    def remove(self, group: str, plural: str, namespace: str, name: str) -> None:
        del self._objects[group, plural][namespace, name]
        self._revisions[group, plural] = self.revision(group, plural) + 1

    def get(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        return self._objects.get((group, plural), {}).get((namespace, name))

    def list(self, group: str, plural: str, namespace: str = "") -> Iterable[Object]:
        found = self._objects.get((group, plural), {})
        return [obj for (space, _), obj in found.items() if not namespace or space == namespace]

    def revision(self, group: str, plural: str) -> int:
        return self._revisions.get((group, plural), 0)


def named(name: str, namespace: str = "", **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{name}"}
    return {"metadata": {**metadata, "namespace": namespace} if namespace else metadata, **rest}
