"""Output as Helm prints it: tables, JSON, YAML, and a release for people."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from sampan.charts import yamlout
from sampan.charts.release import Release


def structured(value: Any, form: str) -> None:
    """One JSON line, or YAML."""
    if form == "json":
        sys.stdout.write(orjson.dumps(value).decode() + "\n")
    else:
        sys.stdout.write(yamlout.dump(value))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, headless: bool = False) -> str:
    """Columns parted by a tab after padding, as gosuri/uitable prints them."""
    lines = [list(rows_) for rows_ in ([] if headless else [list(heads)])] + [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "".join(
        "\t".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n"
        for line in lines
    )


def moment(text: str) -> datetime | None:
    """A stored time; None for one that is empty or zero."""
    if not text or text.startswith("0001-"):
        return None
    # fromisoformat takes six digits of a fraction, Go writes up to nine.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))).astimezone()


def ansi_c(text: str) -> str:
    """Mon Jan _2 15:04:05 2006"""
    at = moment(text)
    return f"{at:%a %b} {at.day:2d} {at:%H:%M:%S %Y}" if at else ""


def go_string(text: str) -> str:
    """time.Time's String: 2006-01-02 15:04:05.999999999 -0700 MST"""
    at = moment(text)
    if at is None:
        return "0001-01-01 00:00:00 +0000 UTC"
    digits = re.search(r"\.(\d+)", text)
    fraction = "." + digits[1].rstrip("0") if digits and digits[1].strip("0") else ""
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} {at:%z %Z}"


def release(
    found: Release,
    *,
    hide_notes: bool = False,
    dry_run: bool = False,
    hide_secret: bool = False,
    resources: str = "",
) -> str:
    """What install, upgrade and status print. helm 4.3 pkg/cmd/status.go."""
    info = found.info
    lines = [
        f"NAME: {found.name}",
        *([f"LAST DEPLOYED: {ansi_c(info.last_deployed)}"] if moment(info.last_deployed) else []),
        f"NAMESPACE: {found.namespace}",
        f"STATUS: {info.status}",
        f"REVISION: {found.version}",
        f"DESCRIPTION: {info.description}",
    ]
    if resources:
        lines.append(f"RESOURCES:\n{resources}")
    tests = [stored for stored in found.hooks if "test" in stored.hook.events]
    if not tests:
        lines.append("TEST SUITE: None")
    for stored in tests:
        if not stored.last_run.started_at:
            continue
        lines += [
            f"TEST SUITE:     {stored.hook.name}",
            f"Last Started:   {ansi_c(stored.last_run.started_at)}",
            f"Last Completed: {ansi_c(stored.last_run.completed_at)}",
            f"Phase:          {stored.last_run.phase}",
        ]
    text = "\n".join(lines) + "\n"
    if dry_run:
        text += "HOOKS:\n" + hooks(found)
        text += "MANIFEST:\n" + (_without_secrets(found.manifest) if hide_secret else found.manifest) + "\n"
    if info.notes and not hide_notes:
        text += f"NOTES:\n{info.notes.strip()}\n"
    return text


def hooks(found: Release) -> str:
    return "".join(f"---\n# Source: {stored.hook.path}\n{stored.hook.manifest}\n" for stored in found.hooks)


def _without_secrets(manifest: str) -> str:
    from sampan.charts import manifests

    parts = []
    for part in manifests.split(manifest):
        source = part.split("\n", 1)[0]
        hidden = manifests.head_of(part).kind == "Secret"
        parts.append(f"{source}\n# HIDDEN: The Secret output has been suppressed\n" if hidden else part)
    return "".join(f"---\n{part}" for part in parts)
