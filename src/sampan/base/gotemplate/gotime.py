"""Go's time: layouts, durations, zones. Times are nanoseconds since 1970 with a zone.

Source of behaviour: Go 1.26 `time` (format.go, format_rfc3339.go).
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any, ClassVar

from sampan.base.gotemplate.gotypes import Duration, Func, GoError, Int64, Struct
from sampan.base.gotemplate.strconv import quote

NANO, MICRO, MILLI, SECOND = 1, 1_000, 1_000_000, 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
_ZERO_DAY = -62135596800  # 0001-01-01T00:00:00Z, in unix seconds
_UTC = dt.UTC

# ---------------------------------------------------------------- durations

_UNITS = {
    "ns": NANO,
    "us": MICRO,
    "\u00b5s": MICRO,
    "\u03bcs": MICRO,
    "ms": MILLI,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_PART = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]*)", re.ASCII)


def parse_duration(text: str) -> Duration:
    """`time.ParseDuration`. Raises GoError with Go's text."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    if not rest:
        raise GoError(f"time: invalid duration {quote(text)}")
    total = 0
    while rest:
        match = _PART.match(rest)
        assert match is not None
        whole, fraction, unit = match.groups()
        if not whole and not fraction:
            raise GoError(f"time: invalid duration {quote(text)}")
        if not unit:
            raise GoError(f"time: missing unit in duration {quote(text)}")
        if unit not in _UNITS:
            raise GoError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        size = _UNITS[unit]
        total += int(whole or 0) * size
        if fraction:
            total += int(fraction) * size // 10 ** len(fraction)
        if total > 1 << 63:
            raise GoError(f"time: invalid duration {quote(text)}")
        rest = rest[match.end() :]
    if text[0] == "-":
        return Duration(-total)
    if total > (1 << 63) - 1:
        raise GoError(f"time: invalid duration {quote(text)}")
    return Duration(total)


def duration_text(value: int) -> str:
    """`Duration.String()`."""
    if value == 0:
        return "0s"
    sign, size = ("-" if value < 0 else ""), abs(int(value))
    if size < SECOND:
        unit, word = (NANO, "ns") if size < MICRO else (MICRO, "\u00b5s") if size < MILLI else (MILLI, "ms")
        return f"{sign}{_fraction(size, unit)}{word}"
    minutes, rest = divmod(size, MINUTE)
    hours, minutes = divmod(minutes, 60)
    out = f"{_fraction(rest, SECOND)}s"
    if hours or minutes:
        out = f"{minutes}m{out}"
    if hours:
        out = f"{hours}h{out}"
    return sign + out


def _fraction(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}." + str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")


def duration_round(value: int, step: int) -> Duration:
    """`Duration.Round`: half away from zero."""
    if step <= 0:
        return Duration(value)
    rest = abs(value) % step
    size = abs(value) - rest + (step if rest + rest >= step else 0)
    size = min(size, (1 << 63) - 1)
    return Duration(-size if value < 0 else size)


def duration_truncate(value: int, step: int) -> Duration:
    if step <= 0:
        return Duration(value)
    size = abs(value) - abs(value) % step
    return Duration(-size if value < 0 else size)


def _seconds(value: int) -> float:
    whole, rest = divmod(abs(value), SECOND)
    return (whole + rest / 1e9) * (-1 if value < 0 else 1)


PERIODS: dict[str, Func] = {
    "Seconds": Func(lambda d: _seconds(d), (), False, "float64"),
    "Minutes": Func(lambda d: d / MINUTE, (), False, "float64"),
    "Hours": Func(lambda d: d / HOUR, (), False, "float64"),
    "Milliseconds": Func(lambda d: Int64(int(d / MILLI)), (), False, "int64"),
    "Microseconds": Func(lambda d: Int64(int(d / MICRO)), (), False, "int64"),
    "Nanoseconds": Func(lambda d: Int64(d), (), False, "int64"),
    "String": Func(duration_text, (), False, "string"),
    "Round": Func(duration_round, ("time.Duration",), False, "time.Duration"),
    "Truncate": Func(duration_truncate, ("time.Duration",), False, "time.Duration"),
    "Abs": Func(lambda d: Duration(abs(d)), (), False, "time.Duration"),
}
Duration.methods = PERIODS  # type: ignore[attr-defined]

# ---------------------------------------------------------------- zones


