"""What goes wrong with a release. Messages are Helm's."""

from __future__ import annotations


class HelmError(Exception):
    """Shown as `Error: ...`, exit code 1."""


class NotFound(HelmError):
    """There is no such release (revision)."""


class Timeout(HelmError):
    """Resources did not become ready in time; `reasons` says what is known of each."""

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons
