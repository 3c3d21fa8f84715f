"""HorizontalPodAutoscalers. Source: pkg/apis/autoscaling/validation."""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import resources, rules
from sampan.api.validation.rules import Causes, Object

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_ORDER: Final = (
    "object",
    "external",
    "pods",
    "resource",
    "containerResource",
)  # the first one given is looked into
_MAX_PERIOD: Final = 1800
_MAX_WINDOW: Final = 3600


def create(obj: Object) -> Causes:
    yield from _autoscaler(obj, None)


def update(obj: Object, old: Object) -> Causes:
    yield from _autoscaler(obj, old.get("spec") or {})


def _autoscaler(obj: Object, before: Object | None) -> Causes:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if low is not None and low < 0:
        yield error.invalid("spec.minReplicas", low, rules.NEGATIVE)
    if high == 0:
        yield error.required("spec.maxReplicas")
    elif high < 0:
        yield error.invalid("spec.maxReplicas", high, "must be greater than or equal to 1")
    if low is not None and high < low:
        yield error.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    target, past = spec.get("scaleTargetRef") or {}, (before or {}).get("scaleTargetRef") or {}
    yield from _reference(target, "spec.scaleTargetRef")
    same = before is not None and all(target.get(name) == past.get(name) for name in ("apiVersion", "kind"))
    if not same:
        of_core = target.get("kind") == "ReplicationController"
        yield from _api_version(target, "spec.scaleTargetRef", core=of_core)
    metrics = spec.get("metrics") or []
    for place, metric in enumerate(metrics):
        yield from _metric(metric, f"spec.metrics[{place}]")
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        yield error.forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
        )
    for name in ("scaleUp", "scaleDown"):
        found = (spec.get("behavior") or {}).get(name)
        if found is not None:
            yield from _scaling(found, f"spec.behavior.{name}")


def _reference(reference: Object, path: str) -> Causes:
    for name in ("kind", "name"):
        if not reference.get(name):
            yield error.required(f"{path}.{name}")
        else:
            yield from rules.text_rule(f"{path}.{name}", reference[name], content.path_segment)


def _api_version(reference: Object, path: str, *, core: bool) -> Causes:
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        yield error.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif "/" not in version and not core:
        yield error.invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: Object, path: str) -> Causes:
    kind = metric.get("type") or ""
    if not kind:
        yield error.required(f"{path}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        yield error.not_supported(f"{path}.type", kind, _SOURCES)
    given = [name for name in _ORDER if metric.get(name) is not None]
    if given:
        yield from _source(given[0], metric[given[0]], f"{path}.{given[0]}")
    expected = _SOURCES.get(kind)
    if expected is not None and expected not in given:
        yield error.required(f"{path}.{expected}", "must populate information for the given metric source")
    if len(given) != 1:
        for name in given:
            if name != expected:
                yield error.forbidden(f"{path}.{name}", "must populate the given metric source only")


def _source(kind: str, source: Object, path: str) -> Causes:
    target = source.get("target") or {}
    at = f"{path}.target"
    if kind == "object":
        described = source.get("describedObject") or {}
        yield from _reference(described, f"{path}.describedObject")
        yield from _api_version(described, f"{path}.describedObject", core=True)
    if kind in ("object", "external", "pods"):
        yield from _identifier(source.get("metric") or {}, f"{path}.metric")
    else:
        yield from _resource(source, path, of_container=kind == "containerResource")
    yield from _target(target, at)
    value, average = target.get("value") is not None, target.get("averageValue") is not None
    percent = target.get("averageUtilization") is not None
    if kind == "pods" and not average:
        yield error.required(f"{at}.averageValue", "must specify a positive target averageValue")
    elif kind == "object" and not value and not average:
        yield error.required(f"{at}.averageValue", "must set either a target value or averageValue")
    elif kind == "external" and value == average:
        both = "both a target value for metric and a per-pod target"
        either = "either a target value for metric or a per-pod target"
        if value:
            yield error.forbidden(f"{at}.value", f"may not set {both}")
        else:
            yield error.required(f"{at}.averageValue", f"must set {either}")
    elif kind in ("resource", "containerResource") and percent == average:
        if percent:
            text = "may not set both a target raw value and a target utilization"
            yield error.forbidden(f"{at}.averageValue", text)
        else:
            text = "must set either a target raw value or a target utilization"
            yield error.required(f"{at}.averageUtilization", text)


def _identifier(metric: Object, path: str) -> Causes:
    if not metric.get("name"):
        yield error.required(f"{path}.name", "must specify a metric name")
    else:
        yield from rules.text_rule(f"{path}.name", metric["name"], content.path_segment)


def _resource(source: Object, path: str, *, of_container: bool) -> Causes:
    if not source.get("name"):
        yield error.required(f"{path}.name", "must specify a resource name")
    elif of_container:
        yield from resources.of_container(source["name"], f"{path}.name")
    if not of_container:
        return
    if not source.get("container"):
        yield error.required(f"{path}.container", "must specify a container")
    else:
        yield from rules.text_rule(f"{path}.container", source["container"], content.dns_label)


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


def _scaling(found: Object, path: str) -> Causes:
    window = found.get("stabilizationWindowSeconds")
    if window is not None and not 0 <= window <= _MAX_WINDOW:
        bound = "greater than or equal to zero" if window < 0 else f"less than or equal to {_MAX_WINDOW}"
        yield error.invalid(f"{path}.stabilizationWindowSeconds", window, f"must be {bound}")
    choice = found.get("selectPolicy")
    if choice is not None and choice not in ("Disabled", "Max", "Min"):
        yield error.not_supported(f"{path}.selectPolicy", choice, ("Disabled", "Max", "Min"))
    policies = found.get("policies") or []
    if not policies:
        yield error.required(f"{path}.policies", "must specify at least one Policy")
    for place, policy in enumerate(policies):
        yield from _policy(policy, f"{path}.policies[{place}]")
    if found.get("tolerance") is not None:
        yield from rules.quantity_value(f"{path}.tolerance", found["tolerance"])


def _policy(policy: Object, path: str) -> Causes:
    if policy.get("type") not in ("Pods", "Percent"):
        yield error.not_supported(f"{path}.type", policy.get("type") or "", ("Percent", "Pods"))
    for name in ("value", "periodSeconds"):
        if (policy.get(name) or 0) <= 0:
            yield error.invalid(f"{path}.{name}", policy.get(name) or 0, "must be greater than zero")
    period = policy.get("periodSeconds") or 0
    if period > _MAX_PERIOD:
        yield error.invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {_MAX_PERIOD}")
