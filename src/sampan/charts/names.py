"""Names: of releases, and of objects by their kind. Source: helm 4.3 validate_name.go, apimachinery validation."""

from __future__ import annotations

import re

from sampan.charts.errors import ChartError

MAX_RELEASE = 53
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_RELEASE_TEXT = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")


def check_release_name(name: str) -> None:
    """Raises ChartError for a name that Helm refuses."""
    if not name:
        raise ChartError("no name provided")
    if len(name) > MAX_RELEASE or not _RELEASE.match(name):
        raise ChartError(
            f"invalid release name, must match regex {_RELEASE_TEXT} and the length must not be longer than 53"
        )


def _too_long(name: str, most: int) -> list[str]:
    return [f"must be no more than {most} bytes"] if len(name.encode()) > most else []


def check_object_name(kind: str, name: str) -> list[str]:
    """What is wrong with the name of an object of this kind."""
    lowered = kind.lower()
    if lowered == "certificatesigningrequest":
        return []
    if lowered in ("role", "clusterrole", "rolebinding", "clusterrolebinding"):
        return _path_segment(name)
    if lowered == "service":
        return _too_long(name, 63) + ([] if _LABEL_1035.match(name) else [_LABEL_1035_TEXT])
    if lowered == "namespace":
        return _too_long(name, 63) + ([] if _LABEL.match(name) else [_LABEL_TEXT])
    return _too_long(name, 253) + ([] if _RELEASE.match(name) else [_SUBDOMAIN_TEXT])


def _path_segment(name: str) -> list[str]:
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{c}'" for c in "/%" if c in name]
