"""Nodes, namespaces, configuration, identity, events, quotas, devices and certificates."""

from __future__ import annotations

from typing import Any

from sampan.api.table import cells as shared
from sampan.api.table import duration
from sampan.api.table.model import Object, Printer, columns, field, items, name, number, text

_ROLE = "node-role.kubernetes.io/"


def _only_age(found: Object, now: float) -> list[Any]:
    return [name(found), shared.age(found, now)]


def _node(found: Object, now: float) -> list[Any]:
    ready = shared.condition(found, "Ready")
    states = ["Unknown" if ready is None else "Ready" if text(ready, "status") == "True" else "NotReady"]
    if field(found, "spec", "unschedulable"):
        states.append("SchedulingDisabled")
    info = field(found, "status", "nodeInfo")
    kernel = text(info, "kernelVersion") or "<unknown>"
    if text(info, "architecture"):
        kernel += f" ({text(info, 'architecture')})"
    return [
        name(found),
        ",".join(states),
        _roles(found),
        shared.age(found, now),
        text(info, "kubeletVersion"),
        _node_address(found, "InternalIP"),
        _node_address(found, "ExternalIP"),
        text(info, "osImage") or "<unknown>",
        kernel,
        text(info, "containerRuntimeVersion") or "<unknown>",
    ]


def _roles(node: Object) -> str:
    found = set()
    for key, value in (field(node, "metadata", "labels") or {}).items():
        if key.startswith(_ROLE) and len(key) > len(_ROLE):
            found.add(key.removeprefix(_ROLE))
        elif key == "kubernetes.io/role" and value:
            found.add(value)
    return ",".join(sorted(found)) or shared.NONE


def _node_address(node: Object, kind: str) -> str:
    found = (text(one, "address") for one in items(node, "status", "addresses") if text(one, "type") == kind)
    return next(found, shared.NONE)


def _namespace(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "status", "phase"), shared.age(found, now)]


def _config_map(found: Object, now: float) -> list[Any]:
    count = len(field(found, "data") or ()) + len(field(found, "binaryData") or ())
    return [name(found), count, shared.age(found, now)]


def _secret(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "type"), len(field(found, "data") or ()), shared.age(found, now)]


def _event(found: Object, now: float) -> list[Any]:
    """Core events; those of events.k8s.io have the same columns under other field names."""
    first_time = field(found, "firstTimestamp") or field(found, "deprecatedFirstTimestamp")
    last_time = field(found, "lastTimestamp") or field(found, "deprecatedLastTimestamp")
    first = duration.since(first_time or field(found, "eventTime"), now)
    last = first if last_time is None else duration.since(last_time, now)
    count = number(found, "count") or number(found, "deprecatedCount") or 1
    series = field(found, "series")
    if series is not None:
        last, count = duration.since(field(series, "lastObservedTime"), now), number(series, "count")
    about = field(found, "involvedObject") or field(found, "regarding")
    source = field(found, "source") or field(found, "deprecatedSource")
    kind = text(about, "kind").lower()
    component = (
        text(source, "component") or text(found, "reportingComponent") or text(found, "reportingController")
    )
    instance = text(source, "host") or text(found, "reportingInstance")
    return [
        last,
        text(found, "type"),
        text(found, "reason"),
        f"{kind}/{text(about, 'name')}" if text(about, "name") else kind,
        text(about, "fieldPath"),
        f"{component}, {instance}" if instance else component,
        (text(found, "message") or text(found, "note")).strip(),
        first,
        count,
        name(found),
    ]


def _event_columns() -> Any:
    made = columns(
        "Last Seen",
        "Type",
        "Reason",
        "Object",
        "Subobject+",
        "Source+",
        "Message",
        "First Seen+",
        "Count+",
        "Name+",
    )
    return (made[0]._replace(format=""), *made[1:-1], made[-1]._replace(format="name"))


def _binding(found: Object, now: float) -> list[Any]:
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for one in items(found, "subjects"):
        kind, shown = text(one, "kind"), text(one, "name")
        if kind == "ServiceAccount":
            shown = f"{text(one, 'namespace')}/{shown}"
        subjects.setdefault(kind, []).append(shown)
    role = field(found, "roleRef")
    return [
        name(found),
        f"{text(role, 'kind')}/{text(role, 'name')}",
        shared.age(found, now),
        *(", ".join(subjects[kind]) for kind in ("User", "Group", "ServiceAccount")),
    ]


def _quota(found: Object, now: float) -> list[Any]:
    hard, used = field(found, "status", "hard") or {}, field(found, "status", "used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for resource in sorted(hard):
        column = limits if resource.startswith("limits.") else requests
        column.append(f"{resource}: {used.get(resource, '0')}/{hard[resource]}")
    return [name(found), ", ".join(requests), ", ".join(limits), shared.age(found, now)]


def _lease(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "spec", "holderIdentity"), shared.age(found, now)]


def _priority_class(found: Object, now: float) -> list[Any]:
    return [
        name(found),
        number(found, "value"),
        bool(field(found, "globalDefault")),
        shared.age(found, now),
        text(found, "preemptionPolicy"),
    ]


def _runtime_class(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "handler"), shared.age(found, now)]


