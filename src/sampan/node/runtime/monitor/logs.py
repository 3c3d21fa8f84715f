"""The CRI log format: `<RFC 3339 time with nanoseconds> <stdout|stderr> <F|P> <content>` per line.

Source: kubernetes/design-proposals-archive node/kubelet-cri-logging.md. F ends a line, P is a part of one: lines
are cut at 16 KiB, and what a stream leaves without a newline at its end is a part too, as containerd does it.
"""

from __future__ import annotations

import os
import time

LINE_MAX = 16 * 1024

_second = -1
_second_text = ""


def stamp(now: int) -> bytes:
    """`now` in nanoseconds since the epoch; the part up to the second is kept, it seldom changes."""
    global _second, _second_text
    second, rest = divmod(now, 1_000_000_000)
    if second != _second:
        _second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = second
    return f"{_second_text}.{rest:09d}Z".encode()


def lines(stream: bytes, data: bytes, rest: bytes, at: bytes) -> tuple[bytes, bytes]:
    """What to append to the log for `data`, and what waits for the end of its line; `rest` waited before."""
    whole = rest + data if rest else data
    found = whole.split(b"\n")
    tail = found.pop()
    full = b"%s %s F " % (at, stream)
    if len(whole) <= LINE_MAX or max(map(len, found), default=0) <= LINE_MAX:
        out = [full + (b"\n" + full).join(found) + b"\n"] if found else []
    else:
        out = []
        for line in found:
            cut, last = _cut(stream, line, at)
            out.append(cut + full + last + b"\n")
    if len(tail) >= LINE_MAX:
        cut, tail = _cut(stream, tail, at)
        out.append(cut)
    return b"".join(out), tail


def _cut(stream: bytes, line: bytes, at: bytes) -> tuple[bytes, bytes]:
    """The leading parts of a long line as P lines, and what is left (at most LINE_MAX)."""
    part = b"%s %s P " % (at, stream)
    out = []
    start = 0
    while len(line) - start > LINE_MAX:
        out.append(part + line[start : start + LINE_MAX] + b"\n")
        start += LINE_MAX
    return b"".join(out), line[start:]


def last(stream: bytes, rest: bytes, at: bytes) -> bytes:
    """At the end of a stream."""
    return b"%s %s P %s\n" % (at, stream, rest) if rest else b""


class Log:
    """One log file of a container. A full disk loses lines, it never stops the container."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lost = 0
        self._fd = -1
        self.reopen()

    def reopen(self) -> None:
        self.close()
        if self.path:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(self.path, flags, 0o640)

    def write(self, data: bytes) -> None:
        if self._fd < 0 or not data:
            return
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                os.write(self._fd, data[written:])
        except OSError:
            self.lost += 1

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
