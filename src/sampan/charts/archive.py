"""A chart's .tgz: its files, with Helm's checks of paths and sizes.

Source: helm 4.3 pkg/chart/loader/archive. Sizes are checked while unpacking: an archive that unfolds beyond the
limit is refused before it is in memory.
"""

from __future__ import annotations

import io
import re
import zlib
from typing import IO, cast

from sampan.base.gotemplate.sprig.urls import clean
from sampan.base.gotemplate.strconv import quote
from sampan.charts.errors import ChartError
from sampan.charts.model import File

MAX_CHART = 100 * 1024 * 1024  # bytes of all files together, unpacked
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b\x08"
_DRIVE = re.compile(r"[a-zA-Z]:/")


class _Limited(io.RawIOBase):
    """Gunzips a stream and stops when more comes out than `limit`."""

    def __init__(self, data: bytes, limit: int) -> None:
        self.data = data
        self.at = 0
        self.left = limit
        self.worker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.pending:
            if self.worker.eof:
                rest = self.worker.unused_data
                if not rest.startswith(b"\x1f\x8b"):
                    return 0
                self.worker = zlib.decompressobj(zlib.MAX_WBITS | 16)
                self.at = len(self.data) - len(rest)
            if self.at >= len(self.data) and not self.worker.unconsumed_tail:
                raise ChartError("unexpected EOF")
            chunk = self.worker.unconsumed_tail or self.data[self.at : self.at + 65536]
            if not self.worker.unconsumed_tail:
                self.at += len(chunk)
            self.pending = self.worker.decompress(chunk, 1 << 20)
            self.left -= len(self.pending)
            if self.left < 0:
                raise ChartError(f"decompressed chart is larger than the maximum size {MAX_CHART}")
        count = min(len(buffer), len(self.pending))
        buffer[:count] = self.pending[:count]
        self.pending = self.pending[count:]
        return count


def files(data: bytes) -> list[File]:
    """The files of a .tgz, the top folder removed. Raises ChartError."""
    if not data.startswith(b"\x1f\x8b"):
        raise ChartError("gzip: invalid header")
    import tarfile

    out: list[File] = []
    left = MAX_CHART
    stream = cast(IO[bytes], _Limited(data, MAX_CHART + (64 << 20)))
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if member.isdir():
                    continue
                name = _path(member.name)
                if member.size > left:
                    raise ChartError(f"decompressed chart is larger than the maximum size {MAX_CHART}")
                body = b""
                if member.isreg():
                    found = tar.extractfile(member)
                    body = found.read() if found is not None else b""
                left -= len(body)
                if left <= 0:
                    raise ChartError(f"decompressed chart is larger than the maximum size {MAX_CHART}")
                out.append(File(name, body.removeprefix(BOM), int(member.mtime * 1_000_000_000)))
    except (tarfile.TarError, EOFError) as problem:
        raise ChartError(f"archive/tar: invalid tar header ({problem})") from None
    except zlib.error as problem:
        raise ChartError(f"gzip: invalid data ({problem})") from None
    if not out:
        raise ChartError("no files in chart archive")
    return out


def _path(name: str) -> str:
    """The path below the archive's top folder. Raises ChartError for one that leads elsewhere."""
    delimiter = "\\" if "\\" in name else "/"
    parts = name.split(delimiter)
    path = delimiter.join(parts[1:]).replace(delimiter, "/")
    if path.startswith("/"):
        raise ChartError("chart illegally contains absolute paths")
    path = clean(path)
    if path == ".":
        raise ChartError(f"chart illegally contains content outside the base directory: {quote(name)}")
    if path.startswith(".."):
        raise ChartError("chart illegally references parent directory")
    if _DRIVE.match(path):
        raise ChartError("chart contains illegally named files")
    if parts[0] == "Chart.yaml":
        raise ChartError("chart yaml not in base directory")
    return path
