"""template, lint, create, package, show, version: what needs a chart and no cluster."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from sampan.apps.helm.cli import context, naming
from sampan.apps.helm.cli.releases import dry_run, load_chart, values
from sampan.apps.helm.errors import HelmError
from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation
from sampan.charts import capabilities, dependencies, render
from sampan.charts.capabilities import Versions
from sampan.charts.errors import ChartError, ManifestError, RenderError
from sampan.charts.model import CRD, Chart
from sampan.charts.render import Options, Release, Rendered


def not_yet(call: Invocation) -> int:
    raise UsageError(f"helm {call.command.name} is not supported yet by this helm")


# -- template


def template(call: Invocation) -> int:
    if call.flag("validate") or dry_run(call) == "server":
        raise HelmError("template against a cluster is not supported yet: use install --dry-run=server")
    name, path = naming.name_and_chart(call, default="release-name")
    if call.flag("generate-name") and len(call.args) == 1:
        name = naming.name_and_chart(call)[0]
    chart = load_chart(path)
    dependencies.check(chart)
    versions = Versions(
        call.flag("kube-version") or capabilities.KUBE_VERSION,
        (*capabilities.DEFAULT_API_VERSIONS, *call.flag("api-versions")),
    )
    namespace = str(call.flag("namespace") or os.environ.get("HELM_NAMESPACE") or _namespace())
    upgrade = call.flag("is-upgrade")
    options = Options(
        dns=call.flag("enable-dns"),
        sub_notes=call.flag("render-subchart-notes"),
        skip_schema=call.flag("skip-schema-validation"),
        warn=context.tell,
    )
    try:
        rendered = render.render(
            chart, values(call), Release(name, namespace, 1, not upgrade, upgrade), versions, options
        )
    except (RenderError, ManifestError) as error:
        raise ChartError(
            f"{error}\n\nUse --debug flag to render out invalid YAML" if _hinted(error) else str(error)
        ) from error
    parts, behind = _parts(call, chart, rendered), _hooks(call, rendered)
    if call.flag("show-only"):
        parts = _only(call.flag("show-only"), [*parts, *behind], chart)
        sys.stdout.write("".join(f"---\n# Source: {source}\n{text}\n\n" for source, text in parts))
        return 0
    if folder := call.flag("output-dir"):
        _write_files(Path(folder) / (name if call.flag("release-name") else ""), [*parts, *behind])
        return 0
    main = "".join(f"---\n# Source: {source}\n{text}\n" for source, text in parts)
    after = "".join(f"---\n# Source: {source}\n{text}\n" for source, text in behind)
    sys.stdout.write((main.strip() + "\n" if main.strip() else "") + after)
    return 0


def _namespace() -> str:
    """The namespace of the kubeconfig's context, when there is one; rendering needs no cluster."""
    from sampan.client import kubeconfig

    try:
        return kubeconfig.load().namespace
    except kubeconfig.KubeconfigError:
        return "default"


def _hinted(error: Exception) -> bool:
    return isinstance(error, ManifestError) or "YAML parse error" in str(error)


def _parts(call: Invocation, chart: Chart, rendered: Rendered) -> list[tuple[str, str]]:
    """(source, text) of CRDs, when they are asked for, and manifests, in Helm's order."""
    crds = [(crd.path, crd.file.text()) for crd in chart.crds()] if call.flag("include-crds") else []
    return [*crds, *((manifest.path, manifest.content) for manifest in rendered.manifests)]


def _hooks(call: Invocation, rendered: Rendered) -> list[tuple[str, str]]:
    """(source, text) of the hooks that are printed behind the manifests."""
    if call.flag("no-hooks"):
        return []
    skip = call.flag("skip-tests")
    return [(hook.path, hook.manifest) for hook in rendered.hooks if not (skip and "test" in hook.events)]


def _only(patterns: Iterable[str], parts: list[tuple[str, str]], chart: Chart) -> list[tuple[str, str]]:
    from sampan.charts.ignore import glob_regex

    found = []
    for pattern in patterns:
        rule = glob_regex(pattern.removeprefix("./"))
        matched = [part for part in parts if rule.fullmatch(part[0].removeprefix(f"{chart.name}/"))]
        if not matched:
            raise HelmError(f"could not find template {pattern} in chart")
        found += [part for part in matched if part not in found]
    return found


def _write_files(folder: Path, parts: list[tuple[str, str]]) -> None:
    seen: set[Path] = set()
    for source, text in parts:
        target = folder / source
        if not target.resolve().is_relative_to(folder.resolve()):
            raise HelmError(f"template {source!r} leads out of {folder}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a" if target in seen else "w") as file:
            file.write(f"---\n# Source: {source}\n{text}\n")
        if target not in seen:
            sys.stdout.write(f"wrote {target}\n")
        seen.add(target)


# -- lint


