"""Semantic versions and ranges as Masterminds/semver 3.5 reads them.

`parse` is lenient (`v1.2` is 1.2.0); `parse_strict` is not. `Constraint` understands `,` and space (and), `||`
(or), `-` ranges, `x`/`*`, `~`, `^`, `!=`. Pre-releases match only a group that names one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from sampan.base.gotemplate.gotypes import ANY, Func, GoError, Struct, Uint64
from sampan.base.gotemplate.strconv import UINT64_MAX, quote

MAX_VERSION, MAX_CONSTRAINT, MAX_GROUPS = 256, 512, 32

_VERSION = re.compile(
    r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
    r"(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?\Z"
)
_OPS = r"=|!=|>=|=>|<=|=<|>|<|~>|~|\^|"
_PART = (
    r"v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
    r"(?:\+[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?"
)
_ONE = re.compile(rf"\s*({_OPS})\s*({_PART})\s*\Z")
_FIND = re.compile(rf"(?:{_OPS})\s*{_PART}")
_VALID = re.compile(rf"(?:\s*(?:{_OPS})\s*{_PART}\s*)(?:(?:\s+|,\s*)(?:{_OPS})\s*{_PART}\s*)*\Z")
_RANGE = re.compile(rf"\s*({_PART})\s+-\s+({_PART})\s*")


class SemverError(GoError):
    """No version, or no constraint."""


class Version(Struct):
    """One version, ordered as the specification says; `+metadata` does not count."""

    go_type = "*semver.Version"
    go_kind = "ptr"
    methods: ClassVar[dict[str, Func]] = {}
    __slots__ = ("major", "metadata", "minor", "original", "patch", "pre")

    def __init__(self, major: int, minor: int, patch: int, pre: str, metadata: str, original: str) -> None:
        self.major, self.minor, self.patch = major, minor, patch
        self.pre, self.metadata, self.original = pre, metadata, original

    def __str__(self) -> str:
        out = f"{self.major}.{self.minor}.{self.patch}"
        return out + (f"-{self.pre}" if self.pre else "") + (f"+{self.metadata}" if self.metadata else "")

    def go_string(self) -> str:
        return str(self)

    def json_value(self) -> str:
        return str(self)

    @property
    def core(self) -> tuple[int, int, int]:
        return (self.major, self.minor, self.patch)

    def compare(self, other: Version) -> int:
        """-1, 0 or 1."""
        if self.core != other.core:
            return -1 if self.core < other.core else 1
        return compare_pre(self.pre, other.pre)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self is other or self.compare(other) == 0

    def __lt__(self, other: Version) -> bool:
        return self.compare(other) < 0

    def __hash__(self) -> int:
        return hash((self.core, self.pre))


def compare_pre(a: str, b: str) -> int:
    """Pre-releases: none is highest; numbers by value and below words."""
    if a == b:
        return 0
    if not a or not b:
        return 1 if not a else -1
    left, right = a.split("."), b.split(".")
    for place in range(max(len(left), len(right))):
        x = left[place] if place < len(left) else ""
        y = right[place] if place < len(right) else ""
        if x == y:
            continue
        if not x or not y:
            return -1 if not x else 1
        if x.isdigit() and y.isdigit():
            if int(x) == int(y):
                continue
            return -1 if int(x) < int(y) else 1
        if x.isdigit() != y.isdigit():
            return -1 if x.isdigit() else 1
        return -1 if x < y else 1
    return 0


def _number(text: str | None) -> int:
    value = int(text.lstrip(".")) if text else 0
    if value > UINT64_MAX:
        shown = (text or "").lstrip(".")
        raise SemverError(
            f"error parsing version segment: strconv.ParseUint: parsing {quote(shown)}: value out of range"
        )
    return value


@lru_cache(maxsize=1024)
def parse(text: str) -> Version:
    """`semver.NewVersion`. Raises SemverError."""
    if len(text) > MAX_VERSION:
        raise SemverError(f"version string is too long (max {MAX_VERSION} bytes)")
    match = _VERSION.match(text)
    if match is None:
        raise SemverError("invalid semantic version")
    pre = match[4] or ""
    _check_pre(pre)
    return Version(_number(match[1]), _number(match[2]), _number(match[3]), pre, match[5] or "", text)


def _check_pre(pre: str) -> None:
    for part in pre.split("."):
        if part.isdigit() and len(part) > 1 and part[0] == "0":
            raise SemverError("version segment starts with 0")


def parse_strict(text: str) -> Version:
    """`semver.StrictNewVersion`: exactly three numbers, no `v`."""
    if not text:
        raise SemverError("version string empty")
    if len(text) > MAX_VERSION:
        raise SemverError(f"version string is too long (max {MAX_VERSION} bytes)")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise SemverError("invalid semantic version")
    last, _, metadata = parts[2].partition("+")
    last, _, pre = last.partition("-")
    if "+" in parts[2] and not re.fullmatch(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*", metadata):
        raise SemverError("invalid metadata string")
    if "-" in parts[2].partition("+")[0]:
        if not re.fullmatch(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*", pre):
            raise SemverError("invalid prerelease string")
        _check_pre(pre)
    for part in (parts[0], parts[1], last):
        if not re.fullmatch(r"[0-9]*", part):
            raise SemverError("invalid characters in version")
        if len(part) > 1 and part[0] == "0":
            raise SemverError("version segment starts with 0")
    if not (parts[0] and parts[1] and last):
        raise SemverError('strconv.ParseUint: parsing "": invalid syntax')
    return Version(int(parts[0]), int(parts[1]), int(last), pre, metadata, text)


class _Rule(NamedTuple):
    """One comparison. The dirty flags say which places the constraint left open."""

    operator: str
    version: Version
    dirty: bool
    minor_dirty: bool
    patch_dirty: bool


def _rule(text: str) -> _Rule:
    if not text:
        return _Rule("", parse("0.0.0"), True, False, False)
    match = _ONE.match(text)
    if match is None:
        raise SemverError(f"improper constraint: {quote(text)}")
    operator, whole, major, minor, patch, pre = match.groups()
    tail = f"-{pre}" if pre else ""
    minor, patch = (minor or "").lstrip("."), (patch or "").lstrip(".")
    dirty = minor_dirty = patch_dirty = False
    version = whole
    if major in "xX*":
        version, dirty = "0.0.0" + tail, True
    elif not minor or minor in "xX*":
        version, dirty, minor_dirty = f"{major}.0.0{tail}", True, True
    elif not patch or patch in "xX*":
        version, dirty, patch_dirty = f"{major}.{minor}.0{tail}", True, True
    try:
        return _Rule(operator, parse(version), dirty, minor_dirty, patch_dirty)
    except SemverError:
        raise SemverError("constraint parser error") from None


class Constraint:
    """A range of versions. Raises SemverError."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CONSTRAINT:
            raise SemverError(f"constraint string is too long (max {MAX_CONSTRAINT} bytes)")
        for match in list(_RANGE.finditer(text)):
            text = text.replace(match[0], f">= {match[1]}, <= {match[6]} ", 1)
        groups = text.split("||")
        if len(groups) > MAX_GROUPS:
            raise SemverError(f"too many constraint groups (max {MAX_GROUPS})")
        self.groups: list[list[_Rule]] = []
        for group in groups:
            if not _VALID.match(group):
                raise SemverError(f"improper constraint: {quote(group)}")
            self.groups.append([_rule(m[0]) for m in _FIND.finditer(group)] or [_rule(group)])

    def check(self, version: Version) -> bool:
        """Is the version in the range?"""
        for group in self.groups:
            with_pre = any(r.version.pre for r in group)
            if version.pre and not with_pre:
                continue
            if all(_matches(r, version) for r in group):
                return True
        return False


