"""Puts a pod's volumes in place below its folder and takes them away again.

Folders as upstream lays them out: pods/UID/volumes/PLUGIN/NAME (pkg/kubelet/kubelet_getters.go).
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sampan.base.linux import mounts
from sampan.node.agent.environment import ConfigError
from sampan.node.agent.resources import whole
from sampan.node.agent.volumes import atomic, payload
from sampan.spec import cri

Object = Mapping[str, Any]

_KINDS = ("configMap", "secret", "downwardAPI", "projected")
_PLUGINS = {
    "configMap": "kubernetes.io~configmap",
    "secret": "kubernetes.io~secret",
    "downwardAPI": "kubernetes.io~downward-api",
    "projected": "kubernetes.io~projected",
    "emptyDir": "kubernetes.io~empty-dir",
}


class Placed(NamedTuple):
    """Where a volume lies on the node: a host path, or an image that the runtime mounts."""

    path: Path | None = None
    image: str = ""
    readonly: bool = False


Claims = Callable[[str], Awaitable[Object]]
"""Claim name -> the PersistentVolume it is bound to. Raises Missing while it is not bound."""


async def place(
    pod: Object, folder: Path, inputs: payload.Inputs, claims: Claims, *, stamp: str
) -> dict[str, Placed]:
    """Makes or refreshes every volume of the pod. Raises Missing (try again) or ConfigError."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    placed = {}
    for volume in pod["spec"].get("volumes") or ():
        try:
            placed[volume["name"]] = await _one(pod, volume, folder, inputs, claims, stamp=stamp, group=group)
        except payload.Missing as error:
            raise payload.Missing(
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
            ) from error
    return placed


async def _one(
    pod: Object,
    volume: Object,
    folder: Path,
    inputs: payload.Inputs,
    claims: Claims,
    *,
    stamp: str,
    group: int | None,
) -> Placed:
    name = volume["name"]
    for kind in _KINDS:
        if volume.get(kind) is not None:
            target = folder / "volumes" / _PLUGINS[kind] / name
            files = payload.files(volume, inputs)
            atomic.write(target, files or {}, stamp=stamp, group=group)
            return Placed(target)
    if volume.get("emptyDir") is not None:
        return Placed(_empty_dir(volume["emptyDir"], folder / "volumes" / _PLUGINS["emptyDir"] / name, group))
    if host := volume.get("hostPath"):
        return Placed(host_path(host["path"], host.get("type") or ""))
    if claim := volume.get("persistentVolumeClaim"):
        return _persistent(await claims(claim["claimName"]), group, readonly=bool(claim.get("readOnly")))
    if volume.get("ephemeral") is not None:
        return _persistent(await claims(f"{pod['metadata']['name']}-{name}"), group, readonly=False)
    if image := volume.get("image"):
        return Placed(image=image["reference"], readonly=True)
    kinds = sorted(key for key in volume if key != "name")
    raise ConfigError(f"volume {name!r}: {', '.join(kinds)} is not supported by this node")


def _empty_dir(source: Object, target: Path, group: int | None) -> Path:
    if not target.exists():
        target.mkdir(parents=True)
        if source.get("medium") == "Memory":
            mounts.tmpfs(str(target), size=whole(source.get("sizeLimit") or 0), mode=0o777)
        target.chmod(0o777)
        if group is not None:
            _give(target, group)
    return target


def _give(target: Path, group: int) -> None:
    """fsGroup: the group owns the folder, and what is made in it later is the group's as well."""
    os.chown(target, -1, group)
    target.chmod(target.stat().st_mode | 0o2770)


