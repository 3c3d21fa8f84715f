"""The provisioner as a component over a client."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from sampan.addons.localpath import plan
from sampan.addons.localpath.model import Config
from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import Backoff
from sampan.client.rest import Client, Object
from sampan.control import manager
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.reconcile import DONE, Outcome, Retry, Terminal

log = logging.getLogger(__name__)

CLASSES = kinds.of("storage.k8s.io/v1", "StorageClass")
CLAIMS = kinds.of("v1", "PersistentVolumeClaim")
VOLUMES = kinds.of("v1", "PersistentVolume")


async def run(client: Client, config: Config, started: Callable[[], None]) -> None:
    """Makes volumes for claims of its class and removes released ones; `started()` once it watches."""
    await _ensure_class(client, config)
    controllers = (
        Controller(
            "local-path-provisioner",
            (Watch(CLAIMS, own), Watch(CLASSES, _claims_of_class)),
            _provision,
            workers=2,
        ),
        Controller("local-path-reclaimer", (Watch(VOLUMES, own),), _reclaim, workers=2),
    )
    await manager.run(client, controllers, config=config, host=config.node_name, started=started)


async def _ensure_class(client: Client, config: Config) -> None:
    """The class once; what users change in it later stays as they want it."""
    backoff = Backoff()
    while True:
        try:
            await client.create(CLASSES, plan.storage_class(config))
            return
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return
            delay = backoff.next()
            log.warning(
                "StorageClass %s cannot be made (%s); again in %.1f s", config.storage_class, error, delay
            )
            await asyncio.sleep(delay)


def _claims_of_class(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """A class that appears may be what claims have been waiting for."""
    if old is not None or new is None:
        return ()
    name = new["metadata"]["name"]
    return [
        f"{c['metadata']['namespace']}/{c['metadata']['name']}"
        for c in context.store(CLAIMS)
        if (c.get("spec") or {}).get("storageClassName") == name
    ]


async def _provision(context: Context, key: str) -> Outcome:
    config: Config = context.config
    claim = context.store(CLAIMS).get(key)
    if claim is None:
        return DONE
    its_class = context.store(CLASSES).get((claim.get("spec") or {}).get("storageClassName") or "")
    wanted = plan.volume(config, claim, its_class)
    if wanted is None:
        return DONE
    if isinstance(wanted, plan.Refused):
        context.recorder.emit(claim, "Warning", "ProvisioningFailed", wanted.why)
        return Terminal(ValueError(f"claim {key}: {wanted.why}"))
    try:
        await asyncio.to_thread(_make_folder, Path(wanted["spec"]["hostPath"]["path"]))
        await context.client.create(VOLUMES, wanted)
    except ApiError as error:
        return DONE if error.reason == "AlreadyExists" else Retry(error)
    except OSError as error:
        context.recorder.emit(claim, "Warning", "ProvisioningFailed", f"folder cannot be made: {error}")
        return Retry(error)
    name = wanted["metadata"]["name"]
    context.recorder.emit(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
    return DONE


async def _reclaim(context: Context, key: str) -> Outcome:
    pv = context.store(VOLUMES).get(key)
    path = plan.to_remove(context.config, pv) if pv is not None else None
    if pv is None or path is None:
        return DONE
    try:
        await asyncio.to_thread(_remove_folder, path)
        await context.client.delete(VOLUMES, key)
    except ApiError as error:
        return DONE if error.reason == "NotFound" else Retry(error)
    except OSError as error:
        context.recorder.emit(pv, "Warning", "VolumeFailedDelete", f"folder cannot be removed: {error}")
        return Retry(error)
    return DONE


def _make_folder(path: Path) -> None:
    """Any user of any pod may write there, as rancher's helper leaves it; the folder above is for its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    path.chmod(0o777)


def _remove_folder(path: Path) -> None:
    """rmtree does not follow links, so nothing outside of the folder is touched."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
