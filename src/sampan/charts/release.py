"""The record of a release as Helm 4 stores it: base64 of gzip of JSON, readable both ways.

Source: helm 4.3 pkg/release/v1, pkg/storage/driver/util.go. Charts inside the chart are not stored: Helm leaves them
out, and so a stored chart is good for its values and metadata, not for rendering again. Labels live beside the
record (on the Secret or ConfigMap), not in it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import gzip
import re
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from sampan.base.gotemplate import gojson
from sampan.charts.errors import ChartError
from sampan.charts.manifests import Hook
from sampan.charts.metadata import Lock, Metadata
from sampan.charts.model import Chart, File

UNKNOWN, DEPLOYED, UNINSTALLED, SUPERSEDED, FAILED = (
    "unknown",
    "deployed",
    "uninstalled",
    "superseded",
    "failed",
)
UNINSTALLING, PENDING_INSTALL = "uninstalling", "pending-install"
PENDING_UPGRADE, PENDING_ROLLBACK = "pending-upgrade", "pending-rollback"
PENDING = frozenset((PENDING_INSTALL, PENDING_UPGRADE, PENDING_ROLLBACK))

CLIENT_SIDE, SERVER_SIDE = "csa", "ssa"

SECRET_TYPE = "helm.sh/release.v1"  # noqa: S105  (a type name)
SYSTEM_LABELS = ("name", "owner", "status", "version", "createdAt", "modifiedAt")
MAX_RECORD = 512 * 1024 * 1024  # bytes that a stored record may unfold to

_GZIP = b"\x1f\x8b\x08"
_ZERO_TIME = "0001-01-01T00:00:00Z"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


class ReleaseError(ChartError):
    """A stored record that cannot be read."""


class Run(NamedTuple):
    """The last run of a hook. Times are RFC 3339 texts, empty when there was none; phase is Unknown, Running,
    Succeeded or Failed."""

    started_at: str = ""
    completed_at: str = ""
    phase: str = ""


class StoredHook(NamedTuple):
    hook: Hook
    last_run: Run = Run()


class Info(NamedTuple):
    """State of a release. Times are RFC 3339 texts, empty where they do not apply."""

    first_deployed: str = ""
    last_deployed: str = ""
    deleted: str = ""
    description: str = ""
    status: str = UNKNOWN
    rollback_revision: int = 0
    notes: str = ""


class Release(NamedTuple):
    """One revision of a release. `version` is the revision; `config` the user's values."""

    name: str
    namespace: str
    version: int
    info: Info
    chart: Chart
    config: dict[str, Any]
    manifest: str = ""
    hooks: tuple[StoredHook, ...] = ()
    labels: Mapping[str, str] = MappingProxyType({})
    apply_method: str = ""

    def with_status(self, status: str, description: str) -> Release:
        return self._replace(info=self.info._replace(status=status, description=description))

    @property
    def key(self) -> str:
        """The name under which Helm's drivers store the record."""
        return storage_key(self.name, self.version)


def storage_key(name: str, version: int) -> str:
    return f"sh.helm.release.v1.{name}.v{version}"


def timestamp(nanoseconds: int) -> str:
    """A time as Go writes it: RFC 3339 with what there is of a fraction, in UTC."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    text = dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


# ---------------------------------------------------------------- writing


def _object(pairs: list[tuple[str, str | None]]) -> str:
    """JSON of pairs in their order; a None is a field that is left out."""
    return "{" + ",".join(f"{gojson.string(k)}:{v}" for k, v in pairs if v is not None) + "}"


def _some(value: Any) -> str | None:
    """A field with omitempty."""
    return gojson.dumps(value) if value else None


def _modified(nanoseconds: int) -> str | None:
    return gojson.string(timestamp(nanoseconds)) if nanoseconds else None


def _ordered(value: Any) -> str:
    """JSON of a struct's mapping: keys as they come, maps inside annotations and the like too."""
    if isinstance(value, dict):
        return _object([(k, _ordered(v)) for k, v in value.items()])
    if isinstance(value, list):
        return "[" + ",".join(map(_ordered, value)) + "]"
    return gojson.dumps(value)


