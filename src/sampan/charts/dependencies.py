"""Which charts of charts/ take part: aliases, versions, tags, conditions; and values that children export.

Changes the chart it is given (`Chart.copy` keeps the original). Source: helm 4.3 pkg/chart/v2/util/dependencies.go.
"""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate import semver
from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import StringMap
from sampan.base.gotemplate.sprig.dicts import deep_copy
from sampan.charts.coalesce import Warn, coalesce_values, merge_tables, merge_values, silent
from sampan.charts.errors import ChartError
from sampan.charts.metadata import Dependency
from sampan.charts.model import Chart


def process(chart: Chart, values: dict[str, Any], warn: Warn = silent) -> None:
    """Settle the chart's dependencies for these values. Raises ValuesError."""
    _enable(chart, values, "", warn)
    _import_all(chart, warn)


def missing(chart: Chart) -> list[str]:
    """Names of Chart.yaml's dependencies that charts/ lacks."""
    there = {d.name for d in chart.dependencies}
    return [d.name for d in chart.metadata.dependencies if d.name not in there]


def check(chart: Chart) -> None:
    """Refuse a chart whose dependencies are not there. Raises ChartError."""
    gone = missing(chart)
    if gone:
        raise ChartError(f"found in Chart.yaml, but missing in charts/ directory: {', '.join(gone)}")


# ---------------------------------------------------------------- enabling


def table(values: Any, path: str) -> dict[str, Any] | None:
    """The map at a dotted path; None where there is none."""
    for name in path.split("."):
        values = values.get(name) if isinstance(values, dict) else None
        if not isinstance(values, dict):
            return None
    found: dict[str, Any] = values
    return found


def path_value(values: dict[str, Any], path: str) -> tuple[bool, Any]:
    """The leaf at a dotted path: is there one, and its value. A map is no leaf."""
    head, _, key = path.rpartition(".")
    holder = table(values, head) if head else values
    if holder is None or key not in holder or isinstance(holder[key], dict):
        return False, None
    return True, holder[key]


def _tags(dependencies: list[Dependency], values: dict[str, Any], warn: Warn) -> None:
    tags = table(values, "tags")
    if tags is None:
        return
    for dependency in dependencies:
        found = []
        for tag in dependency.tags:
            if tag in tags:
                if isinstance(tags[tag], bool):
                    found.append(tags[tag])
                else:
                    warn(f"returned non-bool value tag={tag} chart={dependency.name}")
        dependency.enabled = any(found) or not found


def _conditions(dependencies: list[Dependency], values: dict[str, Any], prefix: str, warn: Warn) -> None:
    for dependency in dependencies:
        for condition in dependency.condition.strip().split(","):
            if not condition:
                continue
            found, value = path_value(values, prefix + condition)
            if not found:
                continue
            if isinstance(value, bool):
                dependency.enabled = value
                break
            warn(f"returned non-bool value path={condition} chart={dependency.name}")


def _aliased(charts: list[Chart], dependency: Dependency) -> Chart | None:
    for chart in charts:
        if chart.name != dependency.name:
            continue
        if not semver.compatible(dependency.version, chart.metadata.version):
            continue
        out = chart.shallow()
        out.metadata = chart.metadata.copy()
        out.set_dependencies([child.shallow() for child in chart.dependencies])
        if dependency.alias:
            out.metadata.name = dependency.alias
        return out
    return None


def _enable(chart: Chart, values: dict[str, Any], prefix: str, warn: Warn) -> None:
    wanted = chart.metadata.dependencies
    if not wanted:
        return
    charts = [
        c
        for c in chart.dependencies
        if not any(c.name == d.name and semver.compatible(d.version, c.metadata.version) for d in wanted)
    ]
    for dependency in wanted:
        found = _aliased(chart.dependencies, dependency)
        if found is not None:
            charts.append(found)
        if dependency.alias:
            dependency.name = dependency.alias
    chart.set_dependencies(charts)
    for dependency in wanted:
        dependency.enabled = True
    merged = coalesce_values(chart, values, warn)
    _tags(wanted, merged, warn)
    _conditions(wanted, merged, prefix, warn)
    removed = {d.name for d in wanted if not d.enabled}
    kept = [c for c in chart.dependencies if c.name not in removed]
    for child in kept:
        _enable(child, merged, f"{prefix}{child.name}.", warn)
    chart.metadata.dependencies = [d for d in wanted if d.name not in removed]
    chart.set_dependencies(kept)


# ---------------------------------------------------------------- import-values


def _import_all(chart: Chart, warn: Warn) -> None:
    for child in chart.dependencies:
        _import_all(child, warn)
    _import(chart, warn)


def _import(chart: Chart, warn: Warn) -> None:
    """Values that children offer, under the parent's own."""
    if not chart.metadata.dependencies:
        return
    merged = merge_values(chart, {}, warn)
    imported: dict[str, Any] = {}
    for dependency in chart.metadata.dependencies:
        outgoing: list[Any] = []
        for item in dependency.import_values:
            if isinstance(item, dict):
                child, parent = text(item.get("child")), text(item.get("parent"))
            elif isinstance(item, str):
                child, parent = f"exports.{item}", "."
            else:
                continue
            outgoing.append(StringMap({"child": child, "parent": parent}))
            found = table(merged, f"{dependency.name}.{child}")
            if found is None:
                warn(f"ImportValues missing table from chart {dependency.name}")
                continue
            imported = merge_tables(imported, _placed(parent, found), warn)
        dependency.import_values = outgoing
    chart.values = merge_tables(deep_copy(merged), imported, warn)


def _placed(path: str, values: dict[str, Any]) -> dict[str, Any]:
    if path == ".":
        return values
    for name in reversed(path.split(".")):
        values = {name: values}
    return values
