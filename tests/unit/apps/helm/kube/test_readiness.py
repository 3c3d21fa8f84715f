"""When an object counts as ready: a table of kstatus' verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.apps.helm.kube.readiness import State, compute, is_paused, job_done, pod_done

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def obj(
    kind: str, api_version: str = "v1", meta: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **(meta or {})}, **more}


def conditions(*pairs: tuple[str, str], **more: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": status, **more} for kind, status in pairs]


def deployment(
    wanted: int = 2, meta: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **status: Any
) -> dict[str, Any]:
    return obj("Deployment", "apps/v1", meta, spec={"replicas": wanted, **(spec or {})}, status=status)


ALL_UP = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
AVAILABLE = conditions(("Available", "True"))
ROLLED_OUT = [*AVAILABLE, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]


def stateful(spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    return obj("StatefulSet", "apps/v1", spec={"replicas": 2, **spec}, status=status)


def daemon(**status: Any) -> dict[str, Any]:
    return obj("DaemonSet", "apps/v1", {"generation": 1}, status={"observedGeneration": 1, **status})


def pod(
    phase: str, *conds: tuple[str, str], meta: dict[str, Any] | None = None, **status: Any
) -> dict[str, Any]:
    return obj("Pod", meta=meta, status={"phase": phase, "conditions": conditions(*conds), **status})


CURRENT, PROGRESS, FAILED = State.CURRENT, State.IN_PROGRESS, State.FAILED
WAITING = [
    {"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
    {"name": "b", "state": {"running": {}}},
]
YOUNG, OLD = {"creationTimestamp": "2025-12-31T23:59:50Z"}, {"creationTimestamp": "2025-12-31T23:59:40Z"}
UNSCHEDULABLE = {"conditions": conditions(("PodScheduled", "False"), reason="Unschedulable")}

TABLE: list[tuple[dict[str, Any], State, str]] = [
    (deployment(), PROGRESS, "Replicas: 0/2"),
    (deployment(replicas=2), PROGRESS, "Updated: 0/2"),
    (deployment(replicas=3, updatedReplicas=2), PROGRESS, "Pending termination: 1"),
    (deployment(replicas=2, updatedReplicas=2, availableReplicas=1), PROGRESS, "Available: 1/2"),
    (deployment(replicas=2, updatedReplicas=2, availableReplicas=2, readyReplicas=1), PROGRESS, "Ready: 1/2"),
    (deployment(**ALL_UP), PROGRESS, "Deployment not Available"),
    (deployment(**ALL_UP, conditions=AVAILABLE), CURRENT, "Deployment is available. Replicas: 2"),
    (deployment(spec={"progressDeadlineSeconds": 600}, **ALL_UP, conditions=AVAILABLE), PROGRESS, "ReplicaSet not Available"),
    (deployment(spec={"progressDeadlineSeconds": 600}, **ALL_UP, conditions=ROLLED_OUT), CURRENT, "Deployment is available. Replicas: 2"),
    (deployment(conditions=conditions(("Progressing", "False"), reason="ProgressDeadlineExceeded")), FAILED, "Progress deadline exceeded"),
    (deployment(0, conditions=AVAILABLE), CURRENT, "Deployment is available. Replicas: 0"),
    (deployment(meta={"generation": 3}, observedGeneration=2), PROGRESS, "Deployment generation is 3, but latest observed generation is 2"),
    (deployment(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), State.TERMINATING, "Resource scheduled for deletion"),
    (stateful({"updateStrategy": {"type": "OnDelete"}}), CURRENT, "StatefulSet is using the ondelete update strategy"),
    (stateful({}), PROGRESS, "Replicas: 0/2"),
    (stateful({}, replicas=2, readyReplicas=1), PROGRESS, "Ready: 1/2"),
    (stateful({}, replicas=3, readyReplicas=3), PROGRESS, "Pending termination: 1"),
    (stateful({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, replicas=2, readyReplicas=2), PROGRESS, "updated: 0/1"),
    (stateful({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, replicas=2, readyReplicas=2, updatedReplicas=1), CURRENT, "Partition rollout complete. updated: 1"),
    (stateful({}, replicas=2, readyReplicas=2, currentReplicas=1), PROGRESS, "current: 1/2"),
    (stateful({}, replicas=2, readyReplicas=2, currentReplicas=2, currentRevision="a", updateRevision="b"), PROGRESS, "Waiting for updated revision to match current"),
    (stateful({}, replicas=2, readyReplicas=2, currentReplicas=2, currentRevision="b", updateRevision="b"), CURRENT, "All replicas scheduled as expected. Replicas: 2"),
    (obj("DaemonSet", "apps/v1"), PROGRESS, "DaemonSet metadata.generation not found"),
    (obj("DaemonSet", "apps/v1", {"generation": 1}), PROGRESS, "DaemonSet status.observedGeneration not found"),
    (daemon(), PROGRESS, "Missing .status.desiredNumberScheduled"),
    (daemon(desiredNumberScheduled=2, currentNumberScheduled=1), PROGRESS, "Current: 1/2"),
    (daemon(desiredNumberScheduled=2, currentNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2), PROGRESS, "Ready: 0/2"),
    (daemon(desiredNumberScheduled=0), CURRENT, "All replicas scheduled as expected. Replicas: 0"),
    (obj("ReplicaSet", "apps/v1", status={"conditions": conditions(("ReplicaFailure", "True"))}), PROGRESS, "Replica Failure condition. Check Pods"),
    (obj("ReplicaSet", "apps/v1", spec={"replicas": 1}, status={"fullyLabeledReplicas": 1}), PROGRESS, "Available: 0/1"),
    (obj("ReplicaSet", "apps/v1", spec={"replicas": 0}, status={"replicas": 1}), PROGRESS, "Pending termination: 1"),
    (obj("ReplicaSet", "apps/v1", spec={"replicas": 0}), CURRENT, "ReplicaSet is available. Replicas: 0"),
    (obj("Pod"), PROGRESS, "Pod phase not available"),
    (pod("Pending"), PROGRESS, "Pod is in the Pending phase"),
    (obj("Pod", meta=YOUNG, status={"phase": "Pending", **UNSCHEDULABLE}), PROGRESS, "Pod has not been scheduled"),
    (obj("Pod", meta=OLD, status={"phase": "Pending", **UNSCHEDULABLE}), FAILED, "Pod could not be scheduled"),
    (pod("Running"), PROGRESS, "Pod is running but is not Ready"),
    (pod("Running", containerStatuses=WAITING), FAILED, "Containers in CrashLoop state: a"),
    (pod("Running", ("Ready", "True")), CURRENT, "Pod is Ready"),
    (pod("Succeeded"), CURRENT, "Pod has completed successfully"),
    (pod("Failed"), CURRENT, "Pod has completed, but not successfully"),
    (obj("PersistentVolumeClaim"), PROGRESS, "PVC is not Bound. phase: unknown"),
    (obj("PersistentVolumeClaim", status={"phase": "Bound"}), CURRENT, "PVC is Bound"),
    (obj("Service", spec={"type": "LoadBalancer"}), PROGRESS, "ClusterIP not set. Service type: LoadBalancer"),
    (obj("Service", spec={"type": "ClusterIP"}), CURRENT, "Service is ready"),
    (obj("Secret"), CURRENT, "Resource is always ready"),
    (obj("Job", "batch/v1"), PROGRESS, "Job not started"),
    (obj("Job", "batch/v1", status={"startTime": "t", "active": 1}), CURRENT, "Job in progress. success:0, active: 1, failed: 0"),
    (obj("Job", "batch/v1", spec={"completions": 3}, status={"succeeded": 3, "conditions": conditions(("Complete", "True"))}), CURRENT, "Job Completed. succeeded: 3/3"),
    (obj("Job", "batch/v1", status={"failed": 2, "conditions": conditions(("Failed", "True"))}), FAILED, "Job Failed. failed: 2/1"),
    (obj("CustomResourceDefinition", "apiextensions.k8s.io/v1"), PROGRESS, "Install in progress"),
    (obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", status={"conditions": conditions(("NamesAccepted", "False"), message="taken")}), FAILED, "taken"),
    (obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", status={"conditions": conditions(("Established", "True"))}), CURRENT, "CRD is established"),
    (obj("Gadget", "example.com/v1"), CURRENT, "Resource is current"),
    (obj("Gadget", "example.com/v1", status={"conditions": conditions(("Ready", "False"), message="warming up")}), PROGRESS, "warming up"),
    (obj("Gadget", "example.com/v1", status={"conditions": conditions(("Ready", "True"))}), CURRENT, "Resource is Ready"),
    (obj("Gadget", "example.com/v1", status={"conditions": conditions(("Stalled", "True"), message="no way")}), FAILED, "no way"),
    (obj("Gadget", "example.com/v1", status={"conditions": conditions(("Reconciling", "True"), message="on it")}), PROGRESS, "on it"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "state", "message"), TABLE, ids=[f"{o['kind']}: {m}" for o, _, m in TABLE])
def test_verdicts(found: dict[str, Any], state: State, message: str) -> None:
    assert compute(found, NOW) == (state, message)


def test_jobs_and_pods_that_have_to_end() -> None:
    assert job_done(obj("Job", "batch/v1", status={"startTime": "t"})) == (PROGRESS, "Job in progress")
    assert (
        job_done(obj("Job", "batch/v1", status={"conditions": conditions(("Failed", "True"))})).state
        is FAILED
    )
    assert pod_done(pod("Running")) == (PROGRESS, "Pod in progress")
    assert pod_done(pod("Succeeded")) == (CURRENT, "pod x succeeded")
    assert pod_done(pod("Failed")) == (FAILED, "pod x failed")


def test_paused_deployments_are_not_waited_for() -> None:
    assert is_paused(obj("Deployment", spec={"paused": True}))
    assert not is_paused(obj("Deployment", spec={}))
    assert not is_paused(obj("Gadget", spec={"paused": True}))
