"""test: runs the test hooks of a release. helm 4.3 pkg/action/release_testing.go."""

from __future__ import annotations

from collections.abc import Iterable

from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube.objects import build
from sampan.charts.release import Release, StoredHook


async def run(
    session: Session, name: str, *, timeout: float, only: Iterable[str] = (), but: Iterable[str] = ()
) -> tuple[Release, HelmError | None]:
    """The release with the outcome of each test noted, and the failure if there is one."""
    check_name(name)
    release = await session.storage.last(name)
    chosen, skipped = set(only), set(but)

    def wanted(stored: StoredHook) -> bool:
        hook = stored.hook
        return "test" not in hook.events or (hook.name not in skipped and (not chosen or hook.name in chosen))

    left_out = tuple(stored for stored in release.hooks if not wanted(stored))
    release = release._replace(hooks=tuple(stored for stored in release.hooks if wanted(stored)))
    problem: HelmError | None = None
    try:
        release = await hooks.run(session, release, "test", timeout)
    except hooks.HookFailed as error:
        release = error.release
        problem = HelmError(str(error).removeprefix("failed test: "))
    release = release._replace(hooks=(*release.hooks, *left_out))
    await session.storage.update(release)
    return release, problem


async def logs(
    session: Session, release: Release, *, only: Iterable[str] = (), but: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """(pod, logs) of each test that ran."""
    chosen, skipped = set(only), set(but)
    found = []
    for hook in hooks.of_event(release, "test"):
        if hook.name in skipped or (chosen and hook.name not in chosen):
            continue
        for target in await build(session.client, hook.manifest, session.namespace):
            for pod in await hooks.pods_of(session, target):
                try:
                    found.append((pod, await hooks.logs(session, pod)))
                except ApiError as error:
                    raise HelmError(f"unable to get pod logs for {pod}: {error.message}") from error
    return found
