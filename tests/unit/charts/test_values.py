from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.charts import strvals
from sampan.charts.coalesce import coalesce_tables, coalesce_values, merge_values
from sampan.charts.dependencies import check, path_value, process
from sampan.charts.errors import ChartError, ValuesError
from sampan.charts.values import Sources, compute
from unit.charts.made import chart, child


def parsed(text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    strvals.parse(text, values)
    return values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,b=x", {"a": 1, "b": "x"}),
        ("a.b.c=true", {"a": {"b": {"c": True}}}),
        ("a={x,1,null}", {"a": ["x", 1, None]}),
        ("a[1]=x", {"a": [None, "x"]}),
        ("a[0].b=1,a[0].c=2", {"a": [{"b": 1, "c": 2}]}),
        ("a[0][1]=x", {"a": [[None, "x"]]}),
        (r"a=x\,y,b\.c=1", {"a": "x,y", "b.c": 1}),
        ("a=00123,b=0,c=1e6,d=", {"a": "00123", "b": 0, "c": "1e6", "d": ""}),
        ("a=TRUE,b=Null", {"a": True, "b": None}),
        ("a=x=y", {"a": "x=y"}),
        ("x[0", {}),
        ("", {}),
    ],
)
def test_set(text: str, values: dict[str, Any]) -> None:
    assert parsed(text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", 'key "a" has no value'),
        ("a,b=1", 'key "a" has no value (cannot end with ,)'),
        ("a={x", "list must terminate with '}'"),
        ("a[x]=1", 'error parsing index: strconv.Atoi: parsing "x": invalid syntax'),
        ("a[-1]=1", "negative -1 index not allowed"),
        ("a[99999]=1", "index of 99999 is greater than maximum supported index of 65536"),
        ("a[0]y=1", "unexpected data at end of array index: ['y']"),
        (
            ".".join("a" * 32) + "=1",
            "value name nested level is greater than maximum supported nested level of 30",
        ),
        (
            "a=1,a.b=2",
            "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
        ),
    ],
)
def test_set_refuses(text: str, message: str) -> None:
    with pytest.raises(ValuesError) as caught:
        parsed(text)
    assert str(caught.value) == message


@given(st.text(alphabet="ab.,=[]{}0\\ ", max_size=25))
def test_any_text_is_values_or_an_error(text: str) -> None:
    try:
        parsed(text)
    except ValuesError as problem:
        assert str(problem)


def test_sources_come_in_helms_order() -> None:
    files = {"one.yaml": b"a: 1\nb: {x: 1}", "two.yaml": b"b: {z: 2}", "f.txt": b"text"}
    sources = Sources(
        files=("one.yaml", "two.yaml"),
        set_json=('{"j": {"k": 1}}', "l=[1,2]"),
        set=("a=2,l[0]=9",),
        set_string=("n=5",),
        set_file=("f=f.txt",),
        set_literal=("lit=a,b={c}",),
    )
    assert compute(sources, files.__getitem__) == {
        "a": 2, "b": {"x": 1.0, "z": 2.0}, "j": {"k": 1.0}, "l": [9, 2.0], "n": "5", "f": "text", "lit": "a,b={c}",
    }  # fmt: skip


def test_sources_name_what_is_wrong() -> None:
    with pytest.raises(ValuesError, match=r"failed parsing --set data: key \"a\" has no value"):
        compute(Sources(set=("a",)), dict[str, bytes]().__getitem__)
    with pytest.raises(ValuesError, match=r"failed parsing --set-json data a={bad"):
        compute(Sources(set_json=("a={bad",)), dict[str, bytes]().__getitem__)
    with pytest.raises(ValuesError, match=r"failed to parse x: cannot unmarshal yaml document"):
        compute(Sources(files=("x",)), lambda _: b"a: b: c")


PARENT = {
    "values.yaml": "a: 1\nnone: null\nm: {x: 1, z: null}\nkid: {own: parent, nul: null}\nglobal: {g: 1, t: {a: 1}}\n",
    **child("kid", {"values.yaml": "own: child\nnul: 5\nd: {p: null, q: 1}\nglobal: {g: 2, t: {b: 2}}\n"}),
}


