"""lint, create, package, show: what needs a chart and no cluster."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from sampan.apps.helm.cli import inputs, logs
from sampan.apps.helm.errors import HelmError, of_file
from sampan.base.command.parse import Invocation
from sampan.base.gotemplate import semver
from sampan.charts import dependencies
from sampan.charts.errors import ChartError
from sampan.charts.model import CRD, Chart, File

# -- lint


def lint(call: Invocation) -> int:
    from sampan.charts import lint as linting

    logs.listen()
    known = inputs.versions(call)
    paths = list(call.args)
    if call.flag("with-subcharts"):
        paths += [inside for path in call.args for inside in _charts_inside(path)]
    given = inputs.values(call)
    namespace = inputs.namespace(call)
    quiet, failed, noticed = call.flag("quiet"), 0, 0
    for path in paths:
        try:
            with _unpacked(path) as folder:
                report = linting.lint(folder, given, namespace, known, call.flag("skip-schema-validation"))
        except HelmError as error:
            failed, noticed = failed + 1, noticed + 1
            sys.stdout.write(f"==> Linting {path}\nError {error}\n\n")
            continue
        failed += report.worst >= (linting.WARNING if call.flag("strict") else linting.ERROR)
        shown = [m for m in report.messages if not quiet or m.severity >= linting.WARNING]
        noticed += report.worst >= linting.WARNING
        if quiet and report.worst < linting.WARNING:
            continue
        sys.stdout.write(f"==> Linting {path}\n" + "".join(f"{message}\n" for message in shown) + "\n")
    summary = f"{len(paths)} chart(s) linted, {failed} chart(s) failed"
    if failed:
        raise HelmError(summary)
    if not quiet or noticed:
        sys.stdout.write(f"{summary}\n")
    return 0


def _charts_inside(path: str) -> list[str]:
    found = []
    for file in sorted(Path(path, "charts").rglob("*")):
        if file.name == "Chart.yaml":
            found.append(str(file.parent))
        elif file.name.endswith((".tgz", ".tar.gz")):
            found.append(str(file))
    return found


class _unpacked:  # noqa: N801 (used as a function)
    """The folder of a chart: the path itself, or where an archive was unpacked to for the time. Raises HelmError."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._made: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path:
        folder = Path(self._path)
        if self._path.endswith((".tgz", ".tar.gz")):
            folder = self._unpack(folder)
        try:
            (folder / "Chart.yaml").stat()
        except OSError as error:
            why = of_file(error).replace("open ", "stat ", 1)
            raise HelmError(f"unable to check Chart.yaml file in chart: {why}") from error
        return folder

    def _unpack(self, path: Path) -> Path:
        from sampan.charts import archive

        try:
            files = archive.files(path.read_bytes())
        except OSError as error:
            raise HelmError(f"unable to open tarball: {of_file(error)}") from error
        except ChartError as error:
            raise HelmError(f"unable to extract tarball: {error}") from error
        self._made = tempfile.TemporaryDirectory(prefix="helm-lint")
        # The folder is named like the chart, as lint compares the two.
        folder = Path(self._made.name) / _name_of(files)
        for file in files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
        return folder

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.cleanup()


def _name_of(files: list[File]) -> str:
    from sampan.charts.loader import load_files

    try:
        return load_files(files).name or "chart"
    except ChartError:
        return "chart"


# -- create, package, show


def create(call: Invocation) -> int:
    given = call.args[0]
    sys.stdout.write(f"Creating {given}\n")
    name = Path(given).name
    parent = Path(os.path.abspath(os.path.dirname(given) or "."))  # noqa: PTH100, PTH120 (cleans as Go does)
    if call.flag("starter"):
        _create_from(call.flag("starter"), parent, name)
    else:
        _create(parent, name)
    return 0


def _create(parent: Path, name: str) -> None:
    from sampan.charts import create as creating

    files = creating.create(name)
    if not parent.exists():
        raise HelmError(f"stat {parent}: no such file or directory")
    if not parent.is_dir():
        raise HelmError(f"no such directory {parent}")
    target = parent / name
    if target.exists() and not target.is_dir():
        raise HelmError(f"file {target} already exists and is not a directory")
    for file in files:
        path = target / file.name
        if path.exists():
            sys.stdout.write(f'WARNING: File "{path}" already exists. Overwriting.\n')
        _write(path, file.data)
    (target / "charts").mkdir(exist_ok=True)


