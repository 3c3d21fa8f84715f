"""Probe charts: one case is a template text; what it renders to, or how it fails, is compared with the real helm.

`expressions.tpl` and `failures.tpl` hold the cases, `### name` before each. `golden/VERSION/` holds what the real
helm of that version says of them (`python cases.py HELM VERSION` writes it).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from sampan.charts import load
from sampan.charts.errors import ChartError, ManifestError, RenderError
from sampan.charts.render import render

HERE = Path(__file__).parent
HINT = "\n\nUse --debug flag to render out invalid YAML"

CHART = """apiVersion: v2
name: probe
version: 1.2.3
appVersion: "4.5"
keywords: [one, two]
maintainers: [{name: A, email: a@example.com}]
annotations: {a: note}
"""
NOTES = {"notes/a.txt": "first\nsecond\n", "notes/b.txt": "one\n\ntwo", "other.bin": "x"}


def read(name: str) -> dict[str, str]:
    """The blocks of a file by name."""
    out: dict[str, str] = {}
    for block in (HERE / name).read_text("utf-8").split("### ")[1:]:
        head, _, body = block.partition("\n")
        assert head not in out, f"two cases are called {head!r}"
        out[head] = body
    return out


def write(folder: Path, templates: dict[str, str]) -> Path:
    """The probe chart with the given templates."""
    for name, text in {
        "Chart.yaml": CHART,
        "values.yaml": (HERE / "values.yaml").read_text("utf-8"),
        **NOTES,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name, text in templates.items():
        path = folder / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def wrapped(case: str) -> dict[str, str]:
    """A case as templates whose output is one quoted YAML string."""
    inner = '{{ define "probe.inner" }}<{{ . }}>{{ end }}'
    return {
        "_case.tpl": inner + '{{ define "case" }}' + case + "{{ end }}",
        "out.yaml": 'out: {{ include "case" . | quote }}\n',
    }


def ours(folder: Path) -> str:
    """What this code makes of the chart: the text of `helm template`, or `Error: ...`."""
    try:
        rendered = render(load(folder), {})
    except (RenderError, ManifestError) as problem:
        return f"Error: {problem}{HINT}\n"
    except ChartError as problem:
        return f"Error: {problem}\n"
    hooks = "".join(f"---\n# Source: {h.path}\n{h.manifest}\n" for h in rendered.hooks)
    return rendered.manifest().strip() + "\n" + hooks


def theirs(helm: Path, folder: Path) -> str:
    """The same of a real helm."""
    command = [helm, "template", "release-name", folder, "--namespace", "default"]
    done = subprocess.run(command, capture_output=True, timeout=60, env={"HOME": str(folder), "TZ": "UTC"})
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    said = done.stderr.decode("utf-8", "surrogateescape")
    return said[said.index("Error: ") :]


def run(kind: str, name: str, case: str, helm: Path | None = None) -> str:
    """One case, by this code or by a real helm."""
    with tempfile.TemporaryDirectory() as parent:
        templates = wrapped(case) if kind == "expressions" else {"t.yaml": case}
        folder = write(Path(parent) / "probe", templates)
        return ours(folder) if helm is None else theirs(helm, folder)


def golden(version: str, kind: str) -> dict[str, str]:
    """What the real helm of a version said."""
    out: dict[str, str] = {}
    path = HERE / "golden" / version / f"{kind}.txt"
    for block in path.read_bytes().decode("utf-8", "surrogateescape").split("\f### ")[1:]:
        head, _, body = block.partition("\n")
        out[head] = body
    return out


def record(helm: Path, version: str) -> None:
    """Write the goldens of a version."""
    for kind in ("expressions", "failures"):
        path = HERE / "golden" / version / f"{kind}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = [f"\f### {n}\n{run(kind, n, c, helm)}" for n, c in read(f"{kind}.tpl").items()]
        path.write_bytes("".join(blocks).encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2])
