from __future__ import annotations

import pytest

from sampan.api.validation import cron


@pytest.mark.parametrize(
    "schedule",
    [
        *(
            "* * * * *",
            "*/5 8-17 * * 1-5",
            "0 0 1 jan mon",
            "0 0 * * SUN,sat",
            "? ? * * *",
            "5/10 * * * *",
            "1,2,3 * * * *",
        ),
        *("@hourly", "@daily", "@midnight", "@yearly", "@every 1h30m", "TZ=UTC 0 0 * * *", "0-0 * * * *"),
    ],
)
def test_good_schedules(schedule: str) -> None:
    assert cron.problem(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_bad_schedules_are_named(schedule: str, says: str) -> None:
    assert cron.problem(schedule) == says
