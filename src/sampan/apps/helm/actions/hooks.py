"""Running hooks: by weight and name, each created, waited for, its logs shown, and deleted as its policies say.

helm 4.3 pkg/action/hooks.go. One thing differs: before a hook is made again its former self is waited for to be gone,
whatever --wait says; Helm would apply to an object that is on its way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import apply, waiting
from sampan.apps.helm.kube.apply import How
from sampan.apps.helm.kube.objects import Target
from sampan.charts.manifests import Hook
from sampan.charts.release import Release, Run

BEFORE, SUCCEEDED, FAILED = "before-hook-creation", "hook-succeeded", "hook-failed"
CRD = "CustomResourceDefinition"


class HookFailed(HelmError):
    """A hook did not end well; `release` notes how each of them ended."""

    def __init__(self, message: str, release: Release) -> None:
        super().__init__(message)
        self.release = release

    def prefixed(self, prefix: str) -> HookFailed:
        return HookFailed(f"{prefix}: {self}", self.release)


class Ran(NamedTuple):
    """The release with a note of each run, the hooks that ended well, the one that failed and why."""

    release: Release
    succeeded: tuple[Hook, ...] = ()
    failed: Hook | None = None
    problem: str = ""


def of_event(release: Release, event: str) -> list[Hook]:
    """The hooks of an event in the order in which they run."""
    chosen = [stored.hook for stored in release.hooks if event in stored.hook.events]
    return sorted(chosen, key=lambda hook: (hook.weight, hook.name))


def policies(hook: Hook) -> tuple[str, ...]:
    return hook.delete_policies or (BEFORE,)


def _noted(release: Release, hook: Hook, run: Run) -> Release:
    return release._replace(
        hooks=tuple(
            stored._replace(last_run=run) if stored.hook is hook else stored for stored in release.hooks
        )
    )


async def run(
    session: Session,
    release: Release,
    event: str,
    timeout: float,
    *,
    server_side: bool = True,
    waits: bool = False,
) -> Release:
    """Runs every hook of the event; the release with a note of when each ran and how it ended. Raises HookFailed."""
    ran = await execute(session, release, event, timeout, server_side=server_side)
    await settle(session, ran, timeout, waits=waits)
    if ran.problem:
        raise HookFailed(ran.problem, ran.release)
    return ran.release


async def execute(
    session: Session,
    release: Release,
    event: str,
    timeout: float,
    *,
    server_side: bool = True,
    takes: Callable[[Hook], bool] | None = None,
) -> Ran:
    """Runs the hooks (that `takes` takes) up to the first that fails; what is to be deleted is left to `settle`."""
    done: list[Hook] = []
    for hook in of_event(release, event):
        if takes is not None and not takes(hook):
            continue
        started = ""
        try:
            if BEFORE in policies(hook):
                await _delete(session, hook, timeout, waits=True)
            targets = await session.targets(
                hook.manifest, f"unable to build kubernetes object for {event} hook {hook.path}"
            )
            started = session.now()
            release = _noted(release, hook, Run(started, "", "Running"))
            await session.note(release)
            await _create(session, hook, event, targets, server_side=server_side)
            await waiting.until(session.client, targets, waiting.ENDED, timeout)
        except (HelmError, ApiError) as error:
            if started:
                release = _noted(release, hook, Run(started, session.now(), "Failed"))
            return Ran(release, tuple(done), hook, str(error))
        release = _noted(release, hook, Run(started, session.now(), "Succeeded"))
        done.append(hook)
    return Ran(release, tuple(done))


async def _create(
    session: Session, hook: Hook, event: str, targets: list[Target], *, server_side: bool
) -> None:
    try:
        await apply.create(session.client, targets, How(server_side))
    except (HelmError, ApiError) as error:
        raise HelmError(f"warning: Hook {event} {hook.path} failed: {error}") from error


async def settle(session: Session, ran: Ran, timeout: float, *, waits: bool = False) -> None:
    """Logs and deletions after the run, as policies say. What goes wrong with a failed hook is told, not raised."""
    if ran.failed is not None:
        await _logs(session, ran.failed, FAILED)
        if FAILED in policies(ran.failed):
            try:
                await _delete(session, ran.failed, timeout, waits=waits)
            except (HelmError, ApiError) as error:
                session.tell(f"error deleting the hook resource on hook failure: {error}")
    for hook in ran.succeeded if ran.failed is not None else reversed(ran.succeeded):
        if ran.failed is None:
            await _logs(session, hook, SUCCEEDED)
        if SUCCEEDED in policies(hook):
            await _delete(session, hook, timeout, waits=waits)


async def _delete(session: Session, hook: Hook, timeout: float, *, waits: bool) -> None:
    """Deletes what a hook made. CRDs are never deleted: everything of their kind would go with them."""
    if hook.kind == CRD:
        return
    targets = await session.targets(
        hook.manifest, f"unable to build kubernetes object for deleting hook {hook.path}"
    )
    existing = [target for target in targets if await apply.live(session.client, target) is not None]
    if not existing:
        return
    if failures := await apply.delete(session.client, existing, "background"):
        raise HelmError("; ".join(failures))
    if waits:
        await waiting.until(session.client, existing, waiting.GONE, timeout)


async def _logs(session: Session, hook: Hook, outcome: str) -> None:
    """helm.sh/hook-output-log-policy: the logs of what ran, when the policy names the outcome."""
    if outcome not in hook.output_log_policies:
        return
    try:
        for target in await session.targets(hook.manifest, "unable to parse hook"):
            for pod in await pods_of(session, target):
                for _, text in await logs(session, pod, target.namespace):
                    session.tell(text.removesuffix("\n"))
    except (HelmError, ApiError) as error:
        session.log(slog.WARN, "error outputting logs of a hook", hook=hook.path, error=error)


async def pods_of(session: Session, target: Target) -> list[str]:
    """The pods of a hook: itself, or those of its job."""
    if target.resource.kind == "Pod":
        return [target.name]
    if target.resource.kind != "Job":
        return []
    listed = await session.client.list(
        kinds.of("v1", "Pod"), target.namespace, label_selector=f"job-name={target.name}"
    )
    return [item["metadata"]["name"] for item in listed.get("items") or ()]


async def logs(session: Session, pod: str, namespace: str, *, init: bool = False) -> list[tuple[str, str]]:
    """(container, log) of a pod, those of init containers first where they are asked for. Raises ApiError."""
    found = await session.client.get(kinds.of("v1", "Pod"), pod, namespace)
    spec = found["spec"]
    parts = []
    for container in [*(spec.get("initContainers") or () if init else ()), *spec["containers"]]:
        raw = await session.client.raw(
            "GET",
            kinds.of("v1", "Pod").path(namespace, pod, "log"),
            query={"container": container["name"]},
        )
        parts.append((str(container["name"]), raw.decode(errors="replace")))
    return parts
