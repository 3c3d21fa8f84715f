from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.patch.managed import fieldset
from sampan.api.patch.managed.fieldset import FieldsError, FieldSet

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"n":"x"}', 'k:{"n":"y"}', "v:1", "v:10", "v:2", 'v:"s"'])
PATHS = st.lists(st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=8)


def members(fields: FieldSet) -> set[tuple[str, ...]]:
    return set(fieldset.members(fields))


def canonical(fields: FieldSet) -> bool:
    """In order at every level, and nothing that says nothing."""
    if len(fields) == 1 and "." in fields:
        return False
    keys = list(fields)
    return keys == sorted(keys, key=fieldset.order) and all(canonical(below) for below in fields.values())


@given(PATHS, PATHS)
def test_the_algebra_is_that_of_member_paths(left: list[Any], right: list[Any]) -> None:
    a, b = fieldset.of(left), fieldset.of(right)
    assert members(a) == set(left)
    for result, expected in (
        (fieldset.union(a, b), members(a) | members(b)),
        (fieldset.difference(a, b), members(a) - members(b)),
        (fieldset.intersection(a, b), members(a) & members(b)),
        (
            fieldset.recursive_difference(a, b),
            {path for path in members(a) if not any(path[: i + 1] in members(b) for i in range(len(path)))},
        ),
    ):
        assert members(result) == expected
        assert canonical(result)


@given(PATHS)
def test_reading_gives_the_same_set(paths: list[Any]) -> None:
    fields = fieldset.of(paths)
    assert fieldset.parse(fields) == fields
    assert all(fieldset.has(fields, path) for path in paths)


def test_numbers_stand_in_numeric_order() -> None:
    fields = fieldset.of([('k:{"port":443}',), ('k:{"port":80}',), ("v:20",), ("v:3",), ("f:z",)])
    assert list(fields) == ["f:z", 'k:{"port":80}', 'k:{"port":443}', "v:3", "v:20"]


def test_keys_are_written_as_go_writes_them() -> None:
    assert (
        fieldset.key_element({"protocol": "TCP", "containerPort": 80})
        == 'k:{"containerPort":80,"protocol":"TCP"}'
    )
    assert fieldset.value_element("a<b>&c") == 'v:"a\\u003cb\\u003e\\u0026c"'


def test_what_clients_send_is_made_canonical() -> None:
    sent = {"f:b": {}, "f:a": {".": {}}, 'k:{"b":1,"a":2}': {".": {}, "f:x": {}}, "x:future": {}}
    assert fieldset.parse(sent) == {"f:a": {}, "f:b": {}, 'k:{"a":2,"b":1}': {".": {}, "f:x": {}}}
    assert list(fieldset.parse(sent)) == ["f:a", "f:b", 'k:{"a":2,"b":1}']


@pytest.mark.parametrize("sent", [{"a": {}}, {"f:a": 1}, {"k:nonsense": {}}, [], {"k:[]": {}}])
def test_what_cannot_be_read_is_named(sent: Any) -> None:
    with pytest.raises(FieldsError):
        fieldset.parse(sent)


def test_paths_are_shown_as_users_know_them() -> None:
    path = (
        "f:spec",
        "f:containers",
        'k:{"name":"web"}',
        "f:ports",
        'k:{"containerPort":80,"protocol":"TCP"}',
    )
    assert fieldset.shown_path(path) == '.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]'
    assert fieldset.shown_path(("f:finalizers", 'v:"a/b"')) == '.finalizers[="a/b"]'
    assert fieldset.shown_path(("f:list", "i:3")) == ".list[3]"
