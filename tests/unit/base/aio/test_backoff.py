from __future__ import annotations

import pytest

from sampan.base.aio import Backoff


def test_delays_double_up_to_the_cap() -> None:
    backoff = Backoff(first=0.5, cap=3, jitter=0)
    assert [backoff.next() for _ in range(5)] == [0.5, 1, 2, 3, 3]


def test_jitter_stretches() -> None:
    backoff = Backoff(first=1, cap=10, jitter=0.5, chance=lambda: 1.0)
    assert backoff.next() == 1.5


def test_a_success_starts_over() -> None:
    backoff = Backoff(first=1, cap=10, jitter=0)
    backoff.next()
    backoff.next()
    backoff.reset()
    assert backoff.next() == 1


def test_it_stays_finite_after_a_long_time() -> None:
    backoff = Backoff(first=1, cap=30, jitter=0)
    for _ in range(10_000):
        assert backoff.next() <= 30


@pytest.mark.parametrize(("first", "cap", "factor"), [(0, 1, 2), (2, 1, 2), (1, 2, 0.5)])
def test_nonsense_is_refused(first: float, cap: float, factor: float) -> None:
    with pytest.raises(ValueError, match="back-off needs"):
        Backoff(first, cap, factor)
