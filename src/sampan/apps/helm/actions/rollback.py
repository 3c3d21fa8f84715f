"""rollback. helm 4.3 pkg/action/rollback.go."""

from __future__ import annotations

from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks, install
from sampan.apps.helm.actions.options import Rollback
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.apply import Changed
from sampan.apps.helm.kube.objects import build
from sampan.charts import release as status
from sampan.charts.release import Release, StoredHook


async def run(session: Session, name: str, options: Rollback) -> Release:
    """A new revision with an older one's manifest, hooks and values. Raises HelmError, ApiError."""
    check_name(name)
    common = options.common
    history = await session.storage.history(name)
    current = history[-1]
    if current.info.status in status.PENDING and common.dry_run == "none":
        raise HelmError("another operation (install/upgrade/rollback) is in progress")
    goal = _goal(history, options.version)
    if goal.version == current.version and not options.version:
        raise HelmError("no revision to roll back to")
    way = install.how(common, goal)
    said = common.description or f"Rollback to {goal.version}"
    made = goal._replace(
        info=goal.info._replace(
            first_deployed=current.info.first_deployed,
            last_deployed=session.now(),
            status=status.PENDING_ROLLBACK,
            description=said,
            rollback_revision=goal.version,
        ),
        hooks=tuple(StoredHook(stored.hook) for stored in goal.hooks),
        version=current.version + 1,
        apply_method=status.SERVER_SIDE if way.server_side else status.CLIENT_SIDE,
    )
    if common.dry_run != "none":
        return made
    before = await build(session.client, current.manifest, session.namespace, what="current release manifest")
    after = await build(session.client, made.manifest, session.namespace, what="new release manifest")
    for target in (*before, *after):
        ownership.mark(target, name, session.namespace)
    await session.storage.create(made)
    changed = Changed()
    try:
        if not common.no_hooks:
            made = await hooks.run(session, made, "pre-rollback", common.timeout, how=way)
        changed = await apply.update(session.client, before, after, way)
        if common.waits:
            await waiting.until(
                session.client, after, waiting.ready(jobs=common.wait_for_jobs), common.timeout
            )
        if not common.no_hooks:
            made = await hooks.run(session, made, "post-rollback", common.timeout, how=way)
    except (HelmError, ApiError) as error:
        text = f'Rollback "{name}" failed: {error}'
        noted = error.release if isinstance(error, hooks.HookFailed) else made
        await session.storage.update(noted.with_status(status.FAILED, text))
        if options.cleanup_on_fail and changed.created:
            await apply.delete(session.client, list(changed.created), "background")
        raise
    for record in history:
        if record.info.status == status.DEPLOYED:
            await session.storage.update(record.with_status(status.SUPERSEDED, record.info.description))
    made = made.with_status(status.DEPLOYED, said)
    await session.storage.update(made)
    return made


def _goal(history: list[Release], version: int) -> Release:
    """The revision to go back to: the one named, else the one before the last."""
    wanted = version or history[-1].version - 1
    for record in history:
        if record.version == wanted:
            return record
    if version:
        raise HelmError("release has no %d version" % version)  # noqa: UP031 (Helm's own text)
    raise NotFound("release: not found")
