"""Charts: what a chart is, what its values are, what it renders to, and the record of a release. Pure.

Bytes in, values out: nothing here knows a cluster, a repository or a command line. Helm 4.3's charts (apiVersion v1
and v2) are the specification; texts of errors are Helm's.

| module | what |
|---|---|
| `model`, `metadata` | `Chart`, `File`, Chart.yaml |
| `loader`, `archive`, `ignore` | a chart from a folder, a .tgz or files in memory |
| `strvals`, `values`, `coalesce`, `dependencies` | --set and friends; merging with defaults; tags, conditions, imports |
| `schema`, `formats`, `complaints` | values.schema.json |
| `versions`, `capabilities`, `files`, `funcs`, `render` | what templates see, and rendering |
| `manifests` | splitting, sorting, hooks |
| `release` | the record that Helm stores, and its codec |
| `package`, `create`, `lint` | writing a .tgz, the starter chart, checks |
| `yamlin`, `yamlout`, `toml` | the codecs as charts use them |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sampan.charts.model import Chart


def load(source: Path | str | bytes) -> Chart:
    """A chart from a folder, a .tgz file, or a .tgz in memory. Raises ChartError, OSError."""
    from sampan.charts.loader import load as load_chart

    return load_chart(source)
