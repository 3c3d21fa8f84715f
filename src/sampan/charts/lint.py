"""Checks of a chart in a folder, with Helm's messages. Source: helm 4.3 pkg/chart/v2/lint.

One thing differs: Helm's e-mail and URL checks come from a library of regular expressions; these are written here
for the same cases.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from sampan.base.gotemplate import semver
from sampan.base.gotemplate.gotypes import GoError, type_of
from sampan.base.gotemplate.sprig import urls
from sampan.base.gotemplate.strconv import quote
from sampan.charts import deprecations, schema, yamlin
from sampan.charts.capabilities import Versions
from sampan.charts.coalesce import coalesce_tables, coalesce_values
from sampan.charts.dependencies import process
from sampan.charts.errors import ChartError
from sampan.charts.loader import load_folder
from sampan.charts.metadata import V1, V2, Metadata
from sampan.charts.model import Chart
from sampan.charts.names import check_object_name
from sampan.charts.render import Options, Release, render_files

INFO, WARNING, ERROR = 1, 2, 3
_WORDS = {INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR"}
_EXTENSIONS = (".yaml", ".yml", ".tpl", ".txt")


class Message(NamedTuple):
    severity: int
    path: str
    text: str

    def __str__(self) -> str:
        return f"[{_WORDS[self.severity]}] {self.path}: {self.text}"


class Report:
    """What was found, in order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def add(self, severity: int, path: str, text: str | None) -> bool:
        """Note a finding; True where there is none."""
        if text is not None:
            self.messages.append(Message(severity, path, text))
        return text is None

    @property
    def worst(self) -> int:
        return max((m.severity for m in self.messages), default=0)


def lint(
    folder: Path,
    values: dict[str, Any],
    namespace: str = "default",
    versions: Versions | None = None,
    skip_schema: bool = False,
) -> Report:
    """Run all checks over the chart in a folder. Raises nothing for what is wrong with the chart."""
    report = Report()
    _chart_file(report, folder)
    _values_file(report, folder, values, skip_schema)
    _templates(report, folder, values, namespace, versions or Versions(), skip_schema)
    _dependencies(report, folder)
    _crds(report, folder)
    return report


# ---------------------------------------------------------------- Chart.yaml


def _chart_file(report: Report, folder: Path) -> None:
    path = folder / "Chart.yaml"
    name = "Chart.yaml"
    report.add(ERROR, name, "should be a file, not a directory" if path.is_dir() else None)
    metadata = Metadata()
    raw: Any = None
    complaint: str | None = None
    try:
        raw = yamlin.load_raw(path.read_bytes().decode("utf-8", "surrogateescape"))
        metadata.read(raw)
    except yamlin.YAMLError as problem:
        complaint = f"error converting YAML to JSON: {problem}"
    except ChartError as problem:
        complaint = str(problem)
    except OSError as problem:
        complaint = f"open {path.absolute()}: {(problem.strerror or '').lower()}"
    if not report.add(ERROR, name, complaint and f"unable to parse YAML\n\t{complaint}"):
        return
    raw = raw if isinstance(raw, dict) else {}
    report.add(WARNING, name, _strict(path, raw))
    report.add(ERROR, name, _name(metadata))
    report.add(ERROR, name, _api_version(metadata))
    report.add(ERROR, name, _is_text(raw, "version"))
    report.add(ERROR, name, _version(metadata))
    report.add(ERROR, name, _is_text(raw, "appVersion"))
    report.add(ERROR, name, _maintainers(metadata))
    report.add(ERROR, name, _sources(metadata))
    report.add(INFO, name, None if metadata.icon else "icon is recommended")
    bad_icon = metadata.icon and not is_request_url(metadata.icon)
    report.add(ERROR, name, f"invalid icon URL '{metadata.icon}'" if bad_icon else None)
    report.add(ERROR, name, _type(metadata))
    report.add(ERROR, name, _dependencies_place(metadata))
    try:
        semver.parse_strict(metadata.version)
    except semver.SemverError:
        report.add(WARNING, name, f"version '{metadata.version}' is not a valid SemVerV2")


