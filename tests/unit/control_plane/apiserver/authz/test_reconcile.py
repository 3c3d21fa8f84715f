from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.control_plane.apiserver.authn.model import User, service_account_user
from sampan.control_plane.apiserver.authz import reconcile
from sampan.control_plane.apiserver.authz.authorizer import standard
from sampan.control_plane.apiserver.authz.model import Attributes
from sampan.control_plane.apiserver.authz.rbac import GROUP
from unit.control_plane.apiserver.fakes import FakeView


def fresh() -> FakeView:
    view = FakeView()
    for plural, obj in reconcile.defaults():
        view.put(GROUP, plural, copy.deepcopy(obj))
    return view


def test_an_empty_cluster_gets_all_roles_before_bindings() -> None:
    writes = reconcile.plan(FakeView())
    assert all(write.old is None for write in writes)
    kinds = [write.plural for write in writes]
    assert kinds.index("rolebindings") > kinds.index("clusterrolebindings") > kinds.index("roles")
    names = {write.name for write in writes}
    assert {"cluster-admin", "admin", "edit", "view", "system:node", "system:kube-dns"} <= names


def test_a_second_start_writes_nothing() -> None:
    assert reconcile.plan(fresh()) == []


def test_what_is_missing_comes_back_and_what_was_added_stays() -> None:
    view = fresh()
    role = copy.deepcopy(dict(view.get(GROUP, "clusterroles", "", "system:kube-scheduler") or {}))
    lost = role["rules"].pop(0)
    role["rules"].append({"verbs": ["get"], "apiGroups": ["acme.com"], "resources": ["boats"]})
    view.put(GROUP, "clusterroles", role)
    (write,) = reconcile.plan(view)
    assert write.object["rules"][: len(role["rules"])] == role["rules"]
    restored = write.object["rules"][len(role["rules"]) :]
    assert {verb for rule in restored for verb in rule["verbs"]} == set(lost["verbs"])


def test_subjects_come_back() -> None:
    view = fresh()
    bound = copy.deepcopy(dict(view.get(GROUP, "clusterrolebindings", "", "cluster-admin") or {}))
    bound["subjects"] = [{"kind": "User", "apiGroup": GROUP, "name": "root"}]
    view.put(GROUP, "clusterrolebindings", bound)
    (write,) = reconcile.plan(view)
    assert [subject["name"] for subject in write.object["subjects"]] == ["root", "system:masters"]
    assert not write.recreate


def test_another_role_needs_a_new_binding() -> None:
    view = fresh()
    bound = copy.deepcopy(dict(view.get(GROUP, "clusterrolebindings", "", "cluster-admin") or {}))
    bound["roleRef"]["name"] = "view"
    bound["metadata"]["uid"] = "old"
    view.put(GROUP, "clusterrolebindings", bound)
    (write,) = reconcile.plan(view)
    assert write.recreate
    assert write.object["roleRef"]["name"] == "cluster-admin"
    assert "uid" not in write.object["metadata"]


def test_an_administrators_no_is_heard() -> None:
    view = fresh()
    role = copy.deepcopy(dict(view.get(GROUP, "clusterroles", "", "cluster-admin") or {}))
    role["metadata"]["annotations"][reconcile.AUTOUPDATE] = "false"
    role["rules"] = []
    view.put(GROUP, "clusterroles", role)
    assert reconcile.plan(view) == []


# What a fresh cluster's identities meet.
NOBODY = User("system:anonymous", ("system:unauthenticated",))
SOMEBODY = User("alice", ("system:authenticated",))
CONTROLLER = service_account_user("kube-system", "deployment-controller")
SCHEDULER = User("system:kube-scheduler", ("system:authenticated",))
DNS = service_account_user("kube-system", "kube-dns")
LOCAL_PATH = service_account_user("kube-system", "local-path-provisioner")
MATRIX: list[tuple[User, str, str, bool]] = [
    (NOBODY, "get", "/healthz", True),
    (NOBODY, "get", "/version", True),
    (NOBODY, "get", "/api", False),
    (NOBODY, "list", "pods", False),
    (SOMEBODY, "get", "/api", True),
    (SOMEBODY, "get", "/openapi/v3", True),
    (SOMEBODY, "get", "/metrics", False),
    (SOMEBODY, "create", "selfsubjectaccessreviews.authorization.k8s.io", True),
    (SOMEBODY, "create", "selfsubjectreviews.authentication.k8s.io", True),
    (SOMEBODY, "create", "subjectaccessreviews.authorization.k8s.io", False),
    (SOMEBODY, "list", "pods", False),
    (CONTROLLER, "create", "replicasets.apps", True),
    (CONTROLLER, "update", "deployments/status.apps", True),
    (CONTROLLER, "create", "pods", False),
    (SCHEDULER, "create", "pods/binding", True),
    (SCHEDULER, "delete", "pods", True),
    (SCHEDULER, "create", "pods", False),
    (DNS, "watch", "endpointslices.discovery.k8s.io", True),
    (DNS, "list", "secrets", False),
    (DNS, "patch", "services", False),
    (LOCAL_PATH, "create", "persistentvolumes", True),
    (LOCAL_PATH, "create", "pods", False),
]


@pytest.mark.parametrize(("user", "verb", "what", "allowed"), MATRIX)
def test_default_rights(user: User, verb: str, what: str, allowed: bool) -> None:
    chain, _ = standard(fresh())
    if what.startswith("/"):
        question = Attributes(user, verb, path=what)
    else:
        resource, _, group = what.partition(".")
        plural, _, subresource = resource.partition("/")
        question = Attributes(user, verb, group, "v1", plural, subresource, "default", "x")
    assert chain.authorize(question).allowed is allowed


def test_admin_has_what_edit_has_and_edit_what_view_has() -> None:
    roles: dict[str, Any] = {
        o["metadata"]["name"]: o for plural, o in reconcile.defaults() if plural == "clusterroles"
    }
    view, edit, admin = (roles[name]["rules"] for name in ("view", "edit", "admin"))
    assert all(rule in edit for rule in view)
    assert all(rule in admin for rule in edit)
    assert len(view) < len(edit) < len(admin)
