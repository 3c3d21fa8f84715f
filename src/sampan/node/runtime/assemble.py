"""Puts the runtime together, and takes everything of a cluster's runtime off the machine again."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import time
from pathlib import Path

import orjson

from sampan.base.linux import cgroups, mounts
from sampan.base.linux.cgroups import Hierarchy
from sampan.node.runtime import machine, recovery, state
from sampan.node.runtime.books import Books
from sampan.node.runtime.config import Config
from sampan.node.runtime.image import registry
from sampan.node.runtime.image.service import ImageService
from sampan.node.runtime.image.store import Store
from sampan.node.runtime.link import Link
from sampan.node.runtime.monitor import protocol
from sampan.node.runtime.monitor.container import start_time
from sampan.node.runtime.service import Local
from sampan.spec import cni, cri
from sampan.spec.oci.image import machine_platform

# sun_path holds 107 bytes, and the longest socket's name below the run folder takes 30.
_RUN_MAX = 77
_GRACE = 5.0
_log = logging.getLogger(__name__)
_PAUSE = 0.005


def _store(config: Config) -> Store:
    _need_root()
    platform = machine_platform(os.uname().machine)
    store = Store(config.images, platform, lambda: {c.image_id for c in state.load_containers(config)})
    store.open()
    return store


def images(config: Config) -> ImageService:
    """The images alone, for a command line; a running node sees what changes. Needs root."""
    store = _store(config)

    def file_systems() -> cri.ImageFsInfoResponse:
        raise cri.Error("Unimplemented", "usage is measured by a running node")

    return ImageService(store, registry.load(config.registries), file_systems)


async def open(config: Config, network: cni.Network | None) -> Local:
    """Starts the container monitor if there is none, and takes over what runs.

    `network` None allows host network only. Raises cri.Error: PermissionDenied without root, FailedPrecondition
    without an OCI runtime or with a layout of another version.
    """
    _need_root()
    if len(os.fsencode(config.run)) > _RUN_MAX:
        raise cri.Error(
            "InvalidArgument", f"run folder {str(config.run)!r}: expected at most {_RUN_MAX} bytes"
        )
    oci = machine.find_oci_runtime(config.oci_runtime)
    for folder in config.folders():
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (config.root, config.run):
        folder.chmod(0o700)  # configurations in there hold secrets
    if not (config.root / "version").exists():
        _probe_overlay(config)
    state.check_version(config)
    for stale in (config.run / "tmp").iterdir():
        stale.unlink()
    hierarchy = cgroups.open()
    store = _store(config)
    books = Books(config, machine.facts(hierarchy), oci, hierarchy, store, network, state.boot_id())
    local = Local(books, registry.load(config.registries))
    books.link = Link(config.run, machine.hidden_mount(oci), local.on_monitor, local.on_monitor_back)
    await books.link.open()
    await recovery.load(books, local.exited)
    return local


async def cleanup(config: Config, *, keep_images: bool = False) -> None:
    """Ends every container and the monitor, then removes cgroups, mounts, namespaces and both folders.

    With `keep_images` the image store stays, for a cluster that is only stopped. It works whatever state it meets:
    the state files need not be readable. Addresses of the pod network are the network's to give back.
    """
    _need_root()
    if not config.run.exists() and not config.root.exists():
        return
    hierarchy = cgroups.open()
    link = Link(config.run, "", lambda event: None, lambda: None)
    try:
        if await link.connect():
            await link.quit()
    except (cri.Error, OSError) as error:
        _log.warning("the container monitor does not answer, it is ended by force: %s", error)
    finally:
        await link.close()
    await asyncio.to_thread(_remove, config, hierarchy, keep_images)


def _remove(config: Config, hierarchy: Hierarchy, keep_images: bool) -> None:
    _end_monitor(config.run / "monitor.lock")
    _end_strays(config)
    deadline = time.monotonic() + _GRACE
    while not hierarchy.remove(config.cgroups) and time.monotonic() < deadline:
        hierarchy.kill(config.cgroups)
    doomed = [config.run, config.root]
    if keep_images:
        kept = (config.images, config.root / "version")
        doomed = [config.run, *(path for path in config.root.glob("*") if path not in kept)]
    for folder in doomed:
        mounts.unmount_below(str(folder))
        shutil.rmtree(folder, ignore_errors=True)
    for folder in doomed:
        if folder.exists():
            raise cri.Error("Internal", f"folder {str(folder)!r} cannot be removed: something still uses it")


def _end_monitor(lock: Path) -> None:
    """Waits until holder and monitor have gone; who hangs is killed."""
    deadline = time.monotonic() + _GRACE
    while lock.exists():
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    for pid in file.read().split():
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(int(pid), signal.SIGKILL)
        time.sleep(_PAUSE)


def _end_strays(config: Config) -> None:
    """Containers that run although their cgroup does not say so, by the monitor's records."""
    for path in (config.run / protocol.RECORDS).glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = orjson.loads(path.read_bytes())
            if record["start"] and start_time(record["pid"]) == record["start"]:
                os.kill(record["pid"], signal.SIGKILL)


def _probe_overlay(config: Config) -> None:
    """Says now, in words, what every container would stumble over: a data folder that is an overlay itself."""
    folder = config.root / "probe"
    shutil.rmtree(folder, ignore_errors=True)
    paths = {name: folder / name for name in ("lower", "upper", "work", "merged")}
    for path in paths.values():
        path.mkdir(parents=True)
    lower, upper, work, merged = (str(path) for path in paths.values())
    try:
        mounts.overlay([lower], merged, upper=upper, work=work)
    except OSError as error:
        raise cri.Error(
            "FailedPrecondition",
            f"folder {str(config.root)!r} cannot hold containers: overlayfs refuses its file system ({error.strerror});"
            " expected ext4, xfs, btrfs or tmpfs",
        ) from error
    finally:
        mounts.unmount(merged)
        shutil.rmtree(folder, ignore_errors=True)


def _need_root() -> None:
    if os.geteuid() != 0:
        raise cri.Error("PermissionDenied", f"real pods need root: expected uid 0, got {os.geteuid()}")
