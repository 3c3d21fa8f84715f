"""Running hooks: by weight and name, each created, waited for, its logs shown, and deleted as its policies say.

helm 4.3 pkg/action/hooks.go.
"""

from __future__ import annotations

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import apply, waiting
from sampan.apps.helm.kube.apply import How
from sampan.apps.helm.kube.objects import Target, build
from sampan.charts.manifests import Hook
from sampan.charts.release import Release, Run

BEFORE, SUCCEEDED, FAILED = "before-hook-creation", "hook-succeeded", "hook-failed"


class HookFailed(HelmError):
    """A hook did not end well; `release` notes how each of them ended."""

    def __init__(self, message: str, release: Release) -> None:
        super().__init__(message)
        self.release = release


def of_event(release: Release, event: str) -> list[Hook]:
    """The hooks of an event in the order in which they run."""
    chosen = [stored.hook for stored in release.hooks if event in stored.hook.events]
    return sorted(chosen, key=lambda hook: (hook.weight, hook.name))


def _policies(hook: Hook) -> tuple[str, ...]:
    return hook.delete_policies or (BEFORE,)


def _noted(release: Release, hook: Hook, run: Run) -> Release:
    return release._replace(
        hooks=tuple(
            stored._replace(last_run=run) if stored.hook is hook else stored for stored in release.hooks
        )
    )


async def run(
    session: Session, release: Release, event: str, timeout: float, *, how: How | None = None
) -> Release:
    """Runs every hook of the event; the release with a note of when each ran and how it ended. Raises HookFailed."""
    chosen = of_event(release, event)
    for place, hook in enumerate(chosen):
        targets = await build(session.client, hook.manifest, session.namespace, what=f"hook {hook.path}")
        if BEFORE in _policies(hook):
            await _delete(session, targets, timeout)
        started = session.now()
        try:
            await apply.create(session.client, targets, how or How())
            await waiting.until(session.client, targets, waiting.done, timeout)
        except (HelmError, ApiError) as error:
            release = _noted(release, hook, Run(started, session.now(), "Failed"))
            await _logs(session, hook, targets, FAILED)
            if FAILED in _policies(hook):
                await _delete(session, targets, timeout)
            await _delete_succeeded(session, chosen[:place], timeout)
            raise HookFailed(f"failed {event}: {error}", release) from error
        release = _noted(release, hook, Run(started, session.now(), "Succeeded"))
        await _logs(session, hook, targets, SUCCEEDED)
    await _delete_succeeded(session, list(reversed(chosen)), timeout)
    return release


async def _delete_succeeded(session: Session, done: list[Hook], timeout: float) -> None:
    for hook in done:
        if SUCCEEDED in _policies(hook):
            targets = await build(session.client, hook.manifest, session.namespace)
            await _delete(session, targets, timeout)


async def _delete(session: Session, targets: list[Target], timeout: float) -> None:
    """Deletes and waits for the end, so that the same name can be made again. CRDs are never deleted."""
    doomed = [target for target in targets if target.resource.kind != "CustomResourceDefinition"]
    existing = [target for target in doomed if await apply.live(session.client, target) is not None]
    if not existing:
        return
    for target in existing:
        try:
            await session.client.delete(
                target.resource, target.name, target.namespace or None, propagation="Foreground"
            )
        except ApiError as error:
            if error.code != 404:
                raise
    await waiting.until(session.client, existing, waiting.gone, timeout)


async def _logs(session: Session, hook: Hook, targets: list[Target], outcome: str) -> None:
    """helm.sh/hook-output-log-policy: the logs of what ran, when the policy names the outcome."""
    if outcome not in hook.output_log_policies:
        return
    for target in targets:
        for pod in await pods_of(session, target):
            session.tell(await logs(session, pod))


async def pods_of(session: Session, target: Target) -> list[str]:
    """The pods of a hook: itself, or those of its job."""
    if target.resource.kind == "Pod":
        return [target.name]
    if target.resource.kind != "Job":
        return []
    listed = await session.client.list(
        kinds.of("v1", "Pod"), session.namespace, label_selector=f"job-name={target.name}"
    )
    return [item["metadata"]["name"] for item in listed.get("items") or ()]


async def logs(session: Session, pod: str) -> str:
    """The logs of a pod's containers, one after the other."""
    found = await session.client.get(kinds.of("v1", "Pod"), pod, session.namespace)
    parts = []
    for container in found["spec"]["containers"]:
        raw = await session.client.raw(
            "GET",
            kinds.of("v1", "Pod").path(session.namespace, pod, "log"),
            query={"container": container["name"]},
        )
        parts.append(raw.decode(errors="replace"))
    return "".join(parts)
