"""The `format` keyword: what each asks of a string, and what it says when that is not so.

Source of behaviour: santhosh-tekuri/jsonschema 6.0 format.go. A check returns None or the complaint.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from sampan.base.gotemplate.gotypes import GoError
from sampan.base.gotemplate.sprig import urls
from sampan.base.gotemplate.strconv import parse_int, quote, quote_rune

Check = Callable[[str], str | None]


def _odd(text: str, allowed: str) -> str | None:
    """The complaint about the first character outside a class."""
    match = re.search(f"[^{allowed}]", text)
    return None if match is None else f"invalid character {quote_rune(ord(match[0]))}"


def json_pointer(text: str) -> str | None:
    if text and not text.startswith("/"):
        return "not starting with /"
    return "~ must be followed by 0 or 1" if re.search("~(?![01])", text) else None


def relative_json_pointer(text: str) -> str | None:
    match = re.match(r"[0-9]+", text)
    if match is None:
        return "must start with non-negative integer"
    if len(match[0]) > 1 and text.startswith("0"):
        return "starts with zero"
    rest = text[match.end() :]
    return None if rest == "#" else json_pointer(rest)


def uuid(text: str) -> str | None:
    sizes = (8, 4, 4, 4, 12)
    groups = text.split("-")
    if len(groups) != len(sizes):
        return "must have 5 elements"
    for place, (group, size) in enumerate(zip(groups, sizes, strict=True), 1):
        if len(group) != size:
            return f"element {place} must be {size} characters long"
        match = re.search("[^0-9a-fA-F]", group)
        if match is not None:
            return f"non-hex character {quote_rune(ord(match[0]))}"
    return None


def duration(text: str) -> str | None:
    if not text.startswith("P"):
        return "must start with P"
    rest = text[1:]
    if not rest:
        return "nothing after P"
    if rest.endswith("W"):
        if rest == "W":
            return "no number in week"
        return None if rest[:-1].isdecimal() else "invalid week"
    for place, part in enumerate(rest.split("T")):
        if place and not part:
            return "no time elements"
        if place > 1:
            return "more than one T"
        complaint = _duration_part(part, ("YMD", "HMS")[place])
        if complaint:
            return complaint
    return None


def _duration_part(part: str, units: str) -> str | None:
    left = units
    while part:
        match = re.match(r"[0-9]+", part)
        if match is None:
            return "missing number"
        part = part[match.end() :]
        if not part:
            return "missing unit"
        unit, part = part[0], part[1:]
        if unit not in left:
            shown = quote_rune(ord(unit))
            return f"unit {shown} out of order" if unit in units else f"invalid unit {shown}"
        left = left[left.index(unit) + 1 :]
    return None


def ipv4(text: str) -> str | None:
    groups = text.split(".")
    if len(groups) != 4:
        return "expected four decimals"
    for group in groups:
        if len(group) > 1 and group[0] == "0":
            return "leading zeros"
        number = parse_int(group, 10)
        if number is None:
            return f"strconv.Atoi: parsing {quote(group)}: invalid syntax"
        if not 0 <= number <= 255:
            return "decimal must be between 0 and 255"
    return None


def ipv6(text: str) -> str | None:
    if ":" not in text:
        return "missing colon"
    import ipaddress

    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return f"ParseAddr({quote(text)}): unable to parse IP"
    return "zone id is not a part of ipv6 address" if address.scope_id else None


def hostname(text: str) -> str | None:
    text = text.removesuffix(".")
    if len(text) > 253:
        return "more than 253 characters long"
    for label in text.split("."):
        if not 1 <= len(label) <= 63:
            return "label must be 1 to 63 characters long"
        if label.startswith("-"):
            return "label starts with hyphen"
        if label.endswith("-"):
            return "label ends with hyphen"
        complaint = _odd(label, "a-zA-Z0-9-")
        if complaint:
            return complaint
    return None


def email(text: str) -> str | None:
    if len(text) > 254:
        return "more than 255 characters long"
    local, at, domain = text.rpartition("@")
    if not at:
        return "missing @"
    if len(local) > 64:
        return "local part more than 64 characters long"
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        if "\\" in local[1:-1] or '"' in local[1:-1]:
            return "backslash and quote are not allowed within quoted local part"
    else:
        if local.startswith("."):
            return "starts with dot"
        if local.endswith("."):
            return "ends with dot"
        if ".." in local:
            return "consecutive dots"
        complaint = _odd(local, r"a-zA-Z0-9.!#$%&'*+\-/=?^_`{|}~")
        if complaint:
            return complaint
    if domain.startswith("[") and domain.endswith("]"):
        inner = domain[1:-1]
        if inner.startswith("IPv6:"):
            complaint = ipv6(inner.removeprefix("IPv6:"))
            return f"invalid ipv6 address: {complaint}" if complaint else None
        complaint = ipv4(inner)
        return f"invalid ipv4 address: {complaint}" if complaint else None
    complaint = hostname(domain)
    return f"invalid domain: {complaint}" if complaint else None


def date(text: str) -> str | None:
    head = f"parsing time {quote(text)}"
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
    if match is None:
        return f'{head} as "2006-01-02": cannot parse {quote(text)} as "2006"'
    year, month, day = map(int, match.groups())
    if not 1 <= month <= 12:
        return f"{head}: month out of range"
    try:
        dt.date(year or 4, month, day)
    except ValueError:
        return f"{head}: day out of range"
    return None


def time(text: str) -> str | None:
    if len(text) < 9:
        return "less than 9 characters long"
    if text[2] != ":" or text[5] != ":":
        return "missing colon in correct place"
    parts = [parse_int(p, 10) for p in text[:8].split(":", 2)]
    if any(p is None for p in parts):
        return "invalid hour/min/sec"
    hour, minute, second = (p or 0 for p in parts)
    if min(hour, minute, second) < 0:
        return "non-positive hour/min/sec"
    if hour > 23 or minute > 59 or second > 60:
        return "hour/min/sec out of range"
    rest = text[8:]
    if rest.startswith("."):
        digits = re.match(r"[0-9]*", rest[1:])
        if digits is None or not digits[0]:
            return "no digits in second fraction"
        rest = rest[1 + digits.end() :]
    if rest not in ("z", "Z"):
        shifted = _offset(rest)
        if isinstance(shifted, str):
            return shifted
        total = (hour * 60 + minute + shifted) % (24 * 60)
        hour, minute = divmod(total, 60)
    if second >= 60 and (hour != 23 or minute != 59):
        return "invalid leap second"
    return None


def _offset(rest: str) -> int | str:
    """Minutes to add for UTC, or the complaint."""
    if len(rest) != 6:
        return "offset must be 6 characters long"
    if rest[0] not in "+-":
        return "offset must begin with plus/minus"
    if rest[3] != ":":
        return "missing colon in offset in correct place"
    parts = [parse_int(p, 10) for p in rest[1:].split(":", 1)]
    if any(p is None for p in parts):
        return "invalid hour/min in offset"
    hours, minutes = (p or 0 for p in parts)
    if hours < 0 or minutes < 0:
        return "non-positive hour/min in offset"
    if hours > 23 or minutes > 59:
        return "hour/min in offset out of range"
    return (hours * 60 + minutes) * (-1 if rest[0] == "+" else 1)


def date_time(text: str) -> str | None:
    if len(text) < 20:
        return "less than 20 characters long"
    if text[10] not in "tT":
        return "11th character must be t or T"
    complaint = date(text[:10])
    if complaint:
        return f"invalid date element: {complaint}"
    complaint = time(text[11:])
    return f"invalid time element: {complaint}" if complaint else None


def _url(text: str) -> urls.URL | str:
    try:
        found = urls.parse(text)
    except GoError as problem:
        return str(problem)
    name = found.hostname()
    if ":" in name:
        if "[" not in found.host:
            return "ipv6 address not enclosed in brackets"
        complaint = ipv6(name)
        if complaint:
            return f"invalid ipv6 address: {complaint}"
    return found


def uri(text: str) -> str | None:
    found = _url(text)
    if isinstance(found, str):
        return found
    return None if found.scheme else "relative url"


def uri_reference(text: str) -> str | None:
    if "\\" in text:
        return "contains \\"
    found = _url(text)
    return found if isinstance(found, str) else None


def uri_template(text: str) -> str | None:
    for part in text.split("/"):
        if re.search(r"\{[^}]*\{|^[^{]*\}|\}[^{]*\}", part):
            return "nested curly braces"
        if part.count("{") > part.count("}"):
            return "no matching closing brace"
    return None


def period(text: str) -> str | None:
    start, slash, end = text.partition("/")
    if not slash:
        return "missing slash"
    checks: tuple[tuple[str, str, Check, str], ...]
    if start.startswith("P"):
        checks = ((start, "start", duration, "duration"), (end, "end", date_time, "date-time"))
    elif end.startswith("P"):
        checks = ((start, "start", date_time, "date-time"), (end, "end", duration, "duration"))
    else:
        checks = ((start, "start", date_time, "date-time"), (end, "end", date_time, "date-time"))
    for value, side, check, kind in checks:
        complaint = check(value)
        if complaint:
            return f"invalid {side} {kind}: {complaint}"
    return None


def semver(text: str) -> str | None:
    text, plus, build = text.partition("+")
    if plus:
        if not build:
            return "build is empty"
        for identifier in build.split("."):
            complaint = _identifier(identifier, "build")
            if complaint:
                return complaint
    text, dash, pre = text.partition("-")
    if dash:
        for identifier in pre.split("."):
            complaint = _identifier(identifier, "pre-release")
            if complaint:
                return complaint
            if identifier.isdecimal() and len(identifier) > 1 and identifier[0] == "0":
                return "pre-release numeric identifier starts with zero"
    versions = text.split(".")
    if len(versions) != 3:
        return "versionCore must have 3 numbers separated by dot"
    for name, version in zip(("major", "minor", "patch"), versions, strict=True):
        if not version:
            return f"{name} is empty"
        if len(version) > 1 and version[0] == "0":
            return f"{name} starts with zero"
        if not re.fullmatch("[0-9]+", version):
            return f"{name} contains non-digit"
    return None


def _identifier(identifier: str, what: str) -> str | None:
    if not identifier:
        return f"{what} identifier is empty"
    complaint = _odd(identifier, "0-9a-zA-Z-")
    return f"{complaint} in {what} identifier" if complaint else None


FORMATS: dict[str, Check] = {
    "json-pointer": json_pointer,
    "relative-json-pointer": relative_json_pointer,
    "uuid": uuid,
    "duration": duration,
    "period": period,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "hostname": hostname,
    "email": email,
    "date": date,
    "time": time,
    "date-time": date_time,
    "uri": uri,
    "iri": uri,
    "uri-reference": uri_reference,
    "iri-reference": uri_reference,
    "uri-template": uri_template,
    "semver": semver,
}
