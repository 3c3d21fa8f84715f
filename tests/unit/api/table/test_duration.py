"""Ages."""

from __future__ import annotations

import pytest

from sampan.api.table import duration

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (-0.5, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (3 * MINUTE + 20, "3m20s"),
        (10 * MINUTE + 5, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (8 * HOUR + MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY + HOUR, "8d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (731 * DAY, "2y1d"),
        (8 * 365 * DAY + DAY, "8y"),
    ],
)
def test_human(seconds: float, shown: str) -> None:
    assert duration.human(seconds) == shown


def test_since() -> None:
    assert duration.since("1970-01-01T00:00:10Z", 15.0) == "5s"
    assert duration.since("1970-01-01T01:00:10.500000+01:00", 15.0) == "4s"
    assert duration.since(None, 15.0) == duration.since("soon", 15.0) == "<unknown>"
