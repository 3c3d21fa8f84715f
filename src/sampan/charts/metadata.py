"""Chart.yaml and its dependencies, read as Go's JSON decoder reads them into Helm's structs.

A number or a truth value where a text belongs is taken as text (`appVersion: 1.16`); other mismatches are errors.
Source: helm 4.3 pkg/chart/v2/{metadata,dependency}.go.
"""

from __future__ import annotations

import re
from typing import Any

from sampan.base.gotemplate import semver
from sampan.base.gotemplate.gotypes import StringMap, kind_of
from sampan.base.gotemplate.sprig.strings import is_space
from sampan.base.gotemplate.strconv import format_float, quote
from sampan.charts.errors import ChartError

V1, V2 = "v1", "v2"
_ALIAS = re.compile(r"[a-zA-Z0-9_-]+\Z")


class NilStringMap(StringMap):
    """`map[string]string(nil)`"""

    nil = True


class _Record:
    """A Go struct: `layout` gives (attribute, JSON key, Go field, type) in order."""

    go_name = ""
    layout: tuple[tuple[str, str, str, str], ...] = ()

    def read(self, data: Any, path: str = "") -> None:
        """Take the fields of a decoded mapping. Raises ChartError with encoding/json's text."""
        if data is None:
            return
        if not isinstance(data, dict):
            raise mismatch(data, path, self.go_name)
        known = {key: (attribute, kind) for attribute, key, _, kind in self.layout}
        folded = {key.lower(): key for key in known}
        for key, value in data.items():
            target = key if key in known else folded.get(key.lower())
            if target is not None and value is not None:
                attribute, kind = known[target]
                setattr(self, attribute, self.convert(value, kind, f"{path}.{target}"))

    def convert(self, value: Any, kind: str, path: str) -> Any:
        if kind == "string":
            return as_text(value, path)
        if kind == "bool":
            if not isinstance(value, bool):
                raise mismatch(value, path, "bool")
            return value
        if kind == "strings":
            items = _list(value, path, "[]string")
            return [as_text(v, f"{path}.{i}") for i, v in enumerate(items)]
        if kind == "map":
            if not isinstance(value, dict):
                raise mismatch(value, path, "map[string]string")
            return {k: as_text(v, f"{path}.{k}") for k, v in value.items()}
        if kind == "any":
            return _list(value, path, "[]interface {}")
        made = {"maintainers": Maintainer, "dependencies": Dependency}[kind]
        out: list[Any] = []
        for place, item in enumerate(_list(value, path, f"[]*{made.go_name}")):
            if item is None:
                out.append(None)
                continue
            one = made()
            one.read(item, f"{path}.{place}")
            out.append(one)
        return out

    def to_json(self) -> dict[str, Any]:
        """The mapping that encoding/json writes: empty fields left out, in the order of the struct."""
        out: dict[str, Any] = {}
        for attribute, key, _, kind in self.layout:
            value = getattr(self, attribute)
            if (not value and key not in ("name", "repository", "digest")) or (
                not value and isinstance(self, Metadata)
            ):
                continue
            if kind in ("maintainers", "dependencies"):
                value = [v.to_json() for v in value]
            out[key] = value
        return out

    def to_map(self) -> dict[str, Any]:
        """The map that templates see, by Go's field names; nothing is left out."""
        out: dict[str, Any] = {}
        for attribute, _, field, kind in self.layout:
            value = getattr(self, attribute)
            if kind in ("maintainers", "dependencies"):
                value = [v.to_map() for v in value]
            elif kind == "map":
                value = NilStringMap() if value is None else StringMap(value)
            elif kind in ("strings", "any"):
                value = list(value)
            out[field] = value
        return out


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {"map": "object", "slice": "array", "float64": "number", "int": "number"}.get(
        kind_of(value), "string"
    )


def mismatch(value: Any, path: str, target: str) -> ChartError:
    """encoding/json's complaint about a value that does not fit (Go 1.27's wording)."""
    if not path:
        where = "Go value"
    elif path.rpartition(".")[2].isdecimal():
        where = path
    else:
        where = f"Go struct field {path}"
    return ChartError(
        f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {_kind(value)} into {where} of type {target}"
    )


def _list(value: Any, path: str, kind: str) -> list[Any]:
    if not isinstance(value, list):
        raise mismatch(value, path, kind)
    return value


def as_text(value: Any, path: str) -> str:
    """A string field: numbers and truth values are taken as their text. Raises ChartError."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_float(value, bits=32)
    raise mismatch(value, path, "string")


def sanitize(text: str) -> str:
    """Spaces become plain ones; what cannot be printed goes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if is_space(c) else c for c in text if is_space(c) or c.isprintable())


class Maintainer(_Record):
    go_name = "v2.Maintainer"
    layout = (
        ("name", "name", "Name", "string"),
        ("email", "email", "Email", "string"),
        ("url", "url", "URL", "string"),
    )

    def __init__(self) -> None:
        self.name = self.email = self.url = ""

    def to_json(self) -> dict[str, Any]:
        return {k: v for k, v in (("name", self.name), ("email", self.email), ("url", self.url)) if v}


