"""Workload kinds other than pods, autoscalers and disruption budgets."""

from __future__ import annotations

from typing import Any

from sampan.api.table import cells as shared
from sampan.api.table import duration
from sampan.api.table.model import Object, Printer, columns, field, items, name, number, text
from sampan.api.table.pods import PODS

_WIDE = ("Containers+", "Images+", "Selector+")


def _template(found: Object) -> list[str]:
    template = field(found, "spec", "template")
    return [*shared.containers(template), shared.selector(field(found, "spec", "selector"))]


def _deployment(found: Object, now: float) -> list[Any]:
    status = field(found, "status")
    return [
        name(found),
        f"{number(status, 'readyReplicas')}/{number(found, 'spec', 'replicas')}",
        number(status, "updatedReplicas"),
        number(status, "availableReplicas"),
        shared.age(found, now),
        *_template(found),
    ]


def _replica_set(found: Object, now: float) -> list[Any]:
    return [
        name(found),
        number(found, "spec", "replicas"),
        number(found, "status", "replicas"),
        number(found, "status", "readyReplicas"),
        shared.age(found, now),
        *_template(found),
    ]


def _replication_controller(found: Object, now: float) -> list[Any]:
    counts = (("spec", "replicas"), ("status", "replicas"), ("status", "readyReplicas"))
    return [
        name(found),
        *(number(found, *path) for path in counts),
        shared.age(found, now),
        *shared.containers(field(found, "spec", "template")),
        shared.labels(field(found, "spec", "selector")),
    ]


def _stateful_set(found: Object, now: float) -> list[Any]:
    ready = f"{number(found, 'status', 'readyReplicas')}/{number(found, 'spec', 'replicas')}"
    return [name(found), ready, shared.age(found, now), *shared.containers(field(found, "spec", "template"))]


def _daemon_set(found: Object, now: float) -> list[Any]:
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        name(found),
        *(number(found, "status", count) for count in counts),
        shared.labels(field(found, "spec", "template", "spec", "nodeSelector")),
        shared.age(found, now),
        *_template(found),
    ]


_JOB_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job_state(found: Object) -> str:
    deleting = field(found, "metadata", "deletionTimestamp") is not None
    for kind, shown in _JOB_STATES:
        if shared.is_true(found, kind) if kind else deleting:
            return shown
    return "Running"


def _job(found: Object, now: float) -> list[Any]:
    done, wanted = number(found, "status", "succeeded"), field(found, "spec", "completions")
    parallelism = number(found, "spec", "parallelism")
    completions = f"{done}/{wanted}" if wanted is not None else f"{done}/1"
    if wanted is None and parallelism > 1:
        completions += f" of {parallelism}"
    start = duration.seconds_of(field(found, "status", "startTime"))
    end = duration.seconds_of(field(found, "status", "completionTime"))
    took = "" if start is None else duration.human((now if end is None else end) - start)
    return [name(found), _job_state(found), completions, took, shared.age(found, now), *_template(found)]


def _cron_job(found: Object, now: float) -> list[Any]:
    suspend, last = field(found, "spec", "suspend"), field(found, "status", "lastScheduleTime")
    job = field(found, "spec", "jobTemplate") or {}
    return [
        name(found),
        text(found, "spec", "schedule"),
        text(found, "spec", "timeZone") or shared.NONE,
        shared.UNSET if suspend is None else str(bool(suspend)),
        len(items(found, "status", "active")),
        shared.NONE if last is None else duration.since(last, now),
        shared.age(found, now),
        *_template(job),
    ]


def _pod_template(found: Object, now: float) -> list[Any]:
    template = field(found, "template")
    return [name(found), *shared.containers(template), shared.labels(field(template, "metadata", "labels"))]


def _controller_revision(found: Object, now: float) -> list[Any]:
    owner = next((one for one in items(found, "metadata", "ownerReferences") if one.get("controller")), None)
    shown = shared.NONE
    if owner is not None:
        group = text(owner, "apiVersion").rpartition("/")[0]
        kind = f"{text(owner, 'kind')}.{group}" if group else text(owner, "kind")
        shown = f"{kind.lower()}/{text(owner, 'name')}"
    return [name(found), shown, number(found, "revision"), shared.age(found, now)]


