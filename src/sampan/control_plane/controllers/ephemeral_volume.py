"""Claims for the ephemeral volumes of pods. Behaviour: k8s.io/kubernetes pkg/controller/volume/ephemeral."""

from __future__ import annotations

from typing import Any, Final

from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.ownership import controller_ref, is_controlled_by
from sampan.control.plan import Action, Create, Emit, Tell
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers import pods
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.volumes import CLAIMS

Object = dict[str, Any]


def plan(pod: Object, held: dict[str, Object]) -> list[Action]:
    """`held` are the claims that exist, by name."""
    if pods.is_terminating(pod) or pods.is_terminal(pod):
        return []
    meta = pod["metadata"]
    actions: list[Action] = []
    for volume in pod["spec"].get("volumes") or ():
        if "ephemeral" not in volume:
            continue
        name = f"{meta['name']}-{volume['name']}"
        claim = held.get(name)
        if claim is None:
            actions.append(_create(pod, name, volume["ephemeral"]["volumeClaimTemplate"]))
        elif not is_controlled_by(claim, pod):
            text = f"PVC {meta['namespace']}/{name} was not created for pod {meta['namespace']}/{meta['name']} (pod is not owner)"
            actions.append(Emit(pod, "Warning", "EphemeralVolumeFailed", text))
    return actions


def _create(pod: Object, name: str, template: Object) -> Create:
    namespace = pod["metadata"]["namespace"]
    given = template.get("metadata") or {}
    meta = {key: given[key] for key in ("labels", "annotations") if given.get(key)}
    meta |= {"name": name, "namespace": namespace, "ownerReferences": [controller_ref(pod, PODS)]}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": template["spec"],
    }
    tell = Tell(pod, "", "", "EphemeralVolumeFailed", f"create PVC {name}: {{error}}")
    return Create(CLAIMS, claim, namespace, tell)


async def reconcile(context: Context, key: str) -> Outcome:
    pod = context.store(PODS).get(key)
    if pod is None or not any("ephemeral" in v for v in pod["spec"].get("volumes") or ()):
        return DONE
    claims = context.store(CLAIMS).by("namespace", pod["metadata"]["namespace"])
    applied = await context.execute.apply(plan(pod, {c["metadata"]["name"]: c for c in claims}))
    return Retry(applied.error) if applied.error else DONE


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Any:
    if new is None or not any("ephemeral" in v for v in new["spec"].get("volumes") or ()):
        return ()
    return own(context, old, new)


def _of_claim(context: Context, old: Object | None, new: Object | None) -> list[str]:
    """A claim that is gone is made again while its pod is there."""
    if new is not None or old is None:
        return []
    namespace = old["metadata"]["namespace"]
    refs = old["metadata"].get("ownerReferences") or ()
    return [f"{namespace}/{ref['name']}" for ref in refs if ref["kind"] == "Pod" and ref.get("controller")]


CONTROLLER: Final = Controller(
    "ephemeral-volume-controller", (Watch(PODS, _of_pod), Watch(CLAIMS, _of_claim)), reconcile, workers=2
)