def lint(call: Invocation) -> int:
    from sampan.charts import lint as linting

    paths = list(call.args) or ["."]
    if call.flag("with-subcharts"):
        paths += [
            str(found.parent) for path in paths for found in sorted(Path(path, "charts").rglob("Chart.yaml"))
        ]
    given = values(call)
    versions = Versions(call.flag("kube-version")) if call.flag("kube-version") else Versions()
    namespace = str(call.flag("namespace") or "default")
    failed = 0
    for path in paths:
        if not Path(path).is_dir():
            raise HelmError(f"chart {path!r}: expected a folder")
        report = linting.lint(Path(path), given, namespace, versions, call.flag("skip-schema-validation"))
        failed += report.worst >= (linting.WARNING if call.flag("strict") else linting.ERROR)
        shown = [m for m in report.messages if not call.flag("quiet") or m.severity >= linting.WARNING]
        if call.flag("quiet") and not shown:
            continue
        sys.stdout.write(f"==> Linting {path}\n")
        sys.stdout.writelines(f"{message}\n" for message in shown)
        sys.stdout.write("\n")
    summary = f"{len(paths)} chart(s) linted, {failed} chart(s) failed"
    if failed:
        raise HelmError(summary)
    if not call.flag("quiet"):
        sys.stdout.write(f"{summary}\n")
    return 0


# -- create, package, show


def create(call: Invocation) -> int:
    from sampan.charts import create as creating
    from sampan.charts.metadata import Metadata

    target = Path(call.args[0])
    name = target.name
    if not target.absolute().parent.is_dir():
        raise HelmError(f"stat {target.absolute().parent}: no such file or directory")
    sys.stdout.write(f"Creating {call.args[0]}\n")
    if call.flag("starter"):
        metadata = Metadata()
        metadata.read(
            {
                "apiVersion": "v2",
                "name": name,
                "description": "A Helm chart for Kubernetes",
                "type": "application",
                "version": "0.1.0",
                "appVersion": "0.1.0",
            }
        )
        files = creating.create_from(load_chart(call.flag("starter")), metadata)
    else:
        files = creating.create(name)
    for file in files:
        path = target / file.name
        if path.exists():
            context.tell(f'WARNING: File "{path}" already exists. Overwriting.')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    (target / "charts").mkdir(exist_ok=True)
    return 0


def package(call: Invocation) -> int:
    from sampan.charts import package as packing

    for flag in ("sign", "key", "keyring", "passphrase-file", "dependency-update"):
        if flag in call.given:
            raise UsageError(f"flag --{flag} is not supported yet by this helm")
    for path in call.args:
        if not Path(path).exists():
            raise HelmError(f"stat {path}: no such file or directory")
        chart = load_chart(path)
        if call.flag("version"):
            chart.metadata.version = call.flag("version")
        if call.flag("app-version"):
            chart.metadata.app_version = call.flag("app-version")
        dependencies.check(chart)
        stamp = os.environ.get("SOURCE_DATE_EPOCH")
        data = packing.write(chart, time.time(), float(stamp) if stamp else None)
        folder = Path(call.flag("destination"))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder.absolute() / packing.file_name(chart)
        target.write_bytes(data)
        sys.stdout.write(f"Successfully packaged chart and saved it to: {target}\n")
    return 0


def _definition(chart: Chart) -> str:
    from sampan.charts.package import chart_yaml

    return chart_yaml(chart.metadata).decode()


def _readme(chart: Chart) -> str:
    names = ("readme.md", "readme.txt", "readme")
    return next((f.text() for f in chart.files if f.name.lower() in names), "")


def _values_file(chart: Chart) -> str:
    return next((f.text() for f in chart.raw if f.name == "values.yaml"), "")


def _crds(found: Iterable[CRD]) -> str:
    parts = []
    for crd in found:
        text = crd.file.text()
        parts.append(text if re.match(r"\s*---", text) else f"---\n{text}")
    return "".join(f"{part}\n" for part in parts)


def show_chart(call: Invocation) -> int:
    sys.stdout.write(_definition(load_chart(call.args[0])) + "\n")
    return 0


def show_values(call: Invocation) -> int:
    if call.flag("jsonpath"):
        raise UsageError("flag --jsonpath is not supported yet by this helm")
    sys.stdout.write(_values_file(load_chart(call.args[0])) + "\n")
    return 0


def show_readme(call: Invocation) -> int:
    if text := _readme(load_chart(call.args[0])):
        sys.stdout.write(f"{text}\n")
    return 0


def show_crds(call: Invocation) -> int:
    sys.stdout.write(_crds(load_chart(call.args[0]).crds()))
    return 0


def show_all(call: Invocation) -> int:
    chart = load_chart(call.args[0])
    text = _definition(chart) + "\n---\n" + _values_file(chart) + "\n"
    if readme := _readme(chart):
        text += f"---\n{readme}\n"
    sys.stdout.write(text + _crds(chart.crds()))
    return 0


def version(call: Invocation) -> int:
    from sampan import __version__
    from sampan.charts.capabilities import HELM_VERSION

    if call.flag("short"):
        sys.stdout.write(f"{HELM_VERSION}+sampan{__version__}\n")
    else:
        sys.stdout.write(
            f'version.BuildInfo{{Version:"{HELM_VERSION}", GitCommit:"", GitTreeState:"clean", '
            f'GoVersion:"sampan {__version__}", KubeClientVersion:"v1.37"}}\n'
        )
    return 0
