from __future__ import annotations

import json
from typing import Any

import pytest

from sampan.charts import complaints, formats
from sampan.charts.errors import SchemaError
from sampan.charts.schema import check, validate_chart
from unit.charts.made import chart, child

SEVEN = "http://json-schema.org/draft-07/schema#"
TWENTY = "https://json-schema.org/draft/2020-12/schema"
VALUES = {"s": "hello", "n": 5.0, "big": 70000.0, "l": [1.0, 2.0, 2.0], "m": {"a": 1.0, "b": "x"}}


def said(schema: dict[str, Any], draft: str = SEVEN) -> str:
    return check(VALUES, json.dumps({"$schema": draft, **schema}).encode())


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            {"properties": {"s": {"type": ["integer", "null"]}}},
            "- at '/s': got string, want null or integer\n",
        ),
        ({"properties": {"s": {"enum": ["a", 1]}}}, "- at '/s': value must be one of 'a', 1\n"),
        ({"properties": {"big": {"maximum": 65535}}}, "- at '/big': maximum: got 70,000, want 65,535\n"),
        (
            {"properties": {"big": {"multipleOf": 1000000}}},
            "- at '/big': multipleOf: got 70,000, want 1×10⁰⁶\n",
        ),
        (
            {"properties": {"s": {"pattern": "^[0-9]+$"}}},
            "- at '/s': 'hello' does not match pattern '^[0-9]+$'\n",
        ),
        ({"required": ["x", "y"]}, "- at '': missing properties 'x', 'y'\n"),
        (
            {"properties": {"m": {"additionalProperties": False, "properties": {"a": {}}}}},
            "- at '/m': additional properties 'b' not allowed\n",
        ),
        ({"properties": {"l": {"uniqueItems": True}}}, "- at '/l': items at 1 and 2 are equal\n"),
        (
            {"properties": {"n": {"anyOf": [{"type": "string"}, {"minimum": 10}]}}},
            "- at '/n': 'anyOf' failed\n  - at '/n': got number, want string\n  - at '/n': minimum: got 5, want 10\n",
        ),
        (
            {"properties": {"n": {"$ref": "#/definitions/d"}}, "definitions": {"d": {"type": "string"}}},
            "- at '/n': got number, want string\n",
        ),
        ({"properties": {"n": {"not": {"type": "number"}}}}, "- at '/n': 'not' failed\n"),
        (
            {"properties": {"n": {"if": {"type": "number"}, "then": {"minimum": 10}}}},
            "- at '/n': minimum: got 5, want 10\n",
        ),
        ({"properties": {"s": {"format": "email"}}}, "- at '/s': 'hello' is not valid email: missing @\n"),
        ({"properties": {"s": False}}, "- at '/s': false schema\n"),
        ({"properties": {"n": {"type": "integer"}, "s": {"minLength": 2}}}, ""),
    ],
)
def test_messages(schema: dict[str, Any], message: str) -> None:
    assert said(schema) == message


def test_the_newest_draft() -> None:
    assert said({"properties": {"m": {"properties": {"a": {}}, "unevaluatedProperties": False}}}, TWENTY) == (
        "- at '/m/b': false schema\n"
    )
    assert (
        said({"properties": {"l": {"prefixItems": [{}], "items": {"maximum": 1}}}}, TWENTY).count("maximum")
        == 2
    )
    assert said({"properties": {"s": {"format": "email"}}}, TWENTY) == ""
    tree = {"$defs": {"n": {"$anchor": "n", "type": "string"}}, "properties": {"n": {"$ref": "#n"}}}
    assert said(tree, TWENTY) == "- at '/n': got number, want string\n"


def test_documents_elsewhere_are_asked_for_or_refused() -> None:
    schema = {"properties": {"n": {"$ref": "https://example.com/n.json"}}}
    assert 'failing loading "https://example.com/n.json"' in said(schema)
    data = json.dumps(schema).encode()
    assert check(VALUES, data, lambda _: b'{"type": "string"}') == "- at '/n': got number, want string\n"


def test_schemas_that_are_none() -> None:
    assert check({}, b"{bad") == "invalid character 'b' looking for beginning of object key string"
    assert "not found" in said({"properties": {"n": {"$ref": "#/nope"}}})
    assert "invalid regex" in said({"properties": {"s": {"pattern": "("}}})
    assert "nest too deeply" in said({"$ref": "#"})


def test_charts_inside_are_checked_too() -> None:
    schema = json.dumps({"required": ["x"]})
    made = chart({"values.schema.json": schema, **child("kid", {"values.schema.json": schema})})
    with pytest.raises(SchemaError) as caught:
        validate_chart(made, {"kid": {}})
    assert str(caught.value) == (
        "values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "c:\n- at '': missing property 'x'\nkid:\n- at '': missing property 'x'\n"
    )
    validate_chart(made, {"x": 1, "kid": {"x": 1}})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ipv4", "1.2.3.4", "1.2.3"),
        ("ipv6", "::1", "1.2.3.4"),
        ("hostname", "a.b-c", "-a"),
        ("email", "a.b@c.de", "a..b@c"),
        ("date", "2020-02-29", "2021-02-29"),
        ("time", "12:00:00Z", "25:00:00Z"),
        ("date-time", "2020-01-01T00:00:00+01:00", "2020-01-01"),
        ("uri", "http://x/y", "x/y"),
        ("uri-reference", "x/y", "a\\b"),
        ("uuid", "00000000-0000-0000-0000-000000000000", "x"),
        ("duration", "P1DT2H", "P"),
        ("period", "P1D/2020-01-01T00:00:00Z", "x"),
        ("json-pointer", "/a~1b", "a"),
        ("relative-json-pointer", "1/a", "x"),
        ("semver", "1.2.3-a+b", "1.2"),
        ("uri-template", "/a/{b}", "/a/{b"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    assert formats.FORMATS[name](good) is None
    assert formats.FORMATS[name](bad)


def test_numbers_in_messages() -> None:
    assert [complaints.number_text(n) for n in (5.0, -1234.5, 1e6, 0.00001)] == [
        "5", "-1,234.5", "1\u00d710\u2070\u2076", "1\u00d710\u207b\u2070\u2075",
    ]  # fmt: skip
