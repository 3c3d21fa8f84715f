from __future__ import annotations

from typing import Any

from sampan.api.roles import aggregated_rules


def role(name: str, label: str, *verbs: str) -> dict[str, Any]:
    rules = [{"verbs": list(verbs), "apiGroups": [""], "resources": ["pods"]}]
    return {"metadata": {"name": name, "labels": {"gather": label}}, "rules": rules}


def boss(*selectors: dict[str, Any]) -> dict[str, Any]:
    everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    metadata = {"name": "boss", "labels": {"gather": "yes"}}
    return {
        "metadata": metadata,
        "aggregationRule": {"clusterRoleSelectors": list(selectors)},
        "rules": everything,
    }


YES = {"matchLabels": {"gather": "yes"}}


def verbs(found: list[dict[str, Any]] | None) -> list[list[str]]:
    return [rule["verbs"] for rule in found or []]


def test_rules_are_gathered_in_order_without_doubles_and_without_its_own() -> None:
    gatherer = boss(YES)
    every = [
        role("b", "yes", "list"),
        role("a", "yes", "get"),
        role("c", "no", "watch"),
        role("d", "yes", "get"),
    ]
    assert verbs(aggregated_rules(gatherer, [*every, gatherer])) == [["get"], ["list"]]


def test_selectors_add_up() -> None:
    no = {"matchExpressions": [{"key": "gather", "operator": "NotIn", "values": ["yes"]}]}
    every = [role("a", "no", "watch"), role("b", "yes", "get")]
    assert verbs(aggregated_rules(boss(YES, no), every)) == [["get"], ["watch"]]


def test_a_malformed_selector_selects_nothing() -> None:
    bad = {"matchExpressions": [{"key": "gather", "operator": "Like", "values": ["yes"]}]}
    assert aggregated_rules(boss(bad), [role("a", "yes", "get")]) == []
    assert verbs(aggregated_rules(boss(bad, YES), [role("a", "yes", "get")])) == [["get"]]


def test_a_role_that_aggregates_nothing_is_left_alone() -> None:
    assert aggregated_rules(role("a", "yes", "get"), []) is None
    assert aggregated_rules(boss(), [role("a", "yes", "get")]) is None
