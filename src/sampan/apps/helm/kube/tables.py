"""A release's objects as the server prints them: the RESOURCES of `status`.

helm 4.3 pkg/kube/client.go (Get) and pkg/cmd/status.go: grouped by version and kind, pods of workloads beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.kube.objects import Target, build
from sampan.client.rest import Client
from sampan.client.transport import encode_query

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_SELECTORS = {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"}


class Shown(NamedTuple):
    """One heading (`v1/Pod(related)`) with a table."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


async def of_release(client: Client, manifest: str, namespace: str) -> list[Shown]:
    """What of the manifest is in the cluster; what cannot be had is left out."""
    try:
        targets = await build(client, manifest, namespace)
    except ApiError:
        return []
    found: dict[str, Shown] = {}
    related: dict[str, Shown] = {}
    for target in targets:
        table = await _table(client, target.resource.path(target.namespace or None, target.name))
        if table is None:
            continue
        _add(found, f"{target.resource.api_version}/{target.resource.kind}", table)
        if pods := await _pods(client, target):
            _add(related, "v1/Pod(related)", pods)
    return sorted([*found.values(), *related.values()], key=lambda shown: shown.title)


async def _table(client: Client, path: str, **query: str) -> Mapping[str, Any] | None:
    full = f"{path}?{encode_query(query)}" if query else path
    try:
        answer: Mapping[str, Any] = orjson.loads(await client.raw("GET", full, headers={"Accept": TABLE}))
    except ApiError as error:
        if error.code in (403, 404):
            return None
        raise
    return answer if answer.get("kind") == "Table" else None


async def _pods(client: Client, target: Target) -> Mapping[str, Any] | None:
    """The pods that a workload selects."""
    if target.resource.kind not in _SELECTORS:
        return None
    if target.resource.kind == "Job":
        wanted = f"job-name={target.name}"
    else:
        labels = ((target.obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        wanted = ",".join(f"{key}={value}" for key, value in labels.items())
    if not wanted:
        return None
    table = await _table(client, kinds.of("v1", "Pod").path(target.namespace), labelSelector=wanted)
    return table if table and table.get("rows") else None


def _add(into: dict[str, Shown], title: str, table: Mapping[str, Any]) -> None:
    columns = [i for i, c in enumerate(table["columnDefinitions"]) if not c.get("priority")]
    heads = tuple(table["columnDefinitions"][i]["name"].upper() for i in columns)
    rows = tuple(tuple(_cell(row["cells"][i]) for i in columns) for row in table.get("rows") or ())
    before = into.get(title)
    into[title] = Shown(title, heads, (*before.rows, *rows) if before else rows)


def _cell(value: Any) -> str:
    return "<none>" if value is None else str(value)


def text(shown: list[Shown]) -> str:
    """As status prints them: a heading, the table with columns three blanks apart, an empty line."""
    parts = []
    for group in shown:
        lines = [group.heads, *group.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(group.heads))]
        body = "".join(
            "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
            for line in lines
        )
        parts.append(f"==> {group.title}\n{body}")
    return "\n".join(parts)
