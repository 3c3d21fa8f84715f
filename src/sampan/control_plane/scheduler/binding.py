"""A decision carried out: claims that wait for a consumer are told the node, then the pod is bound."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.client.rest import Client
from sampan.control.events import Recorder
from sampan.control_plane.scheduler.model import PodInfo
from sampan.control_plane.scheduler.plugins.volume_binding import SELECTED_NODE, claim_names
from sampan.control_plane.scheduler.storage import CLAIMS, Storage

Object = dict[str, Any]

PODS: Final = kinds.of("v1", "Pod")
BIND_SECONDS: Final = 600.0  # upstream's bindTimeoutSeconds


class Binder:
    def __init__(
        self, client: Client, storage: Storage, recorder: Recorder, calls: asyncio.Semaphore
    ) -> None:
        self._client = client
        self._storage = storage
        self._recorder = recorder
        self._calls = calls
        self._changed = asyncio.Event()
        storage.on_change(self._on_change)

    async def bind(self, pod: PodInfo) -> None:
        """Raises ApiError, or TimeoutError when the claims stay unbound."""
        claims = [self._storage.claim(pod.namespace, name) for name in claim_names(pod)]
        waiting = [claim for claim in claims if claim is not None and not claim["spec"].get("volumeName")]
        for claim in waiting:
            await self._select_node(claim, pod.node)
        if waiting:
            async with asyncio.timeout(BIND_SECONDS):
                await self._all_bound(pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": pod.node},
        }
        async with self._calls:
            await self._client.create(PODS, binding, pod.namespace, subresource="binding")
        text = f"Successfully assigned {pod.key} to {pod.node}"
        self._recorder.emit(pod.obj, "Normal", "Scheduled", text)

    async def _select_node(self, claim: Object, node: str) -> None:
        meta = claim["metadata"]
        if (meta.get("annotations") or {}).get(SELECTED_NODE) == node:
            return
        body = {"metadata": {"uid": meta["uid"], "annotations": {SELECTED_NODE: node}}}
        await self._client.patch(CLAIMS, meta["name"], body, meta["namespace"])

    async def _all_bound(self, pod: PodInfo) -> None:
        while True:
            self._changed.clear()
            if all(self._is_bound(pod, name) for name in claim_names(pod)):
                return
            await self._changed.wait()

    def _is_bound(self, pod: PodInfo, name: str) -> bool:
        claim = self._storage.claim(pod.namespace, name)
        if claim is None:
            raise ApiError(404, "NotFound", f'persistentvolumeclaim "{name}" not found')
        return (claim.get("status") or {}).get("phase") == "Bound"

    def _on_change(self) -> None:
        self._changed.set()
