"""Output as Helm prints it: tables, JSON, YAML, and a release for people."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sampan.base.gotemplate import gojson
from sampan.charts import yamlout
from sampan.charts.release import Release


def structured(value: Any, form: str, *, ordered: bool = False) -> None:
    """One JSON line, or YAML. JSON keys are sorted, or with `ordered` as they come: the fields of a Go struct."""
    if form == "json":
        sys.stdout.write((_ordered(value) if ordered else gojson.dumps(value)) + "\n")
    else:
        sys.stdout.write(yamlout.dump(value))


def _ordered(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{gojson.string(k)}:{_ordered(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_ordered, value)) + "]"
    return gojson.dumps(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, headless: bool = False) -> str:
    """Columns parted by a tab after padding, as gosuri/uitable prints them; an empty line for nothing at all."""
    lines = [list(row) for row in ([] if headless else [heads])] + [list(row) for row in rows]
    if not lines:
        return "\n"
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "".join(
        "\t".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n"
        for line in lines
    )


def moment(text: str) -> datetime | None:
    """A stored time with the offset that it was stored with; None for one that is empty or zero."""
    if not text or text.startswith("0001-"):
        return None
    # fromisoformat takes six digits of a fraction, Go writes up to nine.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))


def ansi_c(text: str) -> str:
    """Mon Jan _2 15:04:05 2006"""
    at = moment(text)
    return f"{at:%a %b} {at.day:2d} {at:%H:%M:%S %Y}" if at else ""


def go_string(text: str) -> str:
    """time.Time's String: 2006-01-02 15:04:05.999999999 -0700 MST; the zone is named where it is UTC or the local one."""
    at = moment(text)
    if at is None:
        return "-"
    digits = re.search(r"\.(\d+)", text)
    fraction = "." + digits[1].rstrip("0") if digits and digits[1].strip("0") else ""
    offset = f"{at:%z}"
    if text.endswith("Z"):
        zone = "UTC"
    else:
        local = at.astimezone()
        zone = local.tzname() or offset if local.utcoffset() == at.utcoffset() else offset
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} {offset} {zone}"


def release(
    found: Release,
    *,
    hide_notes: bool = False,
    details: bool = False,
    everything: str = "",
    resources: str = "",
    metadata: bool = False,
) -> str:
    """What install, upgrade, status and get all print. helm 4.3 pkg/cmd/status.go.

    `details` adds hooks and manifest (dry runs), `everything` stands for the values before them (get all).
    """
    info, chart = found.info, found.chart.metadata
    lines = [
        f"NAME: {found.name}",
        *([f"LAST DEPLOYED: {ansi_c(info.last_deployed)}"] if moment(info.last_deployed) else []),
        f"NAMESPACE: {found.namespace}",
        f"STATUS: {info.status}",
        f"REVISION: {found.version}",
    ]
    if metadata:
        lines += [f"CHART: {chart.name}", f"VERSION: {chart.version}", f"APP_VERSION: {chart.app_version}"]
    lines.append(f"DESCRIPTION: {info.description}")
    if resources:
        lines.append(f"RESOURCES:\n{resources}")
    text = "\n".join([*lines, *_tests(found)]) + "\n" + everything
    if details or everything:
        text += f"HOOKS:\n{hooks(found)}MANIFEST:\n{found.manifest}\n"
    if info.notes and not hide_notes:
        text += f"NOTES:\n{info.notes.strip()}\n"
    return text


def _tests(found: Release) -> list[str]:
    tests = [stored for stored in found.hooks if "test" in stored.hook.events]
    if not tests:
        return ["TEST SUITE: None"]
    lines = []
    for stored in tests:
        run = stored.last_run
        if moment(run.started_at) is None:
            continue
        ended = ansi_c(run.completed_at) or "Mon Jan  1 00:00:00 0001"
        lines += [
            f"TEST SUITE:     {stored.hook.name}",
            f"Last Started:   {ansi_c(run.started_at)}",
            f"Last Completed: {ended}",
            f"Phase:          {run.phase}",
        ]
    return lines


def hooks(found: Release) -> str:
    return "".join(f"---\n# Source: {stored.hook.path}\n{stored.hook.manifest}\n" for stored in found.hooks)
