"""The image store: names and ids in index.json, manifests and configurations as blobs, layers unpacked.

    root/lock              held while anything is written
    root/index.json        Index below
    root/blobs/sha256/HEX  manifests and configurations; compressed layers are not kept once unpacked
    root/layers/N          an unpacked layer, ready to be an overlay's lowerdir (short names: mount(2) takes a page)
    root/host              the root folder of sampan.local/host
    root/tmp               work in progress, swept when nobody holds the lock

Several processes may use one store: writers lock, readers see the old or the new index.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import orjson

from sampan.base.linux import mounts
from sampan.node.runtime.image import host, layers
from sampan.spec.oci import image as oci_image
from sampan.spec.oci import reference as refs
from sampan.spec.oci.image import ImageConfig, InvalidImage, Platform


class Entry(NamedTuple):
    """An image in the index. `layers` are names below layers/, lowest first; `manifest` is "" for docker-save tars."""

    id: str
    manifest: str
    layers: tuple[str, ...]
    size: int
    created: int


class Stored(NamedTuple):
    """An image with all its names. `lower` are its layers' folders, the topmost first, as an overlay wants them."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    config: ImageConfig
    lower: tuple[str, ...]
    mounts: tuple[dict[str, object], ...] = ()
    pinned: bool = False

    @property
    def ref(self) -> str:
        return self.digests[0] if self.digests else self.id


class Layer(NamedTuple):
    """A layer to unpack: `open` gives its tar, compressed or not; `diff_id` is checked afterwards."""

    open: Callable[[], IO[bytes]]
    diff_id: str


_LIMITS = layers.Limits()


class _Index(NamedTuple):
    names: dict[str, str]
    images: dict[str, Entry]
    chains: dict[str, str]
    next: int


