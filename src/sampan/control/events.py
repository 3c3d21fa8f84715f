"""Events as users read them in `kubectl describe`: repeated ones are counted, similar ones joined, floods cut.

Core v1 Events. Rules and constants: k8s.io/client-go tools/record (events_cache.go, event.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Any, Final

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio.clock import Clock
from sampan.client.rest import Client
from sampan.control.timestamps import stamp

log = logging.getLogger(__name__)

Object = dict[str, Any]

EVENTS: Final = kinds.of("v1", "Event")
REMEMBERED: Final = 4096
SIMILAR_LIMIT: Final = 10  # different messages for one reason within SIMILAR_SECONDS before they are joined
SIMILAR_SECONDS: Final = 600.0
BURST: Final = 25.0  # events about one object at once
REFILL: Final = 1 / 300.0  # then one in five minutes
WAITING_LIMIT: Final = 1000


def reference(obj: Object) -> Object:
    """The ObjectReference that events carry."""
    meta = obj["metadata"]
    found = {
        "kind": obj.get("kind"),
        "namespace": meta.get("namespace"),
        "name": meta.get("name"),
        "uid": meta.get("uid"),
        "apiVersion": obj.get("apiVersion"),
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": obj.get("fieldPath"),
    }
    return {key: value for key, value in found.items() if value}


class Recorder:
    """Events of one component. `emit` never waits; `run` sends what has been emitted."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client = client
        self._clock = clock
        self._source = {"component": component} | ({"host": host} if host else {})
        self._component = component
        self._host = host
        self._sent: OrderedDict[tuple[str, ...], Object] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], tuple[float, set[str]]] = OrderedDict()
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting: asyncio.Queue[tuple[Object, str, str, str]] = asyncio.Queue(WAITING_LIMIT)
        self._serial = 0

    def emit(self, regarding: Object, kind: str, reason: str, message: str) -> None:
        """`kind` is Normal or Warning. Dropped when the API is so slow that a thousand wait."""
        try:
            self._waiting.put_nowait((reference(regarding), kind, reason, message))
        except asyncio.QueueFull:
            log.warning("too many events wait, dropping %s: %s", reason, message)

    async def run(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                await self._send(*event)
            except ApiError as error:
                if error.code not in (403, 404):  # a namespace that ends takes no events
                    log.warning("event %s is lost: %s", event[2], error)
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Waits until everything emitted so far is sent."""
        await self._waiting.join()

    async def _send(self, regarding: Object, kind: str, reason: str, message: str) -> None:
        now = self._clock.now()
        if not self._allowed(regarding.get("uid", "") + regarding.get("name", ""), now):
            return
        about = (regarding.get("kind", ""), regarding.get("namespace", ""), regarding.get("name", ""))
        group = (*about, regarding.get("uid", ""), kind, reason)
        message, key = self._joined(group, message, now)
        known = self._sent.get(key)
        if known is not None:
            self._sent.move_to_end(key)
            if await self._count(known, message, now):
                return
        event = self._new(regarding, kind, reason, message, now)
        made = await self._client.create(EVENTS, event, event["metadata"]["namespace"])
        self._sent[key] = {"metadata": made["metadata"], "count": 1}
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def _count(self, known: Object, message: str, now: float) -> bool:
        body = {"count": known["count"] + 1, "lastTimestamp": stamp(now), "message": message}
        meta = known["metadata"]
        try:
            await self._client.patch(EVENTS, meta["name"], body, meta["namespace"])
        except ApiError as error:
            if error.code == 404:  # events live an hour
                return False
            raise
        known["count"] += 1
        return True

    def _new(self, regarding: Object, kind: str, reason: str, message: str, now: float) -> Object:
        self._serial += 1
        time = stamp(now)
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{regarding.get('name', '')}.{int(now * 1e9) + self._serial:x}",
                "namespace": regarding.get("namespace") or "default",
            },
            "involvedObject": regarding,
            "reason": reason,
            "message": message[:1024],
            "source": self._source,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "type": kind,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }

    def _joined(self, group: tuple[str, ...], message: str, now: float) -> tuple[str, tuple[str, ...]]:
        """The message, and the key under which equal events are counted."""
        began, messages = self._similar.get(group, (now, set()))
        if now - began > SIMILAR_SECONDS:
            began, messages = now, set()
        messages.add(message)
        self._similar[group] = (began, messages)
        self._similar.move_to_end(group)
        if len(self._similar) > REMEMBERED:
            self._similar.popitem(last=False)
        if len(messages) < SIMILAR_LIMIT:
            return message, (*group, message)
        while len(messages) > SIMILAR_LIMIT:
            messages.pop()
        return f"(combined from similar events): {message}", group

    def _allowed(self, source: str, now: float) -> bool:
        tokens, at = self._tokens.get(source, (BURST, now))
        tokens = min(BURST, tokens + (now - at) * REFILL)
        self._tokens[source] = (max(0.0, tokens - 1), now)
        self._tokens.move_to_end(source)
        if len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        return tokens >= 1
