"""Images from files: tars of `docker save`, OCI layouts as a tar or a folder, each plain or gzipped."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from sampan.node.runtime.image import layers
from sampan.node.runtime.image.store import Layer, Store
from sampan.spec.oci import image as oci_image
from sampan.spec.oci import reference as refs
from sampan.spec.oci.image import Descriptor, InvalidImage

# Manifests, configurations and indexes; distribution-spec lets registries refuse more than 4 MiB as well.
_METADATA_MAX = 4 << 20
_CHUNK = 1 << 20


class _Files(Protocol):
    """A folder or a tar by member names."""

    def has(self, name: str) -> bool: ...

    def open(self, name: str) -> IO[bytes]: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, name: str) -> bool:
        return (self._root / name).is_file()

    def open(self, name: str) -> IO[bytes]:
        path = self._root / name
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise InvalidImage(f"archive names the file {name!r}, which lies outside")
        return path.open("rb")


class _Tar:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members = {member.name.removeprefix("./"): member for member in archive.getmembers()}

    def has(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        # docker save of old links equal layers to each other.
        for _ in range(8):
            if member is None or not member.issym():
                break
            folder = name.rpartition("/")[0]
            parent, last = layers.clean(f"{folder}/{member.linkname}")
            name = f"{parent}/{last}" if parent else last
            member = self._members.get(name)
        opened = self._archive.extractfile(member) if member is not None else None
        if opened is None:
            raise InvalidImage(f"archive lacks the file {name!r}")
        return opened


def import_archive(store: Store, stream: IO[bytes], name: str | None = None) -> list[str]:
    """Adds all images of a tar; returns their names (or ids, for those without). Raises InvalidImage.

    `name` names an image that carries none, or the only one.
    """
    with store.scratch() as folder:
        spool = folder / "archive.tar"
        with spool.open("wb") as target:
            source = layers.decompressed(stream)
            while chunk := source.read(_CHUNK):
                target.write(chunk)
        try:
            with tarfile.open(spool, "r:") as archive:
                return _import(store, _Tar(archive), name)
        except tarfile.TarError as error:
            raise InvalidImage(f"archive is no readable tar: {error}") from error


def import_layout(store: Store, folder: Path, name: str | None = None) -> list[str]:
    """The same for an OCI layout in a folder."""
    return _import(store, _Folder(folder), name)


def _import(store: Store, files: _Files, name: str | None) -> list[str]:
    try:
        if files.has("index.json"):
            found = _oci(store, files, name)
        elif files.has("manifest.json"):
            found = _docker(store, files, name)
        else:
            raise InvalidImage(
                "archive is no image: expected index.json (OCI) or manifest.json (docker save)"
            )
    except orjson.JSONDecodeError as error:
        raise InvalidImage(f"archive holds broken JSON: {error}") from error
    if not found:
        raise InvalidImage("archive holds no image")
    return found


def _oci(store: Store, files: _Files, name: str | None) -> list[str]:
    entries = oci_image.index(_json(files, "index.json"))
    tags = _repo_tags(files)
    images = [entry for entry in entries if entry.platform is None or entry.platform.os != "unknown"]
    added = []
    for entry in images:
        data = _resolve(store, files, entry)
        manifest = oci_image.manifest(orjson.loads(data))
        config = _blob(files, manifest.config)
        parsed = oci_image.image_config(orjson.loads(config))
        found = (
            [name] if name and len(images) == 1 else _names(entry, tags.get(manifest.config.digest, []), name)
        )
        if len(manifest.layers) != len(parsed.diff_ids):
            raise InvalidImage(f"image has {len(manifest.layers)} layers: expected {len(parsed.diff_ids)}")
        pairs = zip(manifest.layers, parsed.diff_ids, strict=True)
        layer_list = [Layer(_opener(files, _blob_name(layer)), diff_id) for layer, diff_id in pairs]
        digests = [f"{refs.parse(text).name}@{entry.digest}" for text in found if "@" not in text]
        image_id = store.add(data, config, layer_list, found + digests)
        added += found or [image_id]
    return added


def _names(entry: Descriptor, repo_tags: list[str], name: str | None) -> list[str]:
    if full := entry.annotations.get(oci_image.CONTAINERD_NAME):
        return [full]
    if repo_tags:
        return repo_tags
    if short := entry.annotations.get(oci_image.REF_NAME):
        # The specification means a tag here; many tools write a whole name.
        if "/" in short or ":" in short:
            return [short]
        return [f"{name}:{short}"] if name else [short]
    return [name] if name else []


def _repo_tags(files: _Files) -> dict[str, list[str]]:
    """docker save writes both forms; the names are in the old one."""
    if not files.has("manifest.json"):
        return {}
    found = {}
    for entry in _json(files, "manifest.json"):
        digest = "sha256:" + str(entry["Config"]).rpartition("/")[2].removesuffix(".json")
        found[digest] = list(entry.get("RepoTags") or [])
    return found


def _resolve(store: Store, files: _Files, entry: Descriptor) -> bytes:
    """Follows nested indexes to the manifest for this machine."""
    for _ in range(4):
        data = _blob(files, entry)
        decoded = orjson.loads(data)
        if entry.media_type not in oci_image.INDEXES and "manifests" not in decoded:
            return data
        entry = oci_image.select(oci_image.index(decoded), store.platform)
    raise InvalidImage("archive nests its indexes too deep")


def _docker(store: Store, files: _Files, name: str | None) -> list[str]:
    entries = _json(files, "manifest.json")
    if not isinstance(entries, list):
        raise InvalidImage("manifest.json is no list")
    added = []
    for entry in entries:
        with files.open(str(entry["Config"])) as source:
            config = source.read(_METADATA_MAX)
        parsed = oci_image.image_config(orjson.loads(config))
        if len(entry["Layers"]) != len(parsed.diff_ids):
            raise InvalidImage(f"image has {len(entry['Layers'])} layers: expected {len(parsed.diff_ids)}")
        pairs = zip(entry["Layers"], parsed.diff_ids, strict=True)
        layer_list = [Layer(_opener(files, str(layer)), diff_id) for layer, diff_id in pairs]
        found = [name] if name and len(entries) == 1 else list(entry.get("RepoTags") or [])
        image_id = store.add(None, config, layer_list, found)
        added += found or [image_id]
    return added


def _opener(files: _Files, name: str) -> Callable[[], IO[bytes]]:
    return lambda: files.open(name)


def _blob_name(descriptor: Descriptor) -> str:
    return "blobs/" + descriptor.digest.replace(":", "/", 1)


def _blob(files: _Files, descriptor: Descriptor) -> bytes:
    with files.open(_blob_name(descriptor)) as source:
        data = source.read(_METADATA_MAX + 1)
    if len(data) > _METADATA_MAX:
        raise InvalidImage(f"blob {descriptor.digest} has more than {_METADATA_MAX} bytes")
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor.digest:
        raise InvalidImage(f"blob {descriptor.digest} does not have that digest")
    return data


def _json(files: _Files, name: str) -> Any:
    with files.open(name) as source:
        data = source.read(_METADATA_MAX)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidImage(f"{name} is not JSON: {error}") from error
