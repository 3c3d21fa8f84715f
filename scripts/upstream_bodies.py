"""Request bodies that record_upstream.py sends to see how a real kube-apiserver decodes them."""

from __future__ import annotations

import copy
import json
from typing import Any

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SECRETS = "/api/v1/namespaces/default/secrets"

_BASE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    },
}


def _with(path: str, value: Any) -> str:
    """The plain Deployment with one value at a path of dots; a number is an index."""
    body = copy.deepcopy(_BASE)
    holder: Any = body
    *way, last = path.split(".")
    for step in way:
        holder = holder[int(step) if step.isdigit() else step]
    holder[last] = value
    return json.dumps(body)


_POD = "spec.template.spec"
_CONTAINER = "spec.template.spec.containers.0"
_DOUBLE = (
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","name":"y"},"spec":{"replicas":1,"replicas":2,'
    '"selector":{"matchLabels":{"a":"b"}},"zz":1,"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":'
    '[{"name":"c","name":"c","image":"i"}],"foo":1}}}}'
)

BODIES: dict[str, tuple[str, ...]] = {
    DEPLOYMENTS: (
        _with("spec.replicas", "3"),
        _with("spec.replicas", 1.5),
        _with("spec.replicas", 2.0),
        _with("spec.replicas", 3_000_000_000),
        _with("spec.replicas", True),
        _with("spec.replicas", None),
        _with("spec.Replicas", 5),
        _with("spec.paused", "x"),
        _with("spec.paused", 1),
        _with("spec", "x"),
        _with("spec", []),
        _with("spec.foo", 1),
        _with("foo", 1),
        _with("metadata.labels", {"a": 1}),
        _with("metadata.labels", {"a": None}),
        _with("metadata.labels", []),
        _with("metadata.name", 5),
        _with("metadata.foo", 1),
        _with("metadata.creationTimestamp", 5),
        _with("metadata.creationTimestamp", "abc"),
        _with("metadata.creationTimestamp", "2001-02-03 04:05:06"),
        _with("metadata.creationTimestamp", "2001-02-03T04:05:06"),
        _with("metadata.creationTimestamp", "2001-02-03T04:05:06Zx"),
        _with("metadata.managedFields", [{"fieldsV1": "x"}]),
        _with("metadata.ownerReferences", "x"),
        _with("spec.strategy", {"rollingUpdate": {"maxSurge": []}}),
        _with(f"{_POD}.containers", {}),
        _with(f"{_POD}.containers", "x"),
        _with(f"{_POD}.containers", [5]),
        _with(f"{_POD}.terminationGracePeriodSeconds", "5"),
        _with(f"{_POD}.hostUsers", 3),
        _with(f"{_POD}.volumes", [{"name": "v", "emptyDir": "x"}]),
        _with(f"{_POD}.volumes", [{"name": "v", "emptyDir": {"sizeLimit": []}}]),
        _with(f"{_POD}.volumes", [{"name": "v", "foo": 1, "emptyDir": {"bar": 2}}]),
        _with(f"{_POD}.volumes", [{"name": "v", "projected": {"sources": [{"configMap": {"name": 5}}]}}]),
        _with(f"{_CONTAINER}.foo", 1),
        _with(f"{_CONTAINER}.image", 5),
        _with(f"{_CONTAINER}.command", "x"),
        _with(f"{_CONTAINER}.command", [1]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "value": 1}]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "value": True}]),
        _with(f"{_CONTAINER}.env", [{"name": "a", "valueFrom": {"secretKeyRef": {"name": 1}}}]),
        _with(f"{_CONTAINER}.ports", [{"containerPort": "80"}]),
        _with(f"{_CONTAINER}.ports", [{"containerPort": 80, "hostPort": 99_999_999_999}]),
        _with(f"{_CONTAINER}.livenessProbe", {"httpGet": {"port": {}}}),
        _with(f"{_CONTAINER}.livenessProbe", {"httpGet": {"port": True}}),
        _with(f"{_CONTAINER}.resources", {"limits": "x"}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": {}}}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": "abc"}}),
        _with(f"{_CONTAINER}.resources", {"limits": {"cpu": 1}}),
        _DOUBLE,
    ),
    SECRETS: tuple(
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields})
        for fields in (
            {"data": {"a": "***"}},
            {"data": {"a": "aGk"}},
            {"data": {"a": "aGk="}},
            {"data": {"a": 1}},
            {"stringData": {"a": 1}},
            {"immutable": "yes"},
        )
    ),
}
