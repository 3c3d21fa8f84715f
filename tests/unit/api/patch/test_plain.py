from __future__ import annotations

from sampan.api.patch import plain


def test_equality_tells_numbers_from_booleans() -> None:
    assert plain.same({"a": [1, 1.0]}, {"a": [1.0, 1]})
    assert not plain.same({"a": 1}, {"a": True})
    assert not plain.same([False], [0])
    assert not plain.same({"a": 1}, {"a": 1, "b": None})


def test_a_clone_shares_nothing() -> None:
    value = {"a": [{"b": 1}]}
    copied = plain.clone(value)
    copied["a"][0]["b"] = 2
    assert value == {"a": [{"b": 1}]}


def test_values_as_go_shows_them() -> None:
    shown = plain.go_format({"name": "x", "ports": [80, True, None, 1.5], "empty": {}})
    assert shown == "map[empty:map[] name:x ports:[80 true <nil> 1.5]]"


def test_types_as_go_names_them() -> None:
    names = [plain.json_type(value) for value in ({}, [], True, "", 1, 1.5, None)]
    assert names == ["map", "slice", "bool", "string", "int64", "float64", "nil"]
