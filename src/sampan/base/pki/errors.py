"""What can go wrong with keys and certificates."""

from __future__ import annotations


class PkiError(Exception):
    """A key, certificate or request that cannot be used; the text says what was expected."""


class TokenError(PkiError):
    """A token that must not be believed."""
