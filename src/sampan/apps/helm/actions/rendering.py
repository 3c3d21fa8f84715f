"""From a chart and values to a new release record: rendering off the loop, and the record's first form."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from sampan.apps.helm.actions.session import Session, cluster_versions, lookup_function
from sampan.charts import render
from sampan.charts.model import Chart
from sampan.charts.release import CLIENT_SIDE, SERVER_SIDE, Info, Release, StoredHook
from sampan.charts.render import Options, Rendered


class Rendering(NamedTuple):
    """How templates are rendered; the same for install, upgrade and template."""

    sub_notes: bool = False
    skip_schema: bool = False
    dns: bool = False


async def run(
    session: Session,
    chart: Chart,
    values: dict[str, Any],
    release: render.Release,
    how: Rendering,
    *,
    connected: bool,
) -> Rendered:
    """Renders against the cluster's versions; `lookup` reaches it when `connected`. Raises ChartError."""
    versions = await cluster_versions(session.client)
    options = Options(
        lookup=lookup_function(session.client) if connected else None,
        dns=how.dns,
        sub_notes=how.sub_notes,
        skip_schema=how.skip_schema,
        warn=session.tell,
    )
    return await asyncio.to_thread(render.render, chart, values, release, versions, options)


def record(
    session: Session,
    name: str,
    version: int,
    chart: Chart,
    values: dict[str, Any],
    rendered: Rendered,
    *,
    status: str,
    description: str,
    first_deployed: str = "",
    labels: dict[str, str] | None = None,
    server_side: bool = True,
) -> Release:
    """The first form of a new revision."""
    now = session.now()
    return Release(
        name=name,
        namespace=session.namespace,
        version=version,
        info=Info(first_deployed or now, now, "", description, status, notes=rendered.notes),
        chart=chart,
        config=values,
        manifest=rendered.manifest(),
        hooks=tuple(StoredHook(hook) for hook in rendered.hooks),
        labels=labels or {},
        apply_method=SERVER_SIDE if server_side else CLIENT_SIDE,
    )
