"""Volumes of pods. Source: pkg/apis/core/validation/validation.go (ValidateVolumes and below)."""

from __future__ import annotations

from typing import Any, Final

from sampan.api.field import content, error
from sampan.api.status import Cause
from sampan.api.validation import rules
from sampan.api.validation.containers import field_ref
from sampan.api.validation.rules import Causes, Object

_HOST_PATH_TYPES: Final = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_VOLUME_FIELDS: Final = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
_MORE_THAN_ONE: Final = "may not specify more than 1 volume type"


def volumes(spec: Object, path: str) -> tuple[dict[str, Object], list[Cause]]:
    """The good volumes by name, and what is wrong with the others."""
    found: dict[str, Object] = {}
    causes: list[Cause] = []
    at = error.child(path, "volumes")
    for place, volume in enumerate(spec.get("volumes") or ()):
        here = error.index(at, place)
        wrong = list(_source(volume, here))
        name = volume.get("name") or ""
        if not name:
            wrong.append(error.required(error.child(here, "name")))
        else:
            wrong += rules.text_rule(error.child(here, "name"), name, content.dns_label)
        if name in found:
            wrong.append(error.duplicate(error.child(here, "name"), name))
        if wrong:
            causes += wrong
        else:
            found[name] = volume
    return found, causes


def _source(volume: Object, path: str) -> Causes:
    kinds = [kind for kind, source in volume.items() if kind != "name" and source is not None]
    if not kinds:
        yield error.required(path, "must specify a volume type")
    for number, kind in enumerate(kinds):
        if number:
            yield error.forbidden(error.child(path, kind), _MORE_THAN_ONE)
        elif kind in _SOURCES:
            yield from _SOURCES[kind](volume[kind], error.child(path, kind))


def _empty_dir(source: Object, path: str) -> Causes:
    limit = source.get("sizeLimit")
    if limit is not None:
        found = rules.amount(limit)
        if found is None or found.nanos < 0:
            yield error.forbidden(
                error.child(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity"
            )


def host_path(source: Object, path: str) -> Causes:
    if not source.get("path"):
        yield error.required(error.child(path, "path"))
        return
    yield from rules.no_backsteps(error.child(path, "path"), source["path"])
    kind = source.get("type")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        yield error.not_supported(error.child(path, "type"), kind, _HOST_PATH_TYPES)


def _items(source: Object, path: str) -> Causes:
    yield from rules.file_mode(error.child(path, "defaultMode"), source.get("defaultMode"))
    for place, item in enumerate(source.get("items") or ()):
        at = error.index(error.child(path, "items"), place)
        for name in ("key", "path"):
            if not item.get(name):
                yield error.required(error.child(at, name))
        yield from _item_path(item.get("path") or "", error.child(at, "path"))
        yield from rules.file_mode(error.child(at, "mode"), item.get("mode"))


def _item_path(value: str, path: str) -> Causes:
    yield from rules.descending_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        yield error.invalid(path, value, "must not start with '..'")


def _config_map(source: Object, path: str) -> Causes:
    if not source.get("name"):
        yield error.required(error.child(path, "name"))
    yield from _items(source, path)


def _secret(source: Object, path: str) -> Causes:
    if not source.get("secretName"):
        yield error.required(error.child(path, "secretName"))
    yield from _items(source, path)


def _downward(source: Object, path: str) -> Causes:
    yield from rules.file_mode(error.child(path, "defaultMode"), source.get("defaultMode"))
    for item in source.get("items") or ():
        if not item.get("path"):
            yield error.required(error.child(path, "path"))
        yield from _item_path(item.get("path") or "", error.child(path, "path"))
        if item.get("fieldRef") is not None:
            yield from field_ref(item["fieldRef"], _VOLUME_FIELDS, error.child(path, "fieldRef"))
            if item.get("resourceFieldRef") is not None:
                yield error.invalid(
                    path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"
                )
        elif item.get("resourceFieldRef") is None:
            yield error.required(path, "one of fieldRef and resourceFieldRef is required")


def _projected(source: Object, path: str) -> Causes:
    yield from rules.file_mode(error.child(path, "defaultMode"), source.get("defaultMode"))
    for place, projection in enumerate(source.get("sources") or ()):
        at = error.index(error.child(path, "sources"), place)
        kinds = [kind for kind, value in projection.items() if value is not None]
        if not kinds:
            yield error.required(at, "must specify a volume type")
        for number, kind in enumerate(kinds):
            here = error.child(at, kind)
            if number:
                yield error.forbidden(here, _MORE_THAN_ONE)
            elif kind in ("secret", "configMap"):
                if not projection[kind].get("name"):
                    yield error.required(error.child(here, "name"))
                yield from _items(projection[kind], here)
            elif kind == "downwardAPI":
                yield from _downward(projection[kind], here)
            elif kind == "serviceAccountToken":
                yield from _token(projection[kind], here, path)


def _token(source: Object, path: str, volume: str) -> Causes:
    """`volume` is the path of the projected volume, under which upstream names the token's own path."""
    seconds = source.get("expirationSeconds") or 0
    if seconds < 600:
        yield error.invalid(
            error.child(path, "expirationSeconds"), seconds, "may not specify a duration less than 10 minutes"
        )
    elif seconds > 1 << 32:
        yield error.invalid(
            error.child(path, "expirationSeconds"),
            seconds,
            "may not specify a duration larger than 2^32 seconds",
        )
    if not source.get("path"):
        yield error.required(error.child(volume, "path"))
    else:
        yield from _item_path(source["path"], error.child(volume, "path"))


def _claim(source: Object, path: str) -> Causes:
    if not source.get("claimName"):
        yield error.required(error.child(path, "claimName"))


def nfs(source: Object, path: str) -> Causes:
    if not source.get("server"):
        yield error.required(error.child(path, "server"))
    if not source.get("path"):
        yield error.required(error.child(path, "path"))
    elif not source["path"].startswith("/"):
        yield error.invalid(error.child(path, "path"), source["path"], "must be an absolute path")


def _csi(source: Object, path: str) -> Causes:
    if not source.get("driver"):
        yield error.required(error.child(path, "driver"))


_SOURCES: Final[dict[str, Any]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward,
    "projected": _projected,
    "persistentVolumeClaim": _claim,
    "nfs": nfs,
    "csi": _csi,
}
