"""Those who follow a store, and the hand-over from past events to live ones without a gap."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sampan.control_plane.apiserver.storage.model import Event, Sink

log = logging.getLogger(__name__)


class Follower:
    """One sink. While its past is still being read, live events wait here."""

    def __init__(self, feed: Feed, sink: Sink, since: int) -> None:
        self._feed = feed
        self._sink = sink
        self._reached = since
        self._waiting: list[Event] | None = []

    def close(self) -> None:
        self._feed.followers.pop(self, None)

    def live(self, events: Sequence[Event]) -> None:
        if self._waiting is not None:
            self._waiting.extend(events)
        else:
            self._give(events)

    def caught_up(self, past: Sequence[Event]) -> None:
        """The past is read: hand it over, then what happened meanwhile."""
        waiting, self._waiting = self._waiting or [], None
        self._give(past)
        self._give(waiting)

    def _give(self, events: Sequence[Event]) -> None:
        fresh = [event for event in events if event.revision > self._reached]
        if not fresh:
            return
        self._reached = fresh[-1].revision
        try:
            self._sink(fresh)
        except Exception:
            log.exception("a follower of the store failed at revision %d", fresh[0].revision)


class Feed:
    def __init__(self) -> None:
        self.followers: dict[Follower, None] = {}

    def open(self, sink: Sink, since: int) -> Follower:
        follower = Follower(self, sink, since)
        self.followers[follower] = None
        return follower

    def publish(self, events: Sequence[Event]) -> None:
        for follower in list(self.followers):
            follower.live(events)