def _strict(path: Path, raw: dict[str, Any]) -> str | None:
    """A key that is given twice, or that Chart.yaml does not know."""
    from sampan.api.codec import DecodeError
    from sampan.api.codec import yaml as codec

    text = path.read_bytes().decode("utf-8", "surrogateescape")
    complaint = None
    try:
        codec.load(text, strict=True)
        known = {key.lower() for _, key, _, _ in Metadata.layout}
        unknown = [k for k in sorted(raw) if k.lower() not in known]
        if unknown:
            complaint = (
                f"error unmarshaling JSON: while decoding JSON: json: unknown field {quote(unknown[0])}"
            )
    except DecodeError as problem:
        complaint = f"error converting YAML to JSON: {problem}"
    return complaint and f"failed to strictly parse chart metadata file\n\t{complaint}"


def _name(metadata: Metadata) -> str | None:
    if not metadata.name:
        return "name is required"
    return (
        f"chart name {quote(metadata.name)} is invalid" if urls.base(metadata.name) != metadata.name else None
    )


def _api_version(metadata: Metadata) -> str | None:
    choice = 'The value must be either "v1" or "v2"'
    if not metadata.api_version:
        return f"apiVersion is required. {choice}"
    if metadata.api_version not in (V1, V2):
        return f"apiVersion '{metadata.api_version}' is not valid. {choice}"
    return None


def _is_text(raw: dict[str, Any], key: str) -> str | None:
    if key not in raw or isinstance(raw[key], str):
        return None
    value = float(raw[key]) if type(raw[key]) is int else raw[key]
    return f"{key} should be of type string but it's of type {type_of(value)}"


def _version(metadata: Metadata) -> str | None:
    if not metadata.version:
        return "version is required"
    try:
        version = semver.parse(metadata.version)
    except semver.SemverError:
        return f"version '{metadata.version}' is not a valid SemVer"
    if semver.Constraint(">0.0.0-0").check(version):
        return None
    return f"version {quote(str(version))} is less than or equal to {quote('0.0.0-0')}"


def _maintainers(metadata: Metadata) -> str | None:
    for maintainer in metadata.maintainers:
        if maintainer is None:
            return "a maintainer entry is empty"
        if not maintainer.name:
            return "each maintainer requires a name"
        if maintainer.email and not is_email(maintainer.email):
            return f"invalid email '{maintainer.email}' for maintainer '{maintainer.name}'"
        if maintainer.url and not is_url(maintainer.url):
            return f"invalid url '{maintainer.url}' for maintainer '{maintainer.name}'"
    return None


def _sources(metadata: Metadata) -> str | None:
    bad = next((s for s in metadata.sources if not s or not is_request_url(s)), None)
    return None if bad is None else f"invalid source URL '{bad}'"


def _type(metadata: Metadata) -> str | None:
    if metadata.type and metadata.api_version != V2:
        return f"chart type is not valid in apiVersion '{metadata.api_version}'. It is valid in apiVersion '{V2}'"
    return None


def _dependencies_place(metadata: Metadata) -> str | None:
    if metadata.dependencies and metadata.api_version != V2:
        return (
            f"dependencies are not valid in the Chart file with apiVersion '{metadata.api_version}'. "
            f"They are valid in apiVersion '{V2}'"
        )
    return None


_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\\\]]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}\Z")
_HOST = re.compile(
    r"(?:[\w.~!$&'()*+,;=:-]+@)?(?:\[[0-9a-fA-F:.]+\]|(?:[^\W_](?:[\w-]*[^\W_])?\.)*[^\W_](?:[\w-]*[^\W_])?)"
    r"(?::\d{1,5})?\Z"
)


def is_email(text: str) -> bool:
    """One local part, one domain with a dot."""
    return _EMAIL.match(text) is not None


def is_request_url(text: str) -> bool:
    """Has it a scheme (url.ParseRequestURI and a non-empty scheme)?"""
    try:
        url = urls.parse(text)
    except GoError:
        return False
    return bool(url.scheme)


