"""Container logs in CRI's format: reading, tailing, following, rotating.

Format: `TIME STREAM TAG LINE`, TAG is F for a full line and P for a part of one (pkg/kubelet/kuberuntime/logs).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sampan.base.linux import inotify

ROTATE_BYTES = 10 << 20
KEEP_FILES = 5
CHUNK = 1 << 16


class Options(NamedTuple):
    """What `pods/log` takes. `since` is nanoseconds since 1970, `tail` -1 and `limit` 0 mean all; `stream` "" is both."""

    follow: bool = False
    tail: int = -1
    since: int = 0
    timestamps: bool = False
    limit: int = 0
    stream: str = ""


class Line(NamedTuple):
    time: bytes
    stream: bytes
    partial: bool
    text: bytes


def parse(raw: bytes) -> Line | None:
    """One line of a log file with its line end; None for one that is torn or foreign."""
    parts = raw.rstrip(b"\n").split(b" ", 3)
    if len(parts) < 3 or parts[1] not in (b"stdout", b"stderr"):
        return None
    text = parts[3] if len(parts) == 4 else b""
    return Line(parts[0], parts[1], parts[2].startswith(b"P"), text)


def nanoseconds(text: bytes) -> int:
    """RFC 3339 with up to nine fractional digits. Raises ValueError."""
    whole, _, rest = text.decode("ascii").partition(".")
    digits = ""
    while rest and rest[0].isdigit():
        digits, rest = digits + rest[0], rest[1:]
    if not digits:
        return int(datetime.fromisoformat(whole.replace("Z", "+00:00")).timestamp()) * 1_000_000_000
    base = datetime.fromisoformat(whole + (rest or "Z").replace("Z", "+00:00")).astimezone(UTC)
    return int(base.timestamp()) * 1_000_000_000 + int(digits[:9].ljust(9, "0"))


def _tail_offset(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` full lines begin."""
    end = file.seek(0, os.SEEK_END)
    position, count = end, 0
    while position > 0:
        size = min(CHUNK, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        cut = len(block)
        while (cut := block.rfind(b"\n", 0, cut)) >= 0:
            if position + cut + 1 < end:
                count += 1
                if count >= lines:
                    return position + cut + 1
    return 0


class _Shaper:
    """Applies the options to raw lines; `done` once the limit is reached."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._left = options.limit or -1
        self._fresh = True
        self.done = False

    def feed(self, raw: bytes) -> bytes:
        line = parse(raw)
        options = self._options
        if line is None or (options.stream and line.stream.decode() != options.stream.lower()):
            return b""
        if options.since:
            try:
                if nanoseconds(line.time) < options.since:
                    return b""
            except ValueError:
                return b""
        out = (line.time + b" " if options.timestamps and self._fresh else b"") + line.text
        self._fresh = not line.partial
        if not line.partial:
            out += b"\n"
        if self._left >= 0:
            out = out[: self._left]
            self._left -= len(out)
            self.done = self._left == 0
        return out


def _raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines from where the file stands; a line without its end is left for later."""
    while True:
        start = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(start)
            return
        yield line


async def read(path: Path, options: Options, alive: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Pieces of the log's text. With `follow` it goes on until `alive()` is false and all is read.

    Raises FileNotFoundError when there is no such log.
    """
    shaper = _Shaper(options)
    file = path.open("rb")
    try:
        if options.tail == 0:
            file.seek(0, os.SEEK_END)
        elif options.tail > 0:
            file.seek(_tail_offset(file, options.tail))
        if not options.follow:
            for piece in _pieces(file, shaper):
                yield piece
                await asyncio.sleep(0)
            return
        async with inotify.changes(str(path.parent)) as happened:
            while True:
                happened.clear()
                ending = not alive()
                for piece in _pieces(file, shaper):
                    yield piece
                    await asyncio.sleep(0)
                if shaper.done:
                    return
                if _turned(file, path):
                    file.close()
                    file = path.open("rb")
                    continue
                if ending:
                    return
                try:
                    await asyncio.wait_for(happened.wait(), 1.0)
                except TimeoutError:
                    continue
    finally:
        file.close()


def _pieces(file: BinaryIO, shaper: _Shaper) -> Iterator[bytes]:
    buffer = bytearray()
    for raw in _raw_lines(file):
        buffer += shaper.feed(raw)
        if len(buffer) >= CHUNK:
            yield bytes(buffer)
            buffer.clear()
        if shaper.done:
            break
    if buffer:
        yield bytes(buffer)


def _turned(file: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(file.fileno())
    return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)


def last_lines(path: Path, *, lines: int = 80, size: int = 2048) -> str:
    """The end of a log as a termination message (FallbackToLogsOnError)."""
    try:
        with path.open("rb") as file:
            file.seek(_tail_offset(file, lines))
            shaper = _Shaper(Options())
            text = b"".join(shaper.feed(raw) for raw in _raw_lines(file))
    except FileNotFoundError:
        return ""
    return text[-size:].decode(errors="replace")


def rotate(path: Path) -> bool:
    """Moves a log that has grown too big aside; True when the runtime must open it anew."""
    try:
        if path.stat().st_size < ROTATE_BYTES:
            return False
    except FileNotFoundError:
        return False
    for index in range(KEEP_FILES - 1, 0, -1):
        older = path.with_name(f"{path.name}.{index}")
        if older.exists():
            if index == KEEP_FILES - 1:
                older.unlink()
            else:
                older.replace(path.with_name(f"{path.name}.{index + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))
    return True
