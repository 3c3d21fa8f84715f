"""Claims that pods use and volumes that claims hold are not deleted under them.

Behaviour: k8s.io/kubernetes pkg/controller/volume/pvcprotection and pvprotection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.control import finalizer
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import pods
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.volumes import CLAIMS, VOLUMES

Object = dict[str, Any]

CLAIM_FINALIZER: Final = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER: Final = "kubernetes.io/pv-protection"


def plan_claim(claim: Object, users: Iterable[Object]) -> list[Action]:
    """`users` are the pods of the claim's namespace."""
    name = claim["metadata"]["name"]
    in_use = any(name in claim_names(pod) and not pods.is_terminal(pod) for pod in users)
    return _protect(claim, CLAIMS, CLAIM_FINALIZER, in_use=in_use)


def plan_volume(volume: Object) -> list[Action]:
    in_use = (volume.get("status") or {}).get("phase") == "Bound"
    return _protect(volume, VOLUMES, VOLUME_FINALIZER, in_use=in_use)


def _protect(obj: Object, resource: Any, name: str, *, in_use: bool) -> list[Action]:
    ends = bool(obj["metadata"].get("deletionTimestamp"))
    if ends and not in_use and finalizer.has(obj, name):
        return [finalizer.remove(obj, resource, name)]
    if not ends and not finalizer.has(obj, name):
        return [finalizer.add(obj, resource, name)]
    return []


def claim_names(pod: Object) -> set[str]:
    names = set()
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            names.add(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            names.add(f"{pod['metadata']['name']}-{volume['name']}")
    return names


async def reconcile_claim(context: Context, key: str) -> Outcome:
    claim = context.store(CLAIMS).get(key)
    if claim is None:
        return DONE
    users = context.store(PODS).by("namespace", claim["metadata"]["namespace"])
    applied = await context.execute.apply(plan_claim(claim, users))
    return Retry(applied.error) if applied.error else DONE


async def reconcile_volume(context: Context, key: str) -> Outcome:
    volume = context.store(VOLUMES).get(key)
    if volume is None:
        return DONE
    applied = await context.execute.apply(plan_volume(volume))
    return Retry(applied.error) if applied.error else DONE


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Claims of a pod that is gone or has finished."""
    if old is None or (new is not None and not pods.is_terminal(new)):
        return ()
    namespace = old["metadata"]["namespace"]
    return [f"{namespace}/{name}" for name in sorted(claim_names(old))]


CLAIM_CONTROLLER: Final = Controller(
    "persistentvolumeclaim-protection-controller",
    (Watch(CLAIMS, own), Watch(PODS, _of_pod)),
    reconcile_claim,
    workers=2,
)
VOLUME_CONTROLLER: Final = Controller(
    "persistentvolume-protection-controller", (Watch(VOLUMES, own),), reconcile_volume, workers=2
)
