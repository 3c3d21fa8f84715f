"""User values over chart defaults, down the tree of charts, with Helm 4.3's rules for null and `global`.

Source: helm 4.3 pkg/chart/common/util/coalesce.go. With `merge` nulls are kept for a later pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.sprig.dicts import deep_copy
from sampan.base.gotemplate.strconv import quote
from sampan.charts.errors import ValuesError
from sampan.charts.model import Chart

Warn = Callable[[str], None]

_GLOBAL = "global"


def silent(_: str) -> None:
    """Drop a warning."""


def coalesce_values(chart: Chart, values: dict[str, Any], warn: Warn = silent) -> dict[str, Any]:
    """The values a chart renders with. Raises ValuesError."""
    return _coalesce(chart, deep_copy(values or {}), "", False, warn)


def merge_values(chart: Chart, values: dict[str, Any], warn: Warn = silent) -> dict[str, Any]:
    """The same with nulls kept."""
    return _coalesce(chart, deep_copy(values or {}), "", True, warn)


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _coalesce(chart: Chart, target: dict[str, Any], prefix: str, merge: bool, warn: Warn) -> dict[str, Any]:
    _own(chart, target, prefix, merge, warn)
    below = _join(prefix, chart.name)
    for child in chart.dependencies:
        if child.name not in target:
            target[child.name] = {}
        scope = target[child.name]
        if not isinstance(scope, dict):
            raise ValuesError(f"type mismatch on {child.name}: {_percent_t(scope)}")
        _globals(scope, target, below, warn)
        target[child.name] = _coalesce(child, scope, below, merge, warn)
    return target


def _percent_t(value: Any) -> str:
    """`%t` of a value, as Helm prints the mismatch."""
    from sampan.base.gotemplate.gofmt import sprintf

    return sprintf("%t", (value,))


def _globals(target: dict[str, Any], source: dict[str, Any], prefix: str, warn: Warn) -> None:
    """Copy the parent's globals down; the parent wins."""
    own = target.get(_GLOBAL, {}) if _GLOBAL in target else {}
    if not isinstance(own, dict):
        warn(f"warning: skipping globals because destination {_GLOBAL} is not a table.")
        return
    above = source.get(_GLOBAL, {}) if _GLOBAL in source else {}
    if not isinstance(above, dict):
        warn(f"warning: skipping globals because source {_GLOBAL} is not a table.")
        return
    for key, value in above.items():
        if isinstance(value, dict):
            copied = dict(value)
            if key not in own:
                own[key] = copied
            elif not isinstance(own[key], dict):
                warn(f"Conflict: cannot merge map onto non-map for {quote(key)}. Skipping.")
            else:
                _tables(copied, own[key], _join(prefix, key), True, warn)
                own[key] = copied
        elif key in own and isinstance(own[key], dict):
            warn(f"key {key} is table. Skipping")
        else:
            own[key] = value
    target[_GLOBAL] = own


def _own(chart: Chart, values: dict[str, Any], prefix: str, merge: bool, warn: Warn) -> None:
    """The chart's own defaults under the values."""
    below = _join(prefix, chart.name)
    children = {child.name for child in chart.dependencies}
    for key, default in deep_copy(chart.values or {}).items():
        if key not in values:
            if not merge:
                if default is None:
                    continue
                if isinstance(default, dict):
                    _drop_nulls(default)
            values[key] = default
            continue
        value = values[key]
        if value is None and not merge:
            del values[key]
        elif isinstance(value, dict):
            if isinstance(default, dict):
                keep = merge or key in children
                if not keep:
                    _drop_nulls(default)
                _tables(value, default, _join(below, key), keep, warn)
            elif default is not None:
                warn(f"warning: skipped value for {below}.{key}: Not a table.")


def coalesce_tables(target: dict[str, Any], source: dict[str, Any], warn: Warn = silent) -> dict[str, Any]:
    """`source` under `target`; a null of the target deletes."""
    return _tables(target, source, "", False, warn)


def merge_tables(target: dict[str, Any], source: dict[str, Any], warn: Warn = silent) -> dict[str, Any]:
    """`source` under `target`, nulls kept."""
    return _tables(target, source, "", True, warn)


def _tables(
    target: dict[str, Any], source: dict[str, Any], prefix: str, merge: bool, warn: Warn
) -> dict[str, Any]:
    given = {k for k, v in source.items() if v is not None}
    for key, value in target.items():
        if value is None:
            source[key] = None
    for key, default in source.items():
        present = key in target
        value = target.get(key)
        if present and not merge and value is None and key in given:
            del target[key]
        elif not present:
            target[key] = default
        elif isinstance(default, dict):
            if isinstance(value, dict):
                _tables(value, default, _join(prefix, key), merge, warn)
            else:
                warn(
                    f"warning: cannot overwrite table with non table for {_join(prefix, key)} ({text(default)})"
                )
        elif isinstance(value, dict) and default is not None:
            warn(
                f"warning: destination for {_join(prefix, key)} is a table. "
                f"Ignoring non-table value ({text(default)})"
            )
    return target


def _drop_nulls(values: dict[str, Any]) -> None:
    for key in list(values):
        value = values[key]
        if value is None:
            del values[key]
        elif isinstance(value, dict):
            _drop_nulls(value)
