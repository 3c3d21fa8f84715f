"""Output forms, colours and live progress."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2", "bold": "1"}
_STATE_COLOURS = {"running": "green", "failed": "red", "starting": "yellow", "waiting": "dim"}


def colours(stream: TextIO) -> bool:
    """Only on a terminal, and not where NO_COLOR says no (no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colours(stream) else text


def data(value: Any, form: str) -> None:
    """Prints a value as JSON or YAML."""
    if form == "yaml":
        from sampan.api.codec import yaml

        print(yaml.dump(value), end="")
    else:
        print(json.dumps(value, indent=2))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as kubectl prints them: three spaces apart, no line ends with blanks."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def fail(message: str, lines: Sequence[str] = ()) -> int:
    """Tells an error on stderr; the exit code is 1."""
    print(f"{paint('Error:', 'red', sys.stderr)} {message}", file=sys.stderr)
    for line in lines:
        print(f"  {line}", file=sys.stderr)
    return 1


class Progress:
    """The components as they come up: one live line on a terminal, one line per component elsewhere, on stderr."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._seen: dict[str, str] = {}

    def __call__(self, components: Sequence[Mapping[str, Any]]) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody reads the progress any more; the work goes on
            self._show(components)

    def _show(self, components: Sequence[Mapping[str, Any]]) -> None:
        if self._live:
            parts = [paint(c["name"], _STATE_COLOURS.get(c["state"], "dim"), sys.stderr) for c in components]
            sys.stderr.write("\r\x1b[K" + "  ".join(parts))
            sys.stderr.flush()
            return
        for component in components:
            name, state = component["name"], component["state"]
            if state in ("running", "failed") and self._seen.get(name) != state:
                self._seen[name] = state
                print(
                    f"{name}: {state}{': ' + component['reason'] if component['reason'] else ''}",
                    file=sys.stderr,
                )

    def end(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