def _metadata(metadata: Metadata) -> str:
    fields = metadata.to_json()
    if metadata.annotations:
        fields["annotations"] = dict(sorted(metadata.annotations.items()))
    return _ordered(fields)


def _files(files: list[File]) -> str:
    if not files:
        return "null"
    out = []
    for file in files:
        data = gojson.string(base64.b64encode(file.data).decode()) if file.data else '""'
        out.append(
            _object(
                [("name", gojson.string(file.name)), ("data", data), ("modtime", _modified(file.modified))]
            )
        )
    return "[" + ",".join(out) + "]"


def _chart(chart: Chart) -> str:
    schema = "null" if chart.schema is None else gojson.string(base64.b64encode(chart.schema).decode())
    return _object(
        [
            ("metadata", _metadata(chart.metadata)),
            ("lock", "null" if chart.lock is None else _ordered(chart.lock.to_json())),
            ("templates", _files(chart.templates)),
            ("values", gojson.dumps(chart.values)),
            ("schema", schema),
            ("schemamodtime", _modified(chart.schema_modified) or gojson.string(_ZERO_TIME)),
            ("files", _files(chart.files)),
            ("modtime", _modified(chart.modified)),
        ]
    )


def _hook(stored: StoredHook) -> str:
    hook, run = stored
    last_run = _object(
        [
            ("started_at", _some(run.started_at)),
            ("completed_at", _some(run.completed_at)),
            ("phase", gojson.string(run.phase)),
        ]
    )
    return _object(
        [
            ("name", _some(hook.name)),
            ("kind", _some(hook.kind)),
            ("path", _some(hook.path)),
            ("manifest", _some(hook.manifest)),
            ("events", _some(list(hook.events))),
            ("last_run", last_run),
            ("weight", _some(hook.weight)),
            ("delete_policies", _some(list(hook.delete_policies))),
            ("output_log_policies", _some(list(hook.output_log_policies))),
        ]
    )


def to_json(release: Release) -> str:
    """The record as JSON, field by field as Helm 4 writes it."""
    info = release.info
    hooks = ",".join(map(_hook, release.hooks))
    return _object(
        [
            ("name", _some(release.name)),
            (
                "info",
                _object(
                    [
                        ("first_deployed", _some(info.first_deployed)),
                        ("last_deployed", _some(info.last_deployed)),
                        ("deleted", _some(info.deleted)),
                        ("description", _some(info.description)),
                        ("status", _some(info.status)),
                        ("rollback_revision", _some(info.rollback_revision)),
                        ("notes", _some(info.notes)),
                    ]
                ),
            ),
            ("chart", _chart(release.chart)),
            ("config", _some(release.config)),
            ("manifest", _some(release.manifest)),
            ("hooks", f"[{hooks}]" if hooks else None),
            ("version", _some(release.version)),
            ("namespace", _some(release.namespace)),
            ("apply_method", _some(release.apply_method)),
        ]
    )


def encode(release: Release) -> str:
    """The text that a Secret's or ConfigMap's `release` holds (a Secret's API form encodes it once more)."""
    data = to_json(release).encode("utf-8", "surrogateescape")
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


# ---------------------------------------------------------------- reading