def _disruption_budget(found: Object, now: float) -> list[Any]:
    limits = (field(found, "spec", limit) for limit in ("minAvailable", "maxUnavailable"))
    return [
        name(found),
        *("N/A" if limit is None else str(limit) for limit in limits),
        number(found, "status", "disruptionsAllowed"),
        shared.age(found, now),
    ]


def _autoscaler(found: Object, now: float) -> list[Any]:
    target, least = field(found, "spec", "scaleTargetRef"), field(found, "spec", "minReplicas")
    return [
        name(found),
        f"{text(target, 'kind')}/{text(target, 'name')}",
        _metrics(found),
        shared.or_unset(least),
        number(found, "spec", "maxReplicas"),
        number(found, "status", "currentReplicas"),
        shared.age(found, now),
    ]


def _metrics(found: Object) -> str:
    """Two of the metrics at most, current/target each; autoscaling/v1 has CPU utilization alone."""
    percent = field(found, "spec", "targetCPUUtilizationPercentage")
    if percent is not None:
        current = field(found, "status", "currentCPUUtilizationPercentage")
        return f"cpu: {'<unknown>' if current is None else f'{current}%'}/{percent}%"
    specs, statuses = items(found, "spec", "metrics"), items(found, "status", "currentMetrics")
    if not specs:
        return shared.NONE
    shown = [
        _metric(spec, statuses[index] if index < len(statuses) else None) for index, spec in enumerate(specs)
    ]
    more = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""
    return ", ".join(shown[:2]) + more


_METRIC_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _metric(spec: Any, status: Any) -> str:
    kind = _METRIC_FIELDS.get(text(spec, "type"))
    if kind is None:
        return "<unknown type>"
    source, current = field(spec, kind), field(status, kind, "current")
    average = field(source, "target", "averageValue")
    if kind in ("resource", "containerResource"):
        if average is not None:
            return f"{text(source, 'name')}: {_value(current, 'averageValue')}/{average}"
        percent, target = field(current, "averageUtilization"), field(source, "target", "averageUtilization")
        shown = "<unknown>" if percent is None else f"{percent}%"
        return f"{text(source, 'name')}: {shown}/{'<auto>' if target is None else f'{target}%'}"
    if average is not None:
        suffix = "" if kind == "pods" else " (avg)"
        return f"{_value(current, 'averageValue')}/{average}{suffix}"
    return f"{_value(current, 'value')}/{field(source, 'target', 'value')}"


def _value(current: Any, key: str) -> str:
    value = field(current, key)
    return "<unknown>" if value is None else str(value)


PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "pods"): PODS,
    ("", "podtemplates"): Printer(columns("Name", "Containers", "Images", "Pod Labels"), _pod_template),
    ("", "replicationcontrollers"): Printer(
        columns("Name", "Desired:integer", "Current:integer", "Ready:integer", "Age", *_WIDE), _replication_controller
    ),
    ("apps", "controllerrevisions"): Printer(columns("Name", "Controller", "Revision", "Age"), _controller_revision),
    ("apps", "daemonsets"): Printer(
        columns(
            "Name", "Desired:integer", "Current:integer", "Ready:integer", "Up-to-date:integer",
            "Available:integer", "Node Selector", "Age", *_WIDE,
        ),
        _daemon_set,
    ),
    ("apps", "deployments"): Printer(
        columns("Name", "Ready", "Up-to-date", "Available", "Age", *_WIDE), _deployment
    ),
    ("apps", "replicasets"): Printer(
        columns("Name", "Desired:integer", "Current:integer", "Ready:integer", "Age", *_WIDE), _replica_set
    ),
    ("apps", "statefulsets"): Printer(columns("Name", "Ready", "Age", "Containers+", "Images+"), _stateful_set),
    ("autoscaling", "horizontalpodautoscalers"): Printer(
        columns("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"), _autoscaler
    ),
    ("batch", "cronjobs"): Printer(
        columns(
            "Name", "Schedule", "Timezone", "Suspend:boolean", "Active:integer", "Last Schedule", "Age", *_WIDE
        ),
        _cron_job,
    ),
    ("batch", "jobs"): Printer(
        columns("Name", "Status", "Completions", "Duration", "Age", *_WIDE), _job
    ),
    ("policy", "poddisruptionbudgets"): Printer(
        columns("Name", "Min Available", "Max Unavailable", "Allowed Disruptions:integer", "Age"), _disruption_budget
    ),
}  # fmt: skip
