from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.gotemplate import semver


@pytest.mark.parametrize(
    ("constraint", "version", "fits"),
    [
        (">=1.2.0", "1.2.3", True),
        ("^1.2", "1.9.0", True),
        ("^1.2", "2.0.0", False),
        ("^0.2.3", "0.2.9", True),
        ("^0.2.3", "0.3.0", False),
        ("^0.0.3", "0.0.4", False),
        ("~1.2.3", "1.2.9", True),
        ("~1.2.3", "1.3.0", False),
        ("~>1", "1.9.9", True),
        ("1.2.x", "1.2.5", True),
        ("1", "1.5.0", True),
        ("=1.2", "1.2.9", True),
        (">1.0 <2.0", "1.5", True),
        (">1.0,<2.0", "2.5", False),
        ("1.0 - 2.0", "1.5.0", True),
        ("<1.0 || >2.0", "2.1", True),
        (">=1.0", "1.5.0-beta", False),
        (">=1.0-0", "1.5.0-beta", True),
        ("!=1.2.3", "1.2.3", False),
        ("!=1.x", "1.5.0", False),
        (">11", "11.1.0", False),
        (">11.1", "11.2.0", True),
        ("<=1.2", "1.2.9", True),
        ("*", "0.0.1", True),
        ("v1.2.3", "1.2.3", True),
        ("=>1.0", "1.0.0", True),
    ],
)
def test_constraints(constraint: str, version: str, fits: bool) -> None:
    assert semver.matches(constraint, version) is fits


@pytest.mark.parametrize(
    ("text", "shown"),
    [("v1.2", "1.2.0"), ("1", "1.0.0"), ("1.2.3-beta.1+x", "1.2.3-beta.1+x"), ("01.2.3", "1.2.3")],
)
def test_versions(text: str, shown: str) -> None:
    assert str(semver.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "abc", "1.2.3.4", "1.2.3-01", "-1"])
def test_no_versions(text: str) -> None:
    with pytest.raises(semver.SemverError):
        semver.parse(text)


def test_strict_versions() -> None:
    assert str(semver.parse_strict("1.2.3-a+b")) == "1.2.3-a+b"
    for text in ("v1.2.3", "1.2", "01.2.3", "1.2.x"):
        with pytest.raises(semver.SemverError):
            semver.parse_strict(text)


@pytest.mark.parametrize("text", [">=x.y", "1.2.3.4", "foo", ">> 1"])
def test_bad_constraints(text: str) -> None:
    with pytest.raises(semver.SemverError, match="improper constraint"):
        semver.Constraint(text)
    assert not semver.compatible(text, "1.0.0")


def test_order_of_the_specification() -> None:
    names = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
             "1.0.0-rc.1", "1.0.0"]  # fmt: skip
    assert [str(v) for v in sorted(map(semver.parse, reversed(names)))] == names


@given(st.text(max_size=30))
def test_any_text_is_a_constraint_or_an_error(text: str) -> None:
    try:
        semver.Constraint(text).check(semver.parse("1.2.3"))
    except semver.SemverError:
        pass
