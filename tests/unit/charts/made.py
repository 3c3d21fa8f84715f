"""Charts in memory for tests."""

from __future__ import annotations

from sampan.charts.loader import load_files
from sampan.charts.model import Chart, File


def chart(files: dict[str, str], name: str = "c", version: str = "1.0.0", more: str = "") -> Chart:
    """A chart of these files; Chart.yaml is made unless it is among them."""
    head = f"apiVersion: v2\nname: {name}\nversion: {version}\n{more}"
    return load_files([File(n, t.encode()) for n, t in {"Chart.yaml": head, **files}.items()])


def child(name: str, files: dict[str, str], version: str = "1.0.0") -> dict[str, str]:
    """The files of a chart in charts/."""
    head = f"apiVersion: v2\nname: {name}\nversion: {version}\n"
    return {f"charts/{name}/{n}": t for n, t in {"Chart.yaml": head, **files}.items()}
