"""Rendering: a chart and its values become text files, then manifests, hooks and notes.

Source: helm 4.3 pkg/engine/engine.go, pkg/action/action.go (renderResources), pkg/chart/common/util/values.go.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from sampan.base.gotemplate import semver
from sampan.base.gotemplate.errors import ExecError, ParseError
from sampan.base.gotemplate.gotime import PERIODS, Time
from sampan.base.gotemplate.gotypes import Func, GoError, Map
from sampan.base.gotemplate.semver import Version
from sampan.base.gotemplate.sprig.urls import base, clean
from sampan.base.gotemplate.template import Environment, Execution, TemplateSet, deep_enough
from sampan.charts import dependencies, files, manifests, schema
from sampan.charts.capabilities import KubeVersion, Versions, VersionSet
from sampan.charts.coalesce import Warn, coalesce_values, silent
from sampan.charts.errors import ChartError, RenderError
from sampan.charts.execerror import explain_execution, explain_parse
from sampan.charts.funcs import NO_VALUE, TEMPLATE_FUNCTIONS, Lookup, State
from sampan.charts.manifests import Hook, Manifest
from sampan.charts.model import Chart

NOTES = "NOTES.txt"
ROOT = "gotpl"


class Values(Map):
    """`common.Values`: a map with a name, which some functions refuse."""

    go_type = "common.Values"
    underlying = "map[string]interface {}"
    methods: ClassVar[dict[str, Func]] = {}


class Release(NamedTuple):
    """`.Release`"""

    name: str = "release-name"
    namespace: str = "default"
    revision: int = 1
    is_install: bool = True
    is_upgrade: bool = False

    def build(self) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Namespace": self.namespace,
            "IsUpgrade": self.is_upgrade,
            "IsInstall": self.is_install,
            "Revision": self.revision,
            "Service": "Helm",
        }


class Options(NamedTuple):
    """How to render. `lookup` reaches a cluster; `lint` lets required and fail pass; `dns` lets getHostByName ask;
    `sub_notes` keeps the notes of charts inside; `warn` is told what values lost."""

    lookup: Lookup | None = None
    lint: bool = False
    dns: bool = False
    sub_notes: bool = False
    skip_schema: bool = False
    warn: Warn = silent


class Rendered(NamedTuple):
    """Manifests in the order of installation, hooks, the notes, and the chart with its dependencies settled."""

    manifests: list[Manifest]
    hooks: list[Hook]
    notes: str
    chart: Chart

    def manifest(self) -> str:
        """The manifests as one stream, as a release record keeps them."""
        return "".join(f"---\n# Source: {m.path}\n{m.content}\n" for m in self.manifests)


_METHODS = frozenset(
    {
        *files.Files.methods, *KubeVersion.methods, *VersionSet.methods, *Version.methods, *Time.methods, *PERIODS,
        "YAML", "Table", "AsMap", "Encode", "PathValue",
    }
)  # fmt: skip


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The functions and methods of chart templates; compiled texts are kept for the process's life."""
    return Environment(TEMPLATE_FUNCTIONS, _METHODS)


def use_cache(cache: MutableMapping[str, bytes] | None) -> None:
    """Keep compiled templates in `cache` from now on (see gotemplate's Environment: who writes there is trusted)."""
    environment().cache = cache


def render(
    chart: Chart,
    values: dict[str, Any],
    release: Release | None = None,
    versions: Versions | None = None,
    options: Options | None = None,
) -> Rendered:
    """Render a chart with the user's values. The chart is left as it is.

    Raises RenderError, ManifestError, ValuesError, SchemaError, ChartError.
    """
    options = options or Options()
    versions = versions or Versions()
    chart = chart.copy()
    dependencies.process(chart, values, options.warn)
    check_kube_version(chart, versions)
    texts = render_files(chart, values, release or Release(), versions, options)
    notes = take_notes(chart, texts, options.sub_notes)
    found = manifests.sort(texts)
    return Rendered(found.manifests, found.hooks, notes, chart)


def check_kube_version(chart: Chart, versions: Versions) -> None:
    """Refuse a chart that wants another Kubernetes. Raises ChartError."""
    wanted = chart.metadata.kube_version
    version = versions.build().KubeVersion
    if wanted and not semver.compatible(wanted, version.shown()):
        raise ChartError(
            f"chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version.Version}"
        )


def render_files(
    chart: Chart, values: dict[str, Any], release: Release, versions: Versions, options: Options
) -> dict[str, str]:
    """All templates of a processed chart as text, by path. Raises RenderError, ValuesError, SchemaError."""
    merged = coalesce_values(chart, values, options.warn)
    if not options.skip_schema:
        schema.validate_chart(chart, merged)
    top = {"Release": release.build(), "Capabilities": versions.build(), "Values": Values(merged)}
    templates: dict[str, tuple[str, Values, str]] = {}
    _collect(chart, top, templates)
    return _execute(templates, options)


def _collect(
    chart: Chart, above: dict[str, Any], templates: dict[str, tuple[str, Values, str]]
) -> dict[str, Any]:
    """Every template with its scope; returns the scope, which parents reach as `.Subcharts`."""
    described = chart.metadata.to_map()
    described["IsRoot"] = chart.is_root
    inner: dict[str, Any] = {}
    scope = Values(
        {
            "Chart": described,
            "Files": files.make(chart.files),
            "Release": above["Release"],
            "Capabilities": above["Capabilities"],
            "Values": Values(),
            "Subcharts": inner,
        }
    )
    if chart.is_root:
        scope["Values"] = above["Values"]
    else:
        own = above["Values"].get(chart.name)
        if isinstance(own, dict):
            scope["Values"] = Values(own)
    for child in chart.dependencies:
        inner[child.name] = _collect(child, scope, templates)
    path = chart.full_path
    for template in chart.templates:
        if chart.is_library and not base(template.name).startswith("_"):
            continue
        name = clean(f"{path}/{template.name}")
        templates[name] = (template.text(), scope, f"{path}/templates")
    return dict(scope)


def _order(names: list[str]) -> list[str]:
    """Deepest first, last name first: what is parsed later wins, so parents override their children."""
    return sorted(names, key=lambda n: (n.count("/"), n), reverse=True)


def _execute(templates: dict[str, tuple[str, Values, str]], options: Options) -> dict[str, str]:
    deep_enough()
    known = TemplateSet(environment(), ROOT)
    names = _order(list(templates))
    for name in names:
        try:
            known.add(name, templates[name][0])
        except ParseError as problem:
            raise explain_parse(name, problem) from None
    run = Execution(known, State(options.lookup, lint=options.lint, dns=options.dns))
    out: dict[str, str] = {}
    for name in names:
        if base(name).startswith("_"):
            continue
        _, scope, path = templates[name]
        scope["Template"] = Values({"Name": name, "BasePath": path})
        try:
            text = run.run_named(name, scope)
        except ExecError as problem:
            raise explain_execution(name, problem) from None
        except GoError as problem:
            raise RenderError(str(problem), name) from None
        out[name] = text.replace(NO_VALUE, "") if NO_VALUE in text else text
    return out


def take_notes(chart: Chart, texts: dict[str, str], sub_notes: bool) -> str:
    """Remove every NOTES.txt from the texts and return the chart's own (or all of them)."""
    own = f"{chart.name}/templates/{NOTES}"
    found = []
    for path in sorted(p for p in texts if p.endswith(NOTES)):
        text = texts.pop(path)
        if sub_notes or path == own:
            found.append(text)
    return "\n".join(found)
