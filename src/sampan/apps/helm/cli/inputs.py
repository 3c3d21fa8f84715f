"""Charts and values out of the command line: what rendering and installing share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from sampan.apps.helm import slog
from sampan.apps.helm.cli import logs
from sampan.apps.helm.errors import HelmError, of_file
from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation
from sampan.base.gotemplate.strconv import quote
from sampan.charts import dependencies
from sampan.charts import values as user_values
from sampan.charts.capabilities import Versions, parse_kube_version
from sampan.charts.errors import ChartError
from sampan.charts.loader import load
from sampan.charts.model import Chart

_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_MISSING = (
    "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch "
    "missing dependencies: "
)


def locate(path: str) -> Path:
    """The absolute path of a chart. Names of repositories and registries are refused by name. Raises HelmError."""
    path = path.strip()
    if path.startswith(("oci://", "http://", "https://")):
        raise HelmError(
            f"chart {path!r}: repositories and registries are not supported yet, expected a folder or a .tgz"
        )
    if Path(path).exists():
        return Path(os.path.abspath(path))  # noqa: PTH100 (cleans .. as Go does, follows no links)
    if path.startswith(("/", ".")):
        raise HelmError(f"path {quote(path)} not found")
    repository, slash, _ = path.partition("/")
    if not slash:
        raise HelmError(f"non-absolute URLs should be in form of repo_name/path_to_chart, got: {path}")
    raise HelmError(f"repo {repository} not found")


def load_chart(path: str, *, detect: bool = True) -> Chart:
    """A chart by its path; `detect` looks for Chart.yaml first. Raises HelmError, ChartError, OSError."""
    found = locate(path)
    logs.listen()
    if detect and found.is_dir() and not (found / "Chart.yaml").exists():
        where = found / "Chart.yaml"
        raise HelmError(f"unable to detect chart at {where}: open {where}: no such file or directory")
    return load(found)


def installable(call: Invocation, chart: Chart) -> None:
    """Refuses charts that cannot be a release; warns of deprecated ones. Raises HelmError."""
    if chart.metadata.type not in ("", "application"):
        raise HelmError(f"{chart.metadata.type} charts are not installable")
    deprecated(call, chart)
    complete(chart)


def deprecated(call: Invocation, chart: Chart) -> None:
    if chart.metadata.deprecated:
        logs.logger(call)(slog.WARN, "this chart is deprecated")


def complete(chart: Chart) -> None:
    """Raises HelmError for a chart that lacks charts it depends on."""
    try:
        dependencies.check(chart)
    except ChartError as error:
        raise HelmError(f"{_MISSING}{error}") from error


def values(call: Invocation) -> dict[str, Any]:
    """The user's values from the flags. Raises ValuesError, HelmError."""

    def read(path: str) -> bytes:
        if path == "-":
            return sys.stdin.buffer.read()
        if path.startswith(("http://", "https://")):
            raise HelmError(f"values {path!r}: addresses are not supported yet, expected a file")
        return Path(path).read_bytes()

    sources = user_values.Sources(
        files=call.flag("values"),
        set_json=call.flag("set-json"),
        set=call.flag("set"),
        set_string=call.flag("set-string"),
        set_file=call.flag("set-file"),
        set_literal=call.flag("set-literal"),
    )

    def read_any(path: str) -> bytes:
        try:
            return read(path)
        except OSError as error:
            prefix = "" if path in sources.files else "failed parsing --set-file data: "
            raise HelmError(f"{prefix}{of_file(error)}") from error

    return user_values.compute(sources, read_any)


def dry_run(call: Invocation, *, template: bool = False) -> str:
    """none, client or server, out of --dry-run in all its forms. Raises UsageError."""
    given = str(call.flag("dry-run"))
    log = logs.logger(call)
    if given == "unset":
        log(slog.WARN, "--dry-run is deprecated and should be replaced with '--dry-run=client'")
        return "client"
    if given in ("client", "server") or (given == "none" and not template):
        return given
    wanted = '"server" or "client"' if template else '"none", "server", or "client"'
    if given == "none" or (template and given in _FALSE):
        raise UsageError(f'invalid dry-run value ({quote(given)}). Must be "server" or "client"')
    if given not in (*_TRUE, *_FALSE):
        wanted = '"none", "server", or "client"'
        raise UsageError(f"invalid dry-run value ({quote(given)}). Must be {wanted}")
    result = "client" if given in _TRUE else "none"
    log(
        slog.WARN,
        f"boolean '--dry-run={given}' flag is deprecated and must be replaced with '--dry-run={result}'",
    )
    return result


def versions(call: Invocation, extra: tuple[str, ...] = ()) -> Versions:
    """What templates see without a cluster. Raises HelmError for a --kube-version that is none."""
    known = Versions()
    given = str(call.flag("kube-version"))
    if given:
        try:
            parse_kube_version(given)
        except ChartError as error:
            raise HelmError(f"invalid kube version '{given}': {error}") from error
        known = known._replace(kube_version=given)
    return known._replace(api_versions=(*known.api_versions, *extra))


def namespace(call: Invocation) -> str:
    """The release's namespace; a kubeconfig that cannot be read says nothing of it, and rendering needs none."""
    given = str(call.flag("namespace") or os.environ.get("HELM_NAMESPACE", ""))
    if given:
        return given
    from sampan.client import kubeconfig

    path = str(call.flag("kubeconfig"))
    paths = (Path(path),) if path else kubeconfig.default_paths()
    if not any(one.exists() for one in paths):
        return "default"
    try:
        entries = kubeconfig.read(paths)
    except kubeconfig.KubeconfigError:
        return "default"
    name = call.flag("kube-context") or os.environ.get("HELM_KUBECONTEXT") or entries.current_context
    return str(entries.contexts.get(name, {}).get("namespace") or "default")
