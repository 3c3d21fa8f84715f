"""uninstall. helm 4.3 pkg/action/uninstall.go."""

from __future__ import annotations

from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks
from sampan.apps.helm.actions.options import Uninstall
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.objects import Target, build
from sampan.charts import release as status
from sampan.charts.manifests import UNINSTALL_ORDER
from sampan.charts.release import Release


class Gone(Exception):
    """There was nothing to uninstall, and the caller said that this is fine."""


async def run(session: Session, name: str, options: Uninstall) -> tuple[Release, list[Target]]:
    """Uninstalls a release; returns its record and the objects that were kept. Raises HelmError, Gone."""
    check_name(name)
    common = options.common
    try:
        history = await session.storage.history(name)
    except NotFound as error:
        if options.ignore_not_found:
            raise Gone from error
        raise HelmError(f"uninstall: Release not loaded: {name}: {error}") from error
    last = history[-1]
    if common.dry_run != "none":
        return last, []
    if last.info.status == status.UNINSTALLED:
        if options.keep_history:
            raise HelmError(f'the release named "{name}" is already deleted')
        await _purge(session, history)
        return last, []
    last = last.with_status(status.UNINSTALLING, "Deletion in progress (or silently failed)")
    last = last._replace(info=last.info._replace(deleted=session.now()))
    if not common.no_hooks:
        last = await hooks.run(session, last, "pre-delete", common.timeout)
    await session.storage.update(last)
    kept, problems = await _delete(session, last, options)
    if not common.no_hooks:
        try:
            last = await hooks.run(session, last, "post-delete", common.timeout)
        except (HelmError, ApiError) as error:
            problems.append(str(error))
    description = common.description or "Uninstallation complete"
    last = last.with_status(status.UNINSTALLED, description)
    if options.keep_history:
        await session.storage.update(last)
    else:
        await _purge(session, history)
    if problems:
        raise HelmError(f"uninstallation completed with {len(problems)} error(s): {'; '.join(problems)}")
    return last, kept


async def _delete(session: Session, record: Release, options: Uninstall) -> tuple[list[Target], list[str]]:
    rank = {kind: place for place, kind in enumerate(UNINSTALL_ORDER)}
    targets = await build(session.client, record.manifest, session.namespace)
    targets.sort(key=lambda target: (rank.get(target.resource.kind, len(rank)), target.resource.kind))
    kept = [target for target in targets if ownership.is_kept(target.obj)]
    doomed = [target for target in targets if target not in kept]
    try:
        deleted = await apply.delete(session.client, doomed, options.cascade)
        if options.common.waits:
            await waiting.until(session.client, deleted, waiting.gone, options.common.timeout)
    except (HelmError, ApiError) as error:
        return kept, [str(error)]
    return kept, []


async def _purge(session: Session, history: list[Release]) -> None:
    for record in history:
        await session.storage.driver.delete(record.name, record.version)
