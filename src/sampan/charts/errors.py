"""What is wrong with a chart, its values or what it renders to. Messages are Helm's."""

from __future__ import annotations


class ChartError(Exception):
    """Base of this room's errors."""


class ValuesError(ChartError):
    """Values that cannot be read or merged."""


class SchemaError(ChartError):
    """Values that break a chart's schema."""


class RenderError(ChartError):
    """A template that cannot be parsed or executed. `file` and `line` (from 1) where they are known."""

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file, self.line = file, line


class ManifestError(ChartError):
    """Rendered text that is no manifest. `file` is the template; `files` all that was rendered."""

    def __init__(self, message: str, file: str, files: dict[str, str]) -> None:
        super().__init__(message)
        self.file, self.files = file, files
