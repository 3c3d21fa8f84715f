"""The JSONPath of printer columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.table import jsonpath

OBJECT: dict[str, Any] = {
    "metadata": {"labels": {"a.b/c": "dotted", "plain": "x"}},
    "spec": {"n": 3, "list": [{"name": "a", "v": 1}, {"name": "b", "v": 2, "on": True}, {"name": "c"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".spec.n", [3]),
        ("spec.n", [3]),
        ("$.spec.n", [3]),
        ("{.spec.n}", [3]),
        (".spec['n']", [3]),
        (".metadata.labels.a\\.b/c", ["dotted"]),
        ('.metadata.labels["a.b/c"]', ["dotted"]),
        (".spec.list[0].name", ["a"]),
        (".spec.list[-1].name", ["c"]),
        (".spec.list[0:2].name", ["a", "b"]),
        (".spec.list[::2].name", ["a", "c"]),
        (".spec.list[*].name", ["a", "b", "c"]),
        (".spec.list[0,2].name", ["a", "c"]),
        (".spec.list[9].name", []),
        (".metadata.labels.*", ["dotted", "x"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type != 'Ready')].status", ["False"]),
        (".spec.list[?(@.v>1)].name", ["b"]),
        (".spec.list[?(@.on==true)].name", ["b"]),
        (".spec.list[?(@.on)].name", ["b"]),
        (".spec.list[?(@.name<5)].name", []),
        ("..name", ["a", "b", "c"]),
        (".", [OBJECT]),
        (".nothing.at.all", []),
        (".spec.n.deeper", []),
    ],
)
def test_find(path: str, expected: list[Any]) -> None:
    assert jsonpath.parse(path).find(OBJECT) == expected


@pytest.mark.parametrize("path", [".a[", ".a[x]", ".a[?(@.b==zz)]", ".a{b", ".a[0:2:0]", ".a..[?("])
def test_what_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(jsonpath.PathError):
        jsonpath.parse(path)


@given(st.text(".ab[]0*?(@)='\"\\:,$", max_size=15))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        jsonpath.parse(text).find(OBJECT)
    except jsonpath.PathError:
        pass
