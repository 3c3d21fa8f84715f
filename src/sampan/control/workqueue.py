"""The work queue of a controller: each key at most once, never worked on twice at the same time, retried with back-off.

Behaviour: k8s.io/client-go util/workqueue (queue.go, delaying_queue.go, default_rate_limiters.go).
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from sampan.base.aio.clock import Clock

K = TypeVar("K", bound=Hashable)

RETRY_FIRST: Final = 0.005  # seconds; client-go DefaultTypedControllerRateLimiter
RETRY_CAP: Final = 1000.0
RETRY_DOUBLINGS: Final = 18  # 5 ms * 2^18 is over the cap


class Shutdown(Exception):
    """The queue is shut down and empty."""


class Queue(Generic[K]):
    """First in, first out. A key that is added while it is worked on comes again when `done` is called."""

    def __init__(
        self, clock: Clock, *, retry_first: float = RETRY_FIRST, retry_cap: float = RETRY_CAP
    ) -> None:
        self._clock = clock
        self._retry_first = retry_first
        self._retry_cap = retry_cap
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._working: set[K] = set()
        self._getters: deque[asyncio.Future[None]] = deque()
        self._later: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._order = itertools.count()
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = float("inf")
        self._failures: dict[K, int] = {}
        self._shut = False

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: K) -> None:
        if self._shut or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._working:
            self._push(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Adds the key later; of several times for one key the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = self._clock.monotonic() + seconds
        if self._shut or self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        if due < self._timer_due:
            self._arm()

    def add_rate_limited(self, key: K) -> float:
        """Adds the key after a delay that doubles with each failure in a row; tells the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._retry_cap, self._retry_first * 2.0 ** min(failures, RETRY_DOUBLINGS))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """A success: the next failure waits the shortest delay again."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> K:
        """The next key; call `done` with it afterwards. Raises Shutdown."""
        while not self._ready:
            if self._shut:
                raise Shutdown
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # the key that woke us is somebody else's now
                raise
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        self._working.discard(key)
        if key in self._dirty:
            self._push(key)

    def shutdown(self) -> None:
        """No key is taken any more; what is queued is still handed out."""
        self._shut = True
        self._later.clear()
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
        while self._getters:
            self._wake()

    def _push(self, key: K) -> None:
        self._ready.append(key)
        self._wake()

    def _wake(self) -> None:
        while self._getters:
            waiter = self._getters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = self._later[0][0]
        self._timer = asyncio.get_running_loop().create_task(
            self._wait(self._timer_due), name="workqueue/timer"
        )

    async def _wait(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            at, _, key = heapq.heappop(self._later)
            if self._due.get(key) == at:
                del self._due[key]
                self.add(key)
        self._timer = None
        self._timer_due = float("inf")
        if self._later:
            self._arm()
