"""Which fields of which resource may be selected, and how they are read.

Facts: k8s.io/kubernetes v1.37.2 pkg/apis/*/v1/conversion.go (AddFieldLabelConversionFunc) and pkg/registry/**/strategy.go
(SelectableFields, ToSelectableFields). metadata.name and metadata.namespace are selectable everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sampan.api.selector import fields as field_selectors
from sampan.api.selector import labels as label_selectors
from sampan.api.selector.error import SelectorError
from sampan.api.selector.fields import FieldSelector
from sampan.api.status import ApiError, bad_request
from sampan.control_plane.apiserver.cache.watcher import Filter

Reader = Callable[[Mapping[str, Any]], str]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def reader(path: str, default: str = "") -> Reader:
    """Reads a dotted path; what is not there is the Go zero value."""
    steps = path.split(".")

    def read(obj: Mapping[str, Any]) -> str:
        value: Any = obj
        for step in steps:
            if not isinstance(value, Mapping):
                return default
            value = value.get(step)
        return _text(value) if value is not None else default

    return read


def _paths(*paths: str) -> dict[str, Reader]:
    return {path: reader(path) for path in paths}


def _pod_ip(obj: Mapping[str, Any]) -> str:
    addresses = (obj.get("status") or {}).get("podIPs") or []
    return str(addresses[0].get("ip", "")) if addresses else reader("status.podIP")(obj)


def _event_source(obj: Mapping[str, Any]) -> str:
    return reader("source.component")(obj) or reader("reportingComponent")(obj)


_EVENT: Final[dict[str, Reader]] = {
    **_paths(
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "type",
    ),
    "source": _event_source,
}

READERS: Final[dict[tuple[str, str], dict[str, Reader]]] = {
    ("", "pods"): {
        **_paths("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        **_paths("status.phase", "status.nominatedNodeName"),
        "spec.hostNetwork": reader("spec.hostNetwork", "false"),
        "status.podIP": _pod_ip,
        "status.podIPs": _pod_ip,
    },
    ("", "events"): _EVENT,
    ("", "namespaces"): _paths("status.phase"),
    ("", "nodes"): {"spec.unschedulable": reader("spec.unschedulable", "false")},
    ("", "replicationcontrollers"): {"status.replicas": reader("status.replicas", "0")},
    ("", "secrets"): _paths("type"),
    ("", "services"): _paths("spec.clusterIP", "spec.type"),
    ("apps", "replicasets"): {"status.replicas": reader("status.replicas", "0")},
    ("batch", "jobs"): {"status.successful": reader("status.succeeded", "0")},
    ("certificates.k8s.io", "certificatesigningrequests"): _paths("spec.signerName"),
    ("certificates.k8s.io", "clustertrustbundles"): _paths("spec.signerName"),
    ("certificates.k8s.io", "podcertificaterequests"): _paths("spec.signerName", "spec.nodeName"),
    ("networking.k8s.io", "ipaddresses"): _paths("spec.parentRef.resource"),
    ("resource.k8s.io", "resourceslices"): _paths("spec.nodeName", "spec.driver"),
}

# events.k8s.io names the same fields as its own form has them
_EVENTS_V1: Final[dict[str, Reader]] = {
    **{
        field.replace("involvedObject", "regarding"): read
        for field, read in _EVENT.items()
        if field.startswith("involvedObject")
    },
    "reportingController": _EVENT["reportingComponent"],
    "reason": _EVENT["reason"],
    "type": _EVENT["type"],
}

ANYWHERE: Final = frozenset({"metadata.name", "metadata.namespace"})
INDEXED: Final[dict[tuple[str, str], str]] = {("", "pods"): "spec.nodeName"}
"""The field by which the watch cache finds objects without looking at all of them."""


def pod_node(obj: Mapping[str, Any]) -> str:
    """Value of the pods' index."""
    return str((obj.get("spec") or {}).get("nodeName") or "")


def readers(
    group: str, stored: tuple[str, str], custom: Mapping[str, Reader] | None = None
) -> Mapping[str, Reader]:
    """The selectable fields of a resource as served in `group`."""
    if custom is not None:
        return custom
    if group == "events.k8s.io":
        return _EVENTS_V1
    return READERS.get(stored, {})


def selection(
    namespace: str,
    label_text: str,
    field_text: str,
    stored: tuple[str, str],
    available: Mapping[str, Reader],
    *,
    name: str = "",
) -> Filter:
    """What a LIST, WATCH or DELETE of a collection selects. Raises ApiError 400."""
    if not label_text and not field_text:
        return Filter(namespace, name)
    try:
        labels = label_selectors.parse(label_text) if label_text else None
        fields = field_selectors.parse(field_text) if field_text else None
    except SelectorError as error:
        raise bad_request(str(error)) from error
    if labels is not None and labels.empty:
        labels = None
    indexed: str | None = None
    if fields is not None:
        fields, name, namespace, indexed = _narrowed(fields, name, namespace, stored, available)
    return Filter(namespace, name, labels, fields, indexed, available)


def _unsupported(field: str, available: Mapping[str, Reader]) -> ApiError:
    if available:
        return bad_request(f"field label not supported: {field}")
    # kinds without selectable fields of their own: meta/v1 DefaultMetaV1FieldSelectorConversion
    known = '"metadata.name", "metadata.namespace"'
    return bad_request(f'"{field}" is not a known field selector: only {known}')


def _narrowed(
    fields: FieldSelector, name: str, namespace: str, stored: tuple[str, str], available: Mapping[str, Reader]
) -> tuple[FieldSelector | None, str, str, str | None]:
    """Takes out what an index answers: name, namespace, the resource's indexed field."""
    indexed: str | None = None
    left = []
    for requirement in fields.requirements:
        field, op, value = requirement
        if field not in available and field not in ANYWHERE:
            raise _unsupported(field, available)
        if op == "=" and value and field == "metadata.name" and name in ("", value):
            name = value
        elif op == "=" and value and field == "metadata.namespace" and namespace in ("", value):
            namespace = value
        elif op == "=" and value and INDEXED.get(stored) == field and indexed in (None, value):
            indexed = value
        else:
            left.append(requirement)
    return (FieldSelector(tuple(left)) if left else None), name, namespace, indexed
