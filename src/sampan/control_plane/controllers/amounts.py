"""Numbers that may be percentages (IntOrString): k8s.io/apimachinery pkg/util/intstr."""

from __future__ import annotations

from typing import Any


def scaled(value: Any, total: int, *, up: bool) -> int:
    """The number itself, or that share of `total`, rounded up or down. Raises ValueError."""
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.endswith("%") and value[:-1].lstrip("-").isdigit():
        share = int(value[:-1]) * total
        return -(-share // 100) if up else share // 100
    raise ValueError(f"{value!r} is neither a number nor a percentage")


def fenceposts(surge: Any, unavailable: Any, desired: int) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as numbers; both zero by rounding becomes one unavailable."""
    most = scaled(surge if surge is not None else 0, desired, up=True)
    least = scaled(unavailable if unavailable is not None else 0, desired, up=False)
    return (0, 1) if most == 0 and least == 0 else (most, least)
