"""A CRD's status: which names it holds, whether it is served, and its end. Pure.

k8s.io/apiextensions-apiserver pkg/controller/{status/naming_controller,establish,finalizer/crd_finalizer}.go. Upstream
needs three controllers and a pause between them because its caches lag; here one step does it all.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sampan.control_plane.apiserver.crd.definition import Definition, has_condition

FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"


def next_status(crd: Definition, others: Iterable[Definition], now: float) -> dict[str, Any]:
    """The status that the CRD should have, given the other CRDs; equal to the present one where nothing changes.

    now: seconds since the epoch. First come, first served: a name that another CRD of the group holds is refused.
    """
    spec, status = crd["spec"], dict(crd.get("status") or {})
    resources, kinds = _taken(crd, others)
    names, reason, message = _accept(spec["names"], status.get("acceptedNames") or {}, resources, kinds)
    status["acceptedNames"] = names
    accepted = not reason
    conditions = list(status.get("conditions") or ())
    conditions = _with(
        conditions,
        ("NamesAccepted", accepted, reason or "NoConflicts", message or "no conflicts found"),
        now,
    )
    if not has_condition(crd, "Established"):
        if accepted:
            text = "the initial names have been accepted"
            conditions = _with(conditions, ("Established", True, "InitialNamesAccepted", text), now)
        else:
            text = "not all names are accepted"
            conditions = _with(conditions, ("Established", False, "NotAccepted", text), now)
    status["conditions"] = conditions
    status.setdefault("storedVersions", [])
    return status


def terminating(
    crd: Definition, reason: str, message: str, now: float, *, done: bool = False
) -> dict[str, Any]:
    """The status with its Terminating condition, for each step of the end: PENDING, IN_PROGRESS, COMPLETED."""
    status = dict(crd.get("status") or {})
    status["conditions"] = _with(
        list(status.get("conditions") or ()), ("Terminating", not done, reason, message), now
    )
    return status


PENDING: Final = (
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
IN_PROGRESS: Final = ("InstanceDeletionInProgress", "CustomResource deletion is in progress")
COMPLETED: Final = ("InstanceDeletionCompleted", "removed all instances")


def with_finalizer(finalizers: Iterable[str]) -> list[str]:
    """The finalizers of a CRD that is served, so that its objects go before it does."""
    listed = list(finalizers)
    return listed if FINALIZER in listed else [*listed, FINALIZER]


def _taken(crd: Definition, others: Iterable[Definition]) -> tuple[set[str], set[str]]:
    """(plurals, singulars and short names; kinds) that other CRDs of the group hold."""
    own, group = crd["metadata"]["name"], crd["spec"]["group"]
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in others:
        if other["spec"].get("group") != group or other["metadata"]["name"] == own:
            continue
        held = (other.get("status") or {}).get("acceptedNames") or {}
        resources |= {held.get("plural", ""), held.get("singular", ""), *(held.get("shortNames") or ())}
        kinds |= {held.get("kind", ""), held.get("listKind", "")}
    return resources - {""}, kinds - {""}


def _accept(
    wanted: Mapping[str, Any], held: Mapping[str, Any], resources: set[str], kinds: set[str]
) -> tuple[dict[str, Any], str, str]:
    """(accepted names, reason of the last conflict or "", its message)."""
    accepted = dict(held)
    reason = message = ""
    for key, title, taken in (
        ("plural", "Plural", resources),
        ("singular", "Singular", resources),
        ("shortNames", "ShortNames", resources),
        ("kind", "Kind", kinds),
        ("listKind", "ListKind", kinds),
    ):
        value = wanted.get(key)
        listed = list(value or ()) if key == "shortNames" else [value or ""]
        before = set(held.get(key) or ()) if key == "shortNames" else {held.get(key) or ""}
        conflicts = [name for name in listed if name in taken and name not in before]
        if conflicts:
            texts = [f'"{name}" is already in use' for name in conflicts]
            reason = f"{title}Conflict"
            message = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
        elif value:
            accepted[key] = value
        else:
            accepted.pop(key, None)
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    else:
        accepted.pop("categories", None)
    accepted.setdefault("plural", "")
    accepted.setdefault("kind", "")
    return accepted, reason, message


def _with(
    conditions: list[dict[str, Any]], wanted: tuple[str, bool, str, str], now: float
) -> list[dict[str, Any]]:
    """The conditions with one set; its time moves only when its status does."""
    kind, holds, reason, message = wanted
    status = "True" if holds else "False"
    moment = datetime.datetime.fromtimestamp(int(now), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = {"type": kind, "status": status, "lastTransitionTime": moment, "reason": reason, "message": message}
    result: list[dict[str, Any]] = []
    placed = False
    for condition in conditions:
        if condition.get("type") != kind:
            result.append(condition)
            continue
        if condition.get("status") == status:
            new["lastTransitionTime"] = condition.get("lastTransitionTime", moment)
        result.append(new)
        placed = True
    return result if placed else [*result, new]
