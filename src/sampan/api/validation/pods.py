"""Pods and pod templates. Source: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodUpdate ...)."""

from __future__ import annotations

from typing import Any, Final

from sampan.api.field import content, error
from sampan.api.validation import metadata, resources, rules
from sampan.api.validation.containers import containers, ephemeral_containers, init_containers
from sampan.api.validation.rules import Causes, Object
from sampan.api.validation.volumes import volumes

_UPDATABLE: Final = ",".join(
    (
        "`spec.containers[*].image`",
        "`spec.initContainers[*].image`",
        "`spec.activeDeadlineSeconds`",
        "`spec.tolerations` (only additions to existing tolerations)",
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )
)
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def pod(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from pod_spec(spec, "spec", of_pod=True)
    if not spec.get("serviceAccountName"):
        for place, volume in enumerate(spec.get("volumes") or ()):
            for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
                if source.get("serviceAccountToken") is not None:
                    yield error.forbidden(
                        f"spec.volumes[{place}].projected.sources[{number}].serviceAccountToken",
                        "must not be specified when serviceAccountName is not set",
                    )
    yield from rules.nonnegative(
        "spec.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds")
    )
    for kind in ("containers", "initContainers"):
        for place, container in enumerate(spec.get(kind) or ()):
            image = container.get("image") or ""
            if image != image.strip():
                yield error.invalid(
                    f"spec.{kind}[{place}].image", image, "must not have leading or trailing whitespace"
                )


