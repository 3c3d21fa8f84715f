"""The next step of a StatefulSet, and its status: pure.

Behaviour: k8s.io/kubernetes pkg/controller/statefulset (stateful_set_control.go and its utils).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.ownership import controller_ref
from sampan.control.plan import Action, Create, Delete, Patch, Tell
from sampan.control_plane.controllers import pods, revisions
from sampan.control_plane.controllers.amounts import scaled
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

STATEFULSETS: Final = kinds.of("apps/v1", "StatefulSet")
CLAIMS: Final = kinds.of("v1", "PersistentVolumeClaim")
POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
POD_INDEX: Final = "apps.kubernetes.io/pod-index"
_NAME: Final = re.compile(r"(.*)-([0-9]+)$")


class View(NamedTuple):
    sts: Object
    pods: tuple[Object, ...]  # the set's
    claims: dict[str, Object]  # claims of its pods that exist, by name
    current: Object  # revision that the set comes from
    update: Object  # revision of the present template
    now: float

    @property
    def start(self) -> int:
        return int((self.sts["spec"].get("ordinals") or {}).get("start", 0))

    @property
    def replicas(self) -> int:
        return int(self.sts["spec"].get("replicas", 1))

    @property
    def parallel(self) -> bool:
        return bool(self.sts["spec"].get("podManagementPolicy") == "Parallel")

    @property
    def min_ready(self) -> int:
        return int(self.sts["spec"].get("minReadySeconds", 0))

    def wanted(self) -> list[tuple[int, Object | None]]:
        """Every ordinal that should have a pod, with the pod that it has."""
        by_ordinal = {ordinal_of(pod): pod for pod in self.pods}
        return [(n, by_ordinal.get(n)) for n in range(self.start, self.start + self.replicas)]

    def condemned(self) -> list[Object]:
        """Pods outside the range, the highest ordinal first."""
        inside = range(self.start, self.start + self.replicas)
        outside = [pod for pod in self.pods if ordinal_of(pod) not in inside]
        return sorted(outside, key=ordinal_of, reverse=True)

    def unavailable(self, pod: Object | None) -> bool:
        return pod is None or pods.is_terminating(pod) or not pods.is_available(pod, self.min_ready, self.now)


def plan(view: View) -> list[Action]:
    """Pods that are missing, then pods that are too many, then pods of an old revision; in order unless Parallel."""
    actions: list[Action] = []
    for ordinal, pod in view.wanted():
        actions += _replica(view, ordinal, pod)
        if not view.parallel and _stops(view, pod):
            return actions
    condemned = view.condemned()
    actions += [action for pod in condemned for action in _retain(view, pod, condemned=True)]
    first = _first_unavailable(view, condemned)
    for pod in condemned:
        if pods.is_terminating(pod):
            if view.parallel:
                continue
            return actions
        if not view.parallel and view.unavailable(pod) and pod is not first:
            return actions
        actions.append(_delete(view, pod))
        if not view.parallel:
            return actions
    return actions + _update(view)


def _stops(view: View, pod: Object | None) -> bool:
    """Whether an ordered set waits here."""
    return pod is None or pods.is_terminal(pod) or view.unavailable(pod)


def _first_unavailable(view: View, condemned: Sequence[Object]) -> Object | None:
    listed = [pod for _, pod in view.wanted()] + list(reversed(condemned))
    return next((pod for pod in listed if pod is not None and view.unavailable(pod)), None)


def _replica(view: View, ordinal: int, pod: Object | None) -> list[Action]:
    if pod is None:
        return [*_missing_claims(view, ordinal), _create(view, ordinal)]
    if pods.is_terminal(pod):
        return [] if pods.is_terminating(pod) else [_delete(view, pod)]
    actions: list[Action] = []
    if pods.phase(pod) == "Pending":
        actions += _missing_claims(view, ordinal)
    meta = pod["metadata"]
    labels = {POD_NAME: meta["name"], POD_INDEX: str(ordinal)}
    if (meta.get("labels") or {}).get(POD_NAME) != meta["name"]:
        body = {"metadata": {"uid": meta["uid"], "labels": labels}}
        actions.append(Patch(PODS, meta["namespace"], meta["name"], body))
    return actions + _retain(view, pod, condemned=False)


def _create(view: View, ordinal: int) -> Create:
    sts = view.sts
    meta = sts["metadata"]
    revision = _revision_for(view, ordinal)
    name = f"{meta['name']}-{ordinal}"
    pod = pods.from_template(revisions.template_of(revision), controller_ref(sts, STATEFULSETS), name=name)
    labels = pod["metadata"].setdefault("labels", {})
    labels |= {POD_NAME: name, POD_INDEX: str(ordinal), revisions.POD_LABEL: revision["metadata"]["name"]}
    spec = pod["spec"]
    spec["hostname"] = name
    if sts["spec"].get("serviceName"):
        spec["subdomain"] = sts["spec"]["serviceName"]
    claims = claim_names(sts, ordinal)
    if claims:
        own = [
            {"name": each, "persistentVolumeClaim": {"claimName": claim}} for each, claim in claims.items()
        ]
        spec["volumes"] = own + [v for v in spec.get("volumes") or () if v["name"] not in claims]
    what = f"create Pod {name} in StatefulSet {meta['name']}"
    tell = Tell(
        sts, "SuccessfulCreate", f"{what} successful", "FailedCreate", f"{what} failed error: {{error}}"
    )
    return Create(PODS, pod, meta["namespace"], tell)


def _revision_for(view: View, ordinal: int) -> Object:
    """Below the partition pods come from the current revision, above it from the new one."""
    strategy = view.sts["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return view.update
    rolling = strategy.get("rollingUpdate")
    if rolling is None:
        kept = (view.sts.get("status") or {}).get("currentReplicas", 0)
    else:
        kept = rolling.get("partition", 0)
    return view.current if ordinal < view.start + kept else view.update


def _delete(view: View, pod: Object) -> Delete:
    meta = pod["metadata"]
    what = f"delete Pod {meta['name']} in StatefulSet {view.sts['metadata']['name']}"
    tell = Tell(
        view.sts, "SuccessfulDelete", f"{what} successful", "FailedDelete", f"{what} failed error: {{error}}"
    )
    return Delete(PODS, meta["namespace"], meta["name"], meta["uid"], tell=tell)


def _update(view: View) -> list[Action]:
    """Pods of an old revision, from the highest ordinal down to the partition, as many as may be unavailable."""
    strategy = view.sts["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    rolling = strategy.get("rollingUpdate") or {}
    least = int(rolling.get("partition", 0))
    budget = max(1, scaled(rolling.get("maxUnavailable", 1), view.replicas, up=False))
    replicas = view.wanted()
    unavailable = sum(view.unavailable(pod) for _, pod in replicas)
    old = [
        pod
        for ordinal, pod in reversed(replicas)
        if pod is not None
        and ordinal - view.start >= least
        and revision_of(pod) != view.update["metadata"]["name"]
        and not pods.is_terminating(pod)
    ]
    actions: list[Action] = []
    if view.parallel:  # those that are broken already cost nothing
        actions += [_delete(view, pod) for pod in old if view.unavailable(pod)]
        old = [pod for pod in old if not view.unavailable(pod)]
    return actions + [_delete(view, pod) for pod in old[: max(0, budget - unavailable)]]


# --- claims


def claim_names(sts: Object, ordinal: int) -> dict[str, str]:
    """Claim of each template, by the template's name."""
    templates = sts["spec"].get("volumeClaimTemplates") or ()
    return {
        t["metadata"]["name"]: f"{t['metadata']['name']}-{sts['metadata']['name']}-{ordinal}"
        for t in templates
    }


