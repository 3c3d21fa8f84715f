"""Waiting for a release's objects as --wait asks, and telling why when it was in vain."""

from __future__ import annotations

from sampan.apps.helm.actions.options import Common
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import explain, waiting
from sampan.apps.helm.kube.objects import Target


async def until_ready(session: Session, targets: list[Target], common: Common) -> None:
    """Raises HelmError, Timeout; before that it tells what the pods and events of the late ones say."""
    if not common.waits:
        return
    goal = waiting.READY_WITH_JOBS if common.wait_for_jobs else waiting.READY
    try:
        await waiting.until(session.client, targets, goal, common.timeout)
    except HelmError as error:
        named = [target for target in targets if f"resource {target.shown} " in str(error)]
        for line in await explain.why(session.client, named):
            session.tell(line)
        raise
