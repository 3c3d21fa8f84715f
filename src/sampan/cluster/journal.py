"""Logs of our components: one file per component, told apart by the task that writes.

A line is `time level component: message`. Files are 0600, and one older generation is kept beyond the size limit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

LIMIT = 16 << 20
"""Bytes of one log file before it is moved to NAME.log.1."""

CURRENT: ContextVar[str] = ContextVar("component")


class ComponentHandler(logging.Handler):
    """Writes each record to the log of the component whose task made it, else to the process' own."""

    def __init__(self, folder: Path, process: str) -> None:
        super().__init__()
        self._folder = folder
        self._process = process
        self._files: dict[str, TextIO] = {}

    def emit(self, record: logging.LogRecord) -> None:
        name = CURRENT.get(self._process)
        try:
            text = self.format(record)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            line = f"{stamp}.{int(record.msecs):03d}Z {record.levelname} {name}: {text}\n"
            file = self._files.get(name) or self._open(name)
            file.write(line)
            if file.tell() > LIMIT:
                self._turn(name)
        except OSError:  # a full disk must not stop a component; the line is lost
            self.handleError(record)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
        super().close()

    def _open(self, name: str) -> TextIO:
        path = self._folder / f"{name}.log"
        path.touch(mode=0o600)
        self._files[name] = file = path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        return file

    def _turn(self, name: str) -> None:
        self._files.pop(name).close()
        path = self._folder / f"{name}.log"
        path.replace(path.with_suffix(".log.1"))


def start(folder: Path, process: str, *, verbose: bool = False) -> None:
    """Sends everything that is logged in this process to files in `folder`."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(ComponentHandler(folder, process))
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.raiseExceptions = False


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, read from its end; empty where there is no log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - max(4096, lines * 300)))
            return file.read().decode(errors="backslashreplace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def follow(path: Path, *, poll: float = 0.2) -> Iterator[str]:
    """Lines as they are written, across a turn of the file; ends only with the caller."""
    file: TextIO | None = None
    while True:
        if file is None and path.exists():
            file = path.open(encoding="utf-8", errors="backslashreplace")
            file.seek(0, 2)
        line = file.readline() if file else ""
        if line:
            yield line
            continue
        if file and (not path.exists() or path.stat().st_size < file.tell()):
            file.close()
            file = path.open(encoding="utf-8", errors="backslashreplace") if path.exists() else None
        time.sleep(poll)
