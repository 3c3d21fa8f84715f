"""upgrade. helm 4.3 pkg/action/upgrade.go."""

from __future__ import annotations

from typing import Any

from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks, install, rendering, rollback
from sampan.apps.helm.actions.options import Rollback, Upgrade
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.apply import Changed
from sampan.apps.helm.kube.objects import Target, build
from sampan.charts import dependencies
from sampan.charts import release as status
from sampan.charts.coalesce import coalesce_tables
from sampan.charts.model import Chart
from sampan.charts.release import Release
from sampan.charts.render import Release as Scope

PENDING_TEXT = "another operation (install/upgrade/rollback) is in progress"


async def run(session: Session, name: str, chart: Chart, values: dict[str, Any], options: Upgrade) -> Release:
    """Upgrades a release to a chart and values; the new revision. Raises HelmError, ChartError, ApiError."""
    check_name(name)
    common = options.common
    last = await _last(session, name)
    current = await _current(session, name, last)
    dependencies.check(chart)
    values = reuse(current, values, options.values_from)
    revision = last.version + 1
    scope = Scope(name, session.namespace, revision, False, True)
    connected = common.dry_run in ("none", "server")
    rendered = await rendering.run(session, chart, values, scope, options.rendering, connected=connected)
    way = install.how(common, last)
    made = rendering.record(
        session,
        name,
        revision,
        chart,
        values,
        rendered,
        status=status.PENDING_UPGRADE,
        description="Preparing upgrade",
        first_deployed=current.info.first_deployed,
        labels=merge_labels(last.labels, options.labels),
        server_side=way.server_side,
    )
    if common.dry_run == "client":
        return made.with_status(status.PENDING_UPGRADE, "Dry run complete")
    before, after = await _targets(session, current, made, take=common.take_ownership)
    if common.dry_run == "server":
        await apply.update(session.client, before, after, way)
        return made.with_status(status.PENDING_UPGRADE, "Dry run complete")
    await session.storage.create(made)
    changed = Changed()
    try:
        if not common.no_hooks:
            made = await hooks.run(session, made, "pre-upgrade", common.timeout, how=way)
        changed = await apply.update(session.client, before, after, way)
        if common.waits:
            await waiting.until(
                session.client, after, waiting.ready(jobs=common.wait_for_jobs), common.timeout
            )
        if not common.no_hooks:
            made = await hooks.run(session, made, "post-upgrade", common.timeout, how=way)
    except (HelmError, ApiError) as error:
        return await _failed(session, made, current, options, changed, error)
    await session.storage.update(current.with_status(status.SUPERSEDED, current.info.description))
    made = made.with_status(status.DEPLOYED, common.description or "Upgrade complete")
    await session.storage.update(made)
    return made


async def _last(session: Session, name: str) -> Release:
    try:
        last = await session.storage.last(name)
    except NotFound as error:
        raise NotFound(f'"{name}" has no deployed releases') from error
    if last.info.status in status.PENDING:
        raise HelmError(PENDING_TEXT)
    return last


async def _current(session: Session, name: str, last: Release) -> Release:
    """What the cluster has: the deployed revision, or a failed or superseded last one."""
    if last.info.status == status.DEPLOYED:
        return last
    deployed = await session.storage.deployed(name)
    if deployed is not None:
        return deployed
    if last.info.status in (status.FAILED, status.SUPERSEDED):
        return last
    raise NotFound(f'"{name}" has no deployed releases')


def reuse(current: Release, values: dict[str, Any], source: str) -> dict[str, Any]:
    """The values of the new revision, by --reset-values, --reuse-values and their like."""
    old = current.config
    if source == "reset":
        return values
    if source == "reuse":
        return coalesce_tables(values, coalesce_tables(dict(old), current.chart.values))
    if source == "reset-then-reuse":
        return coalesce_tables(values, old)
    return values if values or not old else dict(old)


def merge_labels(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Labels of the last revision with the new ones over them; "null" takes one away."""
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value != "null"}


async def _targets(
    session: Session, current: Release, made: Release, *, take: bool
) -> tuple[list[Target], list[Target]]:
    """The objects of both revisions. Raises HelmError for a new one that somebody else has."""
    name = made.name
    before = await build(session.client, current.manifest, session.namespace, what="current release manifest")
    after = await build(session.client, made.manifest, session.namespace, what="new release manifest")
    for target in (*before, *after):
        ownership.mark(target, name, session.namespace)
    known = {target.key for target in before}
    fresh = [target for target in after if target.key not in known]
    adopted = await apply.find_existing(session.client, fresh, name, session.namespace, take=take)
    return [*before, *adopted], after


async def _failed(
    session: Session, made: Release, current: Release, options: Upgrade, changed: Changed, error: Exception
) -> Release:
    name = made.name
    noted = error.release if isinstance(error, hooks.HookFailed) else made
    await session.storage.update(noted.with_status(status.FAILED, f'Upgrade "{name}" failed: {error}'))
    if options.cleanup_on_fail and changed.created:
        await apply.delete(session.client, list(changed.created), "background")
    if options.rollback_on_failure:
        session.tell(
            f"upgrade failed and rollback-on-failure is set, rolling back to revision {current.version}"
        )
        common = options.common._replace(
            wait="watcher" if options.common.wait == "hookOnly" else options.common.wait
        )
        await rollback.run(session, name, Rollback(common=common, version=current.version))
        raise HelmError(
            f"release {name} failed, and has been rolled back due to rollback-on-failure being set: {error}"
        )
    raise HelmError(f"UPGRADE FAILED: {error}") from error
