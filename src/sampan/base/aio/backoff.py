"""Exponential back-off with jitter, as a value that counts its own failures."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Delays in seconds: first, first*factor, first*factor^2 ... up to cap, each stretched by up to `jitter` of itself.

    `chance` gives a number in [0, 1); tests pass a constant.
    """

    __slots__ = ("_chance", "_jitter", "cap", "factor", "failures", "first")

    def __init__(
        self,
        first: float = 0.1,
        cap: float = 30.0,
        factor: float = 2.0,
        jitter: float = 0.1,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if first <= 0 or cap < first or factor < 1:
            raise ValueError(
                f"back-off needs 0 < first <= cap and factor >= 1, got {first!r}, {cap!r}, {factor!r}"
            )
        self.first = first
        self.cap = cap
        self.factor = factor
        self.failures = 0
        self._jitter = jitter
        self._chance = chance

    def next(self) -> float:
        """The delay before the next try; counts one failure."""
        # 64 doublings overflow any cap; the bound keeps the power finite after days of failing.
        delay = min(self.cap, self.first * self.factor ** min(self.failures, 64))
        self.failures += 1
        return delay * (1 + self._jitter * self._chance())

    def reset(self) -> None:
        """A success: the next failure waits `first` again."""
        self.failures = 0
