"""What extends the API: admission, custom resource definitions, API services, flow control, migrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.api.table import cells as shared
from sampan.api.table.model import Object, Printer, columns, field, items, name, number, text


def _webhooks(found: Object, now: float) -> list[Any]:
    return [name(found), len(items(found, "webhooks")), shared.age(found, now)]


def _policy(rules: str) -> Any:
    def cells(found: Object, now: float) -> list[Any]:
        kind, shown = field(found, "spec", "paramKind"), shared.UNSET
        if isinstance(kind, Mapping):
            shown = f"{text(kind, 'apiVersion')}/{text(kind, 'kind')}"
        return [name(found), len(items(found, "spec", rules)), shown, shared.age(found, now)]

    return cells


def _policy_binding(found: Object, now: float) -> list[Any]:
    reference, shown = field(found, "spec", "paramRef"), shared.UNSET
    if text(reference, "name"):
        shown = f"{text(reference, 'namespace') or '*'}/{text(reference, 'name')}"
    elif field(reference, "selector") is not None:
        shown = shared.selector(field(reference, "selector"))
    return [name(found), text(found, "spec", "policyName"), shown, shared.age(found, now)]


def _definition(found: Object, now: float) -> list[Any]:
    versions = [
        text(one, "name") + ("(storage)" if one.get("storage") else "")
        for one in items(found, "spec", "versions")
        if one.get("served")
    ]
    return [
        name(found),
        text(found, "spec", "scope"),
        ",".join(sorted(versions)),
        text(found, "metadata", "creationTimestamp"),
        text(found, "spec", "group"),
        text(found, "spec", "names", "kind"),
        ",".join(items(found, "spec", "names", "shortNames")),
        shared.is_true(found, "Established"),
    ]


def _api_service(found: Object, now: float) -> list[Any]:
    service, available = field(found, "spec", "service"), shared.condition(found, "Available")
    local = "Local"
    if isinstance(service, Mapping):
        local = f"{text(service, 'namespace')}/{text(service, 'name')}"
    state = text(available, "status") if available is not None else "Unknown"
    if available is not None and state != "True" and text(available, "reason"):
        state += f" ({text(available, 'reason')})"
    return [name(found), local, state, shared.age(found, now)]


def _flow_schema(found: Object, now: float) -> list[Any]:
    dangling = shared.condition(found, "Dangling")
    return [
        name(found),
        text(found, "spec", "priorityLevelConfiguration", "name"),
        number(found, "spec", "matchingPrecedence"),
        text(found, "spec", "distinguisherMethod", "type") or shared.NONE,
        shared.age(found, now),
        "?" if dangling is None else text(dangling, "status"),
    ]


def _priority_level(found: Object, now: float) -> list[Any]:
    limited = field(found, "spec", "limited")
    queuing = field(limited, "limitResponse", "queuing")
    shares = shared.NONE if limited is None else number(limited, "nominalConcurrencyShares")
    queues = [
        shared.NONE if queuing is None else number(queuing, key)
        for key in ("queues", "handSize", "queueLengthLimit")
    ]
    return [name(found), text(found, "spec", "type"), shares, *queues, shared.age(found, now)]


def _migration(found: Object, now: float) -> list[Any]:
    group, resource = text(found, "spec", "resource", "group"), text(found, "spec", "resource", "resource")
    state = "Unknown"
    for one in items(found, "status", "conditions"):
        if text(one, "status") == "True" and text(one, "type") in ("Running", "Failed", "Succeeded"):
            state = text(one, "type")
    return [name(found), f"{resource}.{group}" if group else resource, state]


def _migration_columns() -> Any:
    made = columns("Name", "Resource", "Status")
    return (made[0]._replace(format=""), *made[1:])


_ADMISSION = "admissionregistration.k8s.io"
_BINDING = columns("Name", "PolicyName", "ParamRef", "Age")
_WEBHOOKS = columns("Name", "Webhooks:integer", "Age")

PRINTERS: dict[tuple[str, str], Printer] = {
    (_ADMISSION, "mutatingadmissionpolicies"): Printer(
        columns("Name", "Mutations:integer", "ParamKind", "Age"), _policy("mutations")
    ),
    (_ADMISSION, "mutatingadmissionpolicybindings"): Printer(_BINDING, _policy_binding),
    (_ADMISSION, "mutatingwebhookconfigurations"): Printer(_WEBHOOKS, _webhooks),
    (_ADMISSION, "validatingadmissionpolicies"): Printer(
        columns("Name", "Validations:integer", "ParamKind", "Age"), _policy("validations")
    ),
    (_ADMISSION, "validatingadmissionpolicybindings"): Printer(_BINDING, _policy_binding),
    (_ADMISSION, "validatingwebhookconfigurations"): Printer(_WEBHOOKS, _webhooks),
    ("apiextensions.k8s.io", "customresourcedefinitions"): Printer(
        columns(
            "Name",
            "Scope",
            "Versions",
            "Created At:date",
            "Group+",
            "Kind+",
            "ShortNames+",
            "Established:boolean+",
        ),
        _definition,
    ),
    ("apiregistration.k8s.io", "apiservices"): Printer(
        columns("Name", "Service", "Available", "Age"), _api_service
    ),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): Printer(
        columns("Name", "PriorityLevel", "MatchingPrecedence", "DistinguisherMethod", "Age", "MissingPL"),
        _flow_schema,
    ),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): Printer(
        columns("Name", "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age"),
        _priority_level,
    ),
    ("storagemigration.k8s.io", "storageversionmigrations"): Printer(_migration_columns(), _migration),
}
