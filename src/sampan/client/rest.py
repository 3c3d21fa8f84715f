"""The client: one method per verb of the API, over plain dicts.

Every failure is an `ApiError`: the server's Status, or `Unreachable` where no answer came. Calls have time-outs;
what is safe to repeat is repeated with back-off (connection lost on reads, nothing sent yet, 429 with Retry-After).
Semantics: Kubernetes API concepts; k8s.io/client-go rest/request.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.base.aio.backoff import Backoff
from sampan.client.transport import Reply, Transport, Unreachable, encode_query

if TYPE_CHECKING:
    from sampan.client.discovery import Discovery
    from sampan.client.streams import WebSocket

__all__ = ["Client", "Event", "Object", "Unreachable"]

Object = dict[str, Any]
Query = Mapping[str, str | bool | int | None]

JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

TRIES: Final = 4  # of a call that is safe to repeat
TRIES_WHEN_THROTTLED: Final = 10  # client-go rest/request.go maxRetries
WATCH_SILENCE: Final = 60.0  # seconds beyond the server's own time-out after which a watch counts as dead


class Event(NamedTuple):
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK; errors are raised."""

    type: str
    object: Object


class Client:
    """An API client over one transport. Build it with `sampan.client.connect(config)`; close it, or use `async with`."""

    def __init__(
        self,
        transport: Transport,
        *,
        namespace: str = "default",
        field_manager: str = "sampan",
        timeout: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self.namespace = namespace
        self.field_manager = field_manager
        self.timeout = timeout
        self._sleep = sleep
        self._discovery: Discovery | None = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    @property
    def server(self) -> str:
        """Where this client asks, for messages."""
        return self._transport.where

    # --- reading

    async def get(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        metadata_only: bool = False,
    ) -> Object:
        accept = METADATA_ONLY if metadata_only else JSON
        path = resource.path(namespace, name, subresource)
        return await self._json("GET", path, accept=accept)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> Object:
        """The whole List; with `limit` it is fetched in pages of that size and joined here."""
        whole: Object | None = None
        items: list[Object] = []
        async for page in self.pages(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            resource_version=resource_version,
            metadata_only=metadata_only,
        ):
            if whole is None:
                whole = page
            items += page.get("items") or ()
            whole["metadata"] = page.get("metadata") or {}
        result = whole or {}
        result["items"] = items
        return result

    async def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator[Object]:
        """Lists of at most `limit` items. A continue token that expired raises 410 after the first page."""
        query: dict[str, str | bool | int | None] = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "limit": limit or None,
            "resourceVersion": resource_version,
        }
        accept = METADATA_LIST if metadata_only else JSON
        while True:
            page = await self._json("GET", resource.path(namespace), query=query, accept=accept)
            yield page
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            query |= {"continue": token, "resourceVersion": None}

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = True,
        send_initial_events: bool = False,
        timeout_seconds: int = 300,
        metadata_only: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """Changes after `resource_version`; ends when the server ends the watch (after `timeout_seconds`).

        Raises ApiError for an ERROR event (410 when the version is too old) and Unreachable when the connection breaks.
        """
        query: dict[str, str | bool | int | None] = {
            "watch": True,
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "allowWatchBookmarks": bookmarks or None,
            "timeoutSeconds": timeout_seconds or None,
        }
        if send_initial_events:
            query |= {
                "sendInitialEvents": True,
                "resourceVersionMatch": "NotOlderThan",
                "allowWatchBookmarks": True,
            }
        accept = METADATA_ONLY if metadata_only else JSON
        silence = timeout_seconds + WATCH_SILENCE if timeout_seconds else None
        reply = await self._try("GET", resource.path(namespace), query, b"", {"Accept": accept})
        async for line in _lines(reply.chunks(silence)):
            event = _decode(line)
            if event.get("type") == "ERROR":
                reply.close()
                raise ApiError.from_status(event.get("object") or {})
            yield Event(event["type"], event["object"])

    # --- writing

    async def create(
        self,
        resource: Resource,
        obj: Object,
        namespace: str | None = None,
        *,
        name: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str = "",
    ) -> Object:
        """POST; for a subresource (binding, eviction, token) `name` is whose, else that in the object's metadata."""
        meta = obj.get("metadata") or {}
        space = namespace or meta.get("namespace")
        whose = (name or meta.get("name")) if subresource else None
        query = self._write_query(dry_run, field_manager, field_validation)
        throttle = subresource != "eviction"  # there 429 is the answer: a disruption budget says no
        path = resource.path(space, whose, subresource)
        return await self._json("POST", path, query=query, body=obj, wait_when_throttled=throttle)

    async def replace(
        self,
        resource: Resource,
        obj: Object,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str = "",
    ) -> Object:
        """PUT of the object under its own name; its resourceVersion, when there, must be the current one."""
        meta = obj["metadata"]
        path = resource.path(namespace or meta.get("namespace"), meta["name"], subresource)
        query = self._write_query(dry_run, field_manager, field_validation)
        return await self._json("PUT", path, query=query, body=obj)

    async def replace_status(self, resource: Resource, obj: Object, namespace: str | None = None) -> Object:
        return await self.replace(resource, obj, namespace, subresource="status")

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Any,
        namespace: str | None = None,
        *,
        content_type: str = MERGE_PATCH,
        subresource: str | None = None,
        dry_run: bool = False,
        field_manager: str | None = None,
        field_validation: str = "",
        force: bool | None = None,
    ) -> Object:
        query = self._write_query(dry_run, field_manager, field_validation) | {"force": force}
        path = resource.path(namespace, name, subresource)
        return await self._json("PATCH", path, query=query, body=body, content_type=content_type)

    async def apply(
        self,
        resource: Resource,
        obj: Object,
        namespace: str | None = None,
        *,
        field_manager: str | None = None,
        force: bool = False,
        subresource: str | None = None,
        dry_run: bool = False,
        field_validation: str = "",
    ) -> Object:
        """Server-side apply of a configuration that names apiVersion, kind and metadata.name."""
        meta = obj["metadata"]
        return await self.patch(
            resource,
            meta["name"],
            obj,
            namespace or meta.get("namespace"),
            content_type=APPLY_PATCH,
            subresource=subresource,
            dry_run=dry_run,
            field_manager=field_manager or self.field_manager,
            field_validation=field_validation,
            force=force,
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str | None = None,
        grace_period: int | None = None,
        preconditions: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Object:
        """The object with its deletionTimestamp, or the Status of one that is gone.

        `propagation` is Background, Foreground or Orphan; `preconditions` may hold uid and resourceVersion.
        """
        options = _delete_options(propagation, grace_period, preconditions, dry_run)
        return await self._json("DELETE", resource.path(namespace, name), body=options)

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: str | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> Object:
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        options = _delete_options(propagation, grace_period, None, dry_run)
        return await self._json("DELETE", resource.path(namespace), query=query, body=options)

    # --- below the verbs

    async def raw(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Any request; the body of the answer, ApiError for a status of 400 and above."""
        reply = await self._try(method, path, query, body or b"", headers or {}, timeout=timeout)
        return await reply.read(timeout or self.timeout)

    async def stream(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
    ) -> Reply:
        """An answer whose body is read as it comes (logs with follow): `async for chunk in reply.chunks()`."""
        return await self._try(method, path, query, body, headers or {})

    async def websocket(
        self, path: str, query: str | Query = "", subprotocols: tuple[str, ...] = ()
    ) -> WebSocket:
        """An open websocket (exec, attach, port-forward); ApiError when the server declines."""
        from sampan.client import streams

        full = f"{path}?{query if isinstance(query, str) else encode_query(query)}" if query else path
        return await streams.open_websocket(self._transport, full, subprotocols, timeout=self.timeout)

    async def resource_for(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind, custom ones as well. ApiError NotFound when the server has none.

        Discovery is cached; a miss asks the server again.
        """
        return await self.discovery.resource_for(api_version, kind)

    @property
    def discovery(self) -> Discovery:
        if self._discovery is None:
            from sampan.client.discovery import Discovery

            self._discovery = Discovery(self)
        return self._discovery

    def _write_query(
        self, dry_run: bool, field_manager: str | None, field_validation: str
    ) -> dict[str, str | bool | int | None]:
        return {
            "fieldManager": field_manager or self.field_manager,
            "dryRun": "All" if dry_run else None,
            "fieldValidation": field_validation or None,
        }

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        wait_when_throttled: bool = True,
    ) -> Object:
        headers = {"Accept": accept}
        data = b""
        if body is not None:
            data = body if isinstance(body, bytes) else orjson.dumps(body)
            headers["Content-Type"] = content_type
        reply = await self._try(method, path, query, data, headers, wait_when_throttled=wait_when_throttled)
        return _decode(await reply.read(self.timeout))

    async def _try(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout: float | None = None,
        wait_when_throttled: bool = True,
    ) -> Reply:
        """The answer, with status below 400, after as many tries as are safe."""
        backoff = Backoff(first=0.1, cap=2.0)
        tries = 0
        while True:
            tries += 1
            try:
                reply = await self._transport.request(
                    method, path, query, headers, body, timeout or self.timeout
                )
            except Unreachable as error:
                if tries >= TRIES or not (error.not_sent or method == "GET") or error.fatal:
                    raise
                await self._sleep(backoff.next())
                continue
            if reply.status < 400:
                return reply
            failure = await reply.error(self.timeout)
            throttled = wait_when_throttled and failure.retry_after and failure.code in (429, 503)
            if not throttled or tries >= TRIES_WHEN_THROTTLED:
                raise failure
            await self._sleep(failure.retry_after)


def _delete_options(
    propagation: str | None, grace_period: int | None, preconditions: Mapping[str, str] | None, dry_run: bool
) -> Object:
    options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if propagation:
        options["propagationPolicy"] = propagation
    if grace_period is not None:
        options["gracePeriodSeconds"] = grace_period
    if preconditions:
        options["preconditions"] = dict(preconditions)
    if dry_run:
        options["dryRun"] = ["All"]
    return options


def _decode(data: bytes) -> Object:
    try:
        value = orjson.loads(data)
    except ValueError as error:
        raise ApiError(500, "InternalError", f"answer is not JSON: {error}: {data[:200]!r}") from error
    if not isinstance(value, dict):
        raise ApiError(500, "InternalError", f"answer is not a JSON object: {data[:200]!r}")
    return value


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Non-empty lines of a body; one that lacks its end is dropped, as the connection broke within it."""
    rest: list[bytes] = []
    async for chunk in chunks:
        head, *more = chunk.split(b"\n")
        if not more:
            rest.append(head)
            continue
        rest.append(head)
        first = b"".join(rest)
        if first:
            yield first
        for line in more[:-1]:
            if line:
                yield line
        rest = [more[-1]]
