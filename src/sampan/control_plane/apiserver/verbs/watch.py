"""WATCH: the changes of a resource as a stream of JSON lines, or of websocket messages.

k8s.io/apiserver pkg/endpoints/handlers/watch.go, pkg/storage/cacher. Where a watch begins: without resourceVersion or
with 0 at the present state, told as ADDED events; with a number after that revision; with sendInitialEvents at the
present state followed by a bookmark that says so.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

import orjson

from sampan.api.status import ApiError, gone
from sampan.base.http.model import Answer, Request, Streaming
from sampan.base.http.stream import Stream
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.cache.watcher import ADDED, ERROR, Filter, Watcher, event_line
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs import read
from sampan.control_plane.apiserver.verbs.scope import Scope, form
from sampan.control_plane.apiserver.wire import answer, options
from sampan.control_plane.apiserver.wire.represent import Form

MIN_TIMEOUT: Final = 1800.0  # seconds; a watch without timeoutSeconds lasts this long and up to twice that
STEP: Final = 100
BOOKMARK_EVERY: Final = 60.0


def watch(scope: Scope, request: Request, route: Route, served: Served) -> Answer:
    listing = options.listing(request)
    options.check_watch(listing)
    made = form(scope, request, served)
    wanted = read.selection(route, served, listing)
    timeout = listing.timeout or MIN_TIMEOUT * (1 + random.random())  # noqa: S311 - only spreads reconnects
    with_state = listing.revision in ("", "0") if listing.initial_events is None else listing.initial_events
    since = int(listing.revision or 0)

    async def start(stream: Stream) -> None:
        # ends when the stream is closed, by whomever
        over = asyncio.Event()
        stream.on_close(over.set)
        session = _Session(scope, served, made, wanted, stream)
        try:
            async with asyncio.timeout(timeout):
                await session.begin(
                    since,
                    with_state=with_state,
                    mark=bool(listing.initial_events) and listing.bookmarks,
                    bookmarks=listing.bookmarks,
                )
                await over.wait()
        except TimeoutError:
            pass
        finally:
            session.end()

    return Streaming(200, start, answer.JSON, (answer.NO_CACHE,))


class _Session:
    def __init__(self, scope: Scope, served: Served, made: Form, wanted: Filter, stream: Stream) -> None:
        self._scope = scope
        self._served = served
        self._made = made
        self._wanted = wanted
        self._stream = stream
        self._watcher: Watcher | None = None

    async def begin(self, since: int, *, with_state: bool, mark: bool, bookmarks: bool) -> None:
        """Sends the initial events; when it returns, live ones flow."""
        if since > self._scope.cache.revision:
            try:
                await read.wait_for(self._scope, since)
            except ApiError as error:
                self._fail(error)
                return
        cache, table = self._scope.cache, self._served.table
        revision = cache.revision if with_state else since
        watcher = Watcher(
            self._wanted,
            self._made,
            self._stream.write,
            self._stream.abort,
            self._stream.end,
            bookmarks=bookmarks,
            since=revision,
        )
        self._watcher = watcher
        if with_state:
            records = list(table.select(self._wanted))
            table.watch(watcher)
            if not await self._send_state(records):
                return
            if mark and not watcher.bookmark(revision, initial=True):
                self._stream.abort()
                return
        else:
            missed = table.since(since)
            if missed is None:
                self._fail(gone(f"too old resource version: {since} ({table.horizon})"))
                return
            table.watch(watcher)
            watcher.waiting = [*missed]
        if not watcher.caught_up():
            self._stream.abort()

    async def _send_state(self, records: list[Record]) -> bool:
        for number, record in enumerate(records):
            if self._wanted.matches(record):
                self._stream.write(event_line(ADDED, self._made.encode(record)))
            if number % STEP == STEP - 1:
                await self._stream.drain()
                await asyncio.sleep(0)
                if self._stream.closed:
                    return False
        await self._stream.drain()
        return not self._stream.closed

    def _fail(self, error: ApiError) -> None:
        self._stream.write(event_line(ERROR, orjson.dumps(error.to_status())))
        self._stream.end()

    def end(self) -> None:
        if self._watcher is not None:
            self._served.table.unwatch(self._watcher)


async def bookmarks(scope: Scope) -> None:
    """Tells every watcher that wants it how far the store is, once a minute, so that it can resume from there."""
    while True:
        await asyncio.sleep(BOOKMARK_EVERY)
        for table in scope.cache.tables():
            for watcher in table.watchers():
                if watcher.bookmarks and watcher.waiting is None:
                    if not watcher.bookmark(scope.cache.revision):
                        table.unwatch(watcher)
                        watcher.close()
            await asyncio.sleep(0)