def decode(text: str, labels: dict[str, str] | None = None) -> Release:
    """A record out of its stored text; `labels` are those of its holder. Raises ReleaseError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ReleaseError(f"stored release is no base64: {problem}") from None
    if data.startswith(_GZIP):
        data = _unfold(data)
    return from_json(data.decode("utf-8", "surrogateescape"), labels)


def _unfold(data: bytes) -> bytes:
    worker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        out = worker.decompress(data, MAX_RECORD)
    except zlib.error as problem:
        raise ReleaseError(f"stored release is no gzip: {problem}") from None
    if worker.unconsumed_tail:
        raise ReleaseError(f"stored release is larger than {MAX_RECORD} bytes")
    if not worker.eof:
        raise ReleaseError("stored release is no gzip: unexpected EOF")
    return out


def from_json(text: str, labels: dict[str, str] | None = None) -> Release:
    """A record out of JSON. Raises ReleaseError."""
    try:
        found = gojson.loads(text)
    except gojson.JSONError as problem:
        raise ReleaseError(f"stored release is no JSON: {problem}") from None
    if not isinstance(found, dict):
        raise ReleaseError("stored release is no JSON object")
    try:
        return Release(
            name=_text(found, "name"),
            namespace=_text(found, "namespace"),
            version=_int(found, "version"),
            info=_read_info(_map(found, "info")),
            chart=_read_chart(_map(found, "chart")),
            config=_map(found, "config"),
            manifest=_text(found, "manifest"),
            hooks=tuple(map(_read_hook, _list(found, "hooks"))),
            labels=dict(labels or {}),
            apply_method=_text(found, "apply_method"),
        )
    except (TypeError, AttributeError, binascii.Error) as problem:
        raise ReleaseError(f"stored release has an unexpected shape: {problem}") from None


def _map(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    if value is not None and not isinstance(value, dict):
        raise ReleaseError(f"stored release: {key} is no object")
    return value or {}


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    if value is not None and not isinstance(value, list):
        raise ReleaseError(f"stored release: {key} is no list")
    return value or []


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    if value is not None and not isinstance(value, str):
        raise ReleaseError(f"stored release: {key} is no string")
    return value or ""


def _int(holder: dict[str, Any], key: str) -> int:
    value = holder.get(key)
    if value is not None and not isinstance(value, float):
        raise ReleaseError(f"stored release: {key} is no number")
    return int(value or 0)


def _read_info(found: dict[str, Any]) -> Info:
    return Info(
        _text(found, "first_deployed"),
        _text(found, "last_deployed"),
        _text(found, "deleted"),
        _text(found, "description"),
        _text(found, "status"),
        _int(found, "rollback_revision"),
        _text(found, "notes"),
    )


def _read_hook(found: dict[str, Any]) -> StoredHook:
    run = _map(found, "last_run")
    hook = Hook(
        _text(found, "name"),
        _text(found, "kind"),
        _text(found, "path"),
        _text(found, "manifest"),
        tuple(_list(found, "events")),
        _int(found, "weight"),
        tuple(_list(found, "delete_policies")),
        tuple(_list(found, "output_log_policies")),
    )
    return StoredHook(hook, Run(_text(run, "started_at"), _text(run, "completed_at"), _text(run, "phase")))


def _read_files(found: list[Any]) -> list[File]:
    return [
        File(_text(f, "name"), base64.b64decode(f.get("data") or ""), _nanoseconds(_text(f, "modtime")))
        for f in found
    ]


def _nanoseconds(text: str) -> int:
    """A stored time; 0 for one that is none or cannot be read."""
    found = _TIME.fullmatch(text)
    if found is None or text == _ZERO_TIME:
        return 0
    try:
        whole = dt.datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    except ValueError:
        return 0
    return int(whole.timestamp()) * 1_000_000_000 + int(f"{(found[2] or '')[1:]:0<9}"[:9])


def _read_chart(found: dict[str, Any]) -> Chart:
    metadata = Metadata()
    metadata.read(found.get("metadata"))
    chart = Chart(metadata)
    if found.get("lock") is not None:
        chart.lock = Lock()
        chart.lock.read(found["lock"])
    chart.templates = _read_files(_list(found, "templates"))
    chart.values = _map(found, "values")
    schema = found.get("schema")
    chart.schema = None if schema is None else base64.b64decode(schema)
    chart.schema_modified = _nanoseconds(_text(found, "schemamodtime"))
    chart.files = _read_files(_list(found, "files"))
    chart.modified = _nanoseconds(_text(found, "modtime"))
    return chart
