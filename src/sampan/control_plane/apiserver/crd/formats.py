"""The string formats that a custom resource's schema may name; any other name means nothing.

k8s.io/apiextensions-apiserver pkg/apiserver/validation/formats.go, k8s.io/kube-openapi pkg/validation/strfmt.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

_UUID: Final = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12}"
_ANY4, _VARIANT = "[0-9a-f]{4}", "[89ab][0-9a-f]{3}"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DURATION: Final = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_SCALA_DURATION: Final = re.compile(
    r"\d+\s*(?:ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?"
    r"|s|sec|secs|seconds?|m|mins?|minutes?|h|hr|hrs|hours?|d|days?|w|wk|weeks?)"
)
_DATE_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:[Zz]|[-+]\d{2}:?\d{2})", re.ASCII
)
_CREDIT_CARD: Final = re.compile(
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})",
    re.ASCII,
)

Check = Callable[[str], bool]


def _matches(pattern: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _accepts(parse: Callable[[str], object]) -> Check:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _date(text: str) -> object:
    if len(text) != 10:
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def _date_time(text: str) -> object:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}")


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _uri(text: str) -> bool:
    """What Go's url.ParseRequestURI takes: an absolute URI or an absolute path."""
    if not text or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in text):
        return False
    if text.startswith("/"):
        return True
    try:
        return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)) and urlsplit(text).path[:1] in ("", "/", "*")
    except ValueError:
        return False


def _cidr(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_interface(text)


def _isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"(?:[0-9]{9}X|[0-9]{10})", digits) is None:
        return False
    values = [10 if d == "X" else int(d) for d in digits]
    return sum((place + 1) * value for place, value in enumerate(values)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"[0-9]{13}", digits) is None:
        return False
    return sum((3 if place % 2 else 1) * int(d) for place, d in enumerate(digits)) % 10 == 0


def _credit_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if _CREDIT_CARD.fullmatch(digits) is None:
        return False
    doubled = [int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _hostname(text: str) -> bool:
    return len(text) <= 255 and _HOSTNAME(text)


def _short_name(text: str) -> bool:
    return len(text) <= 63 and _SHORT_NAME(text)


def _long_name(text: str) -> bool:
    return len(text) <= 253 and _LONG_NAME(text)


_HOSTNAME: Final = _matches(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_SHORT_NAME: Final = _matches(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LONG_NAME: Final = _matches(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")

_CHECKS: Final[Mapping[str, Check]] = {
    "bsonobjectid": _matches(r"[0-9a-fA-F]{24}"),
    "uri": _uri,
    "email": _matches(r"(?:[^<>@]*<)?[^\s@<>,;:\\\"\[\]()]+@[^\s@<>,;:\\\"\[\]()]+>?"),
    "hostname": _hostname,
    "ipv4": _accepts(ipaddress.IPv4Address),
    "ipv6": _accepts(ipaddress.IPv6Address),
    "cidr": _accepts(_cidr),
    "mac": _matches(
        r"(?i)(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4,18}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2,9}[0-9a-f]{4}"
    ),
    "uuid": _matches(_UUID % (_ANY4, _ANY4)),
    "uuid3": _matches(_UUID % ("3[0-9a-f]{3}", _ANY4)),
    "uuid4": _matches(_UUID % ("4[0-9a-f]{3}", _VARIANT)),
    "uuid5": _matches(_UUID % ("5[0-9a-f]{3}", _VARIANT)),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "creditcard": _credit_card,
    "ssn": _matches(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matches(
        r"rgb\(\s*(?:25[0-5]|2[0-4]\d|1?\d?\d)\s*(?:,\s*(?:25[0-5]|2[0-4]\d|1?\d?\d)\s*){2}\)"
    ),
    "byte": _base64,
    "password": lambda text: True,
    "date": _accepts(_date),
    "duration": lambda text: bool(_DURATION.fullmatch(text) or _SCALA_DURATION.fullmatch(text)),
    "datetime": _accepts(_date_time),
    "k8sshortname": _short_name,
    "k8slongname": _long_name,
}


def check(name: str) -> Check | None:
    """The check of a format; dashes in its name do not matter. None for an unknown one."""
    return _CHECKS.get(name.replace("-", ""))
