"""Waiting: what ends it, and what it says when it was in vain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError, Timeout
from sampan.apps.helm.kube import waiting
from sampan.apps.helm.kube.objects import Target
from sampan.apps.helm.kube.waiting import ENDED, GONE, READY, READY_WITH_JOBS, Goal
from sampan.client.rest import Unreachable
from unit.apps.helm.fakes import FakeCluster, finished, run

JOB, POD, MAP = kinds.of("batch/v1", "Job"), kinds.of("v1", "Pod"), kinds.of("v1", "ConfigMap")


def target(resource: Any, name: str = "x", **more: Any) -> Target:
    meta = {"name": name, "namespace": "default"}
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **more}
    return Target(resource, "default", name, obj)


async def until(api: FakeCluster, targets: list[Target], goal: Goal, timeout: float = 0.05) -> None:
    await waiting.until(api, targets, goal, timeout)  # type: ignore[arg-type]


def test_nothing_to_wait_for() -> None:
    run(until(FakeCluster(), [], READY))


def test_what_is_ready_already() -> None:
    api = FakeCluster()
    api.put(MAP, target(MAP).obj)
    run(until(api, [target(MAP)], READY))


def test_a_change_ends_the_wait() -> None:
    api = FakeCluster()
    api.put(JOB, target(JOB).obj)

    async def work() -> None:
        task = asyncio.create_task(until(api, [target(JOB), target(MAP)], READY_WITH_JOBS, 5.0))
        await asyncio.sleep(0.01)
        obj = target(JOB).obj
        finished(obj)
        api.put(JOB, obj)
        api.put(MAP, target(MAP).obj)
        await task

    run(work())


def test_jobs_count_on_request_alone() -> None:
    api = FakeCluster()
    api.put(JOB, {**target(JOB).obj, "status": {"startTime": "t", "active": 1}})
    run(until(api, [target(JOB)], READY))
    with pytest.raises(
        Timeout, match=r"resource Job/default/x not ready\. status: InProgress, message: Job in progress"
    ):
        run(until(api, [target(JOB)], READY_WITH_JOBS))


def test_every_late_one_is_named() -> None:
    api = FakeCluster()
    api.put(POD, target(POD).obj)
    with pytest.raises(Timeout) as caught:
        run(until(api, [target(POD), target(MAP)], READY))
    assert str(caught.value) == (
        "resource Pod/default/x not ready. status: InProgress, message: Pod phase not available\n"
        "resource ConfigMap/default/x not ready. status: NotFound, message: Resource not found\n"
        "context deadline exceeded"
    )
    assert len(caught.value.reasons) == 2


def test_a_failure_ends_it_at_once() -> None:
    api = FakeCluster()
    api.put(POD, {**target(POD).obj, "status": {"phase": "Failed"}})
    with pytest.raises(HelmError) as caught:
        run(until(api, [target(POD)], ENDED, 5.0))
    assert str(caught.value) == "resource Pod/default/x not ready. status: Failed, message: pod x failed"


def test_hooks_of_other_kinds_are_done_when_they_are_there() -> None:
    api = FakeCluster()
    api.put(MAP, target(MAP).obj)
    run(until(api, [target(MAP)], ENDED))


def test_until_gone() -> None:
    api = FakeCluster()
    api.put(MAP, target(MAP).obj)
    with pytest.raises(
        Timeout, match=r"resource ConfigMap/default/x still exists\. status: Current, message: Resource"
    ):
        run(until(api, [target(MAP)], GONE))

    async def work() -> None:
        task = asyncio.create_task(until(api, [target(MAP)], GONE, 5.0))
        await asyncio.sleep(0.01)
        api.remove(MAP, "x", "default")
        await task

    run(work())


def test_paused_deployments_are_passed_over() -> None:
    paused = target(kinds.of("apps/v1", "Deployment"), spec={"paused": True})
    run(until(FakeCluster(), [paused], READY))


def test_it_goes_on_after_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeCluster()
    api.put(MAP, target(MAP).obj)
    failures: list[Exception] = [Unreachable("gone"), ApiError(410, "Expired", "too old")]
    plain = api.list

    async def shaky(*args: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return await plain(*args, **options)

    monkeypatch.setattr(api, "list", shaky)
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.0)
    run(until(api, [target(MAP)], READY, 5.0))
    assert failures == []


def test_what_may_not_be_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeCluster()

    async def forbidden(*_: Any, **__: Any) -> Any:
        raise ApiError(403, "Forbidden", "no")

    monkeypatch.setattr(api, "list", forbidden)
    with pytest.raises(ApiError, match="no"):
        run(until(api, [target(MAP)], READY, 5.0))


def test_verdicts_that_come_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod that cannot be scheduled has failed after a while, without any news of it."""
    api = FakeCluster()
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    meta = {"name": "x", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    api.put(POD, {"metadata": meta, "status": {"phase": "Pending", "conditions": conditions}})
    moments = iter([1_767_225_601.0] * 2)
    monkeypatch.setattr(waiting.time, "time", lambda: next(moments, 1_767_225_700.0))
    monkeypatch.setattr(waiting, "LOOK_AGAIN_SECONDS", 0.01)
    with pytest.raises(HelmError, match="message: Pod could not be scheduled"):
        run(until(api, [target(POD)], READY, 5.0))
