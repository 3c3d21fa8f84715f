from __future__ import annotations

from typing import Any

import pytest

from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz.model import Attributes
from sampan.control_plane.apiserver.authz.node import NodeAuthorizer
from unit.control_plane.apiserver.fakes import FakeView, named

TUG = User("system:node:tug", ("system:nodes", "system:authenticated"))

POD_SPEC: dict[str, Any] = {
    "nodeName": "tug",
    "serviceAccountName": "robot",
    "imagePullSecrets": [{"name": "pull"}],
    "initContainers": [
        {"envFrom": [{"secretRef": {"name": "env-secret"}}, {"configMapRef": {"name": "env-map"}}]}
    ],
    "containers": [
        {
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key-secret"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "key-map"}}},
            ]
        }
    ],
    "volumes": [
        {"name": "v1", "secret": {"secretName": "volume-secret"}},
        {"name": "v2", "configMap": {"name": "volume-map"}},
        {
            "name": "v3",
            "projected": {"sources": [{"secret": {"name": "part"}}, {"configMap": {"name": "part-map"}}]},
        },
        {"name": "v4", "persistentVolumeClaim": {"claimName": "claim"}},
        {"name": "v5", "ephemeral": {}},
        {"name": "v6", "csi": {"nodePublishSecretRef": {"name": "csi-secret"}}},
    ],
}


def world() -> FakeView:
    view = FakeView()
    other = {**POD_SPEC, "nodeName": "barge", "imagePullSecrets": [{"name": "theirs"}]}
    mirror = named(
        "mirror", "ns", spec={"nodeName": "tug", "volumes": [{"secret": {"secretName": "stolen"}}]}
    )
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    view.put("", "pods", named("web", "ns", spec=POD_SPEC), named("theirs", "ns", spec=other), mirror)
    bound = {"claimRef": {"namespace": "ns", "name": "claim"}}
    driver = {"csi": {"nodeStageSecretRef": {"namespace": "vault", "name": "stage"}}}
    view.put("", "persistentvolumes", named("pv", spec={**bound, **driver}), named("free", spec=driver))
    attached = named("va", spec={"nodeName": "tug"})
    view.put("storage.k8s.io", "volumeattachments", attached, named("va2", spec={"nodeName": "barge"}))
    view.put("resource.k8s.io", "resourceslices", named("slice", spec={"nodeName": "tug"}))
    return view


def ask(
    verb: str, what: str, namespace: str = "", name: str = "", user: User = TUG, fields: str = ""
) -> tuple[bool, str]:
    resource, _, group = what.partition(".")
    plural, _, subresource = resource.partition("/")
    question = Attributes(
        user, verb, group, "v1", plural, subresource, namespace, name, field_selector=fields
    )
    decision = NodeAuthorizer(world()).authorize(question)
    return decision.allowed, decision.reason


READABLE = [
    *[
        ("secrets", name)
        for name in ("pull", "env-secret", "key-secret", "volume-secret", "part", "csi-secret")
    ],
    *[("configmaps", name) for name in ("env-map", "key-map", "volume-map", "part-map")],
]


@pytest.mark.parametrize(("plural", "name"), READABLE)
@pytest.mark.parametrize("verb", ["get", "list", "watch"])
def test_what_its_pods_refer_to_may_be_read(plural: str, name: str, verb: str) -> None:
    assert ask(verb, plural, "ns", name) == (True, "")
    assert not ask(verb, plural, "other", name)[0]


