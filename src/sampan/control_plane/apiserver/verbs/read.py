"""GET of one object, and LIST: from the watch cache, or at a past revision from the store.

Big lists leave in pieces, so that the loop is never held for long. Continue tokens: k8s.io/apiserver
pkg/storage/continue.go (ours has the same content; to clients it is opaque).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from sampan.api.status import ApiError, Cause, bad_request, gone, not_found
from sampan.base.http.model import Answer, Request, Response, Streaming
from sampan.base.http.stream import Stream
from sampan.control_plane.apiserver.cache.cache import prefix_of
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.registry import fields
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.storage import Compacted, StorageError
from sampan.control_plane.apiserver.verbs.scope import Scope, form, single_form
from sampan.control_plane.apiserver.wire import accept, answer, options
from sampan.control_plane.apiserver.wire.options import EXACT, ListOptions
from sampan.control_plane.apiserver.wire.represent import Form, list_metadata, whole_list

WAIT: Final = 3.0  # seconds to wait for a revision that is not there yet, as upstream's cacher
PIECE: Final = 256 * 1024  # bytes written at a time
SMALL: Final = 64 * 1024  # a list up to this size is one answer with a length
STEP: Final = 200  # records looked at between two breaths of the loop
PLAIN: Final = accept.Wanted()


class Token(NamedTuple):
    """Where a list goes on: at which revision, behind which namespace/name."""

    revision: int
    start: str


def encode_token(token: Token) -> str:
    data = orjson.dumps({"v": "meta.k8s.io/v1", "rv": token.revision, "start": token.start})
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_token(text: str) -> Token:
    """Raises ApiError 400."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        version, start = value.get("v", ""), str(value.get("start", ""))
        if version != "meta.k8s.io/v1":
            raise ValueError(f"server does not recognize this encoded version {version}")
        if not start:
            raise ValueError(f"encoded start key empty (version {version})")
        if ".." in start.split("/") or start.startswith("/"):
            raise ValueError(start)
        return Token(int(value["rv"]), start)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def get(scope: Scope, request: Request, route: Route, served: Served) -> Answer | Awaitable[Answer]:
    record = served.table.get(route.place, route.name)
    if not request.query:
        if record is None:
            raise not_found(served.group, served.resource.plural, route.name)
        header = request.headers.get("accept", "")
        if served.is_stored_version and accept.negotiate(header) == PLAIN:
            return Response(200, record.body, headers=(answer.NO_CACHE,))
        return answer.body(single_form(scope, request, served).encode(record))
    revision = request.argument("resourceVersion")
    if revision and not options.is_revision(revision):
        raise options.bad_revision(revision)
    if revision and int(revision) > scope.cache.revision:
        return _get_later(scope, request, route, served, int(revision))
    if record is None:
        raise not_found(served.group, served.resource.plural, route.name)
    return answer.body(single_form(scope, request, served).encode(record))


async def _get_later(scope: Scope, request: Request, route: Route, served: Served, revision: int) -> Answer:
    await wait_for(scope, revision)
    record = scope.store.find(served, route.place, route.name)
    return answer.body(single_form(scope, request, served).encode(record))


async def wait_for(scope: Scope, revision: int) -> None:
    """Until the cache has reached the revision. Raises ApiError 504."""
    if not await scope.cache.reached(revision, WAIT):
        raise ApiError(
            504,
            "Timeout",
            f"Timeout: Too large resource version: {revision}, current: {scope.cache.revision}",
            causes=[Cause("ResourceVersionTooLarge", "Too large resource version")],
            retry_after=1,
        )


def selection(route: Route, served: Served, listing: ListOptions) -> Filter:
    """What is asked for. Raises ApiError 400."""
    return fields.selection(
        route.place, listing.labels, listing.fields, served.key, served.readers, name=route.name
    )