def create(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from pod(obj)
    if spec.get("ephemeralContainers"):
        yield error.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield error.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def template(found: Object, path: str) -> Causes:
    """A PodTemplateSpec."""
    own = found.get("metadata") or {}
    yield from rules.labels(error.child(path, "labels"), own.get("labels"))
    yield from metadata.annotation_map(error.child(path, "annotations"), own.get("annotations"))
    spec = found.get("spec") or {}
    yield from pod_spec(spec, error.child(path, "spec"))
    if spec.get("ephemeralContainers"):
        yield error.forbidden(
            error.child(path, "spec", "ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        )


def pod_spec(spec: Object, path: str, *, of_pod: bool = False) -> Causes:
    if spec.get("terminationGracePeriodSeconds") is None:
        yield error.required(error.child(path, "terminationGracePeriodSeconds"))
    good, wrong = volumes(spec, path)
    yield from wrong
    yield from containers(spec, good, path)
    yield from init_containers(spec, good, path)
    yield from ephemeral_containers(spec, good, path)
    yield from resources.whole_pod(spec, path)
    yield from _host_network(spec, path, of_pod=of_pod)
    yield from rules.one_of(
        error.child(path, "restartPolicy"), spec.get("restartPolicy"), ("Always", "OnFailure", "Never")
    )
    yield from rules.one_of(
        error.child(path, "dnsPolicy"),
        spec.get("dnsPolicy"),
        ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    )
    yield from rules.labels(error.child(path, "nodeSelector"), spec.get("nodeSelector"))
    yield from _security(spec, path)
    yield from _affinity(spec.get("affinity") or {}, error.child(path, "affinity"))
    yield from _dns_config(spec, path)
    yield from _spread(
        spec.get("topologySpreadConstraints") or [], error.child(path, "topologySpreadConstraints")
    )
    yield from _scheduling_gates(spec.get("schedulingGates") or [], error.child(path, "schedulingGates"))
    if spec.get("overhead"):
        yield from resources.requirements({"limits": spec["overhead"]}, error.child(path, "overhead"))
    if spec.get("os") is not None:
        system, at = spec["os"].get("name") or "", error.child(path, "os")
        if not system:
            yield error.required(f"{at}.name")
        elif system not in ("linux", "windows"):
            yield error.not_supported(at, system, ("linux", "windows"))
    for place, gate in enumerate(spec.get("readinessGates") or ()):
        at = f"{error.child(path, 'readinessGates')}[{place}].conditionType"
        yield from rules.text_rule(at, gate.get("conditionType", ""), content.label_key)
    for field, rule in _NAMES.items():
        if spec.get(field):
            yield from rules.text_rule(error.child(path, field), spec[field], rule)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= rules.MAX_INT32:
        yield error.invalid(
            error.child(path, "activeDeadlineSeconds"), deadline, content.in_range(1, rules.MAX_INT32)
        )
    yield from tolerations(spec.get("tolerations") or [], error.child(path, "tolerations"))
    for place, alias in enumerate(spec.get("hostAliases") or ()):
        at = error.index(error.child(path, "hostAliases"), place)
        yield from rules.ip_address(error.child(at, "ip"), alias.get("ip", ""))
        for name in alias.get("hostnames") or ():
            yield from rules.text_rule(error.child(at, "hostnames"), name, content.dns_subdomain)
    yield from rules.one_of(
        error.child(path, "preemptionPolicy"),
        spec.get("preemptionPolicy"),
        ("PreemptLowerPriority", "Never"),
        required=False,
    )


def _scheduling_gates(gates: list[Object], path: str) -> Causes:
    names = [gate.get("name") or "" for gate in gates]
    for place, name in enumerate(names):
        yield from rules.text_rule(error.index(path, place), name, content.label_key)
        if name in names[:place]:
            yield error.duplicate(error.index(path, place), name)


_NAMES: Final[dict[str, content.Rule]] = {
    "serviceAccountName": content.dns_subdomain,
    "nodeName": content.dns_subdomain,
    "hostname": content.dns_label,
    "subdomain": content.dns_label,
    "priorityClassName": content.dns_subdomain,
    "runtimeClassName": content.dns_subdomain,
}


def _host_network(spec: Object, path: str, *, of_pod: bool) -> Causes:
    if not spec.get("hostNetwork"):
        return
    for place, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            host, inner = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (of_pod or host) and host != inner:
                yield error.invalid(
                    f"{error.child(path, 'containers')}[{place}].ports[{number}].hostPort",
                    host,
                    "must match `containerPort` when `hostNetwork` is true",
                )


def _security(spec: Object, path: str) -> Causes:
    context = spec.get("securityContext") or {}
    at = error.child(path, "securityContext")
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        value = context.get(field)
        if value is not None and not 0 <= value <= rules.MAX_INT32:
            yield error.invalid(error.child(at, field), value, content.in_range(0, rules.MAX_INT32))
    for place, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group <= rules.MAX_INT32:
            yield error.invalid(
                error.index(error.child(at, "supplementalGroups"), place),
                group,
                content.in_range(0, rules.MAX_INT32),
            )
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        yield error.invalid(
            error.child(path, "shareProcessNamespace"),
            True,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        )
    if spec.get("hostUsers") is False:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                yield error.forbidden(error.child(path, field), "when `hostUsers` is false")


def _dns_config(spec: Object, path: str) -> Causes:
    config = spec.get("dnsConfig") or {}
    at = error.child(path, "dnsConfig")
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        yield error.required(
            error.child(at, "nameservers") if config else at,
            "must provide at least one DNS nameserver when `dnsPolicy` is None"
            if config
            else "must provide `dnsConfig` when `dnsPolicy` is None",
        )
    if len(servers) > 3:
        yield error.invalid(error.child(at, "nameservers"), servers, "must not have more than 3 nameservers")
    for place, server in enumerate(servers):
        yield from rules.ip_address(error.index(error.child(at, "nameservers"), place), server)
    if len(searches) > 32:
        yield error.invalid(error.child(at, "searches"), searches, "must not have more than 32 search paths")
    for place, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield error.required(error.index(error.child(at, "options"), place), "must not be empty")


def tolerations(found: list[Object], path: str) -> Causes:
    for place, toleration in enumerate(found):
        at = error.index(path, place)
        key, operator = toleration.get("key") or "", toleration.get("operator") or ""
        value, effect = toleration.get("value") or "", toleration.get("effect") or ""
        if key:
            yield from rules.text_rule(error.child(at, "key"), key, content.label_key)
        elif operator != "Exists":
            yield error.invalid(
                error.child(at, "operator"),
                operator,
                'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            )
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield error.invalid(
                error.child(at, "effect"),
                effect,
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            )
        if operator in ("", "Equal"):
            wrong = content.label_value(value)
            if wrong:
                yield error.invalid(error.child(at, "operator"), value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                yield error.invalid(
                    error.child(at, "operator"), value, "value must be empty when `operator` is 'Exists'"
                )
        elif operator not in ("Lt", "Gt"):
            yield error.not_supported(error.child(at, "operator"), operator, ("Equal", "Exists"))
        yield from rules.one_of(error.child(at, "effect"), effect, _EFFECTS, required=False)


def _affinity(affinity: Object, path: str) -> Causes:
    node = affinity.get("nodeAffinity") or {}
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    at = error.child(path, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    if required is not None:
        terms = required.get("nodeSelectorTerms") or []
        if not terms:
            yield error.required(
                error.child(at, "nodeSelectorTerms"), "must have at least one node selector term"
            )
        for place, term in enumerate(terms):
            yield from _node_term(term, error.index(error.child(at, "nodeSelectorTerms"), place))
    at = error.child(path, "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    for place, weighted in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        here = error.index(at, place)
        yield from _weight(weighted.get("weight") or 0, error.child(here, "weight"))
        yield from _node_term(weighted.get("preference") or {}, error.child(here, "preference"))
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        name = "requiredDuringSchedulingIgnoredDuringExecution"
        for place, term in enumerate(found.get(name) or ()):
            yield from _pod_term(term, error.index(error.child(path, kind, name), place))
        name = "preferredDuringSchedulingIgnoredDuringExecution"
        for place, weighted in enumerate(found.get(name) or ()):
            here = error.index(error.child(path, kind, name), place)
            yield from _weight(weighted.get("weight") or 0, error.child(here, "weight"))
            yield from _pod_term(weighted.get("podAffinityTerm") or {}, error.child(here, "podAffinityTerm"))


def _weight(weight: int, path: str) -> Causes:
    if not 1 <= weight <= 100:
        yield error.invalid(path, weight, "must be in the range 1-100")


def _node_term(term: Object, path: str) -> Causes:
    for place, expression in enumerate(term.get("matchExpressions") or ()):
        at = error.index(error.child(path, "matchExpressions"), place)
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield error.required(
                    error.child(at, "values"), "must be specified when `operator` is 'In' or 'NotIn'"
                )
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield error.forbidden(
                    error.child(at, "values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                )
        elif operator in ("Gt", "Lt"):
            if len(values) != 1:
                yield error.required(
                    error.child(at, "values"),
                    "must be specified single value when `operator` is 'Lt' or 'Gt'",
                )
        else:
            yield error.invalid(error.child(at, "operator"), operator, "not a valid selector operator")
        yield from rules.text_rule(error.child(at, "key"), expression.get("key", ""), content.label_key)


def _pod_term(term: Object, path: str) -> Causes:
    yield from rules.label_selector(error.child(path, "labelSelector"), term.get("labelSelector"))
    yield from rules.label_selector(error.child(path, "namespaceSelector"), term.get("namespaceSelector"))
    key = term.get("topologyKey") or ""
    if not key:
        yield error.required(error.child(path, "topologyKey"), "can not be empty")
    yield from rules.text_rule(error.child(path, "topologyKey"), key, content.label_key)


def _spread(constraints: list[Object], path: str) -> Causes:
    for place, constraint in enumerate(constraints):
        at = error.index(path, place)
        skew = constraint.get("maxSkew") or 0
        if skew <= 0:
            yield error.invalid(error.child(at, "maxSkew"), skew, "must be greater than zero")
        key = constraint.get("topologyKey") or ""
        if not key:
            yield error.required(error.child(at, "topologyKey"), "can not be empty")
        else:
            yield from rules.text_rule(error.child(at, "topologyKey"), key, content.label_key)
        supported = ("DoNotSchedule", "ScheduleAnyway")
        action = constraint.get("whenUnsatisfiable", "")
        if action not in supported:
            yield error.not_supported(error.child(at, "whenUnsatisfiable"), action, supported)
        yield from rules.label_selector(error.child(at, "labelSelector"), constraint.get("labelSelector"))


def update(obj: Object, old: Object) -> Causes:
    """Only few fields of a pod may change."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from pod(obj)
    for kind in ("containers", "initContainers"):
        found, past = spec.get(kind) or [], before.get(kind) or []
        if len(found) != len(past):
            yield error.forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
    new_deadline, old_deadline = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if new_deadline is not None and old_deadline is not None and new_deadline > old_deadline:
        yield error.invalid(
            "spec.activeDeadlineSeconds", new_deadline, "must be less than or equal to previous value"
        )
        return
    if new_deadline is None and old_deadline is not None:
        yield error.invalid(
            "spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value"
        )
    yield from _only_added_tolerations(spec, before)
    yield from _only_deleted_gates(spec, before)
    if _munged(spec, before) != before:
        yield error.forbidden(
            "spec", f"pod updates may not change fields other than {_UPDATABLE}\n{_changes(spec, before)}"
        )


def _only_added_tolerations(spec: Object, before: Object) -> Causes:
    found = [_without(t, "tolerationSeconds") for t in spec.get("tolerations") or ()]
    for toleration in before.get("tolerations") or ():
        if _without(toleration, "tolerationSeconds") not in found:
            yield error.forbidden(
                "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
            )
            return


def _only_deleted_gates(spec: Object, before: Object) -> Causes:
    known = {gate.get("name") for gate in before.get("schedulingGates") or ()}
    for place, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") not in known:
            yield error.forbidden(
                f"spec.schedulingGates[{place}].name",
                f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'",
            )


def _without(obj: Object, *fields: str) -> Object:
    return {key: value for key, value in obj.items() if key not in fields}


def _munged(spec: Object, before: Object) -> Object:
    """The new spec with what may change set back; equal to the old one if only that has changed."""
    out = dict(spec)
    for kind in ("containers", "initContainers"):
        if spec.get(kind):
            out[kind] = [
                {**container, "image": past.get("image")}
                for container, past in zip(spec[kind], before[kind], strict=True)
            ]
    restored = ["activeDeadlineSeconds", "schedulingGates", "tolerations"]
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and spec.get(
        "terminationGracePeriodSeconds"
    ) == 1:
        restored.append("terminationGracePeriodSeconds")
    if before.get("schedulingGates"):
        restored += ["nodeSelector", "affinity"]
    for field in restored:
        if field in before:
            out[field] = before[field]
        else:
            out.pop(field, None)
    return out


def _changes(spec: Object, before: Object) -> str:
    """Which fields differ. Upstream prints a Go diff here; what matters is the name of the field."""
    munged = _munged(spec, before)
    lines: list[str] = []
    for field in sorted(munged.keys() | before.keys()):
        new, old = munged.get(field), before.get(field)
        if new != old:
            lines.append(f"- {field}: {_shown(old)}\n+ {field}: {_shown(new)}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return "nil" if value is None else error.shown(value)
