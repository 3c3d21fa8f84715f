"""Binds PersistentVolumeClaims and PersistentVolumes; decisions are in `volumes`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.client.cache import key_of
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Emit
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import volumes
from sampan.control_plane.controllers.node_lifecycle import NODES
from sampan.control_plane.controllers.volumes import CLAIMS, CLASSES, VOLUMES, ClaimView, VolumeView

Object = dict[str, Any]

STEPS: Final = 6  # writes that a binding takes at most


async def reconcile_claim(context: Context, key: str) -> Outcome:
    """Step by step until nothing is due: every step reads what the one before has written."""
    for _ in range(STEPS):
        claim = context.store(CLAIMS).get(key)
        if claim is None:
            return DONE
        node = (claim["metadata"].get("annotations") or {}).get(volumes.SELECTED_NODE)
        view = ClaimView(
            claim,
            tuple(context.store(VOLUMES)),
            context.store(CLASSES).get(claim["spec"].get("storageClassName") or ""),
            context.store(NODES).get(node) if node else None,
        )
        actions = volumes.plan_claim(view)
        applied = await context.execute.apply(actions)
        if applied.error is not None:
            return Retry(applied.error)
        if all(isinstance(action, Emit) for action in actions):
            return DONE
    return DONE


async def reconcile_volume(context: Context, key: str) -> Outcome:
    volume = context.store(VOLUMES).get(key)
    if volume is None:
        return DONE
    view = VolumeView(volume, context.store(CLAIMS).get(volumes.key_of_ref(volume)))
    applied = await context.execute.apply(volumes.plan_volume(view))
    return Retry(applied.error) if applied.error else DONE


def _claims_of_volume(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """The claim that the volume names, or those that could have it."""
    found: dict[str, None] = {}
    for volume in (old, new):
        if volume is None:
            continue
        if key := volumes.key_of_ref(volume):
            found[key] = None
        elif volume is new:
            class_name = volume["spec"].get("storageClassName") or ""
            found |= dict.fromkeys(key_of(c) for c in volumes.claims_of(context.store(CLAIMS), class_name))
    name = (new or old or {"metadata": {"name": ""}})["metadata"]["name"]
    for claim in context.store(CLAIMS):
        if claim["spec"].get("volumeName") == name:
            found[key_of(claim)] = None
    return found


def _claims_of_class(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    name = (new or old or {"metadata": {"name": ""}})["metadata"]["name"]
    return [key_of(claim) for claim in volumes.claims_of(context.store(CLAIMS), name)]


def _volumes_of_claim(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    key = key_of(new or old or {})
    found = {obj["spec"]["volumeName"] for obj in (old, new) if obj and obj["spec"].get("volumeName")}
    return found | {v["metadata"]["name"] for v in context.store(VOLUMES) if volumes.key_of_ref(v) == key}


# one worker each: two claims that choose at the same time would choose the same volume
CLAIM_CONTROLLER: Final = Controller(
    "persistentvolume-binder-controller",
    (
        Watch(CLAIMS, own),
        Watch(VOLUMES, _claims_of_volume),
        Watch(CLASSES, _claims_of_class),
        Watch(NODES),
    ),
    reconcile_claim,
    workers=1,
)
VOLUME_CONTROLLER: Final = Controller(
    "persistentvolume-phase-controller",
    (Watch(VOLUMES, own), Watch(CLAIMS, _volumes_of_claim)),
    reconcile_volume,
    workers=1,
)
