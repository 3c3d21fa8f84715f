from __future__ import annotations

import datetime as dt

import pytest

from sampan.base.gotemplate import gotime
from sampan.base.gotemplate.gotypes import GoError

UTC = dt.timezone.utc  # noqa: UP017


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1h2m3s", 3723 * 10**9),
        ("-1.5h", -5400 * 10**9),
        ("1us", 1000),
        ("1\u00b5s", 1000),
        ("0", 0),
        ("2ms3ns", 2000003),
    ],
)
def test_durations(text: str, nanos: int) -> None:
    assert gotime.parse_duration(text) == nanos


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("h", 'time: invalid duration "h"'),
    ],
)
def test_bad_durations(text: str, message: str) -> None:
    with pytest.raises(GoError) as caught:
        gotime.parse_duration(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1500, "1.5\u00b5s"),
        (2 * 10**6, "2ms"),
        (90 * 10**9, "1m30s"),
        (-3600 * 10**9, "-1h0m0s"),
    ],
)
def test_duration_text(nanos: int, text: str) -> None:
    assert gotime.duration_text(nanos) == text


def test_rounding_durations() -> None:
    assert gotime.duration_round(89 * gotime.MINUTE, gotime.HOUR) == gotime.HOUR
    assert gotime.duration_round(-90 * gotime.MINUTE, gotime.HOUR) == -2 * gotime.HOUR
    assert gotime.duration_truncate(119 * gotime.MINUTE, gotime.HOUR) == gotime.HOUR


MOMENT = gotime.Time(1580698984 * gotime.SECOND + 120_000_000, UTC)  # 2020-02-03T03:03:04.12Z


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02T15:04:05Z07:00", "2020-02-03T03:03:04Z"),
        ("Mon Jan _2 15:04:05 MST 2006", "Mon Feb  3 03:03:04 UTC 2020"),
        ("Monday, 2 January 06 3:4:5pm", "Monday, 3 February 20 3:3:4am"),
        ("002 __2 .000 .999 -0700", "034  34 .120 .12 +0000"),
        ("no element here", "no element here"),
    ],
)
def test_layouts(layout: str, text: str) -> None:
    assert gotime.format_time(MOMENT, layout) == text


@pytest.mark.parametrize(
    ("layout", "text", "unix"),
    [
        ("2006-01-02", "2020-02-03", 1580688000),
        ("2006-01-02T15:04:05Z07:00", "2020-01-02T03:04:05+02:00", 1577927045),
        ("Jan 2, 2006 3:04PM", "Feb 3, 2020 4:05PM", 1580745900),
    ],
)
def test_parsing(layout: str, text: str, unix: int) -> None:
    assert gotime.parse_time(layout, text, UTC).nanos // gotime.SECOND == unix


def test_days_that_are_none() -> None:
    with pytest.raises(GoError, match="day out of range"):
        gotime.parse_time("2006-01-02", "2020-02-30", UTC)
    with pytest.raises(GoError, match="cannot parse"):
        gotime.parse_time("2006-01-02", "x", UTC)


def test_zones() -> None:
    berlin = gotime.load_location("Europe/Berlin")
    assert berlin is not None
    assert gotime.format_time(gotime.Time(MOMENT.nanos, berlin), "15:04 MST -07") == "04:03 CET +01"
    assert gotime.load_location("No/Where") is None
    assert gotime.load_location("../etc/passwd") is None
