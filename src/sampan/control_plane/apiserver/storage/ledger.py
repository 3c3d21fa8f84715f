"""What decides a write, without keeping any value: the current revision of each key, the counter, the leases."""

from __future__ import annotations

import heapq
from typing import NamedTuple

from sampan.control_plane.apiserver.storage.model import ANY, Outcome


class Mark(NamedTuple):
    """A live key: revision of its last write, of its creation, and when its lease ends (0: never)."""

    revision: int
    created: int
    expires: float = 0.0


class Ledger:
    """Revisions are handed out here, before they are durable; a store that fails to write throws its ledger away."""

    def __init__(self, revision: int = 1) -> None:
        self.revision = revision
        self.marks: dict[str, Mark] = {}
        self._leases: list[tuple[float, str, int]] = []

    def load(self, key: str, mark: Mark) -> None:
        """A key that was there before."""
        self.marks[key] = mark
        if mark.expires:
            heapq.heappush(self._leases, (mark.expires, key, mark.revision))

    def put(self, key: str, expected: int, expires: float) -> tuple[Outcome, Mark, int]:
        """The outcome, the new mark and the revision it replaces (0: none)."""
        old = self.marks.get(key)
        previous = old.revision if old else 0
        if expected not in (ANY, previous):
            return Outcome(False, previous), Mark(0, 0), previous
        self.revision += 1
        mark = Mark(self.revision, old.created if old else self.revision, expires)
        self.load(key, mark)
        return Outcome(True, self.revision), mark, previous

    def delete(self, key: str, expected: int) -> tuple[Outcome, Mark]:
        """The outcome and the mark that was there."""
        old = self.marks.get(key)
        if old is None:
            return Outcome(False, 0), Mark(0, 0)
        if expected not in (ANY, old.revision):
            return Outcome(False, old.revision), old
        self.revision += 1
        del self.marks[key]
        return Outcome(True, self.revision), old

    def expired(self, now: float, limit: int = 500) -> list[tuple[str, int]]:
        """Keys whose lease has ended, with the revision to expect when deleting them. Each is given once."""
        due: list[tuple[str, int]] = []
        while self._leases and self._leases[0][0] <= now and len(due) < limit:
            _, key, revision = heapq.heappop(self._leases)
            mark = self.marks.get(key)
            if mark is not None and mark.revision == revision:
                due.append((key, revision))
        return due