def test_values_over_defaults_down_the_tree() -> None:
    values = coalesce_values(chart(PARENT), {"a": None, "new": None, "m": {"x": 2}})
    assert values == {
        "new": None,
        "m": {"x": 2},
        "global": {"g": 1.0, "t": {"a": 1.0}},
        "kid": {
            "own": "parent",
            "nul": 5.0,
            "d": {"q": 1.0},
            "global": {"g": 1.0, "t": {"a": 1.0, "b": 2.0}},
        },
    }


def test_merging_keeps_nulls() -> None:
    values = merge_values(chart(PARENT), {})
    assert values["none"] is None
    assert values["kid"]["nul"] is None
    assert values["kid"]["d"] == {"p": None, "q": 1.0}


def test_a_map_over_a_scalar_is_told() -> None:
    told: list[str] = []
    values = coalesce_values(chart({"values.yaml": "a: 1"}), {"a": {"b": 1}}, told.append)
    assert values == {"a": {"b": 1}}
    assert told == ["warning: skipped value for c.a: Not a table."]
    with pytest.raises(ValuesError, match=r"type mismatch on kid: %!t"):
        coalesce_values(chart(PARENT), {"kid": 5})


def test_tables() -> None:
    assert coalesce_tables({"a": None, "b": {"c": 1}}, {"a": 1, "b": {"d": 2}, "e": 3}) == {
        "b": {"c": 1, "d": 2},
        "e": 3,
    }


DEPENDENT = """dependencies:
- {name: one, version: "1.x", repository: r, condition: "one.enabled,global.one", tags: [front]}
- {name: two, version: ">=2.0", repository: r}
- {name: one, version: "1.x", repository: r, alias: again}
"""


def names(values: dict[str, Any]) -> list[str]:
    files = {
        **child("one", {}),
        **child("two", {}, "1.0.0"),
        **child("free", {}),
        "values.yaml": "tags: {back: true}",
    }
    made = chart(files, more=DEPENDENT)
    process(made, values)
    return sorted(c.name for c in made.dependencies)


def test_which_charts_take_part() -> None:
    """`two` has a version that the range refuses: Helm then takes it for a chart that nobody declared."""
    assert names({}) == ["again", "free", "one", "two"]
    assert names({"one": {"enabled": False}}) == ["again", "free", "two"]
    assert names({"global": {"one": False}}) == ["again", "free", "two"]
    assert names({"tags": {"front": False}}) == ["again", "free", "two"]
    assert names({"tags": {"front": False}, "one": {"enabled": True}}) == ["again", "free", "one", "two"]


def test_what_children_export() -> None:
    more = """dependencies:
- {name: kid, version: "1.x", repository: r, import-values: [data, {child: d, parent: p.q}, missing]}
"""
    files = {
        "values.yaml": "own: 1\np: {q: {z: parent}}",
        **child("kid", {"values.yaml": "exports: {data: {own: 2, more: 3}}\nd: {x: 1, z: child}\n"}),
    }
    made = chart(files, more=more)
    process(made, {})
    assert made.values["own"] == 1.0
    assert made.values["more"] == 3.0
    assert made.values["p"] == {"q": {"x": 1.0, "z": "parent"}}


def test_missing_charts_are_named() -> None:
    more = (
        'dependencies: [{name: gone, version: "1", repository: r}, {name: lost, version: "1", repository: r}]'
    )
    with pytest.raises(ChartError, match=r"missing in charts/ directory: gone, lost"):
        check(chart({}, more=more))


def test_paths_of_values() -> None:
    values = {"a": {"b": 1}, "c": None}
    assert path_value(values, "a.b") == (True, 1)
    assert path_value(values, "a") == (False, None)
    assert path_value(values, "c") == (True, None)
    assert path_value(values, "x.y") == (False, None)


def test_a_processed_copy_leaves_the_chart_alone() -> None:
    made = chart(
        {**child("one", {})}, more='dependencies: [{name: one, version: "1", repository: r, alias: other}]'
    )
    process(made.copy(), {})
    assert [d.name for d in made.dependencies] == ["one"]
    assert made.metadata.dependencies[0].name == "one"
