"""What goes wrong between bytes and objects."""

from __future__ import annotations


class DecodeError(ValueError):
    """The bytes are no well-formed document of their format."""


class EncodeError(ValueError):
    """The value has no form in the wanted format."""