class Dependency(_Record):
    """A chart that another needs."""

    go_name = "v2.Dependency"
    layout = (
        ("name", "name", "Name", "string"),
        ("version", "version", "Version", "string"),
        ("repository", "repository", "Repository", "string"),
        ("condition", "condition", "Condition", "string"),
        ("tags", "tags", "Tags", "strings"),
        ("enabled", "enabled", "Enabled", "bool"),
        ("import_values", "import-values", "ImportValues", "any"),
        ("alias", "alias", "Alias", "string"),
    )

    def __init__(self) -> None:
        self.name = self.version = self.repository = self.condition = self.alias = ""
        self.tags: list[str] = []
        self.enabled = False
        self.import_values: list[Any] = []

    def copy(self) -> Dependency:
        other = Dependency()
        other.__dict__.update(self.__dict__)
        return other

    def validate(self) -> None:
        for attribute in ("name", "version", "repository", "condition"):
            setattr(self, attribute, sanitize(getattr(self, attribute)))
        self.tags = [sanitize(t) for t in self.tags]
        if self.alias and not _ALIAS.match(self.alias):
            raise _invalid(f"dependency {quote(self.name)} has disallowed characters in the alias")


def _invalid(message: str) -> ChartError:
    return ChartError(f"validation: {message}")


class Metadata(_Record):
    """Chart.yaml."""

    go_name = "loader.chartBase"
    layout = (
        ("name", "name", "Name", "string"),
        ("home", "home", "Home", "string"),
        ("sources", "sources", "Sources", "strings"),
        ("version", "version", "Version", "string"),
        ("description", "description", "Description", "string"),
        ("keywords", "keywords", "Keywords", "strings"),
        ("maintainers", "maintainers", "Maintainers", "maintainers"),
        ("icon", "icon", "Icon", "string"),
        ("api_version", "apiVersion", "APIVersion", "string"),
        ("condition", "condition", "Condition", "string"),
        ("tags", "tags", "Tags", "string"),
        ("app_version", "appVersion", "AppVersion", "string"),
        ("deprecated", "deprecated", "Deprecated", "bool"),
        ("annotations", "annotations", "Annotations", "map"),
        ("kube_version", "kubeVersion", "KubeVersion", "string"),
        ("dependencies", "dependencies", "Dependencies", "dependencies"),
        ("type", "type", "Type", "string"),
    )

    def __init__(self) -> None:
        self.name = self.home = self.version = self.description = self.icon = self.api_version = ""
        self.condition = self.tags = self.app_version = self.kube_version = self.type = ""
        self.sources: list[str] = []
        self.keywords: list[str] = []
        self.maintainers: list[Maintainer | None] = []
        self.deprecated = False
        self.annotations: dict[str, str] | None = None
        self.dependencies: list[Dependency] = []

    def copy(self) -> Metadata:
        other = Metadata()
        other.__dict__.update(self.__dict__)
        other.dependencies = [d.copy() for d in self.dependencies]
        return other

    def validate(self) -> None:
        """Clean the texts and refuse what Helm refuses. Raises ChartError."""
        for attribute in (
            "name", "description", "home", "icon", "condition", "tags", "app_version", "kube_version",
        ):  # fmt: skip
            setattr(self, attribute, sanitize(getattr(self, attribute)))
        self.sources = [sanitize(s) for s in self.sources]
        self.keywords = [sanitize(s) for s in self.keywords]
        self._validate_head()
        for maintainer in self.maintainers:
            if maintainer is None:
                raise _invalid("maintainers must not contain empty or null nodes")
            for attribute in ("name", "email", "url"):
                setattr(maintainer, attribute, sanitize(getattr(maintainer, attribute)))
        seen: set[str] = set()
        for dependency in self.dependencies:
            if dependency is None:
                raise _invalid("dependencies must not contain empty or null nodes")
            dependency.validate()
            key = dependency.alias or dependency.name
            if key in seen:
                raise _invalid(f"more than one dependency with name or alias {quote(key)}")
            seen.add(key)

    def _validate_head(self) -> None:
        for attribute, key in (("api_version", "apiVersion"), ("name", "name")):
            if not getattr(self, attribute):
                raise _invalid(f"chart.metadata.{key} is required")
        if self.name in (".", ".."):
            raise _invalid(f"chart.metadata.name {quote(self.name)} is not allowed")
        if "/" in self.name:
            raise _invalid(f"chart.metadata.name {quote(self.name)} is invalid")
        if not self.version:
            raise _invalid("chart.metadata.version is required")
        try:
            semver.parse(self.version)
        except semver.SemverError:
            raise _invalid(f"chart.metadata.version {quote(self.version)} is invalid") from None
        if self.type not in ("", "application", "library"):
            raise _invalid("chart.metadata.type must be application or library")


class Lock(_Record):
    """Chart.lock. `generated` is the text of the time."""

    go_name = "v2.Lock"
    layout = (
        ("generated", "generated", "Generated", "string"),
        ("digest", "digest", "Digest", "string"),
        ("dependencies", "dependencies", "Dependencies", "dependencies"),
    )

    def __init__(self) -> None:
        self.generated = "0001-01-01T00:00:00Z"
        self.digest = ""
        self.dependencies: list[Dependency] = []

    def to_json(self) -> dict[str, Any]:
        return {
            "generated": self.generated,
            "digest": self.digest,
            "dependencies": [d.to_json() for d in self.dependencies],
        }