def _missing_claims(view: View, ordinal: int) -> list[Action]:
    sts = view.sts
    meta = sts["metadata"]
    names = claim_names(sts, ordinal)
    actions: list[Action] = []
    for template in sts["spec"].get("volumeClaimTemplates") or ():
        name = names[template["metadata"]["name"]]
        if name in view.claims:
            continue
        given = template["metadata"]
        made: Object = {"name": name, "namespace": meta["namespace"]}
        labels = {**(given.get("labels") or {}), **(sts["spec"]["selector"].get("matchLabels") or {})}
        if labels:
            made["labels"] = labels
        if given.get("annotations"):
            made["annotations"] = dict(given["annotations"])
        refs = _claim_owners(view, None, condemned=False)
        if refs:
            made["ownerReferences"] = refs
        pod = f"{meta['name']}-{ordinal}"
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": made,
            "spec": template["spec"],
        }
        what = f"Claim {name} Pod {pod} in StatefulSet {meta['name']}"
        tell = Tell(
            sts,
            "SuccessfulCreate",
            f"create {what} success",
            "FailedCreate",
            f"create {what} failed error: {{error}}",
        )
        actions.append(Create(CLAIMS, claim, meta["namespace"], tell))
    return actions


def _claim_owners(view: View, pod: Object | None, *, condemned: bool) -> list[Object]:
    """Who takes the claim along when it goes, by persistentVolumeClaimRetentionPolicy."""
    policy = view.sts["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if condemned and policy.get("whenScaled") == "Delete" and pod is not None:
        meta = pod["metadata"]
        return [{"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}]
    if policy.get("whenDeleted") == "Delete":
        return [controller_ref(view.sts, STATEFULSETS)]
    return []


def _retain(view: View, pod: Object, *, condemned: bool) -> list[Action]:
    """Owner references of the pod's claims as the retention policy asks for."""
    wanted = _claim_owners(view, pod, condemned=condemned)
    uids = {view.sts["metadata"]["uid"], pod["metadata"]["uid"]}
    actions: list[Action] = []
    for name in claim_names(view.sts, ordinal_of(pod)).values():
        claim = view.claims.get(name)
        if claim is None:
            continue
        meta = claim["metadata"]
        have = meta.get("ownerReferences") or []
        others = [ref for ref in have if ref["uid"] not in uids]
        if {r["uid"] for r in have} != {r["uid"] for r in (*others, *wanted)}:
            body = {"metadata": {"uid": meta["uid"], "ownerReferences": [*others, *wanted] or None}}
            actions.append(Patch(CLAIMS, meta["namespace"], name, body))
    return actions


# --- status


def status(view: View) -> Object:
    current, update = view.current["metadata"]["name"], view.update["metadata"]["name"]
    living = [pod for pod in view.pods if not pods.is_terminating(pod)]
    ready = [pod for pod in view.pods if pods.phase(pod) == "Running" and pods.is_ready(pod)]
    counts = {
        "readyReplicas": len(ready),
        "currentReplicas": sum(revision_of(pod) == current for pod in living),
        "updatedReplicas": sum(revision_of(pod) == update for pod in living),
    }
    replicas = len(view.pods)
    strategy = (view.sts["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
    complete = counts["updatedReplicas"] == counts["readyReplicas"] == replicas == view.replicas
    if strategy == "RollingUpdate" and complete:
        counts["currentReplicas"], current = counts["updatedReplicas"], update
    old = view.sts.get("status") or {}
    made: Object = {
        "observedGeneration": view.sts["metadata"].get("generation", 0),
        "replicas": replicas,
        **{key: value for key, value in counts.items() if value},
        "availableReplicas": sum(pods.is_available(pod, view.min_ready, view.now) for pod in ready),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": old.get("collisionCount", 0),
    }
    if old.get("conditions"):
        made["conditions"] = old["conditions"]
    return made


# --- small readings


def revision_of(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(revisions.POD_LABEL, ""))


def ordinal_of(pod: Object) -> int:
    match = _NAME.match(pod["metadata"]["name"])
    return int(match[2]) if match else -1


def is_member(pod: Object, sts: Object) -> bool:
    match = _NAME.match(pod["metadata"]["name"])
    return match is not None and match[1] == sts["metadata"]["name"]


def all_ordinals(sts: Object, members: Iterable[Object]) -> list[int]:
    start = int((sts["spec"].get("ordinals") or {}).get("start", 0))
    inside = range(start, start + int(sts["spec"].get("replicas", 1)))
    return sorted({*inside, *(ordinal_of(pod) for pod in members)})
