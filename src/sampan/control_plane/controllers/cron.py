"""Cron schedules: five fields, names, steps, macros, and a time zone. Pure.

Syntax as github.com/robfig/cron v3 reads it (the parser behind CronJobs): minute hour day-of-month month day-of-week.
"""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Final, NamedTuple

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS: Final = {n: i for i, n in enumerate(_MONTHS, 1)}
DAYS: Final = {n: i for i, n in enumerate(_DAYS)}
ANY: Final = ("*", "?", "*/1", "?/1")
YEARS_AHEAD: Final = 5  # a schedule such as 30 February never comes
UNITS: Final = {"h": 3600, "m": 60, "s": 1}


class CronError(ValueError):
    """A schedule that cannot be read; the text names field and value."""


class Field(NamedTuple):
    values: frozenset[int]
    any: bool  # written as * or ?


class Schedule:
    """Tells the times of a schedule. All times are seconds since 1970."""

    __slots__ = ("_day", "_every", "_hour", "_minute", "_month", "_weekday", "_zone")

    def __init__(self, text: str, zone: str = "") -> None:
        """Raises CronError. Without `zone` the schedule is read in UTC."""
        self._zone = _zone(zone)
        self._every = 0
        wanted = MACROS.get(text, text)
        if wanted.startswith("@every "):
            self._every = _duration(wanted.removeprefix("@every "))
            return
        parts = wanted.split()
        if len(parts) != 5:
            raise CronError(
                f"schedule {text!r} has {len(parts)} fields, expected 5: minute hour day month weekday"
            )
        self._minute = _field(parts[0], 0, 59, {}, "minute")
        self._hour = _field(parts[1], 0, 23, {}, "hour")
        self._day = _field(parts[2], 1, 31, {}, "day of month")
        self._month = _field(parts[3], 1, 12, MONTHS, "month")
        weekday = _field(parts[4], 0, 7, DAYS, "day of week")
        self._weekday = weekday._replace(values=frozenset(v % 7 for v in weekday.values))

    def next(self, after: float) -> float | None:
        """The first time after `after`; None when there is none in the next years."""
        if self._every:
            return float(int(after) + self._every)
        start = datetime.datetime.fromtimestamp(int(after), self._zone)
        day = start.date()
        for _ in range(366 * YEARS_AHEAD):
            if self._matches(day) and (found := self._first_on(day, after)) is not None:
                return found
            day += datetime.timedelta(days=1)
        return None

    def _matches(self, day: datetime.date) -> bool:
        if day.month not in self._month.values:
            return False
        by_day = day.day in self._day.values
        by_weekday = day.isoweekday() % 7 in self._weekday.values
        # when both are given, either is enough
        return by_day and by_weekday if self._day.any or self._weekday.any else by_day or by_weekday

    def _first_on(self, day: datetime.date, after: float) -> float | None:
        """Wall-clock times that a change to summer time skips do not come.

        Those that come twice when it ends come once, unless the schedule is for every hour.
        """
        for hour in sorted(self._hour.values):
            times = [
                time
                for fold in ((0, 1) if self._hour.any else (0,))
                for minute in self._minute.values
                if (time := self._time(day, hour, minute, fold)) is not None and time > after
            ]
            if times:
                return min(times)
        return None

    def _time(self, day: datetime.date, hour: int, minute: int, fold: int) -> float | None:
        wall = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zone, fold=fold)
        time = wall.timestamp()
        back = datetime.datetime.fromtimestamp(time, self._zone)
        return time if (back.hour, back.minute) == (hour, minute) else None


def _field(text: str, least: int, most: int, names: dict[str, int], what: str) -> Field:
    values: set[int] = set()
    for part in text.split(","):
        values |= _range(part, least, most, names, what)
    return Field(frozenset(values), any(part in ANY for part in text.split(",")))


def _range(part: str, least: int, most: int, names: dict[str, int], what: str) -> set[int]:
    span, slash, step_text = part.partition("/")
    step = _number(step_text, {}, what) if slash else 1
    if step < 1:
        raise CronError(f"{what}: step of {part!r} is {step}, expected 1 or more")
    if span in ("*", "?"):
        first, last = least, most if what != "day of week" else 6
    else:
        low, dash, high = span.partition("-")
        first = _number(low, names, what)
        last = _number(high, names, what) if dash else most if slash else first
    if not least <= first <= last <= most:
        raise CronError(f"{what}: {part!r} is out of range, expected {least}-{most}")
    return set(range(first, last + 1, step))


def _number(text: str, names: dict[str, int], what: str) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdigit():
        raise CronError(f"{what}: {text!r} is not a number")
    return int(text)


def _duration(text: str) -> int:
    total, digits = 0, ""
    for char in text.strip():
        if char.isdigit():
            digits += char
        elif char in UNITS and digits:
            total, digits = total + int(digits) * UNITS[char], ""
        else:
            raise CronError(f"@every {text!r} is not a duration, expected such as 1h30m")
    if digits or total < 1:
        raise CronError(f"@every {text!r} is not a duration, expected such as 1h30m")
    return total


def _zone(name: str) -> datetime.tzinfo:
    if not name or name == "UTC":
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CronError(f"unknown time zone {name!r}") from error
