"""From a chart and values to a new release record: rendering off the loop, and the record's first form."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from sampan.apps.helm import slog
from sampan.apps.helm.actions.session import Session, cluster_versions, lookup_function
from sampan.charts import render
from sampan.charts.capabilities import Versions
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
    versions: Versions | None = None,
    lookup: bool = True,
) -> Rendered:
    """Renders against the given versions, or the cluster's; with `lookup` templates may ask the cluster.

    Raises ChartError, HelmError.
    """
    if versions is None:
        versions = await cluster_versions(session.client)
    options = Options(
        lookup=lookup_function(session.client) if lookup else None,
        dns=how.dns,
        sub_notes=how.sub_notes,
        skip_schema=how.skip_schema,
        warn=lambda text: session.log(slog.INFO, text),
    )
    return await asyncio.to_thread(render.render, chart, values, release, versions, options)


def manifest_of(rendered: Rendered, *, hide_secret: bool = False) -> str:
    """The manifests as a record keeps them; with `hide_secret` (dry runs) the text of Secrets is left out."""
    if not hide_secret:
        return rendered.manifest()
    hidden = "# HIDDEN: The Secret output has been suppressed"
    return "".join(
        f"---\n# Source: {m.path}\n{hidden if (m.head.kind, m.head.api_version) == ('Secret', 'v1') else m.content}\n"
        for m in rendered.manifests
    )


def record(
    session: Session,
    name: str,
    version: int,
    values: dict[str, Any],
    rendered: Rendered,
    *,
    status: str,
    description: str,
    first_deployed: str = "",
    labels: Mapping[str, str],
    server_side: bool = True,
    hide_secret: bool = False,
) -> Release:
    """The first form of a new revision. It keeps the chart as it was rendered: dependencies chosen, values imported."""
    now = session.now()
    return Release(
        name=name,
        namespace=session.namespace,
        version=version,
        info=Info(first_deployed or now, now, "", description, status, notes=rendered.notes),
        chart=rendered.chart,
        config=values,
        manifest=manifest_of(rendered, hide_secret=hide_secret),
        hooks=tuple(StoredHook(hook) for hook in rendered.hooks),
        labels=dict(labels),
        apply_method=SERVER_SIDE if server_side else CLIENT_SIDE,
    )
