"""Writing charts: a reproducible .tgz in Helm's layout, or a folder's files. Source: helm 4.3 pkg/chart/v2/util/save.go."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from sampan.base.gotemplate import gojson
from sampan.charts import yamlout
from sampan.charts.errors import ChartError
from sampan.charts.metadata import V1, V2, Metadata
from sampan.charts.model import Chart, File

# The extra field and comment by which Helm marks its archives.
_EXTRA = b"rr\x28\x00aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo="
_COMMENT = b"Helm\0"
_FEXTRA, _FCOMMENT = 0x04, 0x10
_UNKNOWN_OS = 255


def file_name(chart: Chart) -> str:
    """`NAME-VERSION.tgz`"""
    return f"{chart.name}-{chart.metadata.version}.tgz"


def chart_yaml(metadata: Metadata) -> bytes:
    """Chart.yaml as Helm writes it: keys sorted; a v1 chart keeps its dependencies elsewhere."""
    fields = metadata.to_json()
    if metadata.api_version == V1:
        fields.pop("dependencies", None)
    return yamlout.dump(fields).encode("utf-8", "surrogateescape")


def write(chart: Chart, now: float, stamp: float | None = None) -> bytes:
    """The archive. Files without a time get `now`; with `stamp` (SOURCE_DATE_EPOCH) all get that.

    Raises ChartError.
    """
    import tarfile

    try:
        chart.metadata.validate()
    except ChartError as problem:
        raise ChartError(f"chart validation: {problem}") from None
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for file in contents(chart, ""):
            entry = tarfile.TarInfo(file.name)
            entry.mode, entry.size = 0o644, len(file.data)
            entry.mtime = int(stamp if stamp is not None else file.modified // 1_000_000_000 or now)
            tar.addfile(entry, io.BytesIO(file.data))
    return _gzip(body.getvalue())


def _gzip(data: bytes) -> bytes:
    worker = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = worker.compress(data) + worker.flush()
    head = struct.pack("<BBBBLBB", 0x1F, 0x8B, 8, _FEXTRA | _FCOMMENT, 0, 0, _UNKNOWN_OS)
    extra = struct.pack("<H", len(_EXTRA)) + _EXTRA
    return head + extra + _COMMENT + deflated + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def contents(chart: Chart, prefix: str) -> Iterator[File]:
    """The files of an archive in Helm's order, charts inside as folders."""
    if "/" in chart.name:
        raise ChartError(f"{chart.name!r} is not a valid chart name")
    root = f"{prefix}{chart.name}/"
    yield File(root + "Chart.yaml", chart_yaml(chart.metadata), chart.modified)
    if chart.metadata.api_version == V2 and chart.lock is not None:
        lock = yamlout.dump(chart.lock.to_json()).encode()
        yield File(root + "Chart.lock", lock, chart.modified)
    for file in chart.raw:
        if file.name == "values.yaml":
            yield file._replace(name=root + file.name)
    if chart.schema is not None:
        try:
            gojson.check(chart.schema.decode("utf-8", "surrogateescape"))
        except gojson.JSONError:
            raise ChartError("invalid JSON in values.schema.json") from None
        yield File(root + "values.schema.json", chart.schema, chart.schema_modified)
    for file in (*chart.templates, *chart.files):
        yield file._replace(name=root + file.name)
    for child in chart.dependencies:
        yield from contents(child, root + "charts/")
