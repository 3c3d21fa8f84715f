"""Where daemon pods belong, the next step of a DaemonSet, and its status: pure.

Behaviour: k8s.io/kubernetes pkg/controller/daemon (daemon_controller.go, update.go) and its util.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.selector import nodes as node_selector
from sampan.api.selector import taints
from sampan.control.ownership import controller_ref
from sampan.control.plan import Action, Create, Delete, Emit, Tell
from sampan.control_plane.controllers import pods, revisions
from sampan.control_plane.controllers.amounts import scaled
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

DAEMONSETS: Final = kinds.of("apps/v1", "DaemonSet")
BURST: Final = 250  # pods created or deleted in one go
GENERATION_ANNOTATION: Final = "deprecated.daemonset.template.generation"
GENERATION_LABEL: Final = "pod-template-generation"
TOLERATIONS: Final = (
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
)
HOST_NETWORK_TOLERATION: Final = {
    "key": "node.kubernetes.io/network-unavailable",
    "operator": "Exists",
    "effect": "NoSchedule",
}


class View(NamedTuple):
    ds: Object
    pods: tuple[Object, ...]  # the set's
    nodes: tuple[Object, ...]
    update: Object  # revision of the present template
    held: frozenset[str]  # UIDs of failed pods that are replaced later
    now: float

    @property
    def min_ready(self) -> int:
        return int(self.ds["spec"].get("minReadySeconds", 0))

    def by_node(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for pod in self.pods:
            if name := node_of(pod):
                found.setdefault(name, []).append(pod)
        return found

    def is_new(self, pod: Object) -> bool:
        labels = pod["metadata"].get("labels") or {}
        return bool(labels.get(revisions.POD_LABEL) == revisions.digest_of(self.update))

    def is_available(self, pod: Object) -> bool:
        return pods.is_available(pod, self.min_ready, self.now)

    def bounds(self) -> tuple[int, int]:
        """(maxSurge, maxUnavailable) in pods."""
        total = sum(should_run(node, self.ds)[0] for node in self.nodes)
        rolling = (self.ds["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        surge = scaled(rolling.get("maxSurge", 0), total, up=True)
        unavailable = scaled(rolling.get("maxUnavailable", 1), total, up=True)
        return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def plan(view: View) -> list[Action]:
    """First one pod per node; once that is so, pods of an old template are replaced."""
    told: list[Action] = []
    create: list[str] = []
    delete: list[Object] = []
    by_node = view.by_node()
    for node in view.nodes:
        name = node["metadata"]["name"]
        wanted, to_remove, events = _on_node(view, node, by_node.get(name, []))
        told += events
        delete += to_remove
        if wanted:
            create.append(name)
    known = {node["metadata"]["name"] for node in view.nodes}
    for name, here in by_node.items():
        if name not in known:  # a pod that waits for a node that is gone; bound ones are the pod collector's
            delete += [
                pod for pod in here if not pod["spec"].get("nodeName") and not pods.is_terminating(pod)
            ]
    if not create and not delete:
        strategy = (view.ds["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
        if strategy == "RollingUpdate":
            create, delete = _roll(view, by_node)
    return [*told, *_create(view, create[:BURST]), *_delete(view, delete[:BURST])]


def _on_node(view: View, node: Object, here: list[Object]) -> tuple[bool, list[Object], list[Action]]:
    """(a pod is missing, pods to delete, what to tell) for one node."""
    runs, stays = should_run(node, view.ds)
    if not runs and not stays:
        return False, [pod for pod in here if not pods.is_terminating(pod)], []
    if not stays:
        return False, [pod for pod in here if not pods.is_terminating(pod)], []
    delete: list[Object] = []
    events: list[Action] = []
    running: list[Object] = []
    for pod in here:
        if pods.is_terminating(pod):
            continue
        if pods.is_terminal(pod):
            if pod["metadata"]["uid"] in view.held:
                running.append(pod)
                continue
            delete.append(pod)
            events.append(_finished(view, pod, node))
        else:
            running.append(pod)
    surge = view.bounds()[0]
    keep = _keep(view, running, two=surge > 0)
    delete += [pod for pod in running if pod not in keep]
    # one that is still leaving keeps its place, unless the set surges
    blocked = bool(running) or any(pods.is_terminating(pod) for pod in here)
    return runs and not blocked and not delete, delete, events


def _keep(view: View, running: list[Object], *, two: bool) -> list[Object]:
    """The oldest pod of a node; with surge also the oldest of the new template beside one of an old."""
    ordered = sorted(
        running, key=lambda p: (not p["spec"].get("nodeName"), p["metadata"].get("creationTimestamp", ""))
    )
    if not two:
        return ordered[:1]
    old = [pod for pod in ordered if not view.is_new(pod)][:1]
    return old + [pod for pod in ordered if view.is_new(pod)][:1]


def _finished(view: View, pod: Object, node: Object) -> Emit:
    failed = pods.phase(pod) == "Failed"
    word, reason = ("failed", "FailedDaemonPod") if failed else ("succeeded", "SucceededDaemonPod")
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on node {node['metadata']['name']}"
    kind = "Warning" if failed else "Normal"
    rest = "will try to kill it" if failed else "will try to delete it"
    return Emit(view.ds, kind, reason, f"Found {word} daemon pod {where}, {rest}")


def _roll(view: View, by_node: dict[str, list[Object]]) -> tuple[list[str], list[Object]]:
    """(nodes that get a new pod beside the old, old pods to delete)."""
    surge, most = view.bounds()
    nodes = [node["metadata"]["name"] for node in view.nodes if should_run(node, view.ds)[0]]
    pairs = []
    for name in nodes:
        here = [pod for pod in by_node.get(name, []) if not pods.is_terminating(pod)]
        new = next((pod for pod in here if view.is_new(pod)), None)
        old = next((pod for pod in here if not view.is_new(pod)), None)
        pairs.append((name, new, old))
    if surge:
        return _roll_with_surge(view, pairs, surge)
    unavailable = sum(
        not any(p is not None and view.is_available(p) for p in (new, old)) for _, new, old in pairs
    )
    broken = [old for _, new, old in pairs if old is not None and new is None and not view.is_available(old)]
    good = [old for _, new, old in pairs if old is not None and new is None and view.is_available(old)]
    return [], broken + good[: max(0, most - unavailable)]


def _roll_with_surge(
    view: View, pairs: list[tuple[str, Object | None, Object | None]], surge: int
) -> tuple[list[str], list[Object]]:
    running = sum(new is not None and old is not None and not view.is_available(new) for _, new, old in pairs)
    done = [old for _, new, old in pairs if old is not None and new is not None and view.is_available(new)]
    waiting = [(name, old) for name, new, old in pairs if old is not None and new is None]
    broken = [name for name, old in waiting if not view.is_available(old)]
    good = [name for name, old in waiting if view.is_available(old)]
    return broken + good[: max(0, surge - running)], done


def _create(view: View, names: list[str]) -> list[Action]:
    ds = view.ds
    meta = ds["metadata"]
    tell = Tell(ds, "SuccessfulCreate", "Created pod: {name}", "FailedCreate", "Error creating: {error}")
    return [Create(PODS, _pod(view, name), meta["namespace"], tell) for name in names]


def _delete(view: View, several: list[Object]) -> list[Action]:
    tell = Tell(view.ds, "SuccessfulDelete", "Deleted pod: {name}", "FailedDelete", "Error deleting: {error}")
    return [
        Delete(PODS, p["metadata"]["namespace"], p["metadata"]["name"], p["metadata"]["uid"], tell=tell)
        for p in several
    ]


def _pod(view: View, node: str) -> Object:
    ds = view.ds
    made = pods.from_template(
        ds["spec"]["template"], controller_ref(ds, DAEMONSETS), generate=pods.prefix(ds["metadata"]["name"])
    )
    labels = made["metadata"].setdefault("labels", {})
    labels[revisions.POD_LABEL] = revisions.digest_of(view.update)
    generation = (ds["metadata"].get("annotations") or {}).get(GENERATION_ANNOTATION)
    if generation:
        labels[GENERATION_LABEL] = generation
    spec = made["spec"]
    spec["affinity"] = _bound_to(spec.get("affinity") or {}, node)
    spec["tolerations"] = _tolerations(spec)
    return made


def _tolerations(spec: Object) -> list[Object]:
    wanted = [*TOLERATIONS, HOST_NETWORK_TOLERATION] if spec.get("hostNetwork") else list(TOLERATIONS)
    given = list(spec.get("tolerations") or ())
    return given + [t for t in wanted if t not in given]


def _bound_to(affinity: Object, node: str) -> Object:
    """Only that node: in place of all other required terms, which the controller has checked already."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    given = affinity.get("nodeAffinity") or {}
    return affinity | {"nodeAffinity": given | {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def node_of(pod: Object) -> str:
    """The node of a daemon pod, also before it is scheduled."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def should_run(node: Object, ds: Object) -> tuple[bool, bool]:
    """(a pod should be started there, one that runs there may stay)."""
    spec = ds["spec"]["template"]["spec"]
    if spec.get("nodeName") and spec["nodeName"] != node["metadata"]["name"]:
        return False, False
    if not node_selector.pod_matches(spec, node):
        return False, False
    tolerations = _tolerations(spec)
    listed = node["spec"].get("taints") or ()
    if taints.untolerated(listed, tolerations, (taints.NO_EXECUTE,)):
        return False, False
    return taints.untolerated(listed, tolerations, (taints.NO_SCHEDULE,)) is None, True


def status(view: View) -> Object:
    by_node = view.by_node()
    counts = dict.fromkeys(("desired", "current", "wrong", "ready", "updated", "available"), 0)
    for node in view.nodes:
        here = by_node.get(node["metadata"]["name"], [])
        if not should_run(node, view.ds)[0]:
            counts["wrong"] += bool(here)
            continue
        counts["desired"] += 1
        if not here:
            continue
        counts["current"] += 1
        oldest = min(here, key=lambda p: p["metadata"].get("creationTimestamp", ""))
        if pods.is_ready(oldest):
            counts["ready"] += 1
            counts["available"] += view.is_available(oldest)
        counts["updated"] += view.is_new(oldest)
    made: Object = {
        "currentNumberScheduled": counts["current"],
        "numberMisscheduled": counts["wrong"],
        "desiredNumberScheduled": counts["desired"],
        "numberReady": counts["ready"],
        "observedGeneration": view.ds["metadata"].get("generation", 0),
    }
    optional = {
        "updatedNumberScheduled": counts["updated"],
        "numberAvailable": counts["available"],
        "numberUnavailable": counts["desired"] - counts["available"],
    }
    made |= {key: value for key, value in optional.items() if value}
    old = view.ds.get("status") or {}
    return made | {key: old[key] for key in ("collisionCount", "conditions") if key in old}
