"""A chart in memory: metadata, templates, defaults, files, and the charts it contains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sampan.charts.metadata import Lock, Metadata

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")


class File(NamedTuple):
    """A file by its path in the chart. `modified` is in nanoseconds since 1970, 0 for unknown."""

    name: str
    data: bytes
    modified: int = 0

    def text(self) -> str:
        return self.data.decode("utf-8", "surrogateescape")


class CRD(NamedTuple):
    """A file of crds/: its name in its chart, its path from the root chart."""

    name: str
    path: str
    file: File


class Chart:
    """Changes only while dependencies are processed: `copy` first to keep the loaded one."""

    def __init__(self, metadata: Metadata) -> None:
        self.metadata = metadata
        self.lock: Lock | None = None
        self.values: dict[str, Any] = {}
        self.schema: bytes | None = None
        self.schema_modified = 0
        self.modified = 0
        self.templates: list[File] = []
        self.files: list[File] = []
        self.raw: list[File] = []
        self.parent: Chart | None = None
        self.dependencies: list[Chart] = []

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def is_root(self) -> bool:
        return self.parent is None

    @property
    def is_library(self) -> bool:
        return self.metadata.type.lower() == "library"

    @property
    def full_path(self) -> str:
        """`root/charts/child/charts/...`; the names are those after aliases."""
        if self.parent is None:
            return self.name
        return f"{self.parent.full_path}/charts/{self.name}"

    def set_dependencies(self, charts: list[Chart]) -> None:
        self.dependencies = []
        for chart in charts:
            self.add_dependency(chart)

    def add_dependency(self, chart: Chart) -> None:
        chart.parent = self
        self.dependencies.append(chart)

    def shallow(self) -> Chart:
        """A chart of its own that shares files, and whose dependencies are shallow copies too."""
        other = Chart(self.metadata)
        other.__dict__.update(self.__dict__)
        other.parent = None
        return other

    def copy(self) -> Chart:
        """A tree whose processing leaves this one as it is; files and default values are shared."""
        other = self.shallow()
        other.metadata = self.metadata.copy()
        other.set_dependencies([d.copy() for d in self.dependencies])
        return other

    def crds(self) -> Iterator[CRD]:
        """Files of crds/, of this chart and then of the charts in it."""
        for file in self.files:
            if file.name.startswith("crds/") and file.name.lower().endswith(MANIFEST_SUFFIXES):
                yield CRD(file.name, f"{self.full_path}/{file.name}", file)
        for chart in self.dependencies:
            yield from chart.crds()

    def walk(self) -> Iterator[Chart]:
        yield self
        for chart in self.dependencies:
            yield from chart.walk()