def _signing_request(found: Object, now: float) -> list[Any]:
    kinds = {text(one, "type") for one in items(found, "status", "conditions")}
    state = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    state += ",Failed" if "Failed" in kinds else ""
    state += ",Issued" if text(found, "status", "certificate") else ""
    seconds = field(found, "spec", "expirationSeconds")
    return [
        name(found),
        shared.age(found, now),
        text(found, "spec", "signerName") or shared.NONE,
        text(found, "spec", "username"),
        shared.NONE if seconds is None else duration.human(seconds),
        state,
    ]


def _pod_certificate_request(found: Object, now: float) -> list[Any]:
    state = "Pending"
    for one in items(found, "status", "conditions"):
        if text(one, "type") in ("Issued", "Denied", "Failed"):
            state = text(one, "type")
    keys = ("podName", "serviceAccountName", "nodeName", "signerName")
    annotations = shared.labels(field(found, "spec", "unverifiedUserAnnotations"))
    return [name(found), *(text(found, "spec", key) for key in keys), state, annotations]


def _trust_bundle(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "spec", "signerName") or shared.NONE]


def _component_status(found: Object, now: float) -> list[Any]:
    healthy = next((one for one in items(found, "conditions") if text(one, "type") == "Healthy"), None)
    state = "Unknown"
    if healthy is not None:
        state = "Healthy" if text(healthy, "status") == "True" else "Unhealthy"
    return [name(found), state, text(healthy, "message"), text(healthy, "error")]


def _resource_claim(found: Object, now: float) -> list[Any]:
    deleting = field(found, "metadata", "deletionTimestamp") is not None
    states = ["deleted"] if deleting else []
    if field(found, "status", "allocation") is not None:
        states.append("allocated")
        if items(found, "status", "reservedFor"):
            states.append("reserved")
    elif not deleting:
        states.append("pending")
    return [name(found), ",".join(states), shared.age(found, now)]


def _resource_slice(found: Object, now: float) -> list[Any]:
    spec = field(found, "spec")
    return [
        name(found),
        text(spec, "nodeName"),
        text(spec, "driver"),
        text(spec, "pool", "name"),
        shared.age(found, now),
    ]


def _device_taint_rule(found: Object, now: float) -> list[Any]:
    taint = field(found, "spec", "taint")
    added = field(taint, "timeAdded")
    shown = "" if added is None else duration.since(added, now)
    return [
        name(found),
        *(text(taint, key) for key in ("key", "value", "effect")),
        shown,
        shared.age(found, now),
    ]


_BINDING = columns("Name", "Role", "Age", "Users+", "Groups+", "ServiceAccounts+")
_RBAC = "rbac.authorization.k8s.io"

PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "componentstatuses"): Printer(columns("Name", "Status", "Message", "Error"), _component_status),
    ("", "configmaps"): Printer(columns("Name", "Data", "Age"), _config_map),
    ("", "events"): Printer(_event_columns(), _event),
    ("events.k8s.io", "events"): Printer(_event_columns(), _event),
    ("", "namespaces"): Printer(columns("Name", "Status", "Age"), _namespace),
    ("", "nodes"): Printer(
        columns(
            "Name", "Status", "Roles", "Age", "Version", "Internal-IP+", "External-IP+", "OS-Image+",
            "Kernel-Version+", "Container-Runtime+",
        ),
        _node,
    ),
    ("", "resourcequotas"): Printer(columns("Name", "Request", "Limit", "Age"), _quota),
    ("", "secrets"): Printer(columns("Name", "Type", "Data", "Age"), _secret),
    ("", "serviceaccounts"): Printer(columns("Name", "Age"), _only_age),
    ("certificates.k8s.io", "certificatesigningrequests"): Printer(
        columns("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"), _signing_request
    ),
    ("certificates.k8s.io", "clustertrustbundles"): Printer(columns("Name", "SignerName"), _trust_bundle),
    ("certificates.k8s.io", "podcertificaterequests"): Printer(
        columns(
            "Name", "PodName", "ServiceAccountName", "NodeName", "SignerName", "State", "UnverifiedUserAnnotations"
        ),
        _pod_certificate_request,
    ),
    ("coordination.k8s.io", "leases"): Printer(columns("Name", "Holder", "Age"), _lease),
    ("node.k8s.io", "runtimeclasses"): Printer(columns("Name", "Handler", "Age"), _runtime_class),
    (_RBAC, "clusterrolebindings"): Printer(_BINDING, _binding),
    (_RBAC, "rolebindings"): Printer(_BINDING, _binding),
    ("resource.k8s.io", "deviceclasses"): Printer(columns("Name", "Age"), _only_age),
    ("resource.k8s.io", "devicetaintrules"): Printer(
        columns("Name", "Key", "Value", "Effect", "Time-Added", "Age"), _device_taint_rule
    ),
    ("resource.k8s.io", "resourceclaims"): Printer(columns("Name", "State", "Age"), _resource_claim),
    ("resource.k8s.io", "resourceclaimtemplates"): Printer(columns("Name", "Age"), _only_age),
    ("resource.k8s.io", "resourceslices"): Printer(columns("Name", "Node", "Driver", "Pool", "Age"), _resource_slice),
    ("scheduling.k8s.io", "priorityclasses"): Printer(
        columns("Name", "Value:integer", "Global-Default:boolean", "Age", "PreemptionPolicy"), _priority_class
    ),
}  # fmt: skip