@pytest.mark.parametrize(
    ("verb", "what", "namespace", "name"),
    [
        ("get", "pods", "ns", "web"),
        ("get", "persistentvolumeclaims", "ns", "claim"),
        ("get", "persistentvolumeclaims", "ns", "web-v5"),
        ("get", "persistentvolumes", "", "pv"),
        ("get", "secrets", "vault", "stage"),
        ("get", "volumeattachments.storage.k8s.io", "", "va"),
        ("get", "serviceaccounts", "ns", "robot"),
        ("create", "serviceaccounts/token", "ns", "robot"),
        ("get", "nodes", "", "tug"),
        ("create", "nodes", "", ""),
        ("patch", "nodes/status", "", "tug"),
        ("patch", "pods/status", "ns", "web"),
        ("create", "pods/eviction", "ns", "web"),
        ("create", "leases.coordination.k8s.io", "kube-node-lease", ""),
        ("update", "leases.coordination.k8s.io", "kube-node-lease", "tug"),
        ("create", "csinodes.storage.k8s.io", "", ""),
        ("update", "resourceslices.resource.k8s.io", "", "slice"),
        ("create", "events", "ns", ""),
        ("list", "services", "", ""),
        ("create", "subjectaccessreviews.authorization.k8s.io", "", ""),
        ("create", "tokenreviews.authentication.k8s.io", "", ""),
        ("list", "runtimeclasses.node.k8s.io", "", ""),
    ],
)
def test_a_node_may(verb: str, what: str, namespace: str, name: str) -> None:
    assert ask(verb, what, namespace, name) == (True, "")


@pytest.mark.parametrize(
    ("verb", "what", "namespace", "name", "reason"),
    [
        ("get", "secrets", "ns", "theirs", "no relationship found between node 'tug' and this object"),
        ("get", "secrets", "ns", "stolen", "no relationship found"),
        ("list", "secrets", "ns", "", "No Object name found"),
        ("list", "secrets", "", "", "can only read namespaced object of this type"),
        ("update", "secrets", "ns", "pull", "can only read resources of this type"),
        ("get", "pods", "ns", "theirs", "no relationship found"),
        ("list", "pods", "", "", "can only list/watch pods with spec.nodeName field selector"),
        ("get", "persistentvolumes", "", "free", "no relationship found"),
        ("get", "volumeattachments.storage.k8s.io", "", "va2", "no relationship found"),
        ("create", "serviceaccounts/token", "ns", "other", "no relationship found"),
        ("get", "nodes", "", "barge", "node 'tug' cannot read 'barge', only its own Node object"),
        ("list", "nodes", "", "", "node 'tug' cannot read all nodes, only its own Node object"),
        ("delete", "nodes", "", "tug", ""),
        ("update", "leases.coordination.k8s.io", "kube-node-lease", "barge", "can only access node lease"),
        ("create", "leases.coordination.k8s.io", "ns", "", 'can only access leases in the "kube-node-lease"'),
        ("list", "leases.coordination.k8s.io", "kube-node-lease", "", "can only get, create, update"),
        ("update", "pods", "ns", "web", ""),
        ("create", "deployments.apps", "ns", "", ""),
        ("list", "secrets.example.com", "ns", "", ""),
    ],
)
def test_a_node_may_not(verb: str, what: str, namespace: str, name: str, reason: str) -> None:
    allowed, said = ask(verb, what, namespace, name)
    assert not allowed
    assert reason in said
    assert bool(reason) == bool(said)


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ("spec.nodeName=tug", True),
        ("spec.nodeName==tug", True),
        ("status.phase!=Failed,spec.nodeName=tug", True),
        ("spec.nodeName=tugboat", False),
        ("spec.nodeName!=tug", False),
        ("xspec.nodeName=tug", False),
        ("spec.nodeName=barge", False),
    ],
)
def test_pods_are_listed_by_their_node(fields: str, allowed: bool) -> None:
    assert ask("list", "pods", fields=fields)[0] is allowed
    assert ask("watch", "pods", fields=fields)[0] is allowed


@pytest.mark.parametrize(
    "user",
    [
        User("system:node:tug"),
        User("tug", ("system:nodes",)),
        User("alice"),
        User("system:node:", ("system:nodes",)),
    ],
)
def test_others_are_not_its_business(user: User) -> None:
    assert not ask("get", "nodes", "", "tug", user=user)[0]


def test_a_new_pod_opens_its_secrets_at_once() -> None:
    view = world()
    authorizer = NodeAuthorizer(view)
    question = Attributes(TUG, "get", "", "v1", "secrets", "", "ns", "fresh")
    assert not authorizer.authorize(question).allowed
    view.put(
        "", "pods", named("new", "ns", spec={"nodeName": "tug", "imagePullSecrets": [{"name": "fresh"}]})
    )
    assert authorizer.authorize(question).allowed
    view.remove("", "pods", "ns", "new")
    assert not authorizer.authorize(question).allowed
