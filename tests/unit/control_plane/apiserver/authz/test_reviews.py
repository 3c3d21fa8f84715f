from __future__ import annotations

from typing import Any

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz import reviews
from sampan.control_plane.apiserver.authz.authorizer import standard
from sampan.control_plane.apiserver.authz.rbac import GROUP
from unit.control_plane.apiserver.fakes import FakeView, named

READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["web"]}
URL = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}


def world() -> FakeView:
    view = FakeView()
    view.put(GROUP, "clusterroles", named("reader", rules=[READ, URL]))
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "reader"}
    subjects = [{"kind": "User", "name": "alice"}, {"kind": "Group", "name": "devs"}]
    return view.put(GROUP, "clusterrolebindings", named("readers", roleRef=reference, subjects=subjects))


CHAIN, RBAC = standard(world())
PODS = {"verb": "get", "resource": "pods", "namespace": "ns", "name": "web"}


def test_about_another() -> None:
    review = reviews.review_subject(CHAIN, {"spec": {"user": "alice", "resourceAttributes": PODS}})
    assert review["status"]["allowed"] is True
    assert review["status"]["reason"].startswith("RBAC: allowed by ClusterRoleBinding")
    review = reviews.review_subject(CHAIN, {"spec": {"groups": ["devs"], "resourceAttributes": PODS}})
    assert review["status"]["allowed"] is True
    review = reviews.review_subject(CHAIN, {"spec": {"user": "bob", "resourceAttributes": PODS}})
    assert review["status"] == {"allowed": False}
    assert review["apiVersion"] == "authorization.k8s.io/v1"


def test_about_oneself() -> None:
    spec = {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    assert reviews.review_self(CHAIN, User("alice"), {"spec": spec})["status"]["allowed"] is True
    assert reviews.review_self(CHAIN, User("bob"), {"spec": spec})["status"]["allowed"] is False


def test_in_a_namespace() -> None:
    spec = {"user": "alice", "resourceAttributes": PODS}
    assert reviews.review_local(CHAIN, {"spec": spec}, "ns")["status"]["allowed"] is True
    with pytest.raises(ApiError, match=r"spec.resourceAttributes.namespace: .*must match metadata.namespace"):
        reviews.review_local(CHAIN, {"spec": spec}, "other")


def test_all_rules_of_oneself() -> None:
    status = reviews.review_rules(RBAC, User("alice"), {"spec": {"namespace": "ns"}})["status"]
    assert status == {"resourceRules": [READ], "nonResourceRules": [URL], "incomplete": False}
    node = User("system:node:tug", ("system:nodes",))
    status = reviews.review_rules(RBAC, node, {"spec": {"namespace": "ns"}})["status"]
    assert status["incomplete"] is True
    assert "node authorizer does not support user rule resolution" in status["evaluationError"]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"user": "x"},
        {"user": "x", "resourceAttributes": PODS, "nonResourceAttributes": {"path": "/x", "verb": "get"}},
    ],
)
def test_exactly_one_question(spec: dict[str, Any]) -> None:
    with pytest.raises(
        ApiError, match="exactly one of nonResourceAttributes or resourceAttributes"
    ) as raised:
        reviews.review_subject(CHAIN, {"spec": spec})
    assert raised.value.code == 422


def test_nobody_and_nowhere_are_refused() -> None:
    with pytest.raises(ApiError, match="at least one of user or group"):
        reviews.review_subject(CHAIN, {"spec": {"resourceAttributes": PODS}})
    with pytest.raises(ApiError, match="no namespace on request"):
        reviews.review_rules(RBAC, User("alice"), {})


def test_a_nodes_selector_counts() -> None:
    node = User("system:node:tug", ("system:nodes",))
    requirement = {"key": "spec.nodeName", "operator": "In", "values": ["tug"]}
    for selector in ({"rawSelector": "spec.nodeName=tug"}, {"requirements": [requirement]}):
        spec = {"resourceAttributes": {"verb": "list", "resource": "pods", "fieldSelector": selector}}
        assert reviews.review_self(CHAIN, node, {"spec": spec})["status"]["allowed"] is True
