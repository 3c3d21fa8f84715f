"""Taints of nodes and the tolerations of pods. Source: k8s.io/api core/v1 toleration.go."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]

NO_SCHEDULE = "NoSchedule"
NO_EXECUTE = "NoExecute"
PREFER_NO_SCHEDULE = "PreferNoSchedule"


def tolerates(toleration: Object, taint: Object) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if effect and effect != taint["effect"]:
        return False
    if key and key != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Equal":
            return bool((toleration.get("value") or "") == (taint.get("value") or ""))
        case "Exists":
            return True
        case "Gt" | "Lt" as operator:
            try:
                bound, have = int(toleration.get("value") or ""), int(taint.get("value") or "")
            except ValueError:
                return False
            return have > bound if operator == "Gt" else have < bound
        case _:
            return False


def is_tolerated(taint: Object, tolerations: Iterable[Object]) -> bool:
    return any(tolerates(toleration, taint) for toleration in tolerations)


def untolerated(
    taints: Iterable[Object], tolerations: Iterable[Object], effects: Container[str]
) -> Object | None:
    """The first taint of those effects that no toleration covers."""
    listed = tuple(tolerations)
    for taint in taints:
        if taint["effect"] in effects and not is_tolerated(taint, listed):
            return taint
    return None
