"""An API for components under test: objects in memory behind the client's methods, with watches."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

from sampan.api.kinds.model import Resource
from sampan.api.status import already_exists, conflict, not_found
from sampan.client.rest import Event

Object = dict[str, Any]


class FakeApi:
    """Takes the place of a `client.rest.Client`. `put` and `remove` are what somebody else does."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.calls: list[tuple[str, str, str]] = []
        self._version = 100
        self._watchers: dict[str, list[asyncio.Queue[Event]]] = {}

    def _key(self, plural: str, obj: Object) -> tuple[str, str, str]:
        meta = obj["metadata"]
        return plural, meta.get("namespace", ""), meta["name"]

    def put(self, resource: Resource, obj: Object) -> Object:
        key = self._key(resource.plural, obj)
        self._version += 1
        kept = copy.deepcopy(obj)
        kept.setdefault("apiVersion", resource.api_version)
        kept.setdefault("kind", resource.kind)
        kept["metadata"].setdefault("uid", f"uid-{self._version}")
        kept["metadata"]["resourceVersion"] = str(self._version)
        kind = "MODIFIED" if key in self.objects else "ADDED"
        self.objects[key] = kept
        self._tell(resource.plural, Event(kind, copy.deepcopy(kept)))
        return copy.deepcopy(kept)

    def remove(self, resource: Resource, name: str, namespace: str = "") -> None:
        self._version += 1
        gone = self.objects.pop((resource.plural, namespace, name))
        gone["metadata"]["resourceVersion"] = str(self._version)
        self._tell(resource.plural, Event("DELETED", gone))

    def _tell(self, plural: str, event: Event) -> None:
        for queue in self._watchers.get(plural, ()):
            queue.put_nowait(event)

    def find(self, plural: str, name: str, namespace: str = "") -> Object | None:
        return self.objects.get((plural, namespace, name))

    # --- the client's methods

    async def get(self, resource: Resource, name: str, namespace: str | None = None, **_: Any) -> Object:
        found = self.objects.get((resource.plural, namespace or "", name))
        if found is None:
            raise not_found(resource.group, resource.plural, name)
        return copy.deepcopy(found)

    async def create(self, resource: Resource, obj: Object, namespace: str | None = None, **_: Any) -> Object:
        obj = copy.deepcopy(obj)
        if namespace:
            obj["metadata"]["namespace"] = namespace
        key = self._key(resource.plural, obj)
        self.calls.append(("create", resource.plural, key[2]))
        if key in self.objects:
            raise already_exists(resource.group, resource.plural, key[2])
        return self.put(resource, obj)

    async def replace(
        self, resource: Resource, obj: Object, namespace: str | None = None, **_: Any
    ) -> Object:
        self.calls.append(("replace", resource.plural, obj["metadata"]["name"]))
        held = self.objects.get(self._key(resource.plural, obj))
        if held is None:
            raise not_found(resource.group, resource.plural, obj["metadata"]["name"])
        if held["metadata"]["resourceVersion"] != obj["metadata"].get("resourceVersion"):
            raise conflict(resource.group, resource.plural, obj["metadata"]["name"], "it was changed")
        return self.put(resource, obj)

    async def replace_status(self, resource: Resource, obj: Object, namespace: str | None = None) -> Object:
        return await self.replace(resource, obj, namespace)

    async def apply(self, resource: Resource, obj: Object, namespace: str | None = None, **_: Any) -> Object:
        self.calls.append(("apply", resource.plural, obj["metadata"]["name"]))
        return self.put(resource, obj)

    async def delete(self, resource: Resource, name: str, namespace: str | None = None, **_: Any) -> Object:
        self.calls.append(("delete", resource.plural, name))
        if (resource.plural, namespace or "", name) not in self.objects:
            raise not_found(resource.group, resource.plural, name)
        self.remove(resource, name, namespace or "")
        return {}

    async def watch(self, resource: Resource, namespace: str | None = None, **_: Any) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._watchers.setdefault(resource.plural, []).append(queue)
        for (plural, _ns, _name), obj in list(self.objects.items()):
            if plural == resource.plural:
                yield Event("ADDED", copy.deepcopy(obj))
        bookmark = {
            "resourceVersion": str(self._version),
            "annotations": {"k8s.io/initial-events-end": "true"},
        }
        yield Event("BOOKMARK", {"metadata": bookmark})
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers[resource.plural].remove(queue)

    async def patch(
        self, resource: Resource, name: str, body: Any, namespace: str | None = None, **_: Any
    ) -> Object:
        self.calls.append(("patch", resource.plural, name))
        held = copy.deepcopy(await self.get(resource, name, namespace))
        return self.put(resource, _merged(held, body))


def _merged(held: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    out = dict(held) if isinstance(held, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = _merged(out.get(name), value)
    return out