class Store:
    """`in_use` names the ids of images that containers stand on: their layers stay."""

    def __init__(
        self,
        root: Path,
        platform: Platform,
        in_use: Callable[[], set[str]] = set,
        limits: layers.Limits = _LIMITS,
    ) -> None:
        self.root = root
        self.platform = platform
        self._in_use = in_use
        self._limits = limits
        self._cached: tuple[tuple[int, int], _Index] | None = None
        self._host: host.HostImage | None = None

    def open(self) -> None:
        """Makes the folders and sweeps what a crash left. Needs root."""
        for name in ("blobs/sha256", "layers", "tmp"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        with self._locked():
            for stale in (self.root / "tmp").iterdir():
                mounts.unmount_below(str(stale))
                shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            self._host = host.build(self.root / "host", self.platform)

    # -- reading

    def all(self) -> list[Stored]:
        index = self._read()
        found = [self._stored(index, entry) for entry in index.images.values()]
        return [*found, self._host_stored()]

    def find(self, text: str) -> Stored | None:
        """By reference, id, or unique prefix of an id. Raises InvalidReference."""
        index = self._read()
        entry = index.images.get(text) or index.images.get(f"sha256:{text}")
        built_in = self._host_stored()
        if text in (built_in.id, built_in.id.removeprefix("sha256:")):
            return built_in
        if entry is not None:
            return self._stored(index, entry)
        if len(text) >= 4 and all(c in "0123456789abcdef" for c in text):
            matching = [e for e in index.images.values() if e.id.startswith(f"sha256:{text}")]
            if len(matching) == 1:
                return self._stored(index, matching[0])
            if len(text) == 64:
                return None
        reference = refs.parse(text)
        if host.matches(reference):
            return built_in
        found = index.names.get(str(reference)) or index.names.get(f"{reference.name}@{reference.digest}")
        return self._stored(index, index.images[found]) if found else None

    def blob(self, digest: str) -> bytes:
        return self._blob_path(digest).read_bytes()

    def usage(self) -> tuple[int, int]:
        """Bytes and inodes of the unpacked layers, by what was counted when they were unpacked."""
        index = self._read()
        size = inodes = 0
        for name in set(index.chains.values()):
            with contextlib.suppress(OSError, ValueError):
                counted = (self.root / "layers" / f"{name}.size").read_text().split()
                size += int(counted[0])
                inodes += int(counted[1])
        return size, inodes

    # -- writing

    def add(self, manifest: bytes | None, config: bytes, layer_list: list[Layer], names: list[str]) -> str:
        """Unpacks what is missing and names the image; returns its id (the digest of `config`).

        A name may have a tag, a digest or both; each becomes a name of its own.
        """
        parsed = oci_image.image_config(_json(config, "image configuration"))
        if len(parsed.diff_ids) != len(layer_list):
            raise InvalidImage(
                f"image has {len(layer_list)} layers: its configuration lists {len(parsed.diff_ids)}"
            )
        with self._locked():
            index = self._read()
            folders: list[str] = []
            chain = ""
            for layer in layer_list:
                chain = _chain(chain, layer.diff_id)
                if chain not in index.chains:
                    name = str(index.next)
                    self._unpack(layer, folders, name)
                    index.chains[chain] = name
                    index = index._replace(next=index.next + 1)
                    self._write(index)
                folders.append(index.chains[chain])
            image_id = self._put_blob(config)
            digest = self._put_blob(manifest) if manifest is not None else ""
            size = len(config) + sum(self._size(name) for name in folders)
            index.images[image_id] = Entry(image_id, digest, tuple(folders), size, time.time_ns())
            for text in names:
                reference = refs.parse(text)
                if reference.tag:
                    index.names[str(reference._replace(digest=""))] = image_id
                if reference.digest:
                    index.names[f"{reference.name}@{reference.digest}"] = image_id
            self._write(index)
        return image_id

    def missing(self, diff_ids: tuple[str, ...]) -> list[bool]:
        """Which layers of an image would have to be unpacked."""
        chains = self._read().chains
        found = []
        chain = ""
        for diff_id in diff_ids:
            chain = _chain(chain, diff_id)
            found.append(chain not in chains)
        return found

    def remove(self, text: str) -> bool:
        """Removes the image with all its names. False when it is not there. The built-in one stays."""
        stored = self.find(text)
        if stored is None or stored.pinned:
            return False
        with self._locked():
            index = self._read()
            for name in [name for name, image_id in index.names.items() if image_id == stored.id]:
                del index.names[name]
            if stored.id not in self._in_use():
                index.images.pop(stored.id, None)
            self._write(self._prune(index))
        return True

    def collect(self) -> None:
        """Removes images without a name that nothing stands on, and layers that belong to no image."""
        with self._locked():
            index = self._read()
            kept = set(index.names.values()) | self._in_use()
            for image_id in [image_id for image_id in index.images if image_id not in kept]:
                del index.images[image_id]
            self._write(self._prune(index))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for downloads; it goes with the context."""
        folder = self.root / "tmp" / f"{os.getpid()}-{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # -- inside

    def _prune(self, index: _Index) -> _Index:
        used = {name for entry in index.images.values() for name in entry.layers}
        for chain in [chain for chain, name in index.chains.items() if name not in used]:
            name = index.chains.pop(chain)
            shutil.rmtree(self.root / "layers" / name, ignore_errors=True)
            (self.root / "layers" / f"{name}.size").unlink(missing_ok=True)
        blobs = {entry.id for entry in index.images.values()} | {e.manifest for e in index.images.values()}
        for path in (self.root / "blobs/sha256").iterdir():
            if f"sha256:{path.name}" not in blobs:
                path.unlink()
        return index

    def _unpack(self, layer: Layer, below: list[str], name: str) -> None:
        """Through an overlay of the layers below, so that links and removals mean what they mean in the image."""
        with self.scratch() as folder:
            upper, work, merged = (folder / part for part in ("diff", "work", "merged"))
            for path in (upper, work, merged):
                path.mkdir()
            target = upper
            if below:
                lower = [str(self.root / "layers" / part) for part in reversed(below)]
                mounts.overlay(lower, str(merged), upper=str(upper), work=str(work))
                target = merged
            try:
                with layer.open() as source:
                    result = layers.apply(source, str(target), self._limits)
            finally:
                if below:
                    mounts.unmount(str(merged))
            if result.diff_id != layer.diff_id:
                raise InvalidImage(f"layer has the content digest {result.diff_id}: expected {layer.diff_id}")
            destination = self.root / "layers" / name
            shutil.rmtree(destination, ignore_errors=True)
            upper.rename(destination)
            (self.root / "layers" / f"{name}.size").write_text(f"{result.size} {result.entries}")

    def _size(self, name: str) -> int:
        return int((self.root / "layers" / f"{name}.size").read_text().split()[0])

    def _stored(self, index: _Index, entry: Entry) -> Stored:
        names = sorted(name for name, image_id in index.names.items() if image_id == entry.id)
        config = oci_image.image_config(_json(self.blob(entry.id), "image configuration"))
        return Stored(
            entry.id,
            tuple(name for name in names if "@" not in name),
            tuple(name for name in names if "@" in name),
            entry.size,
            config,
            tuple(str(self.root / "layers" / name) for name in reversed(entry.layers)),
        )

    def _host_stored(self) -> Stored:
        built = self._host
        if built is None:
            self.open()
            built = self._host
        if built is None:
            raise RuntimeError("the built-in image was not made")
        return Stored(
            built.id,
            (f"{host.NAME}:latest",),
            (f"{host.NAME}@{built.id}",),
            0,
            built.config,
            (str(built.layer),),
            built.mounts,
            pinned=True,
        )

    def _blob_path(self, digest: str) -> Path:
        if not refs.is_digest(digest):
            raise InvalidImage(f"digest {digest!r}: expected sha256: and 64 hex digits")
        return self.root / "blobs/sha256" / digest.partition(":")[2]

    def _put_blob(self, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        path = self._blob_path(digest)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(data)
        fresh.replace(path)
        return digest

    def _read(self) -> _Index:
        path = self.root / "index.json"
        try:
            info = path.stat()
        except FileNotFoundError:
            return _Index({}, {}, {}, 1)
        stamp = (info.st_ino, info.st_mtime_ns)
        if self._cached is None or self._cached[0] != stamp:
            data = orjson.loads(path.read_bytes())
            images = {
                key: Entry(e["id"], e["manifest"], tuple(e["layers"]), e["size"], e["created"])
                for key, e in data["images"].items()
            }
            self._cached = (stamp, _Index(data["names"], images, data["chains"], data["next"]))
        index = self._cached[1]
        return _Index(dict(index.names), dict(index.images), dict(index.chains), index.next)

    def _write(self, index: _Index) -> None:
        path = self.root / "index.json"
        fresh = path.with_suffix(".new")
        data = index._asdict() | {"images": {key: entry._asdict() for key, entry in index.images.items()}}
        fresh.write_bytes(orjson.dumps(data))
        fresh.replace(path)
        self._cached = None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.root / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _chain(below: str, diff_id: str) -> str:
    """image-spec config.md, layer ChainID."""
    return f"sha256:{hashlib.sha256(f'{below} {diff_id}'.encode()).hexdigest()}" if below else diff_id


def _json(data: bytes, what: str) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidImage(f"{what} is not JSON: {error}") from error
