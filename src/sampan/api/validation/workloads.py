"""Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, ControllerRevision.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from sampan.api.field import content, error
from sampan.api.validation import pods, rules
from sampan.api.validation.rules import Causes, Object
from sampan.api.validation.storage import claim_spec

_MISMATCH = "`selector` does not match template `labels`"


def _selector(spec: Object, path: str, kind: str) -> Causes:
    selector = spec.get("selector")
    at = error.child(path, "selector")
    if selector is None:
        yield error.required(at)
        return
    yield from rules.label_selector(at, selector)
    if rules.is_empty(selector):
        yield error.invalid(at, selector, f"empty selector is invalid for {kind}")


def _template_labels(spec: Object, path: str) -> Causes:
    found = rules.compiled(spec.get("selector"))
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if found is None:
        yield error.invalid(error.child(path, "selector"), spec.get("selector"), "invalid label selector")
    elif not found.empty and not found.matches(labels):
        yield error.invalid(error.child(path, "template", "metadata", "labels"), labels, _MISMATCH)


def _always(spec: Object, path: str, kind: str) -> Causes:
    """Pods that are replaced when they end must restart."""
    template = (spec.get("template") or {}).get("spec") or {}
    if template.get("restartPolicy") != "Always":
        yield error.not_supported(
            error.child(path, "restartPolicy"), template.get("restartPolicy", ""), ("Always",)
        )
    if template.get("activeDeadlineSeconds") is not None:
        yield error.forbidden(
            error.child(path, "activeDeadlineSeconds"), f"activeDeadlineSeconds in {kind} is not Supported"
        )


def _replicated_template(spec: Object, path: str) -> Causes:
    yield from _template_labels(spec, path)
    yield from pods.template(spec.get("template") or {}, error.child(path, "template"))
    yield from _always(spec, error.child(path, "template", "spec"), "ReplicaSet")


def deployment(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from rules.nonnegatives("spec", spec, "replicas")
    yield from _selector(spec, "spec", "deployment")
    yield from _replicated_template(spec, "spec")
    yield from _deployment_strategy(spec.get("strategy") or {})
    yield from rules.nonnegatives(
        "spec", spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        yield error.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _deployment_strategy(strategy: Object) -> Causes:
    path, rolling = "spec.strategy", strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate":
        if rolling is not None:
            yield error.forbidden(
                f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
    elif strategy.get("type") == "RollingUpdate":
        if rolling is None:
            yield error.required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")
            return
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from rules.int_or_percent(f"{path}.rollingUpdate.maxUnavailable", unavailable)
        yield from rules.int_or_percent(f"{path}.rollingUpdate.maxSurge", surge)
        if not rules.int_or_percent_value(unavailable) and not rules.int_or_percent_value(surge):
            yield error.invalid(
                f"{path}.rollingUpdate.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"
            )
        yield from rules.at_most_whole(f"{path}.rollingUpdate.maxUnavailable", unavailable)
    else:
        yield error.not_supported(path, strategy, ("Recreate", "RollingUpdate"))


def deployment_update(obj: Object, old: Object) -> Causes:
    yield from deployment(obj)
    yield from rules.immutables("spec", obj["spec"], old["spec"], "selector")


def replica_set(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from rules.nonnegatives("spec", spec, "replicas", "minReadySeconds")
    yield from _selector(spec, "spec", "deployment")  # upstream's word
    yield from _replicated_template(spec, "spec")


def replica_set_update(obj: Object, old: Object) -> Causes:
    yield from replica_set(obj)
    yield from rules.immutables("spec", obj["spec"], old["spec"], "selector")


def replication_controller(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from rules.nonnegatives("spec", spec, "minReadySeconds", "replicas")
    selector = spec.get("selector") or {}
    if not selector:
        yield error.required("spec.selector")
    if spec.get("template") is None:
        yield error.required("spec.template")
        return
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        yield error.invalid("spec.template.metadata.labels", labels, _MISMATCH)
    yield from pods.template(spec["template"], "spec.template")
    yield from _always(spec, "spec.template.spec", "ReplicationController")


def daemon_set(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from rules.label_selector("spec.selector", spec.get("selector"))
    found = rules.compiled(spec.get("selector"))
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if found is not None and not found.matches(labels):
        yield error.invalid("spec.template.metadata.labels", labels, _MISMATCH)
    if spec.get("selector") is not None and rules.is_empty(spec["selector"]):
        yield error.invalid("spec.selector", spec["selector"], "empty selector is invalid for daemonset")
    yield from pods.template(spec.get("template") or {}, "spec.template")
    yield from _always(spec, "spec.template.spec", "DaemonSet")
    yield from rules.nonnegatives("spec", spec, "minReadySeconds", "revisionHistoryLimit")
    yield from _daemon_strategy(spec.get("updateStrategy") or {})


def _daemon_strategy(strategy: Object) -> Causes:
    path = "spec.updateStrategy"
    if strategy.get("type") == "OnDelete":
        return
    if strategy.get("type") != "RollingUpdate":
        yield error.not_supported(path, strategy, ("RollingUpdate", "OnDelete"))
        return
    rolling, at = strategy.get("rollingUpdate"), f"{path}.rollingUpdate"
    if rolling is None:
        yield error.required(at)
        return
    for name in ("maxUnavailable", "maxSurge"):
        yield from rules.int_or_percent(f"{at}.{name}", rolling.get(name))
        yield from rules.at_most_whole(f"{at}.{name}", rolling.get(name))
    unavailable = rules.int_or_percent_value(rolling.get("maxUnavailable"))
    surge = rules.int_or_percent_value(rolling.get("maxSurge"))
    if unavailable and surge:
        yield error.invalid(
            f"{at}.maxSurge", rolling.get("maxSurge"), "may not be set when maxUnavailable is non-zero"
        )
    elif not unavailable and not surge:
        yield error.required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def daemon_set_update(obj: Object, old: Object) -> Causes:
    yield from rules.immutables("spec", obj["spec"], old["spec"], "selector")
    yield from daemon_set(obj)


def stateful_set(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy")
    if not policy:
        yield error.required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield error.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_strategy(spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for name in ("whenDeleted", "whenScaled"):
        if retention and retention.get(name) not in ("Retain", "Delete"):
            yield error.not_supported(
                f"spec.persistentVolumeClaimRetentionPolicy.{name}",
                retention.get(name, ""),
                ("Retain", "Delete"),
            )
    for place, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{place}].spec")
    yield from rules.nonnegatives("spec", spec, "replicas", "minReadySeconds")
    if spec.get("ordinals") is not None:
        yield from rules.nonnegative("spec.ordinals.start", spec["ordinals"].get("start"))
    if spec.get("serviceName"):
        yield from rules.text_rule("spec.serviceName", spec["serviceName"], content.dns_label)
    yield from _selector(spec, "spec", "statefulset")
    yield from _template_labels(spec, "spec")
    yield from pods.template(_with_claims(spec), "spec.template")
    yield from _always(spec, "spec.template.spec", "StatefulSet")


def _with_claims(spec: Object) -> Object:
    """The template as its pods have it: claims are volumes; the controller sets hostname and subdomain."""
    template = dict(spec.get("template") or {})
    inner = {k: v for k, v in (template.get("spec") or {}).items() if k not in ("hostname", "subdomain")}
    names = [
        (claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ()
    ]
    if names:
        claims: list[Any] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
        inner["volumes"] = claims + [v for v in inner.get("volumes") or () if v.get("name") not in names]
    template["spec"] = inner
    return template


def _stateful_strategy(strategy: Object) -> Causes:
    path, kind, rolling = "spec.updateStrategy", strategy.get("type"), strategy.get("rollingUpdate")
    if not kind:
        yield error.required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            yield error.invalid(
                f"{path}.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'"
            )
    elif kind != "RollingUpdate":
        yield error.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        at = f"{path}.rollingUpdate"
        yield from rules.nonnegative(f"{at}.partition", rolling.get("partition"))
        unavailable = rolling.get("maxUnavailable")
        if unavailable is not None:
            yield from rules.int_or_percent(f"{at}.maxUnavailable", unavailable)
            if not rules.int_or_percent_value(unavailable):
                yield error.invalid(f"{at}.maxUnavailable", unavailable, "cannot be 0")
            yield from rules.at_most_whole(f"{at}.maxUnavailable", unavailable)


def stateful_set_update(obj: Object, old: Object) -> Causes:
    yield from stateful_set(obj)
    yield from rules.immutables(
        "spec",
        obj["spec"],
        old["spec"],
        "selector",
        "volumeClaimTemplates",
        "serviceName",
        "podManagementPolicy",
    )


def controller_revision(obj: Object) -> Causes:
    yield from rules.nonnegative("revision", obj.get("revision"))
    if not isinstance(obj.get("data"), dict):
        says = "data is mandatory" if obj.get("data") is None else "data must be a valid JSON object"
        yield error.required("data", says)


def controller_revision_update(obj: Object, old: Object) -> Causes:
    yield from rules.nonnegative("revision", obj.get("revision"))
    yield from rules.immutable("data", obj.get("data"), old.get("data"))
