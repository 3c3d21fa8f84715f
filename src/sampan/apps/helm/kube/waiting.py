"""Following objects until they are ready, done or gone; and saying why they are not.

One watch per resource and namespace, whatever the number of objects. helm 4.3 pkg/kube/statuswait.go for the texts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from sampan.api.kinds import Resource
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError, Timeout
from sampan.apps.helm.kube.objects import Target
from sampan.apps.helm.kube.readiness import State, Status, compute, job_done, pod_done
from sampan.client.rest import Client, Unreachable

Object = Mapping[str, Any]
Judge = Callable[[Object | None], Status]
"""Judges an object, None for one that is not there."""

PAUSE_SECONDS = 0.5
_UNSEEN = Status(State.IN_PROGRESS, "Resource not found")


def ready(*, jobs: bool) -> Callable[[Target], Judge]:
    """Judges for --wait; with `jobs` (--wait-for-jobs) jobs have to be complete."""

    def judge(target: Target) -> Judge:
        rule = job_done if jobs and target.resource.kind == "Job" else compute

        def one(obj: Object | None) -> Status:
            return _UNSEEN if obj is None else rule(obj)

        return one

    return judge


def done(target: Target) -> Judge:
    """Judges for hooks: Jobs and Pods have to end, everything else is done when it is there."""
    rules: dict[str, Callable[[Object], Status]] = {"Job": job_done, "Pod": pod_done}
    rule = rules.get(target.resource.kind)

    def one(obj: Object | None) -> Status:
        if obj is None:
            return _UNSEEN
        return rule(obj) if rule else Status(State.CURRENT, "created")

    return one


def gone(_: Target) -> Judge:
    """Judges for deletion."""
    return lambda obj: (
        Status(State.CURRENT, "gone")
        if obj is None
        else Status(State.IN_PROGRESS, "Resource scheduled for deletion")
    )


async def until(
    client: Client,
    targets: list[Target],
    judge: Callable[[Target], Judge],
    timeout: float,
    *,
    fail_fast: bool = True,
) -> None:
    """Returns when every target is Current. Raises HelmError for one that Failed, Timeout for those not ready in time."""
    states: dict[tuple[str, str, str, str], Status] = {}
    groups: dict[tuple[Resource, str], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.resource, target.namespace), []).append(target)
    followers = [
        asyncio.get_running_loop().create_task(
            _follow(client, resource, namespace, group, judge, states, fail_fast),
            name=f"wait/{resource.plural}",
        )
        for (resource, namespace), group in groups.items()
    ]
    try:
        async with asyncio.timeout(timeout):
            await _all(followers)
    except TimeoutError:
        late = [t for t in targets if states.get(t.key, _UNSEEN).state is not State.CURRENT]
        lines = tuple(
            f"resource {t.shown} not ready. status: {s.state.value}, message: {s.message}"
            for t in late
            if (s := states.get(t.key, _UNSEEN))
        )
        raise Timeout("\n".join((*lines, "context deadline exceeded")), lines) from None
    finally:
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    if not tasks:
        return
    finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in finished:
        task.result()


async def _follow(
    client: Client,
    resource: Resource,
    namespace: str,
    group: list[Target],
    judge: Callable[[Target], Judge],
    states: dict[tuple[str, str, str, str], Status],
    fail_fast: bool,
) -> None:
    judges = {target.name: (target, judge(target)) for target in group}
    async for name, obj in _changes(client, resource, namespace):
        for wanted in [name] if name else list(judges):
            if wanted not in judges:
                continue
            target, rule = judges[wanted]
            shown = obj.get(wanted) if not name else obj.get(name)
            status = states[target.key] = rule(shown)
            if status.state is State.FAILED and fail_fast:
                raise HelmError(
                    f"resource {target.shown} not ready. status: {status.state.value}, message: {status.message}"
                )
        if all(states.get(t.key, _UNSEEN).state is State.CURRENT for t in group):
            return


async def _changes(
    client: Client, resource: Resource, namespace: str
) -> AsyncIterator[tuple[str, dict[str, Object]]]:
    """First ("", everything by name), then (name, the object under its name or nothing) for each change."""
    while True:
        try:
            listed = await client.list(resource, namespace or None)
            items = {o["metadata"]["name"]: _whole(o, resource) for o in listed.get("items") or ()}
            yield "", items
            version = listed["metadata"]["resourceVersion"]
            while True:
                async for event in client.watch(resource, namespace or None, resource_version=version):
                    version = event.object["metadata"].get("resourceVersion", version)
                    if event.type == "BOOKMARK":
                        continue
                    name = event.object["metadata"]["name"]
                    yield name, {} if event.type == "DELETED" else {name: _whole(event.object, resource)}
        except Unreachable:
            await asyncio.sleep(PAUSE_SECONDS)
        except ApiError as error:
            if error.code not in (410, 429) and error.code < 500:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


def _whole(obj: Object, resource: Resource) -> Object:
    """Items of a list come without apiVersion and kind."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
