"""install. helm 4.3 pkg/action/install.go."""

from __future__ import annotations

import asyncio
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.actions import hooks, rendering, uninstall, wait
from sampan.apps.helm.actions.options import Common, Install, Uninstall
from sampan.apps.helm.actions.session import Session, check_labels, name_problem
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.apply import How
from sampan.apps.helm.kube.objects import Target
from sampan.charts import release as status
from sampan.charts.capabilities import Versions
from sampan.charts.model import Chart
from sampan.charts.release import Release
from sampan.charts.render import Release as Scope

CRD_SECONDS = 60.0
CANCELLED = "context canceled"
DRY = "Dry run complete"


async def run(
    session: Session,
    name: str,
    chart: Chart,
    values: dict[str, Any],
    options: Install,
    *,
    is_upgrade: bool = False,
) -> Release:
    """Installs a release. Raises HelmError, ChartError, ApiError; a failed one is kept with status failed.

    `is_upgrade` renders as for an upgrade, in dry runs (template --is-upgrade). When the task is cancelled the release is marked as failed before the cancellation goes on.
    """
    common = options.common
    if options.rollback_on_failure:
        common = common.waiting()
        options = options._replace(common=common)
    connected = common.dry_run != "client"
    await _begin(session, name, options)
    if connected and not options.skip_crds:
        await _crds(session, chart, common)
    check_labels(dict(options.labels))
    is_upgrade = is_upgrade and common.dry_run != "none"
    scope = Scope(name, session.namespace, 1, not is_upgrade, is_upgrade)
    rendered = await rendering.run(
        session,
        chart,
        values,
        scope,
        options.rendering,
        versions=None if connected else Versions(),
        lookup=connected,
    )
    server_side = common.server_side is not False
    made = rendering.record(
        session,
        name,
        1,
        values,
        rendered,
        status=status.PENDING_INSTALL,
        description="Initial install underway",
        labels=options.labels,
        server_side=server_side,
        hide_secret=common.hide_secret,
    )
    if not connected:
        return made.with_status(status.PENDING_INSTALL, DRY)
    targets = await session.targets(made.manifest, "unable to build kubernetes objects from release manifest")
    for target in targets:
        ownership.mark(target, name, session.namespace)
    try:
        adopted = await apply.find_existing(
            session.client, targets, name, session.namespace, take=common.take_ownership
        )
    except HelmError as error:
        raise HelmError(f"unable to continue with install: {error}") from error
    if common.dry_run == "server":
        return made.with_status(status.PENDING_INSTALL, DRY)
    if options.create_namespace and not session.records_only:
        await create_namespace(session)
    made = await _replacing(session, made) if options.replace else made
    session.log(slog.DEBUG, "creating release", key=made.key)
    await session.storage.create(made)
    try:
        made = await _perform(session, made, targets, adopted, common)
    except (HelmError, ApiError) as error:
        raise await _failed(session, made, options, error) from error
    except asyncio.CancelledError:
        failure = await _failed(session, made, options, HelmError(CANCELLED))
        raise asyncio.CancelledError(str(failure)) from None
    made = made.with_status(status.DEPLOYED, common.description or "Install complete")
    await session.storage.update(made)
    return made


async def _begin(session: Session, name: str, options: Install) -> None:
    """The checks before anything is read or made. Raises HelmError."""
    dry = options.common.dry_run
    if dry != "client":
        try:
            await session.reach()
        except HelmError as error:
            session.log(slog.ERROR, f"cluster reachability check failed: {error}")
            raise HelmError(f"cluster reachability check failed: {error}") from error
    if options.common.hide_secret and dry == "none":
        session.log(slog.ERROR, "hiding Kubernetes secrets requires a dry-run mode")
        raise HelmError("hiding Kubernetes secrets requires a dry-run mode")
    problem = name_problem(name)
    problem = f'release name "{name}": {problem}' if problem else ""
    if not problem and dry == "none" and await _in_use(session, name, options):
        problem = "cannot reuse a name that is still in use"
    if problem:
        session.log(slog.ERROR, "release name check failed", error=problem)
        raise HelmError(f"release name check failed: {problem}")


