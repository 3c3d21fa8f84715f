"""The ConfigMaps and Secrets that pods of this node use: one watch per object, shared by the pods that hold it.

As upstream's watch based manager (pkg/kubelet/util/manager): the agent may read only what its pods name, so each object
is watched by its name; a change wakes the pods that use it.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import Backoff, Tasks
from sampan.client.rest import Client

log = logging.getLogger(__name__)

FIRST_ANSWER_SECONDS = 10.0

Object = Mapping[str, Any]


class Reference(NamedTuple):
    """`kind` is ConfigMap or Secret."""

    kind: str
    namespace: str
    name: str


def of_pod(pod: Object) -> frozenset[Reference]:
    """Every object that the pod's environment, volumes and pull secrets name."""
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    found: set[Reference] = set()

    def add(kind: str, name: str | None) -> None:
        if name:
            found.add(Reference(kind, namespace, name))

    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            for entry in container.get("env") or ():
                source = entry.get("valueFrom") or {}
                add("ConfigMap", (source.get("configMapKeyRef") or {}).get("name"))
                add("Secret", (source.get("secretKeyRef") or {}).get("name"))
            for source in container.get("envFrom") or ():
                add("ConfigMap", (source.get("configMapRef") or {}).get("name"))
                add("Secret", (source.get("secretRef") or {}).get("name"))
    for volume in spec.get("volumes") or ():
        add("ConfigMap", (volume.get("configMap") or {}).get("name"))
        add("Secret", (volume.get("secret") or {}).get("secretName"))
        for source in (volume.get("projected") or {}).get("sources") or ():
            add("ConfigMap", (source.get("configMap") or {}).get("name"))
            add("Secret", (source.get("secret") or {}).get("name"))
    for secret in spec.get("imagePullSecrets") or ():
        add("Secret", secret.get("name"))
    return frozenset(found)


def decoded(obj: Object | None) -> dict[str, bytes] | None:
    """The data of a ConfigMap or Secret as bytes by key; None for an object that is not there."""
    if obj is None:
        return None
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(text) for key, text in (obj.get("data") or {}).items()}
    data = {key: str(text).encode() for key, text in (obj.get("data") or {}).items()}
    data.update({key: base64.b64decode(text) for key, text in (obj.get("binaryData") or {}).items()})
    return data


class _Entry:
    __slots__ = ("first", "holders", "task", "value")

    def __init__(self) -> None:
        self.value: Object | None = None
        self.first = asyncio.Event()
        self.holders: set[str] = set()
        self.task: asyncio.Task[None] | None = None


class References:
    """`changed(uid)` is called for each pod that holds an object which has changed."""

    def __init__(self, client: Client, tasks: Tasks, changed: Callable[[str], None]) -> None:
        self._client = client
        self._tasks = tasks
        self._changed = changed
        self._entries: dict[Reference, _Entry] = {}

    def hold(self, uid: str, wanted: frozenset[Reference]) -> None:
        """From now on the pod holds exactly these; what nobody holds is forgotten."""
        for ref in wanted:
            entry = self._entries.get(ref)
            if entry is None:
                entry = self._entries[ref] = _Entry()
                entry.task = self._tasks.spawn(
                    f"{ref.kind}/{ref.namespace}/{ref.name}", self._follow(ref, entry)
                )
            entry.holders.add(uid)
        for ref, entry in list(self._entries.items()):
            if ref in wanted or uid not in entry.holders:
                continue
            entry.holders.discard(uid)
            if not entry.holders:
                del self._entries[ref]
                if entry.task:
                    entry.task.cancel()

    async def get(self, ref: Reference) -> Object | None:
        """The object as last seen; None when there is none. The reference must be held. Raises TimeoutError."""
        entry = self._entries[ref]
        if not entry.first.is_set():
            await asyncio.wait_for(entry.first.wait(), FIRST_ANSWER_SECONDS)
        return entry.value

    async def _follow(self, ref: Reference, entry: _Entry) -> None:
        resource = kinds.of("v1", ref.kind)
        selector = f"metadata.name={ref.name}"
        backoff = Backoff(first=0.1, cap=30.0)
        while True:
            try:
                listed = await self._client.list(resource, ref.namespace, field_selector=selector)
                items = listed.get("items") or ()
                self._set(entry, {**items[0], "kind": ref.kind} if items else None)
                version = (listed.get("metadata") or {}).get("resourceVersion", "")
                backoff.reset()
                while True:
                    async for event in self._client.watch(
                        resource, ref.namespace, resource_version=version, field_selector=selector
                    ):
                        version = event.object["metadata"]["resourceVersion"]
                        if event.type != "BOOKMARK":
                            self._set(entry, None if event.type == "DELETED" else event.object)
            except ApiError as error:
                if error.code in (403, 404) and not entry.first.is_set():
                    self._set(entry, None)
                if error.code != 410:
                    delay = backoff.next()
                    log.info(
                        "%s %s/%s: %s, asks again in %.1f s", ref.kind, ref.namespace, ref.name, error, delay
                    )
                    await asyncio.sleep(delay)

    def _set(self, entry: _Entry, value: Object | None) -> None:
        before, known = entry.value, entry.first.is_set()
        entry.value = value
        entry.first.set()
        if known and before != value:
            for uid in tuple(entry.holders):
                self._changed(uid)
