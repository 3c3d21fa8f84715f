"""Rules for texts: who passes, who does not, and the words that users search for."""

from __future__ import annotations

import pytest

from sampan.api.field import content

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (content.dns_label, ["a", "0", "a-b", "a" * 63]),
        (content.dns_subdomain, ["a", "a.b", "0-1.example", "a" * 253]),
        (content.dns_label_1035, ["a", "a-0"]),
        (content.wildcard_subdomain, ["*.a.b"]),
        (content.path_segment, ["a:b", "A", "system:node"]),
        (content.label_key, ["a", "A.b_c-d", "example.com/a", "a" * 63]),
        (content.label_value, ["", "a", "A.b_c-d", "a" * 63]),
        (content.config_key, ["a", ".a", "A_b-c.d", "..."[:1] + "x"]),
        (content.env_name, ["a", "A_B", "a.b", "a b"]),
        (content.http_header, ["X-Forwarded-For"]),
        (content.percent, ["1%", "100%"]),
        (content.port_name, ["http", "a-b", "p8080"]),
    ],
)
def test_good(rule: content.Rule, good: list[str]) -> None:
    assert {text: rule(text) for text in good} == {text: [] for text in good}


@pytest.mark.parametrize(
    ("rule", "text", "wrong"),
    [
        (content.dns_label, "A", [LABEL]),
        (content.dns_label, "a.b", ["must not contain dots"]),
        (content.dns_label, "a\n", [LABEL]),
        (content.dns_label, "a" * 64, ["must be no more than 63 characters"]),
        (content.dns_label, "-" * 64, ["must be no more than 63 characters", LABEL]),
        (content.dns_subdomain, "a_b", [SUBDOMAIN]),
        (content.dns_subdomain, "", [SUBDOMAIN]),
        (content.path_segment, "..", ["may not be '..'"]),
        (content.path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (content.config_key, "..", ["must not be '..'"]),
        (content.config_key, "..a", ["must not start with '..'"]),
        (content.env_name, "", ["environment variable name must be non-empty"]),
        (content.port_name, "1234", ["must contain at least one letter (a-z)"]),
        (content.port_name, "a--b", ["must not contain consecutive hyphens"]),
        (content.port_name, "-a", ["must not begin or end with a hyphen"]),
        (content.port_name, "a" * 16, ["must be no more than 15 characters"]),
        (content.label_value, "a" * 64, ["must be no more than 63 bytes"]),
    ],
)
def test_wrong(rule: content.Rule, text: str, wrong: list[str]) -> None:
    assert rule(text) == wrong


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("/a", "prefix part must be non-empty"),
        ("A_/a", "prefix part a lowercase RFC 1123 subdomain must consist of"),
        ("a/", "name part must be non-empty"),
        ("a" * 64, "name part must be no more than 63 bytes"),
        ("a/b/c", "a valid label key must consist of alphanumeric characters"),
    ],
)
def test_wrong_label_keys(text: str, start: str) -> None:
    assert content.label_key(text)[0].startswith(start)


def test_ports() -> None:
    assert content.port_number(1) == content.port_number(65535) == []
    assert content.port_number(0) == content.port_number(65536) == ["must be between 1 and 65535, inclusive"]