async def _in_use(session: Session, name: str, options: Install) -> bool:
    try:
        last = await session.storage.last(name)
    except NotFound:
        return False
    return not (options.replace and last.info.status in (status.UNINSTALLED, status.FAILED))


async def _replacing(session: Session, made: Release) -> Release:
    """With --replace: the next revision, after the one that it replaces."""
    try:
        last = await session.storage.last(made.name)
    except NotFound:
        return made
    if last.info.status != status.FAILED:
        await session.storage.update(last.with_status(status.SUPERSEDED, "superseded by new release"))
    return made._replace(version=last.version + 1)


async def create_namespace(session: Session) -> None:
    """The release's namespace, with Helm's label; one that exists is left alone."""
    obj = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": session.namespace, "labels": {"name": session.namespace}},
    }
    try:
        await session.client.create(kinds.of("v1", "Namespace"), obj, field_manager=apply.MANAGER)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


async def _crds(session: Session, chart: Chart, common: Common) -> None:
    crds = list(chart.crds())
    if not crds:
        return
    if common.dry_run == "server":
        session.log(
            slog.WARN,
            "This chart or one of its subcharts contains CRDs. Rendering may fail or contain inaccuracies.",
        )
        return
    made: list[Target] = []
    for crd in crds:
        what = f"failed to install CRD {crd.name}"
        targets = await session.targets(crd.file.text(), what)
        if not targets:
            raise HelmError(f"{what}: resources are empty")
        fresh = [target for target in targets if await apply.live(session.client, target) is None]
        try:
            await apply.create(session.client, fresh, How(common.server_side is not False))
        except HelmError as error:
            raise HelmError(f"{what}: {error}") from error
        made += fresh
    await waiting.until(session.client, made, waiting.READY, CRD_SECONDS)
    if made:
        await _served(session, made)


async def _served(session: Session, made: list[Target]) -> None:
    """Waits until discovery tells of the new kinds, so that resources of them can be built next."""
    wanted = {
        (f"{spec.get('group')}/{version.get('name')}", str((spec.get("names") or {}).get("kind")))
        for target in made
        if (spec := target.obj.get("spec") or {})
        for version in spec.get("versions") or ()
        if version.get("served")
    }
    for _ in range(10):
        known = {(r.api_version, r.kind) for r in await session.client.discovery.resources(fresh=True)}
        if wanted <= known:
            return
        await asyncio.sleep(0.2)


async def _perform(
    session: Session, made: Release, targets: list[Target], adopted: list[Target], common: Common
) -> Release:
    server_side = common.server_side is not False
    made = await _hooks(session, made, "pre-install", common)
    if adopted:
        how = How(
            server_side,
            common.force_conflicts,
            common.force_replace,
            migrate=True,
            three_way=common.take_ownership and not server_side,
        )
        await apply.update(session.client, adopted, targets, how)
    else:
        await apply.create(session.client, targets, How(server_side))
    await wait.until_ready(session, targets, common)
    return await _hooks(session, made, "post-install", common)


async def _hooks(session: Session, made: Release, event: str, common: Common) -> Release:
    if common.no_hooks:
        return made
    try:
        return await hooks.run(
            session,
            made,
            event,
            common.timeout,
            server_side=common.server_side is not False,
            waits=common.waits,
        )
    except hooks.HookFailed as error:
        raise error.prefixed(f"failed {event}") from error


async def _failed(session: Session, made: Release, options: Install, error: Exception) -> HelmError:
    """Notes the failure and undoes the release if that is wanted; the error to raise."""
    name = made.name
    noted = error.release if isinstance(error, hooks.HookFailed) else made
    await session.note(noted.with_status(status.FAILED, f'Release "{name}" failed: {error}'))
    if not options.rollback_on_failure:
        return error if isinstance(error, HelmError) else HelmError(str(error))
    session.log(
        slog.DEBUG, "install failed and rollback-on-failure is set, uninstalling release", release=name
    )
    try:
        await uninstall.run(session, name, Uninstall(common=options.common._replace(description="")))
    except (HelmError, ApiError) as second:
        return HelmError(
            f"an error occurred while uninstalling the release. original install error: {error}: {second}"
        )
    return HelmError(
        f"release {name} failed, and has been uninstalled due to rollback-on-failure being set: {error}"
    )