@lru_cache(maxsize=64)
def load_location(name: str) -> dt.tzinfo | None:
    """`time.LoadLocation`; None where there is no such zone."""
    if name in ("", "UTC"):
        return _UTC
    if name == "Local":
        return local_zone()
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if ".." in name or name.startswith("/") or "\\" in name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local_zone() -> dt.tzinfo:
    """The zone of the process: TZ as Go reads it, else /etc/localtime."""
    import os
    from zoneinfo import ZoneInfo

    name = os.environ.get("TZ")
    if name is not None:
        found = None if name in ("Local", "") else load_location(name.removeprefix(":"))
        return found if found is not None else _UTC
    try:
        with open("/etc/localtime", "rb") as file:  # noqa: PTH123
            return ZoneInfo.from_file(file, key="Local")
    except (OSError, ValueError):
        return _UTC


# ---------------------------------------------------------------- times


class Time(Struct):
    """time.Time."""

    go_type = "time.Time"
    methods: ClassVar[dict[str, Func]] = {}

    def __init__(self, nanos: int, zone: dt.tzinfo) -> None:
        self.nanos = nanos
        self.zone = zone

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and other.nanos == self.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def local(self) -> dt.datetime:
        """The wall clock, seconds exact."""
        return dt.datetime.fromtimestamp(self.nanos // SECOND, _UTC).astimezone(self.zone)

    def go_string(self) -> str:
        return format_time(self, "2006-01-02 15:04:05.999999999 -0700 MST")

    def json_value(self) -> str:
        return format_time(self, "2006-01-02T15:04:05.999999999Z07:00")


def unix(seconds: int) -> Time:
    return Time(seconds * SECOND, local_zone())


ZERO_TIME = Time(_ZERO_DAY * SECOND, _UTC)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_LAYOUT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST"
    r"|2006|_2006|__2|_2|002"
    r"|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07"
    r"|01|02|03|04|05|06|15|PM|pm"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)


@lru_cache(maxsize=256)
def _pieces(layout: str) -> tuple[tuple[str, bool], ...]:
    """A layout as (text, is it an element)."""
    out: list[tuple[str, bool]] = []
    at = 0
    for match in _LAYOUT.finditer(layout):
        if match.start() > at:
            out.append((layout[at : match.start()], False))
        if match[0] == "_2006":
            out += [("_", False), ("2006", True)]
        else:
            out.append((match[0], True))
        at = match.end()
    if at < len(layout):
        out.append((layout[at:], False))
    return tuple(out)


def format_time(time: Time, layout: str) -> str:
    """`Time.Format`."""
    wall = time.local()
    nanos = time.nanos % SECOND
    return "".join(_element(word, wall, nanos) if element else word for word, element in _pieces(layout))


def _element(word: str, wall: dt.datetime, nanos: int) -> str:
    simple = {
        "2006": lambda: f"{wall.year:04d}", "06": lambda: f"{wall.year % 100:02d}",
        "January": lambda: _MONTHS[wall.month - 1], "Jan": lambda: _MONTHS[wall.month - 1][:3],
        "01": lambda: f"{wall.month:02d}", "1": lambda: str(wall.month),
        "Monday": lambda: _DAYS[wall.weekday()], "Mon": lambda: _DAYS[wall.weekday()][:3],
        "02": lambda: f"{wall.day:02d}", "2": lambda: str(wall.day), "_2": lambda: f"{wall.day:2d}",
        "002": lambda: f"{wall.timetuple().tm_yday:03d}", "__2": lambda: f"{wall.timetuple().tm_yday:3d}",
        "15": lambda: f"{wall.hour:02d}", "03": lambda: f"{wall.hour % 12 or 12:02d}",
        "3": lambda: str(wall.hour % 12 or 12), "04": lambda: f"{wall.minute:02d}",
        "4": lambda: str(wall.minute), "05": lambda: f"{wall.second:02d}", "5": lambda: str(wall.second),
        "PM": lambda: "PM" if wall.hour >= 12 else "AM", "pm": lambda: "pm" if wall.hour >= 12 else "am",
        "MST": lambda: zone_name(wall),
    }.get(word)  # fmt: skip
    if simple is not None:
        return str(simple())  # type: ignore[no-untyped-call]
    if word[0] in ".,":
        digits = f"{nanos:09d}"[: len(word) - 1].ljust(len(word) - 1, "0")
        if word[1] == "9":
            digits = digits.rstrip("0")
            return word[0] + digits if digits else ""
        return word[0] + digits
    return _offset(word, wall)


def zone_name(wall: dt.datetime) -> str:
    """The abbreviation of the zone, or its offset where it has none."""
    name = wall.tzname() or ""
    if name.startswith("UTC") and name != "UTC":
        name = ""
    if name and not name.startswith(("+", "-")):
        return name
    if name:
        return name
    minutes = _offset_seconds(wall) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours:02d}" + (f"{rest:02d}" if rest else "")


