"""The chart that `create` starts from: Helm's files, names and values, in our own words."""

from __future__ import annotations

import re
from importlib import resources

from sampan.charts.errors import ChartError
from sampan.charts.metadata import Metadata
from sampan.charts.model import Chart, File
from sampan.charts.package import chart_yaml

MAX_NAME = 250
_NAME = re.compile(r"[a-zA-Z0-9._-]+\Z")
_PATTERN = "^[a-zA-Z0-9._-]+$"
_MARK = "<CHARTNAME>"

FILES = (
    "Chart.yaml",
    "values.yaml",
    ".helmignore",
    "templates/ingress.yaml",
    "templates/httproute.yaml",
    "templates/deployment.yaml",
    "templates/service.yaml",
    "templates/serviceaccount.yaml",
    "templates/hpa.yaml",
    "templates/NOTES.txt",
    "templates/_helpers.tpl",
    "templates/tests/test-connection.yaml",
)
FOLDERS = ("charts",)  # created empty


def check_name(name: str) -> None:
    """Raises ChartError."""
    if not 1 <= len(name) <= MAX_NAME:
        raise ChartError(f"chart name must be between 1 and {MAX_NAME} characters")
    if not _NAME.match(name):
        raise ChartError(f'chart name must match the regular expression "{_PATTERN}"')


def create(name: str) -> list[File]:
    """The files of a new chart, in the order of writing. Raises ChartError for a bad name."""
    check_name(name)
    starter = resources.files("sampan.charts").joinpath("starter")
    out = []
    for path in FILES:
        # The folder in the package has plain names: a wheel must not lose what begins with a dot or underscore.
        text = starter.joinpath(*path.replace(".helmignore", "helmignore").split("/")).read_text("utf-8")
        out.append(File(path, text.replace(_MARK, name).encode()))
    return out


def create_from(chart: Chart, metadata: Metadata) -> list[File]:
    """The files of a new chart out of a starter chart: `<CHARTNAME>` is replaced in values and templates.

    Charts inside the starter go into charts/ as archives; that is the caller's to write (`package.write`).
    """
    mark, name = _MARK.encode(), metadata.name.encode()
    out = [File("Chart.yaml", chart_yaml(metadata))]
    out += [f._replace(data=f.data.replace(mark, name)) for f in chart.raw if f.name == "values.yaml"]
    if chart.schema is not None:
        out.append(File("values.schema.json", chart.schema))
    out += [f._replace(data=f.data.replace(mark, name)) for f in chart.templates]
    return out + chart.files
