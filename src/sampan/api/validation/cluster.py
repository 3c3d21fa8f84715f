"""Autoscalers, disruption budgets, leases, priority classes, webhooks, API services.

Source: pkg/apis/{autoscaling,policy,coordination,scheduling,admissionregistration}/validation, kube-aggregator
pkg/apis/apiregistration/validation.
"""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_HIGHEST_PRIORITY: Final = 1_000_000_000  # HighestUserDefinablePriority
_SYSTEM_PRIORITIES: Final = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def horizontal_pod_autoscaler(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if low is not None and low < 1:
        yield error.invalid("spec.minReplicas", low, "must be greater than or equal to 1")
    if high == 0:
        yield error.required("spec.maxReplicas")
    elif high < 0:
        yield error.invalid("spec.maxReplicas", high, "must be greater than or equal to 1")
    if low is not None and high < low:
        yield error.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for name in ("kind", "name"):
        if not target.get(name):
            yield error.required(f"spec.scaleTargetRef.{name}")
        else:
            yield from rules.text_rule(f"spec.scaleTargetRef.{name}", target[name], content.path_segment)
    if "/" not in (target.get("apiVersion") or "") and target.get("kind") != "ReplicationController":
        yield error.invalid(
            "spec.scaleTargetRef.apiVersion",
            target.get("apiVersion") or "",
            "apiVersion must specify API group",
        )
    for place, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric(metric, f"spec.metrics[{place}]")


def _metric(metric: Object, path: str) -> Causes:
    kind = metric.get("type") or ""
    if not kind:
        yield error.required(f"{path}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        yield error.not_supported(f"{path}.type", kind, _SOURCES)
        return
    expected = _SOURCES[kind]
    if metric.get(expected) is None:
        yield error.required(f"{path}.{expected}", "must populate information for the given metric source")
    else:
        yield from _target(metric[expected].get("target") or {}, f"{path}.{expected}.target")
    for other in _SOURCES.values():
        if other != expected and metric.get(other) is not None:
            yield error.forbidden(f"{path}.{other}", "must populate the given metric source only")


def _target(target: Object, path: str) -> Causes:
    kind = target.get("type") or ""
    if not kind:
        yield error.required(f"{path}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield error.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        found = rules.amount(target[name]) if target.get(name) is not None else None
        if found is not None and found.nanos <= 0:
            yield error.invalid(f"{path}.{name}", str(found), "must be positive")
    percent = target.get("averageUtilization")
    if percent is not None and percent < 1:
        yield error.invalid(f"{path}.averageUtilization", percent, "must be greater than 0")


def pod_disruption_budget(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield error.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        yield from rules.int_or_percent(f"spec.{name}", spec.get(name))
        yield from rules.at_most_whole(f"spec.{name}", spec.get(name))
    yield from rules.label_selector("spec.selector", spec.get("selector"))
    yield from rules.one_of(
        "spec.unhealthyPodEvictionPolicy",
        spec.get("unhealthyPodEvictionPolicy"),
        ("AlwaysAllow", "IfHealthyBudget"),
        required=False,
    )


def lease(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        yield error.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    if transitions is not None and transitions < 0:
        yield error.invalid("spec.leaseTransitions", transitions, rules.NEGATIVE)


def priority_class(obj: Object) -> Causes:
    name, value = (obj.get("metadata") or {}).get("name") or "", obj.get("value") or 0
    if name.startswith("system-"):
        if _SYSTEM_PRIORITIES.get(name) != value or obj.get("globalDefault"):
            yield error.forbidden(
                "metadata.name",
                "priority class names with 'system-' prefix are reserved for system use only. error: "
                f"{name} is not a known system priority class",
            )
    elif value > _HIGHEST_PRIORITY:
        yield error.forbidden(
            "value", f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
        )
    yield from rules.one_of(
        "preemptionPolicy", obj.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"), required=False
    )


def priority_class_update(obj: Object, old: Object) -> Causes:
    if (obj.get("value") or 0) != (old.get("value") or 0):
        yield error.forbidden("value", "may not be changed in an update.")
    yield from rules.immutables("", obj, old, "preemptionPolicy")


def webhooks(obj: Object) -> Causes:
    names: set[str] = set()
    for place, hook in enumerate(obj.get("webhooks") or ()):
        at, name = f"webhooks[{place}]", hook.get("name") or ""
        if len(name.split(".")) < 3:
            says = "should be a domain with at least three segments separated by dots"
            yield error.required(f"{at}.name") if not name else error.invalid(f"{at}.name", name, says)
        else:
            wrong = content.dns_subdomain(name)
            if wrong:
                yield error.invalid(f"{at}.name", name, ",".join(wrong))
        if name in names:
            yield error.duplicate(f"{at}.name", name)
        names.add(name)
        if not hook.get("admissionReviewVersions"):
            yield error.required(f"{at}.admissionReviewVersions", "must specify one of v1, v1beta1")
        if hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            yield error.not_supported(f"{at}.sideEffects", hook.get("sideEffects"), ("None", "NoneOnDryRun"))
        yield from rules.one_of(
            f"{at}.failurePolicy", hook.get("failurePolicy"), ("Fail", "Ignore"), required=False
        )
        seconds = hook.get("timeoutSeconds")
        if seconds is not None and not 1 <= seconds <= 30:
            yield error.invalid(
                f"{at}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"
            )
        yield from rules.label_selector(f"{at}.namespaceSelector", hook.get("namespaceSelector"))
        yield from rules.label_selector(f"{at}.objectSelector", hook.get("objectSelector"))
        yield from _client(hook.get("clientConfig") or {}, f"{at}.clientConfig")


def _client(config: Object, path: str) -> Causes:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield error.required(path, "exactly one of url or service is required")
    elif url is not None:
        if not url.startswith("https://"):
            yield error.invalid(
                f"{path}.url",
                url,
                "'https' is the only allowed URL scheme; desired format: https://host[/path]",
            )
    else:
        for name in ("name", "namespace"):
            if not (service or {}).get(name):
                yield error.required(f"{path}.service.{name}", f"service {name} is required")


def api_service(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    group, version = spec.get("group") or "", spec.get("version") or ""
    expected = f"{version}.{group}"
    name = (obj.get("metadata") or {}).get("name") or ""
    if name != expected and (group or name != f"{version}."):
        yield error.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{expected}"')
    if not version:
        yield error.required("spec.version")
    for field in ("groupPriorityMinimum", "versionPriority"):
        value = spec.get(field) or 0
        limit = 20000 if field == "groupPriorityMinimum" else 1000
        if not 0 < value <= limit:
            yield error.invalid(f"spec.{field}", value, f"must be positive and less than {limit}")
    service = spec.get("service")
    if service is not None:
        for field in ("namespace", "name"):
            if not service.get(field):
                yield error.required(f"spec.service.{field}")
