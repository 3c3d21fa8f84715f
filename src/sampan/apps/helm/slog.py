"""Log lines as Helm prints them: Go's log/slog text handler without the time. `level=WARN msg="..." key=value`"""

from __future__ import annotations

from collections.abc import Callable

from sampan.base.gotemplate.strconv import quote

DEBUG, INFO, WARN, ERROR = "DEBUG", "INFO", "WARN", "ERROR"

Log = Callable[..., None]
"""Called with a level, a message, and attributes by name."""


def silent(level: str, message: str, /, **attributes: object) -> None:
    """Says nothing."""


def line(level: str, message: str, /, **attributes: object) -> str:
    pairs = [("level", level), ("msg", message), *((k, str(v)) for k, v in attributes.items())]
    return " ".join(f"{key}={_value(text)}" for key, text in pairs)


def _value(text: str) -> str:
    """Go's rule: quoted when empty, or when a space, =, quote, or something that is not printed is in it."""
    plain = text and all(c not in ' ="' and c.isprintable() for c in text)
    return text if plain else quote(text)