def _offset_seconds(wall: dt.datetime) -> int:
    offset = wall.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _offset(word: str, wall: dt.datetime) -> str:
    seconds = _offset_seconds(wall)
    if word[0] == "Z" and seconds == 0:
        return "Z"
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    hours, minutes, rest = size // 3600, size % 3600 // 60, size % 60
    body = word[1:]
    colon = ":" if ":" in body else ""
    out = f"{sign}{hours:02d}"
    if len(body.replace(":", "")) >= 4:
        out += f"{colon}{minutes:02d}"
    if len(body.replace(":", "")) >= 6:
        out += f"{colon}{rest:02d}"
    return out


# ---------------------------------------------------------------- parsing

_PATTERNS = {
    "2006": r"(?P<year>\d{4})", "06": r"(?P<short>\d{2})", "January": rf"(?P<long>{'|'.join(_MONTHS)})",
    "Jan": rf"(?P<jan>{'|'.join(m[:3] for m in _MONTHS)})", "01": r"(?P<mon>\d{2})", "1": r"(?P<mon>\d{1,2})",
    "Monday": "(?:" + "|".join(_DAYS) + ")", "Mon": "(?:" + "|".join(d[:3] for d in _DAYS) + ")",
    "02": r"(?P<day>\d{2})", "2": r"(?P<day>\d{1,2})", "_2": r" ?(?P<day>\d{1,2})",
    "002": r"(?P<yday>\d{3})", "__2": r" {0,2}(?P<yday>\d{1,3})",
    "15": r"(?P<hour>\d{2})", "03": r"(?P<half>\d{2})", "3": r"(?P<half>\d{1,2})",
    "04": r"(?P<min>\d{2})", "4": r"(?P<min>\d{1,2})", "05": r"(?P<sec>\d{2})(?P<frac>[.,]\d+)?",
    "5": r"(?P<sec>\d{1,2})(?P<frac>[.,]\d+)?", "PM": "(?P<ampm>AM|PM)", "pm": "(?P<ampm>am|pm)",
    "MST": r"(?P<name>[A-Z]{3,5}|[+-]\d{2})",
}  # fmt: skip


