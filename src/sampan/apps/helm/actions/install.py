"""install. helm 4.3 pkg/action/install.go."""

from __future__ import annotations

from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks, rendering, uninstall
from sampan.apps.helm.actions.options import Common, Install, Uninstall
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.apps.helm.kube import apply, ownership, waiting
from sampan.apps.helm.kube.apply import How
from sampan.apps.helm.kube.objects import Target, build
from sampan.charts import dependencies
from sampan.charts import release as status
from sampan.charts.model import Chart
from sampan.charts.release import Release
from sampan.charts.render import Release as Scope

CRD_SECONDS = 60.0


def how(common: Common, previous: Release | None = None) -> How:
    """How objects are written: auto takes the previous revision's way, client-side for one that tells none."""
    server_side = common.server_side
    if server_side is None:
        server_side = previous is None or previous.apply_method == status.SERVER_SIDE
    return How(server_side, common.force_conflicts, common.force_replace, common.dry_run == "server")


async def run(session: Session, name: str, chart: Chart, values: dict[str, Any], options: Install) -> Release:
    """Installs a release. Raises HelmError, ChartError, ApiError; a failed one is kept with status failed."""
    check_name(name)
    common = options.common
    revision = await _next(session, name, options)
    if chart.metadata.type.lower() == "library":
        raise HelmError("library charts are not installable")
    dependencies.check(chart)
    if common.dry_run == "none" and not options.skip_crds:
        await install_crds(session, chart)
    scope = Scope(name, session.namespace, revision, True, False)
    connected = common.dry_run in ("none", "server")
    rendered = await rendering.run(session, chart, values, scope, options.rendering, connected=connected)
    way = how(common)
    made = rendering.record(
        session,
        name,
        revision,
        chart,
        values,
        rendered,
        status=status.PENDING_INSTALL,
        description="Initial install underway",
        labels=options.labels,
        server_side=way.server_side,
    )
    if common.dry_run == "client":
        return made.with_status(status.PENDING_INSTALL, "Dry run complete")
    if options.create_namespace and common.dry_run == "none":
        await create_namespace(session)
    targets = await build(session.client, made.manifest, session.namespace)
    for target in targets:
        ownership.mark(target, name, session.namespace)
    adopted = await apply.find_existing(
        session.client, targets, name, session.namespace, take=common.take_ownership
    )
    if common.dry_run == "server":
        await apply.update(session.client, adopted, targets, way)
        return made.with_status(status.PENDING_INSTALL, "Dry run complete")
    await session.storage.create(made)
    try:
        made = await _perform(session, made, targets, adopted, options, way)
    except (HelmError, ApiError) as error:
        return await _failed(session, made, options, error)
    made = made.with_status(status.DEPLOYED, common.description or "Install complete")
    await session.storage.update(made)
    return made


async def _next(session: Session, name: str, options: Install) -> int:
    """The revision to make. Raises HelmError when the name is in use."""
    try:
        last = await session.storage.last(name)
    except NotFound:
        return 1
    if options.common.dry_run != "none":
        return 1
    if options.replace and last.info.status in (status.UNINSTALLED, status.FAILED):
        return last.version + 1
    raise HelmError("cannot reuse a name that is still in use")


async def create_namespace(session: Session) -> None:
    """The release's namespace, with Helm's label; one that exists is left alone."""
    obj = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": session.namespace, "labels": {"name": session.namespace}},
    }
    try:
        await session.client.create(kinds.of("v1", "Namespace"), obj)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


async def install_crds(session: Session, chart: Chart) -> None:
    """Creates what lies in crds/, once: what exists is never changed. Waits until the kinds are served."""
    made: list[Target] = []
    for crd in chart.crds():
        for target in await build(session.client, crd.file.text(), session.namespace, what=f"crd {crd.path}"):
            if await apply.live(session.client, target) is None:
                await apply.create(session.client, [target], How())
                made.append(target)
    if made:
        await waiting.until(session.client, made, waiting.ready(jobs=False), CRD_SECONDS)


async def _perform(
    session: Session, made: Release, targets: list[Target], adopted: list[Target], options: Install, way: How
) -> Release:
    common = options.common
    if not common.no_hooks:
        made = await hooks.run(session, made, "pre-install", common.timeout, how=way)
    if adopted:
        await apply.update(session.client, adopted, targets, way)
    else:
        await apply.create(session.client, targets, way)
    if common.waits:
        await waiting.until(session.client, targets, waiting.ready(jobs=common.wait_for_jobs), common.timeout)
    if not common.no_hooks:
        made = await hooks.run(session, made, "post-install", common.timeout, how=way)
    return made


async def _failed(session: Session, made: Release, options: Install, error: Exception) -> Release:
    name = made.name
    noted = error.release if isinstance(error, hooks.HookFailed) else made
    await session.storage.update(noted.with_status(status.FAILED, f'Release "{name}" failed: {error}'))
    if options.rollback_on_failure:
        session.tell(f"install failed and rollback-on-failure is set, uninstalling {name}")
        await uninstall.run(session, name, Uninstall(common=options.common._replace(wait="hookOnly")))
        raise HelmError(
            f"release {name} failed, and has been uninstalled due to rollback-on-failure being set: {error}"
        )
    raise error
