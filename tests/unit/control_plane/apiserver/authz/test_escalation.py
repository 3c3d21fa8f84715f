from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz import escalation, rules
from sampan.control_plane.apiserver.authz.authorizer import standard
from sampan.control_plane.apiserver.authz.bootstrap_policy import CLUSTER_ROLES
from sampan.control_plane.apiserver.authz.rbac import GROUP
from sampan.control_plane.apiserver.authz.rules import Rule
from unit.control_plane.apiserver.fakes import FakeView, named

READ = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}
WRITE = {"verbs": ["create", "delete"], "apiGroups": [""], "resources": ["pods", "secrets"]}
ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
ALICE = User("alice", ("devs", "ops"))


def check(
    owned: list[Mapping[str, Any]], resource: str, obj: dict[str, Any], old: Any = None, user: User = ALICE
) -> None:
    view = FakeView()
    view.put(GROUP, "clusterroles", named("own", rules=owned), named("reader", rules=[READ]))
    view.put(GROUP, "roles", named("local", "ns", rules=[READ]))
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "own"}
    subjects = [{"kind": "User", "name": "alice"}]
    view.put(GROUP, "clusterrolebindings", named("own", roleRef=reference, subjects=subjects))
    chain, rbac = standard(view)
    escalation.check(chain, rbac, user, resource, obj["metadata"].get("namespace", ""), obj, old)


def refused(*arguments: Any, **rest: Any) -> str:
    with pytest.raises(ApiError) as raised:
        check(*arguments, **rest)
    assert raised.value.code == 403
    return raised.value.message


def bound(role: str, kind: str = "ClusterRole", namespace: str = "ns") -> dict[str, Any]:
    return named("b", namespace, roleRef={"apiGroup": GROUP, "kind": kind, "name": role}, subjects=[])


def test_what_one_holds_one_may_grant() -> None:
    check([READ, WRITE], "roles", named("new", "ns", rules=[READ]))
    check([ALL], "roles", named("new", "ns", rules=[READ, WRITE]))
    check([READ], "rolebindings", bound("reader"))
    check([READ], "rolebindings", bound("local", "Role"))


def test_what_one_lacks_is_listed() -> None:
    message = refused([READ], "roles", named("new", "ns", rules=[READ, WRITE]))
    assert message == (
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "alice" (groups=["devs" "ops"]) is attempting to '
        "grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["create" "delete"]}'
    )


def test_a_binding_grants_its_role() -> None:
    assert "not currently held" in refused([WRITE], "rolebindings", bound("reader"))
    assert "not currently held" in refused([], "clusterrolebindings", bound("reader", namespace=""))


def test_paths_are_rights_as_well() -> None:
    url = {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}
    assert '{NonResourceURLs:["/metrics"], Verbs:["get"]}' in refused(
        [READ], "clusterroles", named("n", rules=[url])
    )
    check([{"verbs": ["*"], "nonResourceURLs": ["/met*"]}], "clusterroles", named("n", rules=[url]))


def test_the_verbs_bind_and_escalate_say_yes() -> None:
    bind = {
        "verbs": ["bind"],
        "apiGroups": [GROUP],
        "resources": ["clusterroles"],
        "resourceNames": ["reader"],
    }
    check([bind], "rolebindings", bound("reader"))
    assert "not currently held" in refused([bind], "rolebindings", bound("local", "Role"))
    escalate = {"verbs": ["escalate"], "apiGroups": [GROUP], "resources": ["roles"]}
    check([escalate], "roles", named("new", "ns", rules=[ALL]))
    assert "not currently held" in refused([escalate], "clusterroles", named("new", rules=[ALL]))


def test_the_privileged_group_may() -> None:
    check([], "clusterroles", named("new", rules=[ALL]), user=User("admin", ("system:masters",)))


def test_a_binding_to_nothing_is_not_found() -> None:
    with pytest.raises(ApiError) as raised:
        check([READ], "rolebindings", bound("gone"))
    assert raised.value.code == 404


def test_aggregation_gathers_anything_so_it_takes_everything() -> None:
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    assert "must have cluster-admin privileges" in refused(
        [READ], "clusterroles", named("n", aggregationRule=rule)
    )
    everything = [ALL, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
    check(everything, "clusterroles", named("n", aggregationRule=rule))
    old = named("n", aggregationRule=rule)
    assert "cluster-admin" in refused([READ], "clusterroles", named("n"), old)


def test_the_garbage_collector_may_let_go() -> None:
    old = named("new", "ns", rules=[ALL])
    old["metadata"]["finalizers"] = ["a/b"]
    check([], "roles", named("new", "ns", rules=[ALL]), old)
    assert "not currently held" in refused([], "roles", named("new", "ns", rules=[ALL, READ]), old)


RULE_SETS = st.lists(
    st.sampled_from([rule for listed in CLUSTER_ROLES.values() for rule in listed]), max_size=6
)


@given(RULE_SETS)
def test_rules_cover_themselves(listed: list[Mapping[str, Any]]) -> None:
    assert rules.uncovered([Rule(rule) for rule in listed], listed) == []


@given(RULE_SETS, RULE_SETS)
def test_what_is_left_uncovered_covers_the_rest(
    owned: list[Mapping[str, Any]], wanted: list[Mapping[str, Any]]
) -> None:
    missing = rules.uncovered([Rule(rule) for rule in owned], wanted)
    joined = [Rule(rule) for rule in (*owned, *rules.compact(missing))]
    assert rules.uncovered(joined, wanted) == []