def is_url(text: str) -> bool:
    """A web address; the scheme may be missing."""
    if len(text) < 3 or len(text) >= 2083 or text.startswith("."):
        return False
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() not in ("ftp", "tcp", "udp", "ws", "wss", "http", "https", "mailto"):
        return False
    host = re.split(r"[/?#]", rest if separator else text, maxsplit=1)[0]
    if not host or host.startswith(".") or " " in text:
        return False
    return _HOST.match(host) is not None and (
        "." in host or host.partition(":")[0] == "localhost" or bool(separator)
    )


# ---------------------------------------------------------------- values.yaml


def _values_file(report: Report, folder: Path, overrides: dict[str, Any], skip_schema: bool) -> None:
    path, name = folder / "values.yaml", "values.yaml"
    if not report.add(INFO, name, None if path.exists() else "file does not exist"):
        return
    try:
        values = yamlin.load(path.read_bytes().decode("utf-8", "surrogateescape")) or {}
    except yamlin.YAMLError as problem:
        report.add(ERROR, name, f"unable to parse YAML: error converting YAML to JSON: {problem}")
        return
    if not isinstance(values, dict):
        kind = {list: "array", str: "string", float: "number", bool: "bool"}[type(values)]
        report.add(
            ERROR,
            name,
            "unable to parse YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
            f"{kind} into Go value of type common.Values",
        )
        return
    merged = coalesce_tables(coalesce_tables({}, dict(overrides)), values)
    path = folder / "values.schema.json"
    if not skip_schema and path.exists() and (data := path.read_bytes()):
        report.add(ERROR, name, schema.check(merged, data) or None)


# ---------------------------------------------------------------- templates/


def _templates(
    report: Report,
    folder: Path,
    values: dict[str, Any],
    namespace: str,
    versions: Versions,
    skip_schema: bool,
) -> None:
    where, path = "templates/", folder / "templates"
    if not report.add(WARNING, where, None if path.exists() else "directory does not exist"):
        return
    if not report.add(ERROR, where, None if path.is_dir() else "not a directory"):
        return
    chart = _load(report, where, folder)
    if chart is None:
        return
    try:
        process(chart, values)
        merged = coalesce_values(chart, values)
    except ChartError:
        return
    release = Release("test-release", namespace, revision=0, is_install=False)
    try:
        texts = render_files(chart, merged, release, versions, Options(lint=True, skip_schema=skip_schema))
    except ChartError as problem:
        report.add(ERROR, where, str(problem))
        return
    version = versions.build().KubeVersion
    current = (int(version.Major), int(version.Minor))
    for template in chart.templates:
        if not _template(report, template.name, texts.get(f"{chart.name}/{template.name}", ""), current):
            return


def _load(report: Report, where: str, folder: Path) -> Chart | None:
    try:
        return load_folder(folder)
    except (ChartError, OSError) as problem:
        report.add(ERROR, where, str(problem))
        return None


def _template(report: Report, name: str, text: str, current: tuple[int, int]) -> bool:
    """One rendered template; False when nothing behind it is checked."""
    extension = urls.ext(name)
    allowed = "Valid extensions are .yaml, .yml, .tpl, or .txt"
    report.add(
        ERROR,
        name,
        None if extension in _EXTENSIONS else f"file extension '{extension}' not valid. {allowed}",
    )
    if extension.lower() not in (".yaml", ".yml") or not text.strip():
        return True
    report.add(WARNING, name, _top_indent(text))
    for document, complaint in documents(text):
        if not report.add(ERROR, name, complaint and f"unable to parse YAML: {complaint}"):
            return False
        if document is not None:
            _object(report, name, document, text, current)
    return True


def documents(text: str) -> list[tuple[dict[str, Any] | None, str | None]]:
    """The documents of a stream as (object, complaint); reading ends at the first complaint."""
    out: list[tuple[dict[str, Any] | None, str | None]] = []
    try:
        parts = yamlin.documents(text)
    except yamlin.YAMLError as problem:
        return [(None, str(problem))]
    for part in parts:
        try:
            found = yamlin.load_raw(part)
        except yamlin.YAMLError as problem:
            return [*out, (None, f"error converting YAML to JSON: {problem}")]
        if found is None:
            out.append((None, None))
        elif isinstance(found, dict):
            out.append((found, None))
        else:
            kind = "array" if isinstance(found, list) else "string" if isinstance(found, str) else "number"
            return [
                *out,
                (
                    None,
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                    f"{kind} into Go value of type rules.k8sYamlStruct",
                ),
            ]
    return out


