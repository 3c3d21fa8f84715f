"""What goes wrong with a release. Messages are Helm's."""

from __future__ import annotations

import errno


class HelmError(Exception):
    """Shown as `Error: ...`, exit code 1."""


class NotFound(HelmError):
    """There is no such release (revision)."""


class Timeout(HelmError):
    """Resources did not become ready in time; `reasons` says what is known of each."""

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


def of_file(error: OSError) -> str:
    """A failure with a file as Go words it: `open values.yaml: no such file or directory`."""
    why = error.strerror or str(error)
    why = why[:1].lower() + why[1:]
    if error.filename is None:
        return why
    return f"{'read' if error.errno == errno.EISDIR else 'open'} {error.filename}: {why}"
