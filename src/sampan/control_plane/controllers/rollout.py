"""How a Deployment's next step is decided, and what its status says: pure.

Behaviour: k8s.io/kubernetes pkg/controller/deployment (sync.go, rolling.go, recreate.go, progress.go) and its util.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.ownership import controller_ref
from sampan.control.plan import Action, Create, Delete, Patch, Tell
from sampan.control_plane.controllers import hashing
from sampan.control_plane.controllers.amounts import fenceposts
from sampan.control_plane.controllers.replicaset import REPLICASETS

Object = dict[str, Any]

DEPLOYMENTS: Final = kinds.of("apps/v1", "Deployment")
HASH_LABEL: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MOST: Final = "deployment.kubernetes.io/max-replicas"
NOT_COPIED: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MOST,
    }
)
HISTORY_LIMIT: Final = 2000  # characters of the revision-history annotation
NAME_LIMIT: Final = 253


class View(NamedTuple):
    deployment: Object
    replicasets: tuple[Object, ...]  # the deployment's
    running: frozenset[str]  # UIDs of ReplicaSets that have pods which are not finished
    now: float

    @property
    def replicas(self) -> int:
        return int(self.deployment["spec"].get("replicas", 1))

    @property
    def rolling(self) -> bool:
        return bool((self.deployment["spec"].get("strategy") or {}).get("type") == "RollingUpdate")

    def bounds(self) -> tuple[int, int]:
        """(maxSurge, maxUnavailable) in pods."""
        if not self.rolling:
            return 0, 0
        given = self.deployment["spec"]["strategy"].get("rollingUpdate") or {}
        surge, unavailable = fenceposts(given.get("maxSurge"), given.get("maxUnavailable"), self.replicas)
        return surge, min(unavailable, self.replicas)

    def sorted(self) -> list[Object]:
        return sorted(
            self.replicasets,
            key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), rs["metadata"]["name"]),
        )

    def new(self) -> Object | None:
        """The ReplicaSet of the current template, the oldest of several."""
        return next((rs for rs in self.sorted() if same_template(self.deployment, rs)), None)

    def old(self) -> list[Object]:
        new = self.new()
        return [rs for rs in self.sorted() if rs is not new]


# --- the next step


def plan(view: View) -> list[Action]:
    """The next step: nothing of what it decides depends on an earlier one having succeeded."""
    spec = view.deployment["spec"]
    new = view.new()
    actions = _sync_new(view, new) if new is not None else []
    if actions:
        return actions
    if spec.get("paused"):
        return _scale_all(view, new) or _clean(view)
    if _is_scaling(view):
        return _scale_all(view, new)
    return _roll(view, new) if view.rolling else _recreate(view, new)


def _roll(view: View, new: Object | None) -> list[Action]:
    if new is None:
        return [_create(view)]
    return _grow_new(view, new) or _shrink_old(view, new) or (_clean(view) if _complete(view) else [])


def _recreate(view: View, new: Object | None) -> list[Action]:
    old = view.old()
    if shrinking := [scale for rs in old if size(rs) for scale in _scale(view, rs, 0)]:
        return shrinking
    uid = new["metadata"]["uid"] if new else None
    if any((rs.get("status") or {}).get("replicas") for rs in old) or view.running - {uid}:
        return []
    if new is None:
        return [_create(view)]
    return _scale(view, new, view.replicas) or (_clean(view) if _complete(view) else [])


def _grow_new(view: View, new: Object) -> list[Action]:
    if size(new) >= view.replicas:
        return _scale(view, new, view.replicas)
    return _scale(view, new, _new_size(view, new))


def _new_size(view: View, new: Object | None) -> int:
    """How large the new ReplicaSet may be now."""
    have = size(new) if new is not None else 0
    if not view.rolling:
        return view.replicas
    room = view.replicas + view.bounds()[0] - total(view.replicasets)
    return have + max(0, min(room, view.replicas - have))


def _shrink_old(view: View, new: Object) -> list[Action]:
    """Unhealthy pods of old sets first, then as many as the available ones allow."""
    old = [rs for rs in view.old() if size(rs)]
    if not old:
        return []
    at_least = view.replicas - view.bounds()[1]
    allowed = total(view.replicasets) - at_least - (size(new) - available(new))
    if allowed <= 0:
        return []
    sizes = {rs["metadata"]["uid"]: size(rs) for rs in old}
    taken = 0
    for rs in old:
        unhealthy = min(allowed - taken, size(rs) - available(rs))
        if unhealthy > 0:
            sizes[rs["metadata"]["uid"]] -= unhealthy
            taken += unhealthy
    spare = sum(available(rs) for rs in (*old, new)) - at_least
    for rs in old:
        uid = rs["metadata"]["uid"]
        cut = min(sizes[uid], spare)
        if cut > 0:
            sizes[uid] -= cut
            spare -= cut
    return [action for rs in old for action in _scale(view, rs, sizes[rs["metadata"]["uid"]])]


def _is_scaling(view: View) -> bool:
    """Whether spec.replicas changed since the active ReplicaSets were last told of it."""
    return any(
        desired is not None and desired != view.replicas
        for rs in view.replicasets
        if size(rs)
        for desired in (number(rs, DESIRED),)
    )


def _scale_all(view: View, new: Object | None) -> list[Action]:
    """A change of spec.replicas, shared out in proportion when several ReplicaSets are active."""
    old = view.old()
    active = [rs for rs in view.sorted() if size(rs)]
    if len(active) <= 1:
        latest = active[0] if active else new or (old[-1] if old else None)
        return _scale(view, latest, view.replicas, force=True) if latest is not None else []
    if new is not None and _is_saturated(view, new):
        return [action for rs in old if size(rs) for action in _scale(view, rs, 0)]
    if not view.rolling:
        return []
    most = view.replicas + view.bounds()[0] if view.replicas else 0
    to_add = most - total(active)
    by_age = sorted(active, key=lambda rs: rs["metadata"].get("creationTimestamp", ""), reverse=to_add > 0)
    ordered = sorted(by_age, key=size, reverse=True)
    sizes = {rs["metadata"]["uid"]: size(rs) for rs in ordered}
    added = 0
    for rs in ordered:
        share = _share(view, rs, to_add, added)
        sizes[rs["metadata"]["uid"]] += share
        added += share
    largest = ordered[0]["metadata"]["uid"]
    sizes[largest] = max(0, sizes[largest] + to_add - added)
    return [action for rs in ordered for action in _scale(view, rs, sizes[rs["metadata"]["uid"]], force=True)]


def _share(view: View, rs: Object, to_add: int, added: int) -> int:
    if to_add == 0 or to_add == added:
        return 0
    if view.replicas == 0:
        fraction = -size(rs)
    else:
        before = number(rs, MOST) or (view.deployment.get("status") or {}).get("replicas", 0)
        if not before:
            return 0
        grown = size(rs) * (view.replicas + view.bounds()[0]) / before
        fraction = int(grown + 0.5) - size(rs)
    return min(fraction, to_add - added) if to_add > 0 else max(fraction, to_add - added)


def _is_saturated(view: View, rs: Object) -> bool:
    return (
        size(rs) == view.replicas == number(rs, DESIRED)
        and (rs.get("status") or {}).get("availableReplicas", 0) == view.replicas
    )


def _scale(view: View, rs: Object, to: int, *, force: bool = False) -> list[Action]:
    have = size(rs)
    wanted = {DESIRED: str(view.replicas), MOST: str(view.replicas + view.bounds()[0])}
    stale = any(notes(rs).get(key) != value for key, value in wanted.items())
    if have == to and not (force and stale):
        return []
    way = "up" if have < to else "down"
    name = rs["metadata"]["name"]
    tell = Tell(view.deployment, "ScalingReplicaSet", f"Scaled {way} replica set {name} from {have} to {to}")
    body = {"metadata": _guard(rs) | {"annotations": wanted}, "spec": {"replicas": to}}
    return [_patch(rs, body, tell if have != to else None)]


def _clean(view: View) -> list[Action]:
    """Old ReplicaSets beyond the history limit."""
    limit = view.deployment["spec"].get("revisionHistoryLimit", 10)
    alive = [rs for rs in view.old() if not rs["metadata"].get("deletionTimestamp")]
    oldest_first = sorted(alive, key=lambda rs: number(rs, REVISION) or 0)
    return [
        Delete(REPLICASETS, rs["metadata"]["namespace"], rs["metadata"]["name"], rs["metadata"]["uid"])
        for rs in oldest_first[: max(0, len(alive) - limit)]
        if not size(rs)
        and not (rs.get("status") or {}).get("replicas")
        and rs["metadata"].get("generation", 0) <= (rs.get("status") or {}).get("observedGeneration", 0)
    ]


# --- the new ReplicaSet


def _create(view: View) -> Create:
    deployment = view.deployment
    meta, spec = deployment["metadata"], deployment["spec"]
    template = copy.deepcopy(spec["template"])
    digest = hashing.of(spec["template"], (deployment.get("status") or {}).get("collisionCount"))
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH_LABEL] = digest
    selector = copy.deepcopy(spec["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = digest
    replicas = _new_size(view, None)
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in NOT_COPIED}
    annotations |= {
        REVISION: str(_next_revision(view)),
        DESIRED: str(view.replicas),
        MOST: str(view.replicas + view.bounds()[0]),
    }
    rs: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta['name'][: NAME_LIMIT - 1 - len(digest)]}-{digest}",
            "namespace": meta["namespace"],
            "labels": dict(labels),
            "annotations": annotations,
            "ownerReferences": [controller_ref(deployment, DEPLOYMENTS)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        rs["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    tell = None
    if replicas:
        tell = Tell(deployment, "ScalingReplicaSet", f"Scaled up replica set {{name}} from 0 to {replicas}")
    return Create(REPLICASETS, rs, meta["namespace"], tell)


def _sync_new(view: View, new: Object) -> list[Action]:
    """Annotations, revision and minReadySeconds of the ReplicaSet that has the current template."""
    meta, have = view.deployment["metadata"], notes(new)
    annotations = {
        key: value
        for key, value in (meta.get("annotations") or {}).items()
        if key not in NOT_COPIED and have.get(key) != value
    }
    revision, held = _next_revision(view), number(new, REVISION)
    if (held or 0) < revision:
        annotations[REVISION] = str(revision)
        if held is not None:
            annotations[HISTORY] = _history(have.get(HISTORY, ""), str(held))
    body: Object = {}
    if annotations:
        body["metadata"] = {"annotations": annotations}
    min_ready = view.deployment["spec"].get("minReadySeconds", 0)
    if new["spec"].get("minReadySeconds", 0) != min_ready:
        body["spec"] = {"minReadySeconds": min_ready}
    if not body:
        return []
    body["metadata"] = body.get("metadata", {}) | _guard(new)
    return [_patch(new, body, None)]


def _history(history: str, revision: str) -> str:
    entries = [entry for entry in history.split(",") if entry] + [revision]
    while len(entries) > 1 and len(",".join(entries)) > HISTORY_LIMIT:
        entries.pop(0)
    return ",".join(entries)


def _next_revision(view: View) -> int:
    return max((number(rs, REVISION) or 0 for rs in view.old()), default=0) + 1


def same_template(deployment: Object, rs: Object) -> bool:
    return _bare(deployment["spec"]["template"]) == _bare(rs["spec"]["template"])


def _bare(template: Object) -> tuple[Object, Any]:
    """The template without our label and without the nulls of its metadata."""
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if v}
    labels = {k: v for k, v in (meta.pop("labels", None) or {}).items() if k != HASH_LABEL}
    return meta | {"labels": labels}, template.get("spec")


# --- small readings


def _complete(view: View) -> bool:
    return is_complete(view, view.deployment.get("status") or {})


def is_complete(view: View, status: Object) -> bool:
    return all(
        status.get(key, 0) == view.replicas for key in ("updatedReplicas", "replicas", "availableReplicas")
    ) and status.get("observedGeneration", 0) >= view.deployment["metadata"].get("generation", 0)


def size(rs: Object) -> int:
    return int(rs["spec"].get("replicas", 1))


def total(several: Iterable[Object]) -> int:
    return sum(size(rs) for rs in several)


def available(rs: Object) -> int:
    return count(rs, "availableReplicas")


def count(rs: Object, key: str) -> int:
    return int((rs.get("status") or {}).get(key, 0))


def notes(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def number(rs: Object, annotation: str) -> int | None:
    text = notes(rs).get(annotation, "")
    return int(text) if text.isdigit() else None


def _guard(rs: Object) -> Object:
    return {"uid": rs["metadata"]["uid"], "resourceVersion": rs["metadata"]["resourceVersion"]}


def _patch(rs: Object, body: Object, tell: Tell | None) -> Patch:
    meta = rs["metadata"]
    return Patch(REPLICASETS, meta["namespace"], meta["name"], body, tell=tell)
