from __future__ import annotations

from typing import Any

from sampan.control.plan import Update
from sampan.control_plane.controllers.clusterrole_aggregation import plan

RULE = {"verbs": ["get"], "apiGroups": ["acme.com"], "resources": ["boats"]}
PART = {"metadata": {"name": "boats", "labels": {"to-view": "true"}}, "rules": [RULE]}


def view(*rules: dict[str, Any]) -> dict[str, Any]:
    selectors = [{"matchLabels": {"to-view": "true"}}]
    found = {"metadata": {"name": "view"}, "aggregationRule": {"clusterRoleSelectors": selectors}}
    return {**found, "rules": list(rules)} if rules else found


def test_a_role_that_lacks_rules_gets_them() -> None:
    (action,) = plan(view(), [PART, view()])
    assert isinstance(action, Update)
    assert action.obj["rules"] == [RULE]


def test_a_role_that_is_right_is_left_alone() -> None:
    assert plan(view(RULE), [PART]) == []
    assert plan(view(), []) == []
    assert plan(PART, [PART]) == []


def test_what_is_gone_is_taken_away() -> None:
    (action,) = plan(view(RULE), [])
    assert isinstance(action, Update)
    assert action.obj["rules"] == []
