"""upgrade. helm 4.3 pkg/action/upgrade.go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.actions import hooks, rendering, rollback, wait
from sampan.apps.helm.actions.install import CANCELLED, DRY
from sampan.apps.helm.actions.options import Common, Rollback, Upgrade
from sampan.apps.helm.actions.session import Session, check_labels, check_name
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership
from sampan.apps.helm.kube.apply import Changed, How
from sampan.apps.helm.kube.objects import Target
from sampan.apps.helm.storage import own_labels
from sampan.charts import release as status
from sampan.charts.coalesce import coalesce_tables, coalesce_values
from sampan.charts.model import Chart
from sampan.charts.release import Release
from sampan.charts.render import Release as Scope

PENDING_TEXT = "another operation (install/upgrade/rollback) is in progress"


def server_side(common: Common, previous: str) -> bool:
    """Whether objects are applied by the server; auto takes the way of a revision, client-side if it tells none."""
    return previous == status.SERVER_SIDE if common.server_side is None else common.server_side


async def run(session: Session, name: str, chart: Chart, values: dict[str, Any], options: Upgrade) -> Release:
    """Upgrades a release to a chart and values; the new revision. Raises HelmError, ChartError, ApiError.

    When the task is cancelled the revision is marked as failed (and rolled back, if that is wanted) before the
    cancellation goes on.
    """
    common = options.common
    if options.rollback_on_failure:
        common = common.waiting()
        options = options._replace(common=common)
    await session.reach()
    check_name(name, "release name is invalid")
    if common.hide_secret and common.dry_run == "none":
        raise HelmError("hiding Kubernetes secrets requires a dry-run mode")
    last = await _last(session, name)
    current = _current(last, await session.storage.deployed(name))
    made = await _prepare(session, last, current, chart, values, options)
    before, after = await _targets(session, current, made, take=common.take_ownership)
    if common.dry_run != "none":
        return made.with_status(status.PENDING_UPGRADE, common.description or DRY)
    session.log(slog.DEBUG, "creating upgraded release", name=name)
    await session.storage.create(made)
    try:
        made = await _perform(session, current, made, before, after, common)
    except (HelmError, ApiError) as error:
        raise await _failed(session, made, options, error) from error
    except asyncio.CancelledError:
        failure = await _failed(session, made, options, HelmError(CANCELLED))
        raise asyncio.CancelledError(str(failure)) from None
    await session.note(current.with_status(status.SUPERSEDED, current.info.description))
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


def _current(last: Release, deployed: list[Release]) -> Release:
    """What the cluster has: the deployed revision, or a failed or superseded last one. Raises NotFound."""
    if last.info.status == status.DEPLOYED:
        return last
    if deployed:
        return deployed[-1]
    if last.info.status in (status.FAILED, status.SUPERSEDED):
        return last
    raise NotFound(f'"{last.name}" has no deployed releases')


async def _prepare(
    session: Session, last: Release, current: Release, chart: Chart, values: dict[str, Any], options: Upgrade
) -> Release:
    """The new revision, rendered. Raises HelmError, ChartError."""
    common = options.common
    chart, values = reuse(current, chart, values, options.values_from)
    revision = last.version + 1
    scope = Scope(last.name, session.namespace, revision, False, True)
    rendered = await rendering.run(
        session, chart, values, scope, options.rendering, lookup=common.dry_run != "client"
    )
    check_labels(dict(options.labels))
    return rendering.record(
        session,
        last.name,
        revision,
        values,
        rendered,
        status=status.PENDING_UPGRADE,
        description="Preparing upgrade",
        first_deployed=current.info.first_deployed,
        labels=merge_labels(own_labels(last.labels), options.labels),
        server_side=server_side(common, last.apply_method),
        hide_secret=common.hide_secret,
    )


def reuse(
    current: Release, chart: Chart, values: dict[str, Any], source: str
) -> tuple[Chart, dict[str, Any]]:
    """Chart and values of the new revision, by --reset-values, --reuse-values and their like.

    With reuse the old chart's defaults take the place of the new ones.
    """
    old = current.config
    if source == "reset":
        return chart, values
    if source == "reuse":
        chart = chart.shallow()
        chart.values = coalesce_values(current.chart, old)
        return chart, coalesce_tables(values, old)
    if source == "reset-then-reuse":
        return chart, coalesce_tables(values, old)
    return chart, values if values or not old else dict(old)


def merge_labels(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Labels of the last revision with the new ones over them; "null" takes one away."""
    merged = {**old, **new}
    return {key: value for key, value in merged.items() if value != "null"}