def parse_time(layout: str, text: str, zone: dt.tzinfo) -> Time:
    """`time.ParseInLocation`. Raises GoError."""
    pieces = _pieces(layout)
    pattern = ""
    for place, (word, element) in enumerate(pieces):
        if not element:
            pattern += re.escape(word)
        elif word in _PATTERNS:
            part = _PATTERNS[word]
            following = pieces[place + 1][0] if place + 1 < len(pieces) else ""
            if word in ("05", "5") and following[:1] in (".", ",") and following[:1]:
                part = part.replace(r"(?P<frac>[.,]\d+)?", "")
            pattern += part
        elif word[0] in ".,":
            pattern += rf"(?P<frac>[.,]\d{{{len(word) - 1}}})" if word[1] == "0" else r"(?P<frac>[.,]\d+)?"
        else:
            colon = ":" if ":" in word else ""
            digits = len(word.replace(":", "")) - 1
            offset = r"[+-]\d{2}" + (rf"{colon}\d{{2}}" * (digits // 2 - 1))
            pattern += rf"(?P<off>Z|{offset})" if word[0] == "Z" else rf"(?P<off>{offset})"
    try:
        match = re.fullmatch(pattern, text, re.IGNORECASE if "Jan" in layout or "Mon" in layout else 0)
    except re.error:
        match = None
    if match is None:
        raise GoError(
            f"parsing time {quote(text)} as {quote(layout)}: cannot parse {quote(text)} as {quote(_first(pieces))}"
        )
    return _assemble(match.groupdict(), layout, text, zone)


def _first(pieces: tuple[tuple[str, bool], ...]) -> str:
    return next((w for w, e in pieces if e), pieces[0][0] if pieces else "")


def _assemble(found: dict[str, Any], layout: str, text: str, zone: dt.tzinfo) -> Time:
    def out_of_range(what: str) -> GoError:
        return GoError(f"parsing time {quote(text)}: {what} out of range")

    year = int(found.get("year") or 0)
    if found.get("short"):
        short = int(found["short"])
        year = short + (1900 if short >= 69 else 2000)
    month, day = 1, 1
    names = [m.lower() for m in _MONTHS]
    if found.get("long"):
        month = names.index(found["long"].lower()) + 1
    elif found.get("jan"):
        month = [n[:3] for n in names].index(found["jan"].lower()) + 1
    elif found.get("mon"):
        month = int(found["mon"])
    if not 1 <= month <= 12:
        raise out_of_range("month")
    if found.get("day"):
        day = int(found["day"])
    hour = int(found.get("hour") or 0)
    if found.get("half"):
        hour = int(found["half"])
        if hour > 12:
            raise out_of_range("hour")
    half = (found.get("ampm") or "").lower()
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    minute, second = int(found.get("min") or 0), int(found.get("sec") or 0)
    for value, limit, word in ((hour, 24, "hour"), (minute, 60, "minute"), (second, 60, "second")):
        if value >= limit:
            raise out_of_range(word)
    nanos = int((found.get("frac") or ".0")[1:10].ljust(9, "0"))
    at = _zone_of(found, zone)
    shift = 0
    if year < 1:
        shift, year = year - 4, 4  # datetime has no year 0; Go's year without one is 0
    try:
        if found.get("yday"):
            wall = dt.datetime(year, 1, 1, hour, minute, second) + dt.timedelta(days=int(found["yday"]) - 1)
        else:
            wall = dt.datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise out_of_range("day") from None
    seconds = int((wall - dt.datetime(1970, 1, 1)).total_seconds())
    seconds -= int((wall.replace(tzinfo=at).utcoffset() or dt.timedelta()).total_seconds())
    if shift:
        seconds -= 1461 * 86400
    return Time(seconds * SECOND + nanos, at)


def _zone_of(found: dict[str, Any], zone: dt.tzinfo) -> dt.tzinfo:
    offset = found.get("off")
    if offset:
        if offset == "Z":
            return _UTC
        digits = offset[1:].replace(":", "").ljust(6, "0")
        seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
        return dt.timezone(dt.timedelta(seconds=-seconds if offset[0] == "-" else seconds))
    name = found.get("name")
    if name == "UTC":
        return _UTC
    if name:
        return dt.timezone(dt.timedelta(0), name.upper())
    return zone


def _date_part(name: str) -> Func:
    return Func(lambda t: getattr(t.local(), name), (), False, "int")


Time.methods.update(
    {
        "Format": Func(format_time, ("string",), False, "string"),
        "Unix": Func(lambda t: Int64(t.nanos // SECOND), (), False, "int64"),
        "UnixNano": Func(lambda t: Int64(t.nanos), (), False, "int64"),
        "UnixMilli": Func(lambda t: Int64(t.nanos // MILLI), (), False, "int64"),
        "UnixMicro": Func(lambda t: Int64(t.nanos // MICRO), (), False, "int64"),
        "UTC": Func(lambda t: Time(t.nanos, _UTC), (), False, "time.Time"),
        "Local": Func(lambda t: Time(t.nanos, local_zone()), (), False, "time.Time"),
        "String": Func(Time.go_string, (), False, "string"),
        "Year": _date_part("year"),
        "Day": _date_part("day"),
        "Hour": _date_part("hour"),
        "Minute": _date_part("minute"),
        "Second": _date_part("second"),
        "Nanosecond": Func(lambda t: t.nanos % SECOND, (), False, "int"),
        "YearDay": Func(lambda t: t.local().timetuple().tm_yday, (), False, "int"),
        "IsZero": Func(lambda t: t.nanos == ZERO_TIME.nanos, (), False, "bool"),
        "Add": Func(lambda t, d: Time(t.nanos + int(d), t.zone), ("time.Duration",), False, "time.Time"),
        "Sub": Func(lambda t, o: Duration(t.nanos - o.nanos), ("time.Time",), False, "time.Duration"),
        "After": Func(lambda t, o: t.nanos > o.nanos, ("time.Time",), False, "bool"),
        "Before": Func(lambda t, o: t.nanos < o.nanos, ("time.Time",), False, "bool"),
        "Equal": Func(lambda t, o: t.nanos == o.nanos, ("time.Time",), False, "bool"),
        "AddDate": Func(lambda t, y, m, d: _add_date(t, y, m, d), ("int", "int", "int"), False, "time.Time"),
    }
)


def _add_date(time: Time, years: int, months: int, days: int) -> Time:
    wall = time.local().replace(tzinfo=None)
    index = wall.month - 1 + months
    first = dt.datetime(wall.year + years + index // 12, index % 12 + 1, 1)
    moved = first + dt.timedelta(
        days=wall.day - 1 + days, hours=wall.hour, minutes=wall.minute, seconds=wall.second
    )
    offset = moved.replace(tzinfo=time.zone).utcoffset() or dt.timedelta()
    seconds = int((moved - dt.datetime(1970, 1, 1) - offset).total_seconds())
    return Time(seconds * SECOND + time.nanos % SECOND, time.zone)
