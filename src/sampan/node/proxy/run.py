"""The proxy as a component over a client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sampan.api import kinds
from sampan.base.aio import Backoff
from sampan.base.netlink import NetlinkError
from sampan.client.cache import Informer, Informers, key_of
from sampan.client.rest import Client, Object
from sampan.dataplane import services
from sampan.node.proxy import kernel
from sampan.node.proxy.kernel import Kernel
from sampan.node.proxy.model import Config

log = logging.getLogger(__name__)

COALESCE_SECONDS = 0.005
"""What changes within this time goes into the kernel in one transaction."""
LOOK_SECONDS = 10.0
"""How often we look whether the table is still there."""
AT_ONCE = 20
"""Services that are worked off on the event loop; more go to a thread (no loop slice over 10 ms)."""


async def run(client: Client, config: Config, started: Callable[[], None]) -> None:
    """Keeps the kernel's table as Services and EndpointSlices say; `started()` once the first table is in.

    On cancellation the table stays: traffic flows on while the proxy restarts. Raises NetlinkError when the kernel has
    no nf_tables for us.
    """
    async with Informers(client) as informers:
        proxy = _Proxy(
            config,
            informers.of(kinds.of("v1", "Service")),
            informers.of(kinds.of("discovery.k8s.io/v1", "EndpointSlice")),
        )
        informers.start()
        await informers.wait_synced()
        try:
            await proxy.follow(started)
        finally:
            proxy.close()


class _Proxy:
    def __init__(self, config: Config, known: Informer, slices: Informer) -> None:
        self._node_name = config.node_name
        self._services = known
        self._slices = slices
        self._ledger = services.Ledger()
        self._kernel = Kernel(config)
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        slices.index("service", lambda obj: (services.service_of(obj),))
        known.on_change(self._service_changed)
        slices.on_change(self._slice_changed)

    def close(self) -> None:
        self._kernel.close()

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        if obj := new or old:
            self._mark(key_of(obj))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None and (key := services.service_of(obj)):
                self._mark(key)

    def _mark(self, key: str) -> None:
        self._dirty.add(key)
        self._wake.set()

    async def follow(self, started: Callable[[], None]) -> None:
        await asyncio.to_thread(self._replace, self._take_dirty())
        started()
        backoff = Backoff()
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
                await asyncio.sleep(COALESCE_SECONDS)
            except TimeoutError:
                if self._kernel.intact():
                    continue
                log.warning("the service table is gone or damaged and is put back")
                await asyncio.to_thread(self._replace, self._take_dirty())
                continue
            try:
                await self._apply(self._take_dirty())
                backoff.reset()
            except NetlinkError as error:
                delay = backoff.next()
                log.warning("%s; the whole service table is replaced in %.1f s", error, delay)
                await asyncio.sleep(delay)
                await asyncio.to_thread(self._replace, self._take_dirty())

    def _take_dirty(self) -> set[str]:
        dirty, self._dirty = self._dirty, set()
        self._wake.clear()
        return dirty

    async def _apply(self, keys: set[str]) -> None:
        if len(keys) > AT_ONCE:
            left = await asyncio.to_thread(self._change, keys)
        else:
            left = self._change(keys)
        if left:
            await asyncio.to_thread(self._kernel.tidy, left, self._ledger)

    def _change(self, keys: set[str]) -> kernel.Leftovers:
        changes = self._ledger.put(self._claims(keys))
        return self._kernel.change(changes) if changes else kernel.Leftovers()

    def _replace(self, keys: set[str]) -> None:
        with kernel.no_collection():
            self._ledger.fill(self._claims(keys))
        self._kernel.replace(self._ledger)

    def _claims(self, keys: set[str]) -> dict[str, tuple[services.Claim, ...]]:
        found: dict[str, tuple[services.Claim, ...]] = {}
        for key in keys:
            service = self._services.get(key)
            found[key] = ()
            if service is None:
                continue
            try:
                found[key] = services.claims(service, self._slices.by("service", key), self._node_name)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                log.error("service %s cannot be read and is not served: %r", key, error)
        return found


def cleanup(config: Config) -> None:
    """Removes the cluster's service table; succeeds when there is none."""
    kernel.remove(config)
