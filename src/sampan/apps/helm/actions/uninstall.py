"""uninstall. helm 4.3 pkg/action/uninstall.go."""

from __future__ import annotations

from typing import NamedTuple

from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.actions import hooks
from sampan.apps.helm.actions.options import Uninstall
from sampan.apps.helm.actions.session import Session, check_name, content
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.objects import Target
from sampan.charts import release as status
from sampan.charts.manifests import UNINSTALL_ORDER
from sampan.charts.release import Release


class Doomed(NamedTuple):
    """The objects of a release: those that are deleted, and those that stay with the reason in `said` (for people)."""

    owned: list[Target]
    said: str


class Uninstalled(NamedTuple):
    """The last record, None where there was none and that was fine; and what is to be said of objects that stay."""

    release: Release | None
    said: str = ""


async def run(session: Session, name: str, options: Uninstall) -> Uninstalled:
    """Uninstalls a release. Raises HelmError, ApiError; the record then says uninstalling, or is gone."""
    common = options.common
    await session.reach()
    if common.dry_run != "none":
        return await _rehearse(session, name, options)
    check_name(name, "uninstall: Release name is invalid")
    try:
        history = await session.storage.history(name)
    except NotFound as error:
        if options.ignore_not_found:
            return Uninstalled(None)
        raise HelmError(f"uninstall: Release not loaded: {name}: {error}") from error
    last = history[-1]
    if last.info.status == status.UNINSTALLED:
        if options.keep_history:
            raise HelmError(f'the release named "{name}" is already deleted')
        await _purge(session, history)
        return Uninstalled(last)
    last = last.with_status(status.UNINSTALLING, "Deletion in progress (or silently failed)")
    last = last._replace(info=last.info._replace(deleted=session.now()))
    if not common.no_hooks:
        last = await hooks.run(session, last, "pre-delete", common.timeout, waits=common.waits)
    await session.note(last)
    doomed = await _delete(session, last, options.cascade)
    problems: list[str] = []
    try:
        if common.waits:
            await waiting.until(session.client, doomed.owned, waiting.GONE, common.timeout)
    except (HelmError, ApiError) as error:
        problems.append(str(error))
    try:
        if not common.no_hooks:
            last = await hooks.run(session, last, "post-delete", common.timeout, waits=common.waits)
    except (HelmError, ApiError) as error:
        problems.append(str(error))
    last = last.with_status(status.UNINSTALLED, common.description or "Uninstallation complete")
    await _record(session, last, history, options)
    if problems:
        raise HelmError(f"uninstallation completed with {len(problems)} error(s): {'; '.join(problems)}")
    return Uninstalled(last, doomed.said)


async def _rehearse(session: Session, name: str, options: Uninstall) -> Uninstalled:
    """--dry-run: what would stay."""
    try:
        last = await content(session, name)
    except NotFound:
        if options.ignore_not_found:
            return Uninstalled(None)
        raise
    kept, doomed = _kept(await _objects(session, last))
    for target in doomed:
        session.log(
            slog.DEBUG,
            "dry-run: would delete resource",
            kind=target.resource.kind,
            name=target.name,
            namespace=target.namespace,
        )
    return Uninstalled(last, _said_kept(kept))


async def _record(session: Session, last: Release, history: list[Release], options: Uninstall) -> None:
    if not options.keep_history:
        await _purge(session, history)
        return
    await session.note(last)
    for record in history[:-1]:
        if record.info.status == status.DEPLOYED:
            await session.note(record.with_status(status.SUPERSEDED, record.info.description))


async def _objects(session: Session, record: Release) -> list[Target]:
    """In the order of deletion."""
    rank = {kind: place for place, kind in enumerate(UNINSTALL_ORDER)}
    targets = await session.targets(record.manifest, "unable to build kubernetes objects for delete")
    targets.sort(key=lambda t: (rank.get(t.resource.kind, len(rank)), t.resource.kind))
    return targets


def _kept(targets: list[Target]) -> tuple[list[Target], list[Target]]:
    """Those that ask to stay, and the others."""
    kept = [target for target in targets if ownership.is_kept(target.obj)]
    return kept, [target for target in targets if not ownership.is_kept(target.obj)]


def _named(targets: list[Target]) -> str:
    return "".join(f"[{target.resource.kind}] {target.name}\n" for target in targets)


def _said_kept(kept: list[Target]) -> str:
    return f"These resources were kept due to the resource policy:\n{_named(kept)}" if kept else ""


async def _delete(session: Session, record: Release, cascade: str) -> Doomed:
    """Deletes what is the release's own. Raises HelmError when something could not be deleted."""
    name = record.name
    try:
        targets = await _objects(session, record)
    except HelmError as error:
        session.log(slog.DEBUG, "uninstall: Failed to delete release", error=error)
        raise HelmError(f"failed to delete release: {name}") from error
    kept, doomed = _kept(targets)
    said = [_said_kept(kept)] if kept else []
    owned, foreign, unknown = await _sorted_by_owner(session, doomed, name)
    for target in foreign:
        session.log(
            slog.WARN,
            "skipping delete of resource not owned by this release",
            kind=target.resource.kind,
            name=target.name,
            namespace=target.namespace,
            release=name,
        )
    if foreign:
        said.append(
            f"{len(foreign)} resource(s) were not deleted because they are not owned by this release:\n"
            f"{_named(foreign)}"
        )
    for target, why in unknown:
        session.log(
            slog.WARN,
            "skipping delete of resource because ownership could not be verified",
            kind=target.resource.kind,
            name=target.name,
            namespace=target.namespace,
            release=name,
            error=why,
        )
    if unknown:
        said.append(
            f"{len(unknown)} resource(s) were not deleted because their ownership could not be verified:\n"
            + "".join(f"[{target.resource.kind}] {target.name}: {why}\n" for target, why in unknown)
        )
    if failures := await apply.delete(session.client, owned, cascade):
        session.log(slog.WARN, "uninstall: Failed to delete release", error="; ".join(failures))
        raise HelmError(f"failed to delete release: {name}")
    return Doomed(owned, "\n".join(said))


async def _sorted_by_owner(
    session: Session, targets: list[Target], name: str
) -> tuple[list[Target], list[Target], list[tuple[Target, str]]]:
    """The release's own, somebody else's, and those that could not be looked at; what is gone already is left out."""
    owned: list[Target] = []
    foreign: list[Target] = []
    unknown: list[tuple[Target, str]] = []
    for target in targets:
        try:
            existing = await apply.live(session.client, target)
        except ApiError as error:
            unknown.append((target, error.message))
            continue
        if existing is None:
            continue
        (foreign if ownership.complaints(existing, name, session.namespace) else owned).append(target)
    return owned, foreign, unknown


async def _purge(session: Session, history: list[Release]) -> None:
    for record in history:
        await session.storage.driver.delete(record.name, record.version)
