"""Sends pods' statuses to the API: the newest wins, one write at a time per pod, none that says nothing new.

As pkg/kubelet/status/status_manager.go: a patch that names the pod's uid, so that a pod of the same name that was made
anew is never written over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import Backoff, Clock
from sampan.client.rest import STRATEGIC_MERGE_PATCH, Client

log = logging.getLogger(__name__)

Object = Mapping[str, Any]


class Reporter:
    """For one pod. `offer` never waits; `run` is the task that writes."""

    def __init__(self, client: Client, pod: Object, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        meta = pod["metadata"]
        self._namespace, self._name, self._uid = meta["namespace"], meta["name"], meta["uid"]
        self._wanted: Object | None = None
        self._sent: Object | None = None
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.gone = False

    def offer(self, status: Object) -> None:
        if status == (self._wanted if self._wanted is not None else self._sent):
            return
        self._wanted = status
        self._idle.clear()
        self._news.set()

    async def settled(self) -> None:
        """Returns when what was offered last has been written, or the pod is gone from the API."""
        await self._idle.wait()

    async def run(self) -> None:
        backoff = Backoff(first=0.05, cap=10.0)
        while True:
            await self._news.wait()
            self._news.clear()
            wanted = self._wanted
            if wanted is None:
                continue
            try:
                await self._send(wanted)
            except ApiError as error:
                if error.code in (404, 409):
                    self.gone = True
                    self._idle.set()
                    return
                delay = backoff.next()
                log.warning(
                    "status of pod %s/%s: %s, tries again in %.1f s",
                    self._namespace,
                    self._name,
                    error,
                    delay,
                )
                self._news.set()
                await self._clock.sleep(delay)
                continue
            backoff.reset()
            self._sent = wanted
            if self._wanted is wanted:
                self._wanted = None
                self._idle.set()

    async def _send(self, status: Object) -> None:
        before = self._sent or {}
        body: dict[str, Any] = dict(status)
        for field in before:
            if field not in status:
                body[field] = None
        await self._client.patch(
            kinds.of("v1", "Pod"),
            self._name,
            {"metadata": {"uid": self._uid}, "status": body},
            self._namespace,
            content_type=STRATEGIC_MERGE_PATCH,
            subresource="status",
            field_manager="kubelet",
        )
