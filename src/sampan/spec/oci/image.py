"""Manifests, indexes and image configurations, of OCI and of Docker's schema 2, from decoded JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
# The annotation of an index entry that holds its tag (image-spec annotations.md), and containerd's full name.
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

# uname -m to GOARCH and its variant.
ARCHITECTURES: Mapping[str, tuple[str, str]] = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv7l": ("arm", "v7"),
    "i686": ("386", ""),
    "ppc64le": ("ppc64le", ""),
    "riscv64": ("riscv64", ""),
    "s390x": ("s390x", ""),
}


class InvalidImage(ValueError):
    """A manifest, index, configuration or layer that is not what the specification says."""


class Platform(NamedTuple):
    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


class Descriptor(NamedTuple):
    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = {}


class Manifest(NamedTuple):
    config: Descriptor
    layers: tuple[Descriptor, ...]


class ImageConfig(NamedTuple):
    """What a container takes over, and the digests of its unpacked layers, lowest first."""

    platform: Platform
    diff_ids: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""
    labels: Mapping[str, str] = {}
    volumes: tuple[str, ...] = ()


def machine_platform(machine: str) -> Platform:
    """For `uname -m`. Raises InvalidImage for a machine that images do not name."""
    if machine not in ARCHITECTURES:
        raise InvalidImage(
            f"no image platform for machine {machine!r}: expected one of {sorted(ARCHITECTURES)}"
        )
    return Platform("linux", *ARCHITECTURES[machine])


def descriptor(data: Any) -> Descriptor:
    try:
        platform = data.get("platform")
        return Descriptor(
            str(data.get("mediaType", "")),
            str(data["digest"]),
            int(data.get("size", 0)),
            _platform(platform) if isinstance(platform, dict) else None,
            dict(data.get("annotations") or {}),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidImage(
            f"descriptor {str(data)[:80]!r} is broken: expected mediaType, digest and size"
        ) from error


def _platform(data: Mapping[str, Any]) -> Platform:
    return Platform(str(data.get("os", "")), str(data.get("architecture", "")), str(data.get("variant", "")))


def manifest(data: Any) -> Manifest:
    if not isinstance(data, dict) or not isinstance(data.get("layers"), list) or "config" not in data:
        if isinstance(data, dict) and data.get("schemaVersion") == 1:
            raise InvalidImage(
                "manifest of Docker schema 1: expected schema 2 or OCI; it has to be pushed again"
            )
        raise InvalidImage("not an image manifest: expected config and layers")
    return Manifest(descriptor(data["config"]), tuple(descriptor(layer) for layer in data["layers"]))


def index(data: Any) -> tuple[Descriptor, ...]:
    if not isinstance(data, dict) or not isinstance(data.get("manifests"), list):
        raise InvalidImage("not an image index: expected manifests")
    return tuple(descriptor(entry) for entry in data["manifests"])


def select(entries: Iterable[Descriptor], wanted: Platform) -> Descriptor:
    """The entry for a platform: the same variant first, then none, then any of the architecture.

    An entry without a platform stands for any (docker save writes none); attestations have unknown/unknown.
    """
    ranked: list[tuple[int, Descriptor]] = []
    seen = []
    for entry in entries:
        platform = entry.platform
        if platform is None:
            ranked.append((3, entry))
            continue
        seen.append(str(platform))
        if (platform.os, platform.architecture) == (wanted.os, wanted.architecture):
            ranked.append(({wanted.variant: 0, "": 1}.get(platform.variant, 2), entry))
    if not ranked:
        raise InvalidImage(f"no image for platform {str(wanted)!r}: the index has {seen}")
    return min(ranked, key=lambda pair: pair[0])[1]


def image_config(data: Any) -> ImageConfig:
    if not isinstance(data, dict):
        raise InvalidImage("image configuration is not an object")
    rootfs = data.get("rootfs")
    if not isinstance(rootfs, dict) or not isinstance(rootfs.get("diff_ids"), list):
        raise InvalidImage("image configuration has no rootfs.diff_ids")
    config = data.get("config") or {}

    def words(key: str) -> tuple[str, ...]:
        return tuple(str(word) for word in config.get(key) or ())

    return ImageConfig(
        platform=_platform(data),
        diff_ids=tuple(str(digest) for digest in rootfs["diff_ids"]),
        entrypoint=words("Entrypoint"),
        cmd=words("Cmd"),
        env=words("Env"),
        working_dir=str(config.get("WorkingDir") or ""),
        user=str(config.get("User") or ""),
        stop_signal=str(config.get("StopSignal") or ""),
        labels=dict(config.get("Labels") or {}),
        volumes=tuple(config.get("Volumes") or {}),
    )
