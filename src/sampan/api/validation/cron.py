"""The syntax of cron schedules, with the error texts of the parser that upstream uses.

Source: github.com/robfig/cron/v3 parser.go (ParseStandard).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sampan.api.field import error


class _Field(NamedTuple):
    low: int
    high: int
    names: tuple[str, ...] = ()  # what stands for low, low + 1, ...


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final = (_Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 6, _DAYS))
_DESCRIPTORS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_DURATION: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+")


def problem(schedule: str) -> str:
    """What is wrong with the schedule, or ""."""
    text = schedule
    if text.startswith(("TZ=", "CRON_TZ=")):
        _, _, text = text.partition(" ")
        text = text.strip()
    if text.startswith("@"):
        return _descriptor(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for text, field in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            if part and (wrong := _range(part, field)):
                return wrong
    return ""


def _descriptor(text: str) -> str:
    if text in _DESCRIPTORS:
        return ""
    if text.startswith("@every "):
        duration = text.removeprefix("@every ")
        if _DURATION.fullmatch(duration):
            return ""
        return f"failed to parse duration {text}: time: invalid duration {error.quote(duration)}"
    return f"unrecognized descriptor: {text}"


def _range(part: str, field: _Field) -> str:
    span, *steps = part.split("/")
    ends = span.split("-")
    if len(steps) > 1:
        return f"too many slashes: {part}"
    start, end = field.low, field.high
    if ends[0] not in ("*", "?"):
        if len(ends) > 2:
            return f"too many hyphens: {part}"
        numbers: list[int] = []
        for text in ends:
            found = _number(text, field)
            if isinstance(found, str):
                return found
            numbers.append(found)
        start = numbers[0]
        end = numbers[1] if len(numbers) == 2 else field.high if steps else start
    step = 1
    if steps:
        found = _number(steps[0], _Field(0, 0))
        if isinstance(found, str):
            return found
        step = found
    if start < field.low:
        return f"beginning of range ({start}) below minimum ({field.low}): {part}"
    if end > field.high:
        return f"end of range ({end}) above maximum ({field.high}): {part}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {part}"
    return f"step of range should be a positive number: {part}" if step == 0 else ""


def _number(text: str, field: _Field) -> int | str:
    """The number, or what is wrong with it."""
    if text.lower() in field.names:
        return field.low + field.names.index(text.lower())
    if re.fullmatch("[-+]?[0-9]+", text) is None:
        return f"failed to parse int from {text}: strconv.Atoi: parsing {error.quote(text)}: invalid syntax"
    number = int(text)
    return number if number >= 0 else f"negative number ({number}) not allowed: {text}"
