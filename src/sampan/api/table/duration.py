"""Ages as kubectl shows them (k8s.io/apimachinery pkg/util/duration, HumanDuration)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

UNKNOWN: Final = "<unknown>"
_DAY: Final = 24
_YEAR: Final = 24 * 365


def human(seconds: float) -> str:
    """Two figures at most: 5s, 3m20s, 5h10m, 3d4h, 2y30d."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        return _pair(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = whole // 3600
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < _DAY * 8:
        return _pair(hours // _DAY, "d", hours % _DAY, "h")
    if hours < _YEAR * 2:
        return f"{hours // _DAY}d"
    if hours < _YEAR * 8:
        return _pair(hours // _YEAR, "y", hours // _DAY % 365, "d")
    return f"{hours // _YEAR}y"


def _pair(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"


def seconds_of(text: Any) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None where there is none or it cannot be read."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def since(text: Any, now: float) -> str:
    """How long ago `text` was; `now` in seconds since the epoch."""
    then = seconds_of(text)
    return UNKNOWN if then is None else human(now - then)
