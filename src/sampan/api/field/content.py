"""Rules that texts in objects follow. Each function gives the list of what is wrong, empty for a good text.

Source: k8s.io/apimachinery pkg/util/validation/validation.go and pkg/api/validate/content/kube.go; the messages are
interface, since users search for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Rule = Callable[[str], list[str]]

EMPTY: Final = "must be non-empty"
MAX_LABEL: Final = 63  # a DNS label's, a label's key and value's length
MAX_SUBDOMAIN: Final = 253

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_SAYS: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character"
)
_SUBDOMAIN: Final = _LABEL + r"(\." + _LABEL + ")*"
_SUBDOMAIN_SAYS: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character"
)
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035_SAYS: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_CASELESS_SAYS: Final = (
    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character"
)
_WILDCARD: Final = r"\*\." + _SUBDOMAIN
_WILDCARD_SAYS: Final = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_KEY: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY_SAYS: Final = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_VALUE: Final = f"({_KEY})?"
_VALUE_SAYS: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character"
)
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
_CONFIG_KEY_SAYS: Final = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_ENV_SAYS: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
_HEADER: Final = "[-A-Za-z0-9]+"
_HEADER_SAYS: Final = "a valid HTTP header must consist of alphanumeric characters or '-'"
_PERCENT: Final = "[0-9]+%"
_PERCENT_SAYS: Final = "a valid percent string must be a numeric string followed by an ending '%'"


def _matcher(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(pattern).fullmatch


_is_label = _matcher(_LABEL)
_is_subdomain = _matcher(_SUBDOMAIN)
_is_label_1035 = _matcher(_LABEL_1035)
_is_wildcard = _matcher(_WILDCARD)
_is_key = _matcher(_KEY)
_is_value = _matcher(_VALUE)
_is_config_key = _matcher(_CONFIG_KEY)
_is_header = _matcher(_HEADER)
_is_percent = _matcher(_PERCENT)


def max_length(limit: int) -> str:
    return f"must be no more than {limit} characters"


def in_range(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def regex_error(says: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{says} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{says} (e.g. {listed}regex used for validation is '{pattern}')"


def dns_label(value: str) -> list[str]:
    """RFC 1123: the name of a namespace or a container."""
    wrong = [max_length(MAX_LABEL)] if len(value) > MAX_LABEL else []
    if not _is_label(value):
        if _is_subdomain(value):
            wrong.append("must not contain dots")
        else:
            wrong.append(regex_error(_LABEL_SAYS, _LABEL, "my-name", "123-abc"))
    return wrong


def dns_subdomain(value: str) -> list[str]:
    """RFC 1123: the name of most objects."""
    wrong = [max_length(MAX_SUBDOMAIN)] if len(value) > MAX_SUBDOMAIN else []
    if not _is_subdomain(value):
        wrong.append(regex_error(_SUBDOMAIN_SAYS, _SUBDOMAIN, "example.com"))
    return wrong


def caseless_subdomain(value: str) -> list[str]:
    """The name of a storage driver."""
    wrong = [max_length(MAX_SUBDOMAIN)] if len(value) > MAX_SUBDOMAIN else []
    if not _is_subdomain(value.lower()):
        wrong.append(regex_error(_CASELESS_SAYS, _SUBDOMAIN, "Example.com"))
    return wrong


def dns_label_1035(value: str) -> list[str]:
    """A label that starts with a letter: a Service port's target in older forms, CRD names."""
    wrong = [max_length(MAX_LABEL)] if len(value) > MAX_LABEL else []
    if not _is_label_1035(value):
        wrong.append(regex_error(_LABEL_1035_SAYS, _LABEL_1035, "my-name", "abc-123"))
    return wrong


def wildcard_subdomain(value: str) -> list[str]:
    wrong = [max_length(MAX_SUBDOMAIN)] if len(value) > MAX_SUBDOMAIN else []
    if not _is_wildcard(value):
        wrong.append(regex_error(_WILDCARD_SAYS, _WILDCARD, "*.example.com"))
    return wrong


def path_segment(value: str) -> list[str]:
    """The name of an object whose name need only fit into a path (RBAC)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{illegal}'" for illegal in ("/", "%") if illegal in value]


@lru_cache(maxsize=8192)
def _label_key(value: str) -> tuple[str, ...]:
    wrong: list[str] = []
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        says = regex_error(_KEY_SAYS, _KEY, "MyName", "my.name", "123-abc")
        return (
            f"a valid label key {says} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    if slash and not prefix:
        wrong.append(f"prefix part {EMPTY}")
    elif slash:
        wrong += [f"prefix part {message}" for message in dns_subdomain(prefix)]
    if not name:
        wrong.append(f"name part {EMPTY}")
    elif len(name) > MAX_LABEL:
        wrong.append(f"name part must be no more than {MAX_LABEL} bytes")
    if not _is_key(name):
        wrong.append("name part " + regex_error(_KEY_SAYS, _KEY, "MyName", "my.name", "123-abc"))
    return tuple(wrong)


def label_key(value: str) -> list[str]:
    """A qualified name, with or without a DNS prefix: the key of a label or an annotation."""
    return list(_label_key(value))


@lru_cache(maxsize=8192)
def _label_value(value: str) -> tuple[str, ...]:
    wrong = [f"must be no more than {MAX_LABEL} bytes"] if len(value) > MAX_LABEL else []
    if not _is_value(value):
        wrong.append(regex_error(_VALUE_SAYS, _VALUE, "MyValue", "my_value", "12345"))
    return tuple(wrong)


def label_value(value: str) -> list[str]:
    return list(_label_value(value))


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or a Secret."""
    wrong = [max_length(MAX_SUBDOMAIN)] if len(value) > MAX_SUBDOMAIN else []
    if not _is_config_key(value):
        wrong.append(regex_error(_CONFIG_KEY_SAYS, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return wrong + _leaves_folder(value)


def _leaves_folder(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def env_name(value: str) -> list[str]:
    if not value:
        return [f"environment variable name {EMPTY}"]
    return [] if all(" " <= letter <= "~" and letter != "=" for letter in value) else [_ENV_SAYS]


def http_header(value: str) -> list[str]:
    return [] if _is_header(value) else [regex_error(_HEADER_SAYS, _HEADER, "X-Header-Name")]


def percent(value: str) -> list[str]:
    return [] if _is_percent(value) else [regex_error(_PERCENT_SAYS, _PERCENT, "1%", "93%")]


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else [in_range(1, 65535)]


def port_name(value: str) -> list[str]:
    """An IANA service name."""
    wrong: list[str] = []
    if len(value) > 15:
        wrong.append(max_length(15))
    if not re.fullmatch("[-a-z0-9]+", value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong
