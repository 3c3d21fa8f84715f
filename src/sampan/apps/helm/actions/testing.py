"""test: runs the test hooks of a release. helm 4.3 pkg/action/release_testing.go."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sampan.api.status import ApiError
from sampan.apps.helm.actions import hooks
from sampan.apps.helm.actions.session import Session, check_name
from sampan.apps.helm.errors import HelmError
from sampan.charts.manifests import Hook
from sampan.charts.release import SERVER_SIDE as SSA
from sampan.charts.release import Release

EVENT = "test"


class Outcome(NamedTuple):
    """The release with the outcome of each test noted, the run itself, and why it failed ("" for not)."""

    release: Release
    ran: hooks.Ran
    problem: str


class Filter(NamedTuple):
    """Tests by name: only these, but not those."""

    only: Collection[str] = ()
    but: Collection[str] = ()

    def takes(self, hook: Hook) -> bool:
        return hook.name not in self.but and (not self.only or hook.name in self.only)


async def run(session: Session, name: str, *, timeout: float, chosen: Filter) -> Outcome:
    """Runs the tests; `finish` deletes what policies say, after logs were shown. Raises HelmError, NotFound."""
    await session.reach()
    check_name(name, "releaseTest: Release name is invalid")
    release = await session.storage.last(name)
    ran = await hooks.execute(
        session, release, EVENT, timeout, server_side=release.apply_method == SSA, takes=chosen.takes
    )
    await session.storage.update(ran.release)
    return Outcome(ran.release, ran, ran.problem)


async def finish(session: Session, tested: Outcome, *, timeout: float) -> None:
    """Deletes as policies say. Raises HelmError."""
    await hooks.settle(session, tested.ran, timeout, waits=True)


async def logs(session: Session, release: Release, chosen: Filter) -> tuple[str, list[str]]:
    """What the tests' pods said, for people, and what could not be had of it."""
    shown: list[str] = []
    problems: list[str] = []
    for hook in hooks.of_event(release, EVENT):
        if not chosen.takes(hook):
            continue
        for target in await session.targets(
            hook.manifest, f"unable to build kubernetes object for test {hook.path}"
        ):
            try:
                for pod in await hooks.pods_of(session, target):
                    for container, text in await hooks.logs(session, pod, target.namespace, init=True):
                        shown.append(f"POD LOGS: {pod} ({container})\n{text}\n")
            except (HelmError, ApiError) as error:
                problems.append(f"unable to get pod logs for {target.name}: {error}")
    return "".join(shown), problems