async def _targets(
    session: Session, current: Release, made: Release, *, take: bool
) -> tuple[list[Target], list[Target]]:
    """The objects of both revisions. Raises HelmError for a new one that somebody else has."""
    name = made.name
    after = await session.targets(
        made.manifest, "unable to build kubernetes objects from new release manifest"
    )
    before = await session.targets(
        current.manifest, "unable to build kubernetes objects from current release manifest"
    )
    for target in after:
        ownership.mark(target, name, session.namespace)
    known = {target.key for target in before}
    fresh = [target for target in after if target.key not in known]
    try:
        adopted = await apply.find_existing(session.client, fresh, name, session.namespace, take=take)
    except HelmError as error:
        raise HelmError(f"unable to continue with update: {error}") from error
    return [*before, *adopted], after


async def _perform(
    session: Session,
    current: Release,
    made: Release,
    before: list[Target],
    after: list[Target],
    common: Common,
) -> Release:
    way = made.apply_method == status.SERVER_SIDE
    how = How(
        way,
        common.force_conflicts,
        common.force_replace,
        migrate=way and current.apply_method != status.SERVER_SIDE,
    )
    made = await _hooks(session, made, "pre-upgrade", common, Changed(), server_side=way)
    changed = await apply.update(session.client, before, after, how)
    try:
        await wait.until_ready(session, after, common)
    except HelmError as error:
        raise apply.Incomplete(str(error), changed) from error
    return await _hooks(session, made, "post-upgrade", common, changed, server_side=way)


class _HookFailed(hooks.HookFailed):
    """A failed hook of an upgrade; `changed` is what had been written before."""

    def __init__(self, message: str, release: Release, changed: Changed) -> None:
        super().__init__(message, release)
        self.changed = changed


async def _hooks(
    session: Session, made: Release, event: str, common: Common, changed: Changed, *, server_side: bool
) -> Release:
    if common.no_hooks:
        session.log(slog.DEBUG, "upgrade hooks disabled", name=made.name)
        return made
    try:
        return await hooks.run(
            session, made, event, common.timeout, server_side=server_side, waits=common.waits
        )
    except hooks.HookFailed as error:
        raise _HookFailed(f"{event} hooks failed: {error}", error.release, changed) from error


async def _failed(session: Session, made: Release, options: Upgrade, error: Exception) -> HelmError:
    """Notes the failure, and cleans up or rolls back if that is wanted; the error to raise."""
    name = made.name
    session.log(slog.WARN, "upgrade failed", name=name, error=error)
    noted = error.release if isinstance(error, hooks.HookFailed) else made
    await session.note(noted.with_status(status.FAILED, f'Upgrade "{name}" failed: {error}'))
    changed = error.changed if isinstance(error, _HookFailed | apply.Incomplete) else Changed()
    if options.cleanup_on_fail and changed.created:
        failures = await apply.delete(session.client, list(changed.created), "background")
        if failures:
            return HelmError(
                f"an error occurred while cleaning up resources. original upgrade error: {error}: "
                f"unable to cleanup resources: {', '.join(failures)}"
            )
    if options.rollback_on_failure:
        return await _roll_back(session, name, options, error)
    return error if isinstance(error, HelmError) else HelmError(str(error))


async def _roll_back(session: Session, name: str, options: Upgrade, error: Exception) -> HelmError:
    """To the last revision that was ever deployed."""
    history = await session.storage.history(name)
    good = [r for r in history if r.info.status in (status.SUPERSEDED, status.DEPLOYED)]
    if not good:
        return HelmError(
            "unable to find a previously successful release when attempting to rollback. "
            f"original upgrade error: {error}"
        )
    session.log(slog.DEBUG, "upgrade failed and rollback-on-failure is set, rolling back", name=name)
    try:
        common = options.common._replace(description="")
        await rollback.run(session, name, Rollback(common, good[-1].version))
    except (HelmError, ApiError) as second:
        return HelmError(
            f"an error occurred while rolling back the release. original upgrade error: {error}: {second}"
        )
    return HelmError(
        f"release {name} failed, and has been rolled back due to rollback-on-failure being set: {error}"
    )