def _create_from(starter: str, parent: Path, name: str) -> None:
    """From a starter chart: by its path, or by its name among the starters in Helm's data folder."""
    from sampan.charts import create as creating
    from sampan.charts import package as packing
    from sampan.charts.metadata import Metadata

    path = Path(starter) if starter.startswith("/") else starters() / starter
    if not path.exists():
        raise HelmError(f"could not load {path}: stat {path}: no such file or directory")
    metadata = Metadata()
    fields = {"description": "A Helm chart for Kubernetes", "type": "application"}
    metadata.read({"apiVersion": "v2", "name": name, **fields, "version": "0.1.0", "appVersion": "0.1.0"})
    try:
        chart = inputs.load_chart(str(path))
    except ChartError as error:
        raise HelmError(f"could not load {path}: {error}") from error
    for file in creating.create_from(chart, metadata):
        _write(parent / name / file.name, file.data)
    (parent / name / "templates").mkdir(parents=True, exist_ok=True)
    (parent / name / "charts").mkdir(exist_ok=True)
    for inside in chart.dependencies:
        _write(parent / name / "charts" / packing.file_name(inside), packing.write(inside, time.time()))


def starters() -> Path:
    """Where starter charts lie: HELM_DATA_HOME, XDG_DATA_HOME or the home's own, below it starters."""
    own = os.environ.get("HELM_DATA_HOME")
    if own:
        return Path(own) / "starters"
    home = os.environ.get("XDG_DATA_HOME") or Path(os.environ.get("HOME", "~")).expanduser() / ".local/share"
    return Path(home) / "helm/starters"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def package(call: Invocation) -> int:
    from sampan.charts import package as packing

    if not call.args:
        raise HelmError("need at least one argument, the path to the chart")
    stamp = _epoch()
    for given in call.args:
        if not Path(given).exists():
            raise HelmError(f"stat {given}: no such file or directory")
        path = Path(os.path.abspath(given))  # noqa: PTH100 (cleans as Go does)
        if not path.is_dir():
            raise HelmError(
                f"unable to detect chart at {path}/Chart.yaml: open {path}/Chart.yaml: not a directory"
            )
        chart = inputs.load_chart(str(path))
        if call.flag("version"):
            chart.metadata.version = call.flag("version")
        try:
            semver.parse(chart.metadata.version)
        except semver.SemverError as error:
            raise HelmError(str(error)) from error
        if call.flag("app-version"):
            chart.metadata.app_version = call.flag("app-version")
        dependencies.check(chart)
        try:
            data = packing.write(chart, time.time(), stamp)
        except ChartError as error:
            raise HelmError(f"failed to save: {error}") from error
        folder = call.flag("destination")
        target = (
            Path.cwd() / packing.file_name(chart) if folder == "." else Path(folder, packing.file_name(chart))
        )
        _write(target, data)
        sys.stdout.write(f"Successfully packaged chart and saved it to: {target}\n")
    return 0


def _epoch() -> float | None:
    """SOURCE_DATE_EPOCH. Raises HelmError."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d+", text):
        raise HelmError(f'invalid SOURCE_DATE_EPOCH: strconv.ParseInt: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise HelmError(f"invalid SOURCE_DATE_EPOCH: {text!r}: expected seconds since 1970")
    return float(text)


def _definition(chart: Chart) -> str:
    from sampan.charts.package import chart_yaml

    return chart_yaml(chart.metadata).decode() + "\n"


def _readme(chart: Chart) -> str | None:
    names = ("readme.md", "readme.txt", "readme")
    return next((f"{f.text()}\n" for f in chart.files if f.name.lower() in names), None)


def _values_file(chart: Chart) -> str:
    return next((f"{f.text()}\n" for f in chart.raw if f.name == "values.yaml"), "")


def _crds(found: Iterable[CRD]) -> str:
    texts = [crd.file.text() for crd in found]
    return "".join(f"{text}\n" if text.startswith("---") else f"---\n{text}\n" for text in texts)


def _shown(call: Invocation) -> Chart:
    return inputs.load_chart(call.args[0], detect=False)


def show_chart(call: Invocation) -> int:
    sys.stdout.write(_definition(_shown(call)))
    return 0


def show_values(call: Invocation) -> int:
    sys.stdout.write(_values_file(_shown(call)))
    return 0


def show_readme(call: Invocation) -> int:
    sys.stdout.write(_readme(_shown(call)) or "")
    return 0


def show_crds(call: Invocation) -> int:
    sys.stdout.write(_crds(_shown(call).crds()))
    return 0


def show_all(call: Invocation) -> int:
    chart = _shown(call)
    text = _definition(chart) + (f"---\n{values}" if (values := _values_file(chart)) else "")
    if (readme := _readme(chart)) is not None:
        text += f"---\n{readme}"
    sys.stdout.write(text + _crds(chart.crds()))
    return 0