def list_objects(scope: Scope, request: Request, route: Route, served: Served) -> Answer | Awaitable[Answer]:
    listing = options.listing(request)
    if request.query:
        options.check_list(listing)
    made = form(scope, request, served)
    wanted = selection(route, served, listing)
    at_past = (
        listing.resume or listing.match == EXACT or (listing.limit and listing.revision not in ("", "0"))
    )
    if not at_past and not listing.limit and not wanted.selective and len(served.table) <= STEP:
        if not listing.revision or int(listing.revision) <= scope.cache.revision:
            records = list(served.table.select(wanted))
            return _answer(made, records, list_metadata(scope.cache.revision))
    return _list(scope, made, served, wanted, listing)


async def _list(scope: Scope, made: Form, served: Served, wanted: Filter, listing: ListOptions) -> Answer:
    if listing.resume:
        token = decode_token(listing.resume)
        if listing.revision not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        page = await _page(scope, served, wanted, listing.limit, token.revision, token.start, resumed=True)
    elif listing.match == EXACT:
        await wait_for(scope, int(listing.revision))
        page = await _page(scope, served, wanted, listing.limit, int(listing.revision), "")
    else:
        if listing.revision:
            await wait_for(scope, int(listing.revision))
        page = await _page(scope, served, wanted, listing.limit, scope.cache.revision, "")
    return _answer(made, page.records, list_metadata(page.revision, page.resume, page.remaining))


class _Page(NamedTuple):
    records: Sequence[Record]
    revision: int
    resume: str = ""
    remaining: int | None = None


async def _page(
    scope: Scope,
    served: Served,
    wanted: Filter,
    limit: int,
    revision: int,
    start: str,
    *,
    resumed: bool = False,
) -> _Page:
    table = served.table
    if revision > scope.cache.revision:
        raise bad_request(f"the revision of the continue token is in the future: {revision}")
    if table.revision <= revision:
        # nothing of this resource has changed since: the cache shows the same
        candidates = list(table.select(wanted, after=start))
    else:
        candidates = await _past(scope, served, wanted, revision, start, resumed=resumed)
    found: list[Record] = []
    for number, record in enumerate(candidates):
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
        if not wanted.matches(record):
            continue
        if limit and len(found) == limit:
            last = found[-1]
            resume = encode_token(Token(revision, f"{last.namespace}/{last.name}"))
            exact = wanted.labels is None and wanted.fields is None
            return _Page(found, revision, resume, len(candidates) - number if exact else None)
        found.append(record)
    return _Page(found, revision)


async def _past(
    scope: Scope, served: Served, wanted: Filter, revision: int, start: str, *, resumed: bool
) -> list[Record]:
    """The resource as it was at a revision, from the store."""
    base = prefix_of(*served.key)
    try:
        page = await scope.storage.range(
            prefix_of(*served.key, wanted.namespace), after=base + start if start else "", revision=revision
        )
    except Compacted as error:
        if resumed:
            raise gone(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter."
            ) from error
        raise gone(f"The resourceVersion for the provided list is too old: {revision}") from error
    except StorageError as error:
        raise bad_request(str(error)) from error
    records = []
    for entry in page.entries:
        namespace, _, name = entry.key.removeprefix(base).partition("/")
        record = Record(entry.key, namespace, name, entry.value, entry.revision, entry.created)
        if wanted.indexed is not None:
            record.index = served.readers[fields.INDEXED[served.key]](record.object)
        records.append(record)
    return records


def _answer(made: Form, records: Sequence[Record], metadata: dict[str, Any]) -> Answer:
    size = sum(len(record.body) for record in records)
    if size <= SMALL:
        return answer.body(whole_list(made, records, metadata))

    async def send(stream: Stream) -> None:
        piece: list[bytes] = []
        waiting, first = 0, True
        stream.write(made.head(metadata))
        for item in made.items(records):
            piece.append(item)
            waiting += len(item)
            if waiting >= PIECE or len(piece) >= STEP:
                stream.write((b"" if first else b",") + b",".join(piece))
                piece, waiting, first = [], 0, False
                await stream.drain()
                await asyncio.sleep(0)
                if stream.closed:
                    return
        if piece:
            stream.write((b"" if first else b",") + b",".join(piece))
        stream.write(made.tail)

    return Streaming(200, send, answer.JSON, (answer.NO_CACHE,))
