"""Objects for plan tables: short ways to say what pods, sets and their owners look like."""

from __future__ import annotations

from typing import Any

from sampan.control.timestamps import stamp

Object = dict[str, Any]

NOW = 1_700_000_000.0
TEMPLATE: Object = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


def meta(name: str, *, age: float = 100.0, **more: Any) -> Object:
    made = {
        "name": name,
        "namespace": "ns",
        "uid": f"u-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": stamp(NOW - age),
    }
    return made | {key: value for key, value in more.items() if value is not None}


def owned(owner: Object, kind: str, api_version: str = "apps/v1") -> list[Object]:
    return [
        {
            "apiVersion": api_version,
            "kind": kind,
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def pod(
    name: str,
    phase: str = "Running",
    *,
    ready: bool | None = None,
    ready_for: float = 50.0,
    node: str = "n1",
    going: bool = False,
    ip: str = "10.0.0.1",
    labels: dict[str, str] | None = None,
    spec: Object | None = None,
    age: float = 100.0,
    **more: Any,
) -> Object:
    """A pod; ready unless told otherwise when it runs."""
    is_ready = phase == "Running" if ready is None else ready
    status: Object = {"phase": phase}
    if phase == "Running":
        since = stamp(NOW - ready_for)
        status["conditions"] = [
            {"type": "Ready", "status": "True" if is_ready else "False", "lastTransitionTime": since}
        ]
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    if going:
        more["deletionTimestamp"] = stamp(NOW)
    body = {"containers": [{"name": "c", "image": "i"}], **(spec or {})}
    if node:
        body["nodeName"] = node
    found = labels if labels is not None else {"app": "x"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, age=age, labels=found, **more),
        "spec": body,
        "status": status,
    }


def node(
    name: str,
    *,
    ready: str = "True",
    taints: list[Object] | None = None,
    labels: dict[str, str] | None = None,
    allocatable: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    body = dict(spec)
    if taints:
        body["taints"] = taints
    made = meta(name, labels={"kubernetes.io/hostname": name, **(labels or {})})
    del made["namespace"]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": made,
        "spec": body,
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": stamp(NOW - 500)}],
            "allocatable": allocatable or {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
        },
    }


def conditions_of(status: Object) -> dict[str, tuple[str, str]]:
    """(status, reason) by type."""
    return {c["type"]: (c["status"], c.get("reason", "")) for c in status.get("conditions") or ()}


def said(actions: Any) -> list[str]:
    """A plan in short: create pods p, delete pods p, patch pods p, update pods p status, tell Reason."""
    lines = []
    for action in actions:
        kind = type(action).__name__.lower()
        if kind == "emit":
            lines.append(f"tell {action.reason}")
            continue
        if kind in ("create", "update"):
            given = action.obj["metadata"]
            name = given.get("name") or given.get("generateName", "")
        else:
            name = action.name
        sub = getattr(action, "subresource", "")
        lines.append(" ".join(part for part in (kind, action.resource.plural, name, sub) if part))
    return lines
