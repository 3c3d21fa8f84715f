"""A pool of numbers: node ports, or the places of addresses in a range."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

TRIES: Final = 64


class Exhausted(Exception):
    """Nothing is left."""


class Pool:
    """Numbers first..last. Those up to `reserved` are handed out only when they are asked for, or nothing else is left.

    A number may be held more than once while an object that holds it is being replaced.
    """

    def __init__(
        self, first: int, last: int, reserved: int = 0, pick: Callable[[int, int], int] = random.randint
    ) -> None:
        self.first, self.last = first, last
        self._dynamic = min(first + reserved, last)
        self._pick = pick
        self._held: Counter[int] = Counter()

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def is_free(self, number: int) -> bool:
        return not self._held[number]

    def hold(self, number: int) -> None:
        self._held[number] += 1

    def release(self, number: int) -> None:
        self._held[number] -= 1
        if self._held[number] <= 0:
            del self._held[number]

    def next(self) -> int:
        """A free number, held. Raises Exhausted."""
        for _ in range(TRIES):
            number = self._pick(self._dynamic, self.last)
            if self.is_free(number):
                self.hold(number)
                return number
        for number in self._in_order():
            if self.is_free(number):
                self.hold(number)
                return number
        raise Exhausted

    def _in_order(self) -> Iterable[int]:
        yield from range(self._dynamic, self.last + 1)
        yield from range(self.first, self._dynamic)
