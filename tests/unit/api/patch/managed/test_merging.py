from __future__ import annotations

from typing import Any

import pytest

from made_schemas import ROOT
from sampan.api.patch.managed import fieldset, merging, types

TYPE = types.of(ROOT)


def merged(live: dict[str, Any], config: dict[str, Any]) -> Any:
    return merging.merge({"spec": live}, {"spec": config}, TYPE)["spec"]


def test_leaves_of_the_configuration_win_and_the_rest_stays() -> None:
    live = {"replicas": 1, "text": "x", "nested": {"inner": {"a": "1", "b": "2"}}}
    assert merged(live, {"replicas": 3, "nested": {"inner": {"b": "3"}}}) == {
        "replicas": 3,
        "text": "x",
        "nested": {"inner": {"a": "1", "b": "3"}},
    }


def test_atomic_values_are_replaced() -> None:
    live = {"atom": ["a", "b"], "block": {"a": "1", "b": "2"}}
    assert merged(live, {"atom": ["c"], "block": {"a": "9"}}) == {"atom": ["c"], "block": {"a": "9"}}


def test_an_empty_container_says_nothing_about_a_granular_one() -> None:
    assert merged({"nested": {"inner": {"a": "1"}}}, {"nested": {}}) == {"nested": {"inner": {"a": "1"}}}
    assert merged({"block": {"a": "1"}}, {"block": {}}) == {"block": {}}


@pytest.mark.parametrize(
    ("live", "config", "expected"),
    [
        ([1, 2, 3], [2], [1, 2, 3]),
        ([1, 2, 3], [4, 2], [1, 4, 2, 3]),
        ([1, 2, 3], [3, 1], [2, 3, 1]),
        ([1, 2], [2, 1, 5], [2, 1, 5]),
        ([], [2, 1], [2, 1]),
        ([1], [], [1]),
    ],
)
def test_order_of_keyed_lists(live: list[int], config: list[int], expected: list[int]) -> None:
    found = merged({"ports": [{"port": p} for p in live]}, {"ports": [{"port": p} for p in config]})
    assert [item["port"] for item in found["ports"]] == expected


def test_fields_and_items_are_removed() -> None:
    value = {
        "spec": {
            "ports": [{"port": 1, "name": "a"}, {"port": 2}],
            "nested": {"inner": {"a": "1"}},
            "replicas": 1,
        }
    }
    gone = fieldset.of(
        [
            ("f:spec", "f:ports", 'k:{"port":2,"protocol":"TCP"}'),
            ("f:spec", "f:ports", 'k:{"port":1,"protocol":"TCP"}', "f:name"),
            ("f:spec", "f:nested", "f:inner", "f:a"),
        ]
    )
    left = merging.without_emptied(merging.remove(value, gone, TYPE))
    assert left == {"spec": {"ports": [{"port": 1}], "nested": {}, "replicas": 1}}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"replicas": "x"}, r"\.spec\.replicas: expected numeric \(int or float\), got string"),
        ({"text": 5}, r"\.spec\.text: expected string, got &value.valueUnstructured{Value:5}"),
        ({"ports": {}}, r"\.spec\.ports: expected list"),
        ({"nested": []}, r"\.spec\.nested: expected map"),
        ({"nope": 1}, r"\.spec\.nope: field not declared in schema"),
        (
            {"ports": [{"port": 1}, {"port": 1}]},
            r"\.spec\.ports: duplicate entries for key \[port=1,protocol=\"TCP\"\]",
        ),
        (
            {"ports": ["x"]},
            r"\.spec\.ports: element 0: associative list with keys may not have non-map elements",
        ),
    ],
)
def test_what_does_not_fit_is_named(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(types.TypedError, match=f"^{says}"):
        merging.validate({"spec": spec}, TYPE, duplicates=False)


def test_a_list_that_became_atomic_is_owned_as_one() -> None:
    before = fieldset.of([("f:spec", "f:atom", 'v:"a"'), ("f:spec", "f:block", "f:a"), ("f:spec", "f:text")])
    assert fieldset.of(
        [("f:spec", "f:atom"), ("f:spec", "f:block"), ("f:spec", "f:text")]
    ) == merging.reconcile(before, TYPE)