def _matches(rule: _Rule, v: Version) -> bool:
    c = rule.version
    operator = {"=>": ">=", "=<": "<=", "~>": "~", "=": ""}.get(rule.operator, rule.operator)
    if operator == "!=":
        return _not_equal(rule, v)
    if operator == ">":
        return _greater(rule, v)
    if operator == "<":
        return v.compare(c) < 0
    if operator == ">=":
        return v.compare(c) >= 0
    if operator == "<=":
        if not rule.dirty:
            return v.compare(c) <= 0
        return not (v.major > c.major or (v.major == c.major and v.minor > c.minor and not rule.minor_dirty))
    if operator == "^":
        return _caret(rule, v)
    if operator == "~" or rule.dirty:
        return _tilde(rule, v)
    return v.compare(c) == 0


def _not_equal(rule: _Rule, v: Version) -> bool:
    c = rule.version
    if rule.dirty:
        if c.major != v.major:
            return True
        if c.minor != v.minor and not rule.minor_dirty:
            return True
        if rule.minor_dirty:
            return False
        if c.patch != v.patch and not rule.patch_dirty:
            return True
        if rule.patch_dirty:
            return bool(v.pre or c.pre) and compare_pre(v.pre, c.pre) != 0
    return v.compare(c) != 0


def _greater(rule: _Rule, v: Version) -> bool:
    c = rule.version
    if not rule.dirty or v.major != c.major:
        return v.compare(c) > 0 if not rule.dirty else v.major > c.major
    if rule.minor_dirty:
        return False
    if rule.patch_dirty:
        return v.minor > c.minor
    return v.compare(c) > 0


