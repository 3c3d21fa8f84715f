"""Pods that wait for a node: those to try now, those to try after a pause, those that wait for a change of the cluster.

Behaviour and constants: k8s.io/kubernetes pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any, Final

from sampan.base.aio.clock import Clock
from sampan.control_plane.scheduler.model import PodInfo

Object = dict[str, Any]

BACKOFF_FIRST: Final = 1.0
BACKOFF_CAP: Final = 10.0
FORGOTTEN: Final = 300.0  # after so many seconds an unschedulable pod is tried again whatever happened


class Waiting:
    """One pod in the queue. `rejectors` are the plug-ins that found no node for it."""

    __slots__ = ("attempts", "due", "pod", "rejectors", "since", "state")

    def __init__(self, pod: PodInfo, now: float) -> None:
        self.pod = pod
        self.since = now
        self.due = now
        self.attempts = 0
        self.rejectors: frozenset[str] = frozenset()
        self.state = "active"  # or backoff, unschedulable, tried


class Queue:
    """By priority, then by age. All methods but `pop` return at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pods: dict[str, Waiting] = {}
        self._active: list[tuple[int, float, int, str]] = []
        self._order = itertools.count()
        self._ready = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = float("inf")

    def __len__(self) -> int:
        return len(self._pods)

    def states(self) -> dict[str, str]:
        """active, backoff, unschedulable or tried, by the pods' UIDs."""
        return {uid: waiting.state for uid, waiting in self._pods.items()}

    def add(self, pod: PodInfo) -> None:
        """A new pod, or one whose specification has changed: tried at once."""
        waiting = self._pods.get(pod.uid)
        if waiting is None:
            waiting = self._pods[pod.uid] = Waiting(pod, self._clock.monotonic())
        else:
            waiting.pod = pod
        if waiting.state != "tried":
            self._activate(waiting)

    def refresh(self, pod: PodInfo) -> None:
        """A newer state that changes nothing about where the pod may go."""
        if pod.uid in self._pods:
            self._pods[pod.uid].pod = pod

    def remove(self, uid: str) -> None:
        self._pods.pop(uid, None)

    def holds(self, uid: str) -> bool:
        return uid in self._pods

    async def pop(self) -> Waiting:
        """The most important pod to try now. Afterwards call `remove`, `unschedulable` or `retry`."""
        while True:
            self._ready.clear()
            while self._active:
                *_, uid = heapq.heappop(self._active)
                waiting = self._pods.get(uid)
                if waiting is not None and waiting.state == "active":
                    waiting.state = "tried"
                    waiting.attempts += 1
                    return waiting
            await self._ready.wait()

    def unschedulable(self, waiting: Waiting, rejectors: frozenset[str]) -> None:
        """No node fits: wait for an event that one of these plug-ins wakes on."""
        waiting.rejectors = rejectors
        waiting.due = self._clock.monotonic() + self._pause(waiting)
        waiting.since = self._clock.monotonic()
        waiting.state = "unschedulable"
        self._arm(waiting.since + FORGOTTEN)

    def retry(self, waiting: Waiting) -> None:
        """It failed for a reason that is not the cluster's state (a conflict, an API error): again after a pause."""
        if waiting.pod.uid in self._pods:
            waiting.due = self._clock.monotonic() + self._pause(waiting)
            waiting.state = "backoff"
            self._arm(waiting.due)

    def wake(self, plugins: frozenset[str]) -> None:
        """Something has changed that these plug-ins care for."""
        for waiting in self._pods.values():
            if waiting.state == "unschedulable" and (not waiting.rejectors or waiting.rejectors & plugins):
                self._move(waiting)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        """Moves what is due, and sets the timer for what is next."""
        now = self._clock.monotonic()
        next_due = float("inf")
        for waiting in self._pods.values():
            if waiting.state == "backoff":
                if waiting.due <= now:
                    self._activate(waiting)
                else:
                    next_due = min(next_due, waiting.due)
            elif waiting.state == "unschedulable":
                if waiting.since + FORGOTTEN <= now:
                    self._move(waiting)
                else:
                    next_due = min(next_due, waiting.since + FORGOTTEN)
        if next_due < float("inf"):
            self._arm(next_due)

    def _arm(self, due: float) -> None:
        if due >= self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().create_task(self._wait(due), name="scheduler/queue-timer")

    async def _wait(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        self._timer, self._timer_due = None, float("inf")
        self._tick()

    def _move(self, waiting: Waiting) -> None:
        if waiting.due <= self._clock.monotonic():
            self._activate(waiting)
        else:
            waiting.state = "backoff"
            self._arm(waiting.due)

    def _activate(self, waiting: Waiting) -> None:
        waiting.state = "active"
        pod = waiting.pod
        heapq.heappush(self._active, (-pod.priority, waiting.since, next(self._order), pod.uid))
        self._ready.set()

    @staticmethod
    def _pause(waiting: Waiting) -> float:
        return min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(waiting.attempts - 1, 10))
