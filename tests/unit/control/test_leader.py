"""Leader election on virtual time: two candidates, one lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fake_api import FakeApi
from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.base.aio.clock import VirtualClock
from sampan.control.leader import Election, Elector, LostLeadership


class Api(FakeApi):
    down = False

    async def get(self, resource: Resource, name: str, namespace: str | None = None, **_: Any) -> Any:
        if self.down:
            raise ApiError(503, "ServiceUnavailable", "down")
        return await super().get(resource, name, namespace)


class Candidate:
    def __init__(self, api: Api, clock: VirtualClock, name: str) -> None:
        self.working = False
        self.elector = Elector(api, Election("e", name), clock)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.elector.lead(self._work))

    async def _work(self) -> None:
        self.working = True
        try:
            await asyncio.Event().wait()
        finally:
            self.working = False


def elected(test: Callable[[Api, VirtualClock, Candidate, Candidate], Awaitable[None]]) -> None:
    async def main() -> None:
        api, clock = Api(), VirtualClock()
        first = Candidate(api, clock, "first")
        await clock.advance(1)
        second = Candidate(api, clock, "second")
        async with asyncio.timeout(5):
            await test(api, clock, first, second)
        for candidate in (first, second):
            candidate.task.cancel()
        await asyncio.gather(first.task, second.task, return_exceptions=True)

    asyncio.run(main())


def test_one_leads_for_as_long_as_it_renews() -> None:
    async def test(api: Api, clock: VirtualClock, first: Candidate, second: Candidate) -> None:
        for _ in range(60):
            await clock.advance(1)
            assert (first.working, second.working) == (True, False)
        lease = api.find("leases", "e", "kube-system")
        assert lease is not None
        assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("first", 0)

    elected(test)


def test_the_lease_is_given_back() -> None:
    async def test(api: Api, clock: VirtualClock, first: Candidate, second: Candidate) -> None:
        await clock.advance(5)
        first.task.cancel()
        await asyncio.gather(first.task, return_exceptions=True)
        await clock.advance(2)
        assert second.working
        assert api.find("leases", "e", "kube-system")["spec"]["leaseTransitions"] == 1  # type: ignore[index]

    elected(test)


def test_a_leader_that_vanishes_is_followed_when_its_lease_ends() -> None:
    async def test(api: Api, clock: VirtualClock, first: Candidate, second: Candidate) -> None:
        await clock.advance(4)
        first.elector._client = None  # type: ignore[assignment]  # it is gone without a word
        held = api.find("leases", "e", "kube-system")
        await clock.advance(14)
        assert not second.working
        assert held is not None
        await clock.advance(4)
        assert second.working

    elected(test)


def test_a_leader_that_cannot_renew_stops() -> None:
    async def test(api: Api, clock: VirtualClock, first: Candidate, second: Candidate) -> None:
        await clock.advance(4)
        api.down = True
        await clock.advance(12)
        assert not first.working
        with pytest.raises(LostLeadership, match="'e'"):
            await first.task

    elected(test)
