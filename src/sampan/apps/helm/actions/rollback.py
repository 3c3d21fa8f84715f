"""rollback. helm 4.3 pkg/action/rollback.go.

Two things differ: a rollback whose hooks fail is marked as failed (Helm leaves it pending), and when objects cannot be
updated the deployed revision stays marked as deployed.
"""

from __future__ import annotations

import asyncio

from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.actions import hooks, wait
from sampan.apps.helm.actions.install import CANCELLED
from sampan.apps.helm.actions.options import Common, Rollback
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import apply, ownership
from sampan.apps.helm.kube.apply import Changed, How
from sampan.apps.helm.kube.objects import Target
from sampan.charts import release as status
from sampan.charts.release import Release

DESCRIPTION_LIMIT = 256


async def run(session: Session, name: str, options: Rollback) -> Release:
    """A new revision with an older one's manifest, hooks and values. Raises HelmError, ApiError.

    When the task is cancelled the revision is marked as failed before the cancellation goes on.
    """
    common = options.common
    check_description(common.description)
    await session.reach()
    check_name(name, "prepareRollback: Release name is invalid")
    if options.version < 0:
        raise HelmError("invalid release revision")
    history = await session.storage.history(name)
    made = _revision(session, history, options)
    if common.dry_run != "none":
        return made
    await session.storage.create(made)
    try:
        before, after = await _targets(session, history[-1], made)
        made = await _perform(session, made, before, after, common)
    except (HelmError, ApiError) as error:
        raise await _failed(session, made, options, error) from error
    except asyncio.CancelledError:
        failure = await _failed(session, made, options, HelmError(CANCELLED))
        raise asyncio.CancelledError(str(failure)) from None
    for record in history:
        if record.info.status == status.DEPLOYED:
            await session.note(record.with_status(status.SUPERSEDED, record.info.description))
    made = made.with_status(status.DEPLOYED, made.info.description)
    await session.storage.update(made)
    return made


def check_description(text: str) -> None:
    """Raises HelmError for one that is too long."""
    if len(text) > DESCRIPTION_LIMIT:
        raise HelmError(f"description must be {DESCRIPTION_LIMIT} characters or less, got {len(text)}")


def _revision(session: Session, history: list[Release], options: Rollback) -> Release:
    current = history[-1]
    wanted = options.version or current.version - 1
    goal = next((record for record in history if record.version == wanted), None)
    if goal is None:
        raise HelmError(f"release has no {wanted} version")
    server_side = options.common.server_side
    if server_side is None:
        server_side = goal.apply_method == status.SERVER_SIDE
    return goal._replace(
        info=goal.info._replace(
            first_deployed=current.info.first_deployed,
            last_deployed=session.now(),
            deleted="",
            status=status.PENDING_ROLLBACK,
            description=options.common.description or f"Rollback to {wanted}",
            rollback_revision=wanted,
        ),
        version=current.version + 1,
        apply_method=status.SERVER_SIDE if server_side else status.CLIENT_SIDE,
    )


async def _targets(session: Session, current: Release, made: Release) -> tuple[list[Target], list[Target]]:
    what = "unable to build kubernetes objects from"
    before = await session.targets(current.manifest, f"{what} current release manifest")
    after = await session.targets(made.manifest, f"{what} new release manifest")
    for target in after:
        ownership.mark(target, made.name, session.namespace)
    return before, after


async def _perform(
    session: Session, made: Release, before: list[Target], after: list[Target], common: Common
) -> Release:
    way = made.apply_method == status.SERVER_SIDE
    if not common.no_hooks:
        made = await hooks.run(
            session, made, "pre-rollback", common.timeout, server_side=way, waits=common.waits
        )
    how = How(way, common.force_conflicts, common.force_replace, migrate=way)
    changed = await apply.update(session.client, before, after, how)
    try:
        await wait.until_ready(session, after, common)
    except HelmError as error:
        raise apply.Incomplete(f"release {made.name} failed: {error}", changed) from error
    if not common.no_hooks:
        made = await hooks.run(
            session, made, "post-rollback", common.timeout, server_side=way, waits=common.waits
        )
    return made


async def _failed(session: Session, made: Release, options: Rollback, error: Exception) -> HelmError:
    text = f'Rollback "{made.name}" failed: {error}'
    session.log(slog.WARN, text)
    noted = error.release if isinstance(error, hooks.HookFailed) else made
    await session.note(noted.with_status(status.FAILED, text))
    changed = error.changed if isinstance(error, apply.Incomplete) else Changed()
    if options.cleanup_on_fail and changed.created:
        failures = await apply.delete(session.client, list(changed.created), "background")
        if failures:
            return HelmError(
                "an error occurred while cleaning up resources. original rollback error: "
                f"unable to cleanup resources: {', '.join(failures)}"
            )
    return error if isinstance(error, HelmError) else HelmError(str(error))
