"""template: a chart's text without (or, with --dry-run=server, against) a cluster. helm 4.3 pkg/cmd/template.go."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from sampan.apps.helm import slog
from sampan.apps.helm.cli import inputs, logs, naming
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation
from sampan.charts import manifests, render
from sampan.charts.errors import ChartError, ManifestError, RenderError
from sampan.charts.model import Chart
from sampan.charts.names import check_release_name
from sampan.charts.render import Options, Release, Rendered

DEFAULT_NAME = "release-name"
HINT = "\n\nUse --debug flag to render out invalid YAML"


class Part(NamedTuple):
    """A document and the template that it comes from."""

    source: str
    text: str

    def __str__(self) -> str:
        return f"---\n# Source: {self.source}\n{self.text}\n"


def template(call: Invocation) -> int:
    inputs.versions(call)
    server = inputs.dry_run(call, template=True) == "server" or call.flag("validate")
    name, path = naming.name_and_chart(call, default=DEFAULT_NAME)
    inputs.locate(path)
    values = inputs.values(call)
    chart = inputs.load_chart(path)
    inputs.installable(call, chart)
    if server:
        return _by_server(call, name, chart, values)
    _check_name(call, name)
    try:
        rendered = _render(call, name, chart, values)
    except (RenderError, ManifestError, _Late) as error:
        if logs.is_debug(call):
            sys.stdout.write(_raw(error))
            raise
        raise ChartError(f"{error}{HINT}") from error
    _show(call, name, chart, rendered)
    return 0


class _Late(ChartError):
    """A failure after the values were settled: Helm then points to --debug."""


def _check_name(call: Invocation, name: str) -> None:
    try:
        check_release_name(name)
    except ChartError as error:
        problem = f'release name "{name}": {error}'
        logs.logger(call)(slog.ERROR, "release name check failed", error=problem)
        raise HelmError(f"release name check failed: {problem}") from error


def _render(call: Invocation, name: str, chart: Chart, values: dict[str, Any]) -> Rendered:
    log = logs.logger(call)
    upgrade = call.flag("is-upgrade")
    versions = inputs.versions(call, tuple(call.flag("api-versions")))
    options = Options(
        dns=call.flag("enable-dns"),
        sub_notes=call.flag("render-subchart-notes"),
        skip_schema=call.flag("skip-schema-validation"),
        warn=lambda text: log(slog.INFO, text),
    )
    release = Release(name, inputs.namespace(call), 1, not upgrade, upgrade)
    try:
        return render.render(chart, values, release, versions, options)
    except ChartError as error:
        if "which is incompatible with Kubernetes" in str(error):
            raise _Late(str(error)) from error
        raise


def _raw(error: ChartError) -> str:
    """What was rendered although it is no manifest, for --debug."""
    files = error.files if isinstance(error, ManifestError) else {}
    texts = "".join(str(Part(name, text)) for name, text in files.items() if text.strip())
    return f"{texts.strip()}\n"


def _by_server(call: Invocation, name: str, chart: Chart, values: dict[str, Any]) -> int:
    """--dry-run=server: the cluster's versions and `lookup`."""
    from sampan.apps.helm.actions import install as installing
    from sampan.apps.helm.actions.options import Common, Install
    from sampan.apps.helm.actions.rendering import Rendering
    from sampan.apps.helm.cli import context

    options = Install(
        common=Common(
            dry_run="server",
            no_hooks=call.flag("no-hooks"),
            take_ownership=call.flag("take-ownership"),
            hide_secret=False,
        ),
        rendering=Rendering(
            skip_schema=call.flag("skip-schema-validation"),
            dns=call.flag("enable-dns"),
        ),
        replace=True,
        skip_crds=call.flag("skip-crds"),
    )
    found = context.run(
        call,
        lambda session: installing.run(
            session, name, chart, values, options, is_upgrade=call.flag("is-upgrade")
        ),
    )
    parts = [_part(document) for document in manifests.split(found.manifest)]
    _write(call, name, _crds(call, chart), parts, _hooks(call, [stored.hook for stored in found.hooks]))
    return 0


def _part(document: str) -> Part:
    """A document of a stored manifest: its first line names its source."""
    first, _, rest = document.partition("\n")
    return Part(first.removeprefix("# Source: "), rest.removesuffix("\n"))


def _show(call: Invocation, name: str, chart: Chart, rendered: Rendered) -> None:
    parts = [Part(manifest.path, manifest.content) for manifest in rendered.manifests]
    _write(call, name, _crds(call, chart), parts, _hooks(call, rendered.hooks))


def _crds(call: Invocation, chart: Chart) -> list[Part]:
    if not call.flag("include-crds"):
        return []
    return [Part(crd.path, crd.file.text()) for crd in chart.crds()]


def _hooks(call: Invocation, hooks: Iterable[manifests.Hook]) -> list[Part]:
    """The hooks that are printed behind the manifests."""
    if call.flag("no-hooks"):
        return []
    skip = call.flag("skip-tests")
    return [Part(hook.path, hook.manifest) for hook in hooks if not (skip and "test" in hook.events)]


def _write(call: Invocation, name: str, crds: list[Part], parts: list[Part], behind: list[Part]) -> None:
    if folder := call.flag("output-dir"):
        inner = f"{folder}/{name}" if call.flag("release-name") else folder
        written = _Files(folder)
        for part in crds:
            written.add(folder, part)
        for part in (*parts, *behind):
            written.add(inner, part)
        crds, parts, behind = [], [], []
    text = "".join(map(str, (*crds, *parts))).strip() + "\n" + "".join(map(str, behind))
    if call.flag("show-only"):
        text = only(call.flag("show-only"), text)
    sys.stdout.write(text)


def only(patterns: Iterable[str], text: str) -> str:
    """The documents of those templates, pattern by pattern. Raises HelmError for a pattern that fits none."""
    from sampan.charts.ignore import glob_regex

    documents = manifests.split(text)
    found: list[str] = []
    for pattern in patterns:
        rule = glob_regex(pattern)
        matched = [document for document in documents if rule.fullmatch(_inside(document))]
        if not matched:
            raise HelmError(f"could not find template {pattern} in chart")
        found += matched
    return "".join(f"---\n{document}\n" for document in found)


def _inside(document: str) -> str:
    """The path of a document's template, within the chart."""
    first = document.split("\n", 1)[0]
    return first.removeprefix("# Source: ").partition("/")[2]


class _Files:
    """Files below a folder, one per template; the documents of one template follow each other."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).resolve()
        self._seen: set[str] = set()

    def add(self, folder: str, part: Part) -> None:
        """Raises HelmError for a template that leads out of the folder."""
        target = f"{folder}/{part.source}"
        real = Path(target)
        if not real.resolve().is_relative_to(self._root):
            raise HelmError(f"template {part.source!r} leads out of {folder}")
        real.parent.mkdir(parents=True, exist_ok=True)
        with real.open("a" if target in self._seen else "w") as file:
            file.write(str(part))
        self._seen.add(target)
        sys.stdout.write(f"wrote {target}\n")
