"""Conditions in a status: found, set and removed without touching what is already right."""

from __future__ import annotations

from typing import Any

from sampan.control.timestamps import stamp

Object = dict[str, Any]


def find(status: Object, kind: str) -> Object | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == kind:
            found: Object = condition
            return found
    return None


def is_true(status: Object, kind: str) -> bool:
    found = find(status, kind)
    return found is not None and found["status"] == "True"


def put(status: Object, condition: Object) -> None:
    """Replaces the condition of that type, at the end of the list as upstream does. Makes a new list."""
    others = [c for c in status.get("conditions") or () if c["type"] != condition["type"]]
    status["conditions"] = [*others, condition]


def drop(status: Object, kind: str) -> None:
    others = [c for c in status.get("conditions") or () if c["type"] != kind]
    if others:
        status["conditions"] = others
    else:
        status.pop("conditions", None)


def set_condition(
    status: Object, kind: str, value: str, reason: str, message: str, now: float, *, updates: bool = False
) -> None:
    """Nothing changes when status and reason are the same. `updates`: the type has a lastUpdateTime as well."""
    current = find(status, kind)
    if current is not None and current["status"] == value and current.get("reason") == reason:
        return
    time = stamp(now)
    changed = current["lastTransitionTime"] if current is not None and current["status"] == value else time
    condition = {"type": kind, "status": value}
    if updates:
        condition["lastUpdateTime"] = time
    condition |= {"lastTransitionTime": changed, "reason": reason, "message": message}
    put(status, condition)
