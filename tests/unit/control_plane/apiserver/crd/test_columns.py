from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.control_plane.apiserver.crd import columns, formats, go_text, json_path

OBJ: dict[str, Any] = {
    "metadata": {
        "name": "a",
        "creationTimestamp": "2027-01-15T08:00:00Z",
        "annotations": {"acme.com/team": "red"},
    },
    "spec": {
        "n": 3,
        "f": 1.5,
        "on": True,
        "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}],
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
        "map": {"k": {"deep": 1}},
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".metadata.name", ["a"]),
        ("{.metadata.name}", ["a"]),
        ("$.metadata.name", ["a"]),
        (".metadata.annotations['acme.com/team']", ["red"]),
        (r".metadata.annotations.acme\.com/team", ["red"]),
        (".spec.list[0].name", ["x"]),
        (".spec.list[-1].name", ["y"]),
        (".spec.list[*].v", [1, 2]),
        (".spec.list[0:1].v", [1]),
        (".spec.list[9].v", []),
        ('.spec.conditions[?(@.type=="Ready")].status', ["True"]),
        (".spec.conditions[?(@.type=='Nope')].status", []),
        (".spec.conditions[?(@.type != 'Ready')].status", ["False"]),
        (".spec.list[?(@.v>1)].name", ["y"]),
        (".spec.list[?(@.name)].v", [1, 2]),
        ("..deep", [1]),
        (".spec.map.*", [{"deep": 1}]),
        (".missing.more", []),
        (".", [OBJ]),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert json_path.Path(path).find(OBJ) == found


@pytest.mark.parametrize("path", ["spec", ".spec[", ".spec[?(@.a=b)]", ".a b"])
def test_bad_paths(path: str) -> None:
    with pytest.raises(json_path.PathError, match="cannot"):
        json_path.Path(path)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    try:
        json_path.Path(text).find(OBJ)
    except json_path.PathError:
        pass


def row(*listed: dict[str, Any]) -> list[Any]:
    return [column.cell(OBJ, 1_800_000_000 + 330) for column in columns.of(listed)]


def test_without_columns_there_is_the_age() -> None:
    assert row() == ["a", "5m30s"]
    assert [column.definition["name"] for column in columns.of(())] == ["Name", "Age"]


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("integer", ".spec.n", 3),
        ("integer", ".spec.f", 1),
        ("integer", ".metadata.name", None),
        ("number", ".spec.n", 3.0),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.n", None),
        ("string", ".spec.n", "3"),
        ("string", ".spec.on", "true"),
        ("string", ".spec.map", '{"k":{"deep":1}}'),
        ("string", ".spec.list[*].name", "x"),
        ("string", ".spec.gone", None),
        ("date", ".metadata.creationTimestamp", "5m30s"),
        ("date", ".metadata.name", "<invalid>"),
        ("string", ".spec[", None),
    ],
)
def test_cells(kind: str, path: str, shown: Any) -> None:
    assert row({"name": "C", "type": kind, "jsonPath": path}) == ["a", shown]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (731 * 86400, "2y1d"),
        (3000 * 86400, "8y"),
    ],
)
def test_ages(seconds: float, shown: str) -> None:
    assert columns.duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (10.5, "10.5"),
        (0.0001, "0.0001"),
        (1e-5, "1e-05"),
        (123456, "123456"),
        (2147483647, "2.147483647e+09"),
        (0, "0"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_as_go_writes_them(value: float, text: str) -> None:
    assert go_text.number(value) == text


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^a$", "a\n", False),
        (r"^\d+$", "١", False),
        ("^[[:alpha:]]+$", "abc", True),
        ("^[^$]+$", "a$", False),
        (r"^[]a]+$", "]a", True),
        (r"a\z", "a", True),
        (r"^[a-z\]]+$", "a]", True),
    ],
)
def test_patterns_as_go_reads_them(pattern: str, text: str, found: bool) -> None:
    assert (go_text.pattern(pattern).search(text) is not None) is found


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2020-01-01T00:00:00.5Z", "2020-13-01T00:00:00Z"),
        ("date", "2020-02-29", "2021-02-29"),
        ("duration", "1h2m3.5s", "1x"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("mac", "01:23:45:67:89:ab", "01:23:45"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("uri", "https://a/b?c", "a b"),
        ("hostname", "a-b.example.com", "-a"),
        ("email", "a@b.c", "a"),
        ("byte", "YQ==", "Y"),
        ("isbn", "978-0321751041", "978-0321751042"),
        ("isbn10", "0321751043", "0321751044"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("hexcolor", "#fff", "#ff"),
        ("rgbcolor", "rgb(1,2,255)", "rgb(1,2,256)"),
        ("ssn", "123-45-6789", "12-45-6789"),
        ("bsonobjectid", "0123456789abcdef01234567", "0123"),
        ("k8s-short-name", "a-b", "A"),
        ("k8s-long-name", "a.b", "a..b"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    check = formats.check(name)
    assert check is not None
    assert check(good)
    assert not check(bad)


def test_an_unknown_format_means_nothing() -> None:
    assert formats.check("colour") is None
