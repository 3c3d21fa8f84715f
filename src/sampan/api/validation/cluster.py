"""Disruption budgets, leases, priority and runtime classes, webhooks, API services.

Source: pkg/apis/{policy,coordination,scheduling,node,admissionregistration}/validation, kube-aggregator
pkg/apis/apiregistration/validation.
"""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import pods, resources, rules
from sampan.api.validation.rules import Causes, Object

_HIGHEST_PRIORITY: Final = 1_000_000_000  # HighestUserDefinablePriority
_SYSTEM_PRIORITIES: Final = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


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


def runtime_class(obj: Object) -> Causes:
    handler = obj.get("handler") or ""
    if not handler:
        yield error.required("handler")
    else:
        yield from rules.text_rule("handler", handler, content.dns_label)
    fixed = (obj.get("overhead") or {}).get("podFixed")
    if fixed:
        yield from resources.requirements({"limits": fixed}, "overhead")
    scheduling = obj.get("scheduling") or {}
    yield from rules.labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
    found = scheduling.get("tolerations") or []
    yield from pods.tolerations(found, "scheduling.tolerations")
    for place, toleration in enumerate(found):
        if toleration in found[:place]:
            yield error.duplicate(f"scheduling.tolerations[{place}]", toleration)


def runtime_class_update(obj: Object, old: Object) -> Causes:
    if obj.get("handler") != old.get("handler"):
        yield error.invalid("handler", None, rules.IMMUTABLE)


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
