"""Dates. Source of behaviour: sprig 3.3 date.go. `clock` is passed in by the table of functions."""

from __future__ import annotations

import time as clock
from typing import Any

from sampan.base.gotemplate.gotime import (
    HOUR,
    MINUTE,
    SECOND,
    ZERO_TIME,
    Time,
    duration_round,
    duration_text,
    format_time,
    load_location,
    local_zone,
    parse_duration,
    parse_time,
    unix,
)
from sampan.base.gotemplate.gotypes import Duration, GoError, Int64
from sampan.base.gotemplate.sprig.cast import wrap64
from sampan.base.gotemplate.strconv import parse_int


def now() -> Time:
    return Time(clock.time_ns(), local_zone())


def _moment(value: Any) -> Time:
    """A time, or seconds since 1970; anything else is now."""
    if isinstance(value, Time):
        return value
    if isinstance(value, int) and not isinstance(value, (bool, Duration)):
        return unix(int(value))
    return now()


def date(layout: str, value: Any) -> str:
    return date_in_zone(layout, value, "Local")


def date_in_zone(layout: str, value: Any, zone: str) -> str:
    found = load_location(zone) or load_location("UTC")
    assert found is not None
    return format_time(Time(_moment(value).nanos, found), layout)


def html_date(value: Any) -> str:
    return date_in_zone("2006-01-02", value, "Local")


def html_date_in_zone(value: Any, zone: str) -> str:
    return date_in_zone("2006-01-02", value, zone)


def must_date_modify(change: str, value: Time) -> Time:
    return Time(value.nanos + int(parse_duration(change)), value.zone)


def date_modify(change: str, value: Time) -> Time:
    try:
        return must_date_modify(change, value)
    except GoError:
        return value


def ago(value: Any) -> str:
    return duration_text(duration_round(clock.time_ns() - _moment(value).nanos, SECOND))


def duration(seconds: Any) -> str:
    count = 0
    if isinstance(seconds, str):
        count = parse_int(seconds, 10) or 0
    elif type(seconds) is Int64:
        count = int(seconds)
    return duration_text(wrap64(count * SECOND))


def round_duration(value: Any) -> str:
    span = 0
    if isinstance(value, str):
        try:
            span = int(parse_duration(value))
        except GoError:
            span = 0
    elif type(value) is Int64:
        span = int(value)
    elif isinstance(value, Time):
        span = clock.time_ns() - value.nanos
    size = abs(span)
    day = 24 * HOUR
    for unit, word in (
        (365 * day, "y"),
        (30 * day, "mo"),
        (day, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
    ):
        if size > unit:
            return f"{size // unit}{word}"
    return "0s"


def must_to_date(layout: str, text: str) -> Time:
    return parse_time(layout, text, local_zone())


def to_date(layout: str, text: str) -> Time:
    try:
        return must_to_date(layout, text)
    except GoError:
        return ZERO_TIME


def unix_epoch(value: Time) -> str:
    return str(value.nanos // SECOND)
