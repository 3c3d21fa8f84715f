"""A release's objects as the server prints them: the RESOURCES of `status`.

helm 4.3 pkg/kube/client.go (Get) and pkg/cmd/status.go: grouped by version and kind, pods of workloads beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.kube.objects import Target
from sampan.client.rest import Client
from sampan.client.transport import encode_query

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PODS = kinds.of("v1", "Pod")
RELATED = "v1/Pod(related)"
_SELECTORS = {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"}


class Shown(NamedTuple):
    """One heading (`v1/Pod(related)`) with a table."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


async def of_release(client: Client, targets: list[Target]) -> list[Shown]:
    """What of the release is in the cluster; what cannot be had is left out."""
    found: dict[str, Shown] = {}
    selected: set[str] = set()
    for target in targets:
        table = await _table(client, target.resource.path(target.namespace or None, target.name))
        if table is None:
            continue
        _add(found, _title(target), table)
        if (selector := _selector(target)) and selector not in selected:
            selected.add(selector)
            pods = await _table(client, PODS.path(target.namespace), labelSelector=selector)
            if pods and pods.get("rows"):
                _add(found, RELATED, pods)
    return sorted(found.values(), key=lambda shown: shown.title)


async def objects_of(client: Client, targets: list[Target]) -> dict[str, list[dict[str, Any]]]:
    """The same as whole objects, by heading."""
    found: dict[str, list[dict[str, Any]]] = {}
    selected: set[str] = set()
    for target in targets:
        try:
            live = await client.get(target.resource, target.name, target.namespace or None)
        except ApiError as error:
            if error.code in (403, 404):
                continue
            raise
        found.setdefault(_title(target), []).append(live)
        if (selector := _selector(target)) and selector not in selected:
            selected.add(selector)
            listed = await client.list(PODS, target.namespace, label_selector=selector)
            for pod in listed.get("items") or ():
                found.setdefault(RELATED, []).append({"apiVersion": "v1", "kind": "Pod", **pod})
    return found


def _title(target: Target) -> str:
    return f"{target.resource.version}/{target.resource.kind}"


def _selector(target: Target) -> str:
    """The labels by which a workload's manifest selects pods; "" for none."""
    selector = (target.obj.get("spec") or {}).get("selector") or {}
    if target.resource.kind in _SELECTORS:
        selector = selector.get("matchLabels") or {}
    elif target.resource.kind != "ReplicationController":
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


async def _table(client: Client, path: str, **query: str) -> Mapping[str, Any] | None:
    full = f"{path}?{encode_query(query)}" if query else path
    try:
        answer: Mapping[str, Any] = orjson.loads(await client.raw("GET", full, headers={"Accept": TABLE}))
    except ApiError as error:
        if error.code in (403, 404):
            return None
        raise
    return answer if answer.get("kind") == "Table" else None


def _add(into: dict[str, Shown], title: str, table: Mapping[str, Any]) -> None:
    columns = [i for i, c in enumerate(table["columnDefinitions"]) if not c.get("priority")]
    heads = tuple(table["columnDefinitions"][i]["name"].upper() for i in columns)
    rows = tuple(tuple(_cell(row["cells"][i]) for i in columns) for row in table.get("rows") or ())
    before = into.get(title)
    into[title] = Shown(title, heads, (*before.rows, *rows) if before else rows)


def _cell(value: Any) -> str:
    return "<none>" if value is None else str(value)


def text(shown: list[Shown]) -> str:
    """As status prints them: a heading, the table with columns three blanks apart, and an empty line after each."""
    parts = []
    for group in shown:
        lines = [group.heads, *group.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(group.heads))]
        body = "".join(
            "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
            for line in lines
        )
        parts.append(f"==> {group.title}\n{body}\n")
    return "".join(parts)
