"""Jobs' policies: which failures of pods count, and when a Job has succeeded. Source: pkg/apis/batch/validation."""

from __future__ import annotations

import re
from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_MAX_RULES: Final = 20
_MAX_PATTERNS: Final = 20
_MAX_EXIT_CODES: Final = 255
_MAX_INDEXES_TEXT: Final = 64 * 1024
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_STATUSES: Final = ("False", "True", "Unknown")
_OPERATORS: Final = ("In", "NotIn")
_NUMBER: Final = re.compile("[+-]?[0-9]{1,18}")


def failure(spec: Object, path: str) -> Causes:
    found = spec["podFailurePolicy"].get("rules") or []
    if len(found) > _MAX_RULES:
        yield error.too_many(f"{path}.rules", len(found), _MAX_RULES)
    template = (spec.get("template") or {}).get("spec") or {}
    names = {
        container.get("name")
        for kind in ("containers", "initContainers")
        for container in template.get(kind) or ()
    }
    for place, rule in enumerate(found):
        yield from _failure_rule(spec, rule, f"{path}.rules[{place}]", names)


def _failure_rule(spec: Object, rule: Object, path: str, names: set[str | None]) -> Causes:
    action = rule.get("action") or ""
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            yield error.invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    else:
        yield from _chosen(f"{path}.action", action, _ACTIONS)
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _exit_codes(codes, f"{path}.onExitCodes", names)
    if len(conditions) > _MAX_PATTERNS:
        yield error.too_many(f"{path}.onPodConditions", len(conditions), _MAX_PATTERNS)
    for place, pattern in enumerate(conditions):
        at = f"{path}.onPodConditions[{place}]"
        yield from rules.text_rule(f"{at}.type", pattern.get("type") or "", content.label_key)
        yield from _chosen(f"{at}.status", pattern.get("status") or "", _STATUSES)
    if (codes is not None) == bool(conditions):
        says = "both OnExitCodes and OnPodConditions is not supported"
        if codes is None:
            says = "one of OnExitCodes and OnPodConditions is required"
        yield error.invalid(path, error.OMIT, f"specifying {says}")


def _chosen(path: str, value: str, supported: tuple[str, ...]) -> Causes:
    if not value:
        listed = " ".join(map(error.quote, supported))
        yield error.required(path, f"valid values: [{listed}]")
    elif value not in supported:
        yield error.not_supported(path, value, supported)


def _exit_codes(requirement: Object, path: str, names: set[str | None]) -> Causes:
    operator, name = requirement.get("operator") or "", requirement.get("containerName")
    yield from _chosen(f"{path}.operator", operator, _OPERATORS)
    if name is not None and name not in names:
        text = "must be one of the container or initContainer names in the pod template"
        yield error.invalid(f"{path}.containerName", name, text)
    values = requirement.get("values") or []
    at = f"{path}.values"
    if not values:
        yield error.invalid(at, [], "at least one value is required")
    elif len(values) > _MAX_EXIT_CODES:
        yield error.too_many(at, len(values), _MAX_EXIT_CODES)
    seen: set[int] = set()
    for place, value in enumerate(values):
        if operator == "In" and value == 0:
            yield error.invalid(f"{at}[{place}]", value, "must not be 0 for the In operator")
        if value in seen:
            yield error.duplicate(f"{at}[{place}]", value)
        seen.add(value)
    if values != sorted(values):
        yield error.invalid(at, values, "must be ordered")


def success(spec: Object, path: str) -> Causes:
    found = spec["successPolicy"].get("rules") or []
    if not found:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield error.required(f"{path}.rules", text)
    if len(found) > _MAX_RULES:
        yield error.too_many(f"{path}.rules", len(found), _MAX_RULES)
    completions = spec.get("completions") or 0
    for place, rule in enumerate(found):
        yield from _success_rule(rule, f"{path}.rules[{place}]", completions)


def _success_rule(rule: Object, path: str, completions: int) -> Causes:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield error.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        at = f"{path}.succeededIndexes"
        if len(indexes) > _MAX_INDEXES_TEXT:
            yield error.too_long(at, _MAX_INDEXES_TEXT)
        try:
            total = _indexes(indexes, completions)
        except ValueError as bad:
            yield error.invalid(at, indexes, f"error parsing succeededIndexes: {bad}")
    if count is None:
        return
    at = f"{path}.succeededCount"
    yield from rules.nonnegative(at, count)
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        yield error.invalid(at, count, text)
    if indexes is not None and count > total:
        text = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        yield error.invalid(at, count, text)


def _indexes(text: str, completions: int) -> int:
    """How many indexes a list like 1,3-5,7 names.

    Raises ValueError.
    """
    total, last = 0, -1
    for part in text.split(",") if text else ():
        first, final = _interval(part, completions)
        if total and last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += final - first + 1
        last = final
    return total


def _interval(part: str, completions: int) -> tuple[int, int]:
    limits = part.split("-")
    if len(limits) > 2:
        raise ValueError(
            f"the fragment {error.quote(part)} violates the requirement that an index interval can have at most "
            "two parts separated by '-'"
        )
    numbers = []
    for limit in limits:
        if _NUMBER.fullmatch(limit) is None:
            raise ValueError(f"cannot convert string to integer for index: {error.quote(limit)}")
        if int(limit) >= completions:
            raise ValueError(f"too large index: {error.quote(limit)}")
        numbers.append(int(limit))
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise ValueError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]
