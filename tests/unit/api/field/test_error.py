"""Causes: their reasons, paths and words."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.api.field import error
from sampan.api.status import Cause


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (error.required("a"), Cause("FieldValueRequired", "Required value", "a")),
        (error.required("a", "give one"), Cause("FieldValueRequired", "Required value: give one", "a")),
        (error.invalid("a", "x", "no"), Cause("FieldValueInvalid", 'Invalid value: "x": no', "a")),
        (error.type_invalid("a", 1, "no"), Cause("FieldValueTypeInvalid", "Invalid value: 1: no", "a")),
        (error.forbidden("a", "may not"), Cause("FieldValueForbidden", "Forbidden: may not", "a")),
        (error.duplicate("a", "x"), Cause("FieldValueDuplicate", 'Duplicate value: "x"', "a")),
        (error.not_found("a", "x"), Cause("FieldValueNotFound", 'Not found: "x"', "a")),
        (
            error.not_supported("a", "x", ["p", "q"]),
            Cause("FieldValueNotSupported", 'Unsupported value: "x": supported values: "p", "q"', "a"),
        ),
        (error.too_long("a", 1), Cause("FieldValueTooLong", "Too long: may not be more than 1 byte", "a")),
        (error.too_long("a", 63), Cause("FieldValueTooLong", "Too long: may not be more than 63 bytes", "a")),
        (
            error.too_many("a", 9, 8),
            Cause("FieldValueTooMany", "Too many: 9: must have at most 8 items", "a"),
        ),
    ],
)
def test_words(found: Cause, expected: Cause) -> None:
    assert found == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('a"b', '"a\\"b"'),
        (True, "true"),
        (1.5, "1.5"),
        ([1], "[1]"),
        ({"b": 1, "a": "<"}, '{"a":"\\u003c","b":1}'),
    ],
)
def test_values(value: Any, shown: str) -> None:
    assert error.shown(value) == shown


def test_paths() -> None:
    path = error.child(error.index(error.child("", "spec", "containers"), 2), "name")
    assert path == "spec.containers[2].name"
    assert error.key("metadata.labels", "a/b") == "metadata.labels[a/b]"


def test_one_cause_per_fault() -> None:
    assert [cause.message for cause in error.each_invalid("a", "x", ["p", "q"])] == [
        'Invalid value: "x": p',
        'Invalid value: "x": q',
    ]
