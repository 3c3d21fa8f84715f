"""Following objects until they are ready, done or gone.

One watch per resource and namespace, whatever the number of objects. helm 4.3 pkg/kube/statuswait.go for the texts and
for what ends the wait: everything as desired, or an object that failed for good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from sampan.api.kinds import Resource
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError, Timeout
from sampan.apps.helm.kube.objects import Target
from sampan.apps.helm.kube.readiness import State, Status, compute, is_paused, job_done, pod_done
from sampan.client.rest import Client, Unreachable

Object = Mapping[str, Any]
Judge = Callable[[Target, Object], Status]

PAUSE_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0
"""Objects are judged again without news of them: some verdicts come with time alone."""
DEFAULT_SECONDS = 30.0
"""What a time-out of 0 means: helm pkg/kube/statuswait.go DefaultStatusWatcherTimeout."""

_ABSENT = Status(State.NOT_FOUND, "Resource not found")


class Goal(NamedTuple):
    """What is waited for: `judge` gives an object's state, `desired` is the one to reach, `late` says it was not."""

    judge: Judge
    desired: State
    late: str


def _up(_: Target, obj: Object) -> Status:
    return compute(obj, time.time())


def _up_with_jobs(target: Target, obj: Object) -> Status:
    return job_done(obj) if target.resource.kind == "Job" else _up(target, obj)


def _ended(target: Target, obj: Object) -> Status:
    rule = {("batch", "Job"): job_done, ("", "Pod"): pod_done}.get(
        (target.resource.group, target.resource.kind)
    )
    return rule(obj) if rule else Status(State.CURRENT, "Resource is current")


READY = Goal(_up, State.CURRENT, "not ready")
READY_WITH_JOBS = Goal(_up_with_jobs, State.CURRENT, "not ready")
ENDED = Goal(_ended, State.CURRENT, "not ready")
"""For hooks: Jobs and Pods have to end, everything else is done when it is there."""
GONE = Goal(_up, State.NOT_FOUND, "still exists")


async def until(client: Client, targets: list[Target], goal: Goal, timeout: float) -> None:
    """Returns when every target is as desired. Raises HelmError for one that failed, Timeout for those that are late."""
    if goal.desired is State.CURRENT:
        targets = [target for target in targets if not is_paused(target.obj)]
    watch = _Watch(client, [target for target in targets if target.name], goal)
    try:
        async with asyncio.timeout(timeout or DEFAULT_SECONDS):
            await watch.run()
    except TimeoutError:
        lines = watch.late()
        raise Timeout("\n".join((*lines, "context deadline exceeded")), lines) from None


class _Watch:
    """The state of all targets, as one follower per resource and namespace learns it."""

    def __init__(self, client: Client, targets: list[Target], goal: Goal) -> None:
        self._client = client
        self._goal = goal
        self._targets = {target.key: target for target in targets}
        self._seen: dict[tuple[str, str, str, str], Object | None] = {}
        self._finished = asyncio.Event()

    async def run(self) -> None:
        groups: dict[tuple[Resource, str], list[Target]] = {}
        for target in self._targets.values():
            groups.setdefault((target.resource, target.namespace), []).append(target)
        if not groups:
            return
        followers: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._follow(*place, group), name=f"wait/{place[0].plural}")
            for place, group in groups.items()
        ]
        followers.append(asyncio.create_task(self._look_again(), name="wait/again"))
        followers.append(asyncio.create_task(self._finished.wait(), name="wait/finished"))
        try:
            ended, _ = await asyncio.wait(followers, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    def late(self) -> tuple[str, ...]:
        return tuple(
            self._sentence(target, status)
            for target in self._targets.values()
            if (status := self._status(target)).state is not self._goal.desired
        )

    def _status(self, target: Target) -> Status:
        obj = self._seen.get(target.key)
        return self._goal.judge(target, obj) if obj is not None else _ABSENT

    def _sentence(self, target: Target, status: Status) -> str:
        return f"resource {target.shown} {self._goal.late}. status: {status.state.value}, message: {status.message}"

    def _judge(self) -> None:
        """Sets `finished` when all is as desired. Raises HelmError for what failed for good."""
        if len(self._seen) < len(self._targets):
            return
        states = {key: self._status(target) for key, target in self._targets.items()}
        if self._goal.desired is State.CURRENT:
            failed = [
                self._sentence(self._targets[key], status)
                for key, status in states.items()
                if status.state is State.FAILED
            ]
            if failed:
                raise HelmError("\n".join(failed))
        if all(status.state is self._goal.desired for status in states.values()):
            self._finished.set()

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            self._judge()

    async def _follow(self, resource: Resource, namespace: str, group: list[Target]) -> None:
        names = {target.name: target for target in group}
        only = f"metadata.name={group[0].name}" if len(group) == 1 else ""
        async for everything, changes in _changes(self._client, resource, namespace, only):
            for name, target in names.items():
                if everything or name in changes:
                    self._seen[target.key] = changes.get(name)
            self._judge()
        raise AssertionError("unreachable: changes never end")


async def _changes(
    client: Client, resource: Resource, namespace: str, only: str
) -> AsyncIterator[tuple[bool, dict[str, Object | None]]]:
    """First (True, every object by name), then (False, what changed, None for what is gone); again after a break."""
    while True:
        try:
            listed = await client.list(resource, namespace or None, field_selector=only)
            items = listed.get("items") or ()
            yield True, {o["metadata"]["name"]: _whole(o, resource) for o in items}
            version = listed["metadata"]["resourceVersion"]
            while True:
                async for event in client.watch(
                    resource, namespace or None, resource_version=version, field_selector=only
                ):
                    version = event.object["metadata"].get("resourceVersion", version)
                    if event.type == "BOOKMARK":
                        continue
                    gone = event.type == "DELETED"
                    yield (
                        False,
                        {event.object["metadata"]["name"]: None if gone else _whole(event.object, resource)},
                    )
        except Unreachable:
            await asyncio.sleep(PAUSE_SECONDS)
        except ApiError as error:
            if error.code not in (410, 429) and error.code < 500:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


def _whole(obj: Object, resource: Resource) -> Object:
    """Items of a list come without apiVersion and kind."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