def _top_indent(text: str) -> str | None:
    first = next((line for line in text.split("\n") if line.strip()), "")
    if first.startswith((" ", "\t")):
        return f"document starts with an illegal indent: {quote(first)}, which may cause parsing problems"
    return None


def _field(values: Any, key: str) -> str:
    if not isinstance(values, dict):
        return ""
    value = values.get(key, next((v for k, v in values.items() if k.lower() == key.lower()), None))
    return value if isinstance(value, str) else ""


def _object(report: Report, name: str, document: dict[str, Any], text: str, current: tuple[int, int]) -> None:
    api_version, kind = _field(document, "apiVersion"), _field(document, "kind")
    own_name = _field(document.get("metadata"), "name")
    complaints = check_object_name(kind, own_name)
    if complaints:
        shown = quote(own_name)
        listed = [f"metadata.name: Invalid value: {shown}: {c}" for c in complaints]
        joined = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
        report.add(
            WARNING,
            name,
            f"object name does not conform to Kubernetes naming requirements: {shown}: {joined}",
        )
    if api_version and kind:
        found = deprecations.find(api_version, kind, current)
        report.add(WARNING, name, found and found.message(api_version, kind))
    if kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"):
        missing = "matchLabels" not in text and "matchExpressions" not in text
        complaint = f"a {kind} must contain matchLabels or matchExpressions, and {quote(own_name)} does not"
        report.add(ERROR, name, complaint if missing else None)
    if kind == "List":
        report.add(ERROR, name, _list_annotations(document))


def _list_annotations(document: dict[str, Any]) -> str | None:
    for item in document.get("items") or []:
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if isinstance(metadata, dict) and "helm.sh/resource-policy" in (metadata.get("annotations") or {}):
            return "annotation 'helm.sh/resource-policy' within List objects are ignored"
    return None


# ---------------------------------------------------------------- charts/ and crds/


def _dependencies(report: Report, folder: Path) -> None:
    try:
        chart = load_folder(folder)
    except (ChartError, OSError) as problem:
        report.add(ERROR, "", f"unable to load chart\n\t{problem}")
        return
    wanted = [d.name for d in chart.metadata.dependencies]
    there = [c.name for c in chart.dependencies]
    where = str(folder.absolute())
    extra = [n for n in there if n not in wanted]
    report.add(
        ERROR, where, f"chart metadata is missing these dependencies: {','.join(extra)}" if extra else None
    )
    keys = [d.alias or d.name for d in chart.metadata.dependencies]
    twice = [k for i, k in enumerate(keys) if k in keys[:i]]
    report.add(
        ERROR, where, f"multiple dependencies with name or alias: {','.join(twice)}" if twice else None
    )
    gone = [n for n in wanted if n not in there]
    report.add(
        WARNING, where, f"chart directory is missing these dependencies: {','.join(gone)}" if gone else None
    )


def _crds(report: Report, folder: Path) -> None:
    where, path = "crds/", folder / "crds"
    if not path.exists():
        return
    if not report.add(ERROR, where, None if path.is_dir() else "not a directory"):
        return
    chart = _load(report, where, folder)
    if chart is None:
        return
    for crd in chart.crds():
        for document, complaint in documents(crd.file.text()):
            if not report.add(ERROR, crd.name, complaint and f"unable to parse YAML: {complaint}"):
                return
            if document is None:
                continue
            group_ok = _field(document, "apiVersion").startswith("apiextensions.k8s.io")
            report.add(ERROR, crd.name, None if group_ok else "apiVersion is not in 'apiextensions.k8s.io'")
            kind_ok = _field(document, "kind") == "CustomResourceDefinition"
            report.add(ERROR, crd.name, None if kind_ok else "object kind is not 'CustomResourceDefinition'")
