from __future__ import annotations

from typing import Any

import pytest

from made_schemas import ROOT
from sampan.api.patch.managed import comparing, fieldset, types

TYPE = types.of(ROOT)


def paths(fields: fieldset.FieldSet) -> list[str]:
    return sorted(fieldset.shown_path(path).removeprefix(".spec") for path in fieldset.members(fields))


def diff(old: dict[str, Any], new: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """removed, modified, added"""
    found = comparing.compare({"spec": old}, {"spec": new}, TYPE)
    return paths(found.removed), paths(found.modified), paths(found.added)


@pytest.mark.parametrize(
    ("old", "new", "removed", "modified", "added"),
    [
        ({"replicas": 1}, {"replicas": 2}, [], [".replicas"], []),
        ({"replicas": 1}, {}, [".replicas"], [], []),
        ({}, {"nested": {"inner": {"a": "1"}}}, [], [], [".nested", ".nested.inner", ".nested.inner.a"]),
        ({"nested": {}}, {"nested": {"inner": {}}}, [], [], [".nested.inner"]),
        ({"atom": ["a", "b"]}, {"atom": ["b", "a"]}, [], [".atom"], []),
        ({"block": {"a": "1"}}, {"block": {"b": "1"}}, [], [".block"], []),
        ({"free": {"x": 1}}, {"free": {"x": 1, "y": {}}}, [], [], [".free.y"]),
        ({"free": {"x": 1}}, {"free": [1]}, [".free.x"], [".free"], []),
        ({"replicas": 1}, {"replicas": None}, [], [".replicas"], []),
    ],
)
def test_differences(
    old: dict[str, Any], new: dict[str, Any], removed: list[str], modified: list[str], added: list[str]
) -> None:
    assert diff(old, new) == (removed, modified, added)


def test_items_of_keyed_lists_are_told_apart_by_key_and_its_default() -> None:
    old = {"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}
    new = {"ports": [{"port": 53, "protocol": "TCP"}, {"port": 80, "protocol": "TCP", "name": "x"}]}
    removed, modified, added = diff(old, new)
    udp, tcp, web = ('[port=53,protocol="UDP"]', '[port=53,protocol="TCP"]', '[port=80,protocol="TCP"]')
    assert removed == [f".ports{udp}", f".ports{udp}.port", f".ports{udp}.protocol"]
    assert modified == []
    assert added == [
        f".ports{tcp}",
        f".ports{tcp}.port",
        f".ports{tcp}.protocol",
        f".ports{web}.name",
        f".ports{web}.protocol",
    ]


def test_sets_are_owned_item_by_item() -> None:
    found = comparing.compare(
        {"metadata": {"finalizers": ["a", "b"]}}, {"metadata": {"finalizers": ["c", "b"]}}, TYPE
    )
    assert paths(found.removed) == ['.metadata.finalizers[="a"]']
    assert paths(found.added) == ['.metadata.finalizers[="c"]']


def test_items_that_occur_twice_count_as_one_leaf() -> None:
    twice = {"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]}
    changed = {"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "c"}]}
    item = '.ports[port=1,protocol="TCP"]'
    assert diff(twice, changed) == ([], [item], [])
    assert diff(twice, {"ports": [{"port": 1}]})[2] == [item, f"{item}.port"]


def test_unknown_fields_of_typed_objects_are_named() -> None:
    with pytest.raises(
        types.TypedError, match=r"^\.spec\.ports\[port=1,protocol=\"TCP\"\]\.nope: field not declared"
    ):
        comparing.compare({}, {"spec": {"ports": [{"port": 1, "nope": 1}]}}, TYPE)


def test_fields_of_a_value() -> None:
    value = {
        "spec": {"ports": [{"port": 1}], "nested": {"inner": {"a": "1"}}, "atom": [], "block": {}, "free": {}}
    }
    assert paths(comparing.to_fieldset(value, TYPE)) == [
        ".atom",
        ".block",
        ".free",
        ".nested.inner.a",
        '.ports[port=1,protocol="TCP"]',
        '.ports[port=1,protocol="TCP"].port',
    ]
