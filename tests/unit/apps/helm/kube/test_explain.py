"""What is told of pods that are not ready, and of events."""

from __future__ import annotations

from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.apps.helm.kube import explain
from sampan.apps.helm.kube.objects import Target
from unit.apps.helm.fakes import FakeCluster, run

POD, EVENT = kinds.of("v1", "Pod"), kinds.of("v1", "Event")


def pod(**status: Any) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "default", "labels": {"app": "web", "job-name": "j"}}
    return {"metadata": meta, "spec": {"containers": [{"name": "c"}]}, "status": status}


def event(name: str, about: str, moment: str, count: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": about},
        "type": "Warning",
        "reason": "R",
        "message": name,
        "count": count,
        "lastTimestamp": moment,
    }


def target(kind: str, api_version: str, name: str, **spec: Any) -> Target:
    resource = kinds.of(api_version, kind)
    return Target(resource, "default", name, {"metadata": {"name": name}, "spec": spec})


DEPLOYMENT = target("Deployment", "apps/v1", "d", selector={"matchLabels": {"app": "web"}})


def test_pods_of_a_workload_and_the_last_events() -> None:
    api = FakeCluster()
    waits = {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    api.put(POD, pod(containerStatuses=[waits]))
    for number in range(5):
        api.put(EVENT, event(f"e{number}", "p", f"2026-01-01T00:00:0{number}Z", number))
    api.put(EVENT, event("foreign", "q", "2026-01-01T00:00:09Z"))
    assert run(explain.why(api, [DEPLOYMENT])) == [  # type: ignore[arg-type]
        "Deployment/default/d: pod p, container c waits: ImagePullBackOff: no such image",
        "Deployment/default/d: Warning R of Pod p: e2 (2 times)",
        "Deployment/default/d: Warning R of Pod p: e3 (3 times)",
        "Deployment/default/d: Warning R of Pod p: e4 (4 times)",
    ]


def test_pods_of_a_job_and_a_pod_itself() -> None:
    api = FakeCluster()
    api.put(POD, pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]))
    line = "pod p is not scheduled: 0/1 nodes"
    assert run(explain.why(api, [target("Job", "batch/v1", "j")])) == [f"Job/default/j: {line}"]  # type: ignore[arg-type]
    assert run(explain.why(api, [target("Pod", "v1", "p")])) == [f"Pod/default/p: {line}"]  # type: ignore[arg-type]


def test_containers_that_ended_or_are_not_ready() -> None:
    ended = {"exitCode": 3, "reason": "Error"}
    found = pod(
        initContainerStatuses=[{"name": "i", "state": {"terminated": {**ended, "message": "bad"}}}],
        containerStatuses=[
            {"name": "a", "state": {"running": {}}, "lastState": {"terminated": ended}},
            {"name": "b", "state": {"running": {}}, "ready": False},
            {"name": "c", "state": {"running": {}}, "ready": True},
            {"name": "d", "state": {"waiting": {}}},
        ],
    )
    assert list(explain.pod_lines(found)) == [
        "pod p, container i ended with exit code 3: Error: bad",
        "pod p, container a ended with exit code 3: Error",
        "pod p, container b runs and is not ready",
        "pod p, container d waits: no reason given",
    ]


def test_nothing_is_said_where_nothing_can_be_known() -> None:
    api = FakeCluster()
    config_map = target("ConfigMap", "v1", "m")
    assert run(explain.why(api, [config_map, target("Pod", "v1", "none")])) == []  # type: ignore[arg-type]

    async def forbidden(*_: Any, **__: Any) -> Any:
        raise ApiError(403, "Forbidden", "no")

    api.list = forbidden  # type: ignore[method-assign]
    assert run(explain.why(api, [DEPLOYMENT])) == []  # type: ignore[arg-type]
