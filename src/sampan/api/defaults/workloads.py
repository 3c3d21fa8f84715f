"""Defaults of pods and of what makes pods.

Source: pkg/apis/core/v1, apps/v1 and batch/v1 defaults.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.defaults.pods import claim_spec, pod_spec
from sampan.api.defaults.setting import Object, child, empty, items, requirements, resource_list, unset

_NEVER_BY_COUNT: Final = 2**31 - 1  # math.MaxInt32


def pod(obj: Object) -> None:
    spec = child(obj, "spec")
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for kind in ("containers", "initContainers"):
        for container in items(spec, kind):
            _requests_from_limits(container)
    unset(spec, enableServiceLinks=True)
    if spec.get("hostNetwork"):
        for kind in ("containers", "initContainers"):
            for container in items(spec, kind):
                for port in items(container, "ports"):
                    empty(port, hostPort=port.get("containerPort"))
    pod_spec(spec)
    _pod_status(child(obj, "status"))


def _requests_from_limits(container: Object) -> None:
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if limits:
        requests = child(resources, "requests")
        for name, amount in limits.items():
            requests.setdefault(name, amount)


def _pod_status(status: Object) -> None:
    address, addresses = status.get("podIP"), status.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        status["podIP"] = addresses[0].get("ip")
    for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for found in items(status, kind):
            resource_list(found.get("allocatedResources"))
            requirements(found.get("resources"))


def _template(spec: Object) -> None:
    pod_spec(child(child(spec, "template"), "spec"))


def pod_template(obj: Object) -> None:
    _template(obj)


def replication_controller(obj: Object) -> None:
    spec = child(obj, "spec")
    template = spec.get("template")
    labels = ((template or {}).get("metadata") or {}).get("labels")
    if labels:
        empty(spec, selector=dict(labels))
        empty(child(obj, "metadata"), labels=dict(labels))
    unset(spec, replicas=1)
    if template is not None:
        pod_spec(child(template, "spec"))


def replica_set(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(spec, replicas=1)
    _template(spec)


def deployment(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = child(spec, "strategy")
    empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        unset(child(strategy, "rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
    _template(spec)


def daemon_set(obj: Object) -> None:
    spec = child(obj, "spec")
    strategy = child(spec, "updateStrategy")
    empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        unset(child(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
    unset(spec, revisionHistoryLimit=10)
    _template(spec)


def stateful_set(obj: Object) -> None:
    spec = child(obj, "spec")
    empty(spec, podManagementPolicy="OrderedReady")
    strategy = child(spec, "updateStrategy")
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        child(strategy, "rollingUpdate")
    if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        unset(strategy["rollingUpdate"], partition=0, maxUnavailable=1)
    empty(child(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
    unset(spec, replicas=1, revisionHistoryLimit=10)
    _template(spec)
    for claim in items(spec, "volumeClaimTemplates"):
        empty(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        empty(child(claim, "status"), phase="Pending")
        claim_spec(child(claim, "spec"))


def _job_spec(spec: Object) -> None:
    for rule in items(spec.get("podFailurePolicy") or {}, "rules"):
        for pattern in items(rule, "onPodConditions"):
            empty(pattern, status="True")
    _template(spec)


def job(obj: Object) -> None:
    spec = child(obj, "spec")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    unset(
        spec,
        parallelism=1,
        backoffLimit=6 if spec.get("backoffLimitPerIndex") is None else _NEVER_BY_COUNT,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed",
        manualSelector=False,
    )
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels:
        empty(child(obj, "metadata"), labels=dict(labels))
    _job_spec(spec)


def cron_job(obj: Object) -> None:
    spec = child(obj, "spec")
    empty(spec, concurrencyPolicy="Allow")
    unset(spec, suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    _job_spec(child(child(spec, "jobTemplate"), "spec"))