def host_path(path: str, kind: str) -> Path:
    """A hostPath checked, or made, by its type. Raises ConfigError with upstream's words."""
    target = Path(path)
    if kind == "DirectoryOrCreate" and not target.exists():
        target.mkdir(mode=0o755, parents=True)
    elif kind == "FileOrCreate" and not target.exists():
        target.touch(mode=0o644)
    checks: dict[str, tuple[Callable[[int], bool], str]] = {
        "Directory": (stat.S_ISDIR, "a directory"),
        "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
        "File": (stat.S_ISREG, "a file"),
        "FileOrCreate": (stat.S_ISREG, "a file"),
        "Socket": (stat.S_ISSOCK, "a socket file"),
        "CharDevice": (stat.S_ISCHR, "a character device"),
        "BlockDevice": (stat.S_ISBLK, "a block device"),
    }
    if kind in checks:
        test, wanted = checks[kind]
        if not target.exists() or not test(target.stat().st_mode):
            raise payload.Missing(f"hostPath type check failed: {path} is not {wanted}")
    elif not target.exists():
        target.mkdir(
            mode=0o755, parents=True
        )  # what container runtimes do for a bind source that is not there
    return target


def _persistent(volume: Object, group: int | None, *, readonly: bool) -> Placed:
    spec = volume["spec"]
    name = volume["metadata"]["name"]
    if spec.get("volumeMode") == "Block":
        raise ConfigError(f"persistent volume {name!r}: volumeMode Block is not supported by this node")
    if host := spec.get("hostPath"):
        return Placed(host_path(host["path"], host.get("type") or ""), readonly=readonly)
    if local := spec.get("local"):
        target = Path(local["path"])
        if not target.exists():
            raise payload.Missing(f"local volume {name!r}: {target} does not exist")
        if group is not None:
            _give(target, group)
        return Placed(target, readonly=readonly)
    known = (
        "capacity",
        "accessModes",
        "claimRef",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "nodeAffinity",
    )
    kinds = sorted(key for key in spec if key not in (*known, "volumeMode", "mountOptions"))
    raise ConfigError(f"persistent volume {name!r}: {', '.join(kinds)} is not supported by this node")


def container_mounts(
    container: Object, placed: Mapping[str, Placed], expand: Callable[[str], str]
) -> list[cri.Mount]:
    """The container's volumeMounts. Raises ConfigError for a sub path that leads out of its volume."""
    if container.get("volumeDevices"):
        raise ConfigError(f"container {container['name']!r}: volumeDevices are not supported by this node")
    result = []
    propagation = {
        "None": cri.MountPropagation.PROPAGATION_PRIVATE,
        "HostToContainer": cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
        "Bidirectional": cri.MountPropagation.PROPAGATION_BIDIRECTIONAL,
    }
    for mount in container.get("volumeMounts") or ():
        volume = placed[mount["name"]]
        sub = expand(mount["subPathExpr"]) if mount.get("subPathExpr") else (mount.get("subPath") or "")
        common: dict[str, Any] = {
            "container_path": mount["mountPath"],
            "readonly": bool(mount.get("readOnly")) or volume.readonly,
            "propagation": propagation[mount.get("mountPropagation") or "None"],
            "recursive_read_only": mount.get("recursiveReadOnly") == "Enabled",
        }
        if volume.image:
            result.append(cri.Mount(**common, image=cri.ImageSpec(volume.image), image_sub_path=sub))
            continue
        path = volume.path
        if path is None:
            raise ConfigError(f"volume {mount['name']!r} has no place on this node")
        result.append(cri.Mount(**common, host_path=str(sub_path(path, sub) if sub else path)))
    return result


def sub_path(volume: Path, sub: str) -> Path:
    """A path within a volume; folders that are missing are made. Links may not lead out of the volume."""
    if sub.startswith("/") or ".." in sub.split("/"):
        raise ConfigError(f"subPath {sub!r}: must be relative and may not contain '..'")
    root = volume.resolve()
    target = (volume / sub).resolve()
    if not target.is_relative_to(root):
        raise ConfigError(f"subPath {sub!r}: leads out of its volume")
    if not target.exists():
        target.mkdir(parents=True, mode=0o750)
        target.chmod(0o777 & volume.stat().st_mode)
    return target


def remove(folder: Path) -> None:
    """Takes a pod's folder away: what is mounted in it first, then the files. What is gone already is fine."""
    if not folder.exists():
        return
    mounts.unmount_below(str(folder))
    shutil.rmtree(folder, ignore_errors=True)
