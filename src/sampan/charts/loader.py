"""Loading charts: from files in memory, a folder, or an archive.

Source: helm 4.3 pkg/chart/v2/loader. Folders obey .helmignore, archives do not.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from sampan.base.gotemplate.sprig.urls import ext
from sampan.charts import archive, yamlin
from sampan.charts.errors import ChartError
from sampan.charts.ignore import Rules
from sampan.charts.metadata import V1, Lock, Metadata
from sampan.charts.model import Chart, File


def load(source: Path | str | bytes) -> Chart:
    """A chart from a folder, a .tgz file, or the bytes of one. Raises ChartError, OSError."""
    if isinstance(source, bytes):
        return load_files(archive.files(source))
    path = Path(source)
    if path.is_dir():
        return load_folder(path)
    return load_archive(path)


def load_archive(path: Path) -> Chart:
    data = path.read_bytes()
    if not data.startswith(archive.GZIP):
        if path.name.endswith((".yml", ".yaml")):
            raise ChartError(f"file '{path}' seems to be a YAML file, but expected a gzipped archive")
        kind = "text/plain; charset=utf-8" if _is_text(data) else "application/octet-stream"
        raise ChartError(f"file '{path}' does not appear to be a gzipped archive; got '{kind}'")
    return load_files(archive.files(data))


def _is_text(data: bytes) -> bool:
    """Whether Helm would sniff text: it looks at 512 bytes, and fills up what is shorter with zeros."""
    return len(data) >= 512 and not any(c < 9 or 14 <= c < 27 or 28 <= c < 32 for c in data[:512])


# ---------------------------------------------------------------- folders


def load_folder(folder: Path) -> Chart:
    """A chart from a folder; symbolic links are followed. Raises ChartError, OSError."""
    rules_file = folder / ".helmignore"
    rules = Rules(rules_file.read_text("utf-8", "surrogateescape") if rules_file.exists() else "")
    found: list[File] = []
    budget = archive.MAX_CHART
    for path, name in _walk(folder.absolute(), "", rules, set()):
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ChartError(f"cannot load irregular file {path} as it has file mode type bits set")
        if info.st_size > budget:
            raise ChartError(
                f"error reading {name}: chart exceeds maximum decompressed size of {archive.MAX_CHART} bytes"
            )
        data = path.read_bytes()
        budget -= len(data)
        found.append(File(name, data.removeprefix(archive.BOM), info.st_mtime_ns))
    return load_files(found)


def _walk(folder: Path, prefix: str, rules: Rules, above: set[tuple[int, int]]) -> list[tuple[Path, str]]:
    info = folder.stat()
    here = (info.st_dev, info.st_ino)
    if here in above:
        raise ChartError(f"error evaluating symlink {folder}: too many links")
    out: list[tuple[Path, str]] = []
    for path in sorted(folder.iterdir()):
        name = prefix + path.name
        is_folder = path.is_dir()
        if path.is_symlink() and not path.exists():
            raise ChartError(
                f"error evaluating symlink {path}: lstat {path.readlink()}: no such file or directory"
            )
        if rules.ignores(name, is_folder):
            continue
        if is_folder:
            out += _walk(path, name + "/", rules, above | {here})
        else:
            out.append((path, name))
    return out


# ---------------------------------------------------------------- files


def load_files(files: list[File]) -> Chart:
    """A chart from its files. Raises ChartError."""
    metadata: Metadata | None = None
    modified = 0
    for file in files:
        if file.name == "Chart.yaml":
            metadata = metadata or Metadata()
            _read(metadata, file)
            metadata.api_version = metadata.api_version or V1
            modified = file.modified
    chart = Chart(metadata or Metadata())
    chart.raw, chart.modified = list(files), modified
    inner: dict[str, list[File]] = {}
    seen_metadata = metadata is not None
    for file in files:
        seen_metadata = _take(chart, file, inner) or seen_metadata
    if not seen_metadata:
        raise ChartError("Chart.yaml file is missing")
    chart.metadata.validate()
    for name in sorted(inner):
        child = _child(chart, name, inner[name])
        if child is not None:
            chart.add_dependency(child)
    return chart


def _take(chart: Chart, file: File, inner: dict[str, list[File]]) -> bool:
    """File a file where it belongs; True when it brought metadata."""
    name = file.name
    if name == "Chart.yaml":
        return False
    if name in ("Chart.lock", "requirements.lock"):
        chart.lock = Lock()
        _read(chart.lock, file)
        if name == "requirements.lock" and chart.metadata.api_version == V1:
            chart.files.append(file)
        return name == "requirements.lock"
    if name == "values.yaml":
        try:
            chart.values = load_values(file.text())
        except yamlin.YAMLError as problem:
            raise ChartError(f"cannot load values.yaml: {problem}") from None
    elif name == "values.schema.json":
        chart.schema, chart.schema_modified = file.data, file.modified
    elif name == "requirements.yaml":
        _read(chart.metadata, file)
        if chart.metadata.api_version == V1:
            chart.files.append(file)
        return True
    elif name.startswith("templates/"):
        chart.templates.append(file)
    elif name.startswith("charts/"):
        if ext(name) == ".prov":
            chart.files.append(file)
        else:
            path = name.removeprefix("charts/")
            inner.setdefault(path.partition("/")[0], []).append(file._replace(name=path))
    else:
        chart.files.append(file)
    return False


def _read(record: Metadata | Lock, file: File) -> None:
    try:
        record.read(yamlin.load_raw(file.text()))
    except yamlin.YAMLError as problem:
        raise ChartError(f"cannot load {file.name}: error converting YAML to JSON: {problem}") from None
    except ChartError as problem:
        raise ChartError(f"cannot load {file.name}: {problem}") from None


def _child(chart: Chart, name: str, files: list[File]) -> Chart | None:
    """A chart of charts/: an archive or a folder; None for what is none of them."""
    if name.startswith(("_", ".")):
        return None
    try:
        if ext(name) == ".tgz":
            if files[0].name != name:
                raise ChartError(
                    f"error unpacking subchart tar in {chart.name}: expected {name}, got {files[0].name}"
                )
            return load_files(archive.files(files[0].data))
        inside = [f._replace(name=f.name.partition("/")[2]) for f in files if "/" in f.name]
        return load_files(inside)
    except ChartError as problem:
        if str(problem).startswith("error unpacking subchart tar"):
            raise
        raise ChartError(f"error unpacking subchart {name} in {chart.name}: {problem}") from None


def load_values(text: str) -> dict[str, Any]:
    """Values out of one or more YAML documents, later ones over earlier ones. Raises yamlin.YAMLError."""
    if text and not text.endswith("\n"):
        text += "\n"
    values: dict[str, Any] = {}
    try:
        documents = yamlin.documents(text)
    except yamlin.YAMLError as problem:
        raise yamlin.YAMLError(f"error reading yaml document: {problem}") from None
    for document in documents:
        try:
            found = yamlin.load(document)
        except yamlin.YAMLError as problem:
            raise yamlin.YAMLError(
                f"cannot unmarshal yaml document: error converting YAML to JSON: {problem}"
            ) from None
        if found is None:
            continue
        if not isinstance(found, dict):
            kind = {list: "array", str: "string", float: "number", bool: "bool"}[type(found)]
            raise yamlin.YAMLError(
                "cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot "
                f"unmarshal {kind} into Go value of type map[string]interface {{}}"
            )
        values = merge_maps(values, found)
    return values


def merge_maps(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """`b` over `a`, maps merged, in a new map."""
    out = dict(a)
    for key, value in b.items():
        known = out.get(key)
        if isinstance(value, dict) and isinstance(known, dict):
            out[key] = merge_maps(known, value)
        else:
            out[key] = value
    return out
