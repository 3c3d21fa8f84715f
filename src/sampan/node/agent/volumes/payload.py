"""The files of configMap, secret, downwardAPI and projected volumes. Pure.

Rules: pkg/volume/configmap, secret, downwardapi, projected (MakePayload, collectData).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sampan.node.agent.environment import ConfigError

Object = Mapping[str, Any]
Data = Mapping[str, bytes]


class File(NamedTuple):
    data: bytes
    mode: int


class Missing(ConfigError):
    """What the volume is made from is not there (yet): the pod waits and says so in an event."""


class Inputs(NamedTuple):
    """Where the contents come from. `data(kind, name)` is None for an object that is not there.

    `field(fieldPath)` and `resource(resourceFieldRef)` are the downward API; `token(source)` gives a service account token.
    """

    data: Callable[[str, str], Data | None]
    field: Callable[[str], str]
    resource: Callable[[Object], str]
    token: Callable[[Object], bytes]


def _keys(kind: str, name: str, source: Object, data: Data | None, default_mode: int) -> dict[str, File]:
    optional = bool(source.get("optional"))
    if data is None:
        if optional:
            return {}
        raise Missing(f'{kind.lower()} "{name}" not found')
    items = source.get("items")
    if not items:
        return {key: File(content, default_mode) for key, content in data.items()}
    files: dict[str, File] = {}
    for item in items:
        key = item["key"]
        if key not in data:
            if optional:
                continue
            raise Missing(f"references non-existent {kind.lower()} key: {key}")
        files[_path(item["path"])] = File(data[key], _mode(item, default_mode))
    return files


def _mode(item: Object, default: int) -> int:
    mode = item.get("mode")
    return default if mode is None else int(mode)


def _path(path: str) -> str:
    """Paths were validated by the API; a volume still never writes outside itself."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or not path:
        raise ConfigError(f"path {path!r}: must be relative and may not contain '..'")
    return path


def _downward(source: Object, inputs: Inputs, default_mode: int) -> dict[str, File]:
    files = {}
    for item in source.get("items") or ():
        text = (
            inputs.field(item["fieldRef"]["fieldPath"])
            if item.get("fieldRef")
            else inputs.resource(item["resourceFieldRef"])
        )
        files[_path(item["path"])] = File(text.encode(), _mode(item, default_mode))
    return files


def _projected(source: Object, inputs: Inputs, default_mode: int) -> dict[str, File]:
    files: dict[str, File] = {}
    for part in source.get("sources") or ():
        if config := part.get("configMap"):
            files.update(
                _keys(
                    "ConfigMap",
                    config["name"],
                    config,
                    inputs.data("ConfigMap", config["name"]),
                    default_mode,
                )
            )
        elif secret := part.get("secret"):
            files.update(
                _keys("Secret", secret["name"], secret, inputs.data("Secret", secret["name"]), default_mode)
            )
        elif part.get("downwardAPI") is not None:
            files.update(_downward(part["downwardAPI"], inputs, default_mode))
        elif token := part.get("serviceAccountToken"):
            # The token belongs to the pod alone: upstream narrows it to 0600 for the pod's user.
            files[_path(token["path"])] = File(inputs.token(token), default_mode)
        else:
            raise ConfigError(f"projected source {sorted(part)!r} is not supported")
    return files


def files(volume: Object, inputs: Inputs) -> dict[str, File] | None:
    """The files of a volume by relative path; None for a volume that is no set of files. Raises Missing, ConfigError."""
    if source := volume.get("configMap"):
        data = inputs.data("ConfigMap", source["name"])
        return _keys("ConfigMap", source["name"], source, data, int(source.get("defaultMode", 0o644)))
    if source := volume.get("secret"):
        data = inputs.data("Secret", source["secretName"])
        return _keys("Secret", source["secretName"], source, data, int(source.get("defaultMode", 0o644)))
    if (source := volume.get("downwardAPI")) is not None:
        return _downward(source, inputs, int(source.get("defaultMode", 0o644)))
    if (source := volume.get("projected")) is not None:
        return _projected(source, inputs, int(source.get("defaultMode", 0o644)))
    return None