def _tilde(rule: _Rule, v: Version) -> bool:
    c = rule.version
    if v.compare(c) < 0:
        return False
    if c.core == (0, 0, 0) and not rule.minor_dirty and not rule.patch_dirty:
        return True
    return v.major == c.major and (v.minor == c.minor or rule.minor_dirty)


def _caret(rule: _Rule, v: Version) -> bool:
    c = rule.version
    if v.compare(c) < 0:
        return False
    if c.major > 0 or rule.minor_dirty:
        return v.major == c.major
    if v.major > 0:
        return False
    if c.minor > 0 or rule.patch_dirty:
        return v.minor == c.minor
    return v.minor == 0 and v.patch == c.patch


def matches(constraint: str, version: str) -> bool:
    """`semverCompare`. Raises SemverError."""
    return _constraint(constraint).check(parse(version))


@lru_cache(maxsize=1024)
def _constraint(text: str) -> Constraint:
    return Constraint(text)


def compatible(constraint: str, version: str) -> bool:
    """Is the version in the range? False for what cannot be read."""
    try:
        parsed = parse(version)
        return _constraint(constraint).check(parsed)
    except SemverError:
        return False


def _next(v: Version, place: str) -> Version:
    major, minor, patch = v.core
    if place == "patch":
        patch += 0 if v.pre else 1
    elif place == "minor":
        minor, patch = minor + 1, 0
    else:
        major, minor, patch = major + 1, 0, 0
    new = Version(major, minor, patch, "", "", "")
    new.original = ("v" if v.original.startswith("v") else "") + str(new)
    return new


def _method(call: Any, result: str, *params: str) -> Func:
    return Func(call, params, False, result)


Version.methods.update(
    {
        "Major": _method(lambda v: Uint64(v.major), "uint64"),
        "Minor": _method(lambda v: Uint64(v.minor), "uint64"),
        "Patch": _method(lambda v: Uint64(v.patch), "uint64"),
        "Prerelease": _method(lambda v: v.pre, "string"),
        "Metadata": _method(lambda v: v.metadata, "string"),
        "Original": _method(lambda v: v.original, "string"),
        "String": _method(str, "string"),
        "Compare": _method(lambda v, o: v.compare(o), "int", "*semver.Version"),
        "LessThan": _method(lambda v, o: v.compare(o) < 0, "bool", "*semver.Version"),
        "LessThanEqual": _method(lambda v, o: v.compare(o) <= 0, "bool", "*semver.Version"),
        "GreaterThan": _method(lambda v, o: v.compare(o) > 0, "bool", "*semver.Version"),
        "GreaterThanEqual": _method(lambda v, o: v.compare(o) >= 0, "bool", "*semver.Version"),
        "Equal": _method(lambda v, o: v.compare(o) == 0, "bool", "*semver.Version"),
        "IncMajor": _method(lambda v: _next(v, "major"), ANY),
        "IncMinor": _method(lambda v: _next(v, "minor"), ANY),
        "IncPatch": _method(lambda v: _next(v, "patch"), ANY),
    }
)
