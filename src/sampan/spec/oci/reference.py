"""Image references: `nginx` is docker.io/library/nginx:latest.

Grammar: github.com/distribution/reference regexp.go and normalize.go (v0.6).
"""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
_NAME_MAX = 255

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_ID = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?")


class Reference(NamedTuple):
    """`tag` or `digest` or both are set. `str()` is the canonical text."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """Without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def target(self) -> str:
        """What to ask a registry for: the digest where there is one."""
        return self.digest or self.tag


class InvalidReference(ValueError):
    """What kubelet calls InvalidImageName."""


def parse(text: str) -> Reference:
    """Raises InvalidReference. A tag beside a digest is kept, but the digest decides."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise InvalidReference(
            f"image reference {text!r} has digest {digest!r}: expected sha256: and 64 hex digits"
        )
    head, slash, _ = rest.rpartition("/")
    last = rest[len(head) + len(slash) :]
    name, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise InvalidReference(
            f"image reference {text!r} has tag {tag!r}: expected letters, digits, '_', '.', '-'"
        )
    name = head + slash + name
    if _ID.fullmatch(name):
        raise InvalidReference(f"image reference {text!r} is an id: expected a name")
    first, found, path = name.partition("/")
    if not found or not ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        first, path = DEFAULT_REGISTRY, name
    if first == "index.docker.io":
        first = DEFAULT_REGISTRY
    if first == DEFAULT_REGISTRY and "/" not in path:
        path = f"library/{path}"
    if not _HOST.fullmatch(first):
        raise InvalidReference(
            f"image reference {text!r} has registry {first!r}: expected a host with optional port"
        )
    if not _PATH.fullmatch(path):
        hint = ": expected lower case" if path.lower() != path else ""
        raise InvalidReference(
            f"image reference {text!r} has repository {path!r}, which is not a valid name{hint}"
        )
    if len(f"{first}/{path}") > _NAME_MAX:
        raise InvalidReference(f"image reference {text!r} has a name of more than {_NAME_MAX} characters")
    if not tag and not digest:
        tag = DEFAULT_TAG
    return Reference(first, path, tag, digest)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None
