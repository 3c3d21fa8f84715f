"""A selector that cannot be read. The message is upstream's."""

from __future__ import annotations


class SelectorError(ValueError):
    """Bad selector; the API server answers 400 with this text."""
