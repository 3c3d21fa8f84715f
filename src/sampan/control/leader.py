"""Leader election by a Lease: of several processes that could work, one does.

Protocol and defaults: k8s.io/client-go tools/leaderelection and resourcelock (leases).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio.clock import Clock
from sampan.client.rest import Client
from sampan.control.timestamps import micro

log = logging.getLogger(__name__)

Object = dict[str, Any]

LEASES: Final = kinds.of("coordination.k8s.io/v1", "Lease")


class Election(NamedTuple):
    """`identity` must differ between the candidates. Times in seconds."""

    name: str
    identity: str
    namespace: str = "kube-system"
    lease: float = 15.0
    renew: float = 10.0
    retry: float = 2.0


class LostLeadership(Exception):
    """The lease could not be renewed in time: somebody else may lead now."""


class Elector:
    """Takes part in one election."""

    def __init__(self, client: Client, election: Election, clock: Clock) -> None:
        self._client = client
        self._election = election
        self._clock = clock
        self._seen: tuple[Any, ...] = ()
        self._seen_at = 0.0

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Waits until elected, works, and gives the lease back. Raises LostLeadership when it is lost meanwhile."""
        while not await self.acquire():
            await self._clock.sleep(self._election.retry)
        log.info("%s leads %s", self._election.identity, self._election.name)
        working = asyncio.create_task(_run(work), name="leader/work")
        renewing = asyncio.create_task(self._renew(), name="leader/renew")
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (working, renewing):
                if task.done():
                    task.result()
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)
            await self.release()

    async def acquire(self) -> bool:
        """Takes or renews the lease; whether it is ours now."""
        try:
            return await self._try()
        except ApiError as error:
            level = logging.DEBUG if error.code == 409 else logging.WARNING
            log.log(level, "lease %s: %s", self._election.name, error)
            return False

    async def release(self) -> None:
        """Gives the lease back at once, so that the next need not wait."""
        election = self._election
        with contextlib.suppress(ApiError):
            lease = await self._client.get(LEASES, election.name, election.namespace)
            if lease["spec"].get("holderIdentity") == election.identity:
                spec = lease["spec"] | {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.replace(LEASES, lease | {"spec": spec})

    async def _renew(self) -> None:
        last = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._election.retry)
            if await self.acquire():
                last = self._clock.monotonic()
            elif self._clock.monotonic() - last >= self._election.renew:
                raise LostLeadership(
                    f"lease {self._election.name!r} was not renewed in {self._election.renew:g} s"
                )

    async def _try(self) -> bool:
        election = self._election
        try:
            lease = await self._client.get(LEASES, election.name, election.namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            meta = {"name": election.name, "namespace": election.namespace}
            await self._client.create(LEASES, {"metadata": meta, "spec": self._spec({})}, election.namespace)
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity")
        seen = (holder, spec.get("renewTime"))
        if seen != self._seen:
            # the other's clock may be wrong: what counts is when we saw it move
            self._seen, self._seen_at = seen, self._clock.monotonic()
        expired = self._clock.monotonic() - self._seen_at >= float(
            spec.get("leaseDurationSeconds") or election.lease
        )
        if holder and holder != election.identity and not expired:
            return False
        await self._client.replace(LEASES, lease | {"spec": self._spec(spec)})
        return True

    def _spec(self, old: Object) -> Object:
        now = micro(self._clock.now())
        ours = old.get("holderIdentity") == self._election.identity
        turns = int(old.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self._election.identity,
            "leaseDurationSeconds": int(self._election.lease),
            "acquireTime": old.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": turns if ours or not old else turns + 1,
        }


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
