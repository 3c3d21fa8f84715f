"""Field selectors: terms, escapes, and upstream's words for those that cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.api.selector import fields
from sampan.api.selector.error import SelectorError

POD = {"metadata.name": "web", "status.phase": "Running"}


@pytest.mark.parametrize(
    ("text", "requirements", "expected"),
    [
        ("", (), True),
        (",", (), True),
        ("=", (), True),
        ("metadata.name=web", (("metadata.name", "=", "web"),), True),
        ("metadata.name==web", (("metadata.name", "=", "web"),), True),
        ("metadata.name!=web", (("metadata.name", "!=", "web"),), False),
        (
            "status.phase!=Failed,metadata.name=web",
            (("metadata.name", "=", "web"), ("status.phase", "!=", "Failed")),
            True,
        ),
        ("spec.nodeName=", (("spec.nodeName", "=", ""),), True),
        (r"metadata.name=a\,b\=c\\", (("metadata.name", "=", "a,b=c\\"),), False),
    ],
)
def test_what_is_selected(text: str, requirements: tuple[tuple[str, str, str], ...], expected: bool) -> None:
    selector = fields.parse(text)
    assert selector.requirements == requirements
    assert selector.empty is (not requirements)
    assert selector.matches(POD) is expected
    assert selector.matches(lambda field: POD.get(field, "")) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web", "invalid selector: 'web'; can't understand 'web'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        (r"a=\b", r"invalid field selector: invalid escape sequence: \b"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as raised:
        fields.parse(text)
    assert str(raised.value) == message


def test_what_an_index_can_look_up() -> None:
    selector = fields.parse("metadata.name=web,spec.nodeName!=a")
    assert selector.requires("metadata.name") == "web"
    assert selector.requires("spec.nodeName") is None


@given(st.text(alphabet="ab,=\\! ", max_size=8), st.sampled_from(["=", "!="]))
def test_any_value_can_be_written_and_read_again(value: str, op: str) -> None:
    selector = fields.FieldSelector((fields.FieldRequirement("f", op, value),))
    assert fields.parse(str(selector)) == selector
