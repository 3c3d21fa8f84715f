"""The four ways in which a reconcile ends."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Done(NamedTuple):
    """Nothing left to do until something changes."""


class After(NamedTuple):
    """Fine so far; look again in so many seconds even if nothing changes."""

    seconds: float


class Retry(NamedTuple):
    """It failed and may succeed later: again, with growing delay."""

    error: Exception


class Terminal(NamedTuple):
    """It failed and trying again cannot help until the object changes."""

    error: Exception


Outcome: TypeAlias = Done | After | Retry | Terminal

DONE = Done()


def soonest(*outcomes: Outcome) -> Outcome:
    """What to do when several things were looked at: failures first, then the earliest time."""
    for kind in (Retry, Terminal):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return outcome
    waits = [outcome.seconds for outcome in outcomes if isinstance(outcome, After)]
    return After(min(waits)) if waits else DONE
