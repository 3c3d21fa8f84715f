"""ReplicaSets and ReplicationControllers keep as many pods as they are told.

Behaviour: k8s.io/kubernetes pkg/controller/replicaset (also run for replication controllers, as there).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.control import adoption
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.ownership import controller_of, controller_ref
from sampan.control.plan import Action, Create, Delete, Tell, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control_plane.controllers import conditions, pods
from sampan.control_plane.controllers.pods import PODS

Object = dict[str, Any]

REPLICASETS: Final = kinds.of("apps/v1", "ReplicaSet")
REPLICATION_CONTROLLERS: Final = kinds.of("v1", "ReplicationController")
BURST: Final = 500  # pods created or deleted in one go


class Flavour(NamedTuple):
    """What differs between the two kinds."""

    resource: Resource
    selector: Callable[[Object], Selector]
    counts_terminating: bool


class View(NamedTuple):
    owner: Object
    pods: tuple[Object, ...]  # the owner's, finished ones included
    related: tuple[
        Object, ...
    ]  # pods of the owner's siblings under the same controller, the owner's included
    now: float


def plan(view: View, flavour: Flavour) -> list[Action]:
    """Creates what is missing, deletes what is too much."""
    rs = view.owner
    active = [pod for pod in view.pods if pods.is_active(pod)]
    diff = len(active) - rs["spec"].get("replicas", 1)
    namespace = rs["metadata"]["namespace"]
    if diff < 0:
        ref = controller_ref(rs, flavour.resource)
        made = pods.from_template(rs["spec"]["template"], ref, generate=pods.prefix(rs["metadata"]["name"]))
        tell = Tell(rs, "SuccessfulCreate", "Created pod: {name}", "FailedCreate", "Error creating: {error}")
        return [Create(PODS, made, namespace, tell)] * min(-diff, BURST)
    tell = Tell(rs, "SuccessfulDelete", "Deleted pod: {name}", "FailedDelete", "Error deleting: {error}")
    return [
        Delete(PODS, namespace, pod["metadata"]["name"], pod["metadata"]["uid"], tell=tell)
        for pod in pods.doomed(active, view.related, min(diff, BURST), view.now)
    ]


def status(view: View, flavour: Flavour, error: Exception | None) -> Object:
    """The owner's status as the pods are now; `error` is what the last plan met."""
    rs = view.owner
    active = [pod for pod in view.pods if pods.is_active(pod)]
    wanted = rs["spec"].get("replicas", 1)
    template = Selector.from_labels((rs["spec"]["template"].get("metadata") or {}).get("labels"))
    min_ready = rs["spec"].get("minReadySeconds", 0)
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(template.matches(pod["metadata"].get("labels")) for pod in active),
        "readyReplicas": sum(pods.is_ready(pod) for pod in active),
        "availableReplicas": sum(pods.is_available(pod, min_ready, view.now) for pod in active),
        "observedGeneration": rs["metadata"].get("generation", 0),
    }
    made = {k: v for k, v in counts.items() if v or k == "replicas"}
    if flavour.counts_terminating:
        made["terminatingReplicas"] = sum(
            pods.is_terminating(pod) and not pods.is_terminal(pod) for pod in view.pods
        )
    if old := (rs.get("status") or {}).get("conditions"):
        made["conditions"] = old
    if error is None:
        conditions.drop(made, "ReplicaFailure")
    elif conditions.find(made, "ReplicaFailure") is None:
        reason = "FailedCreate" if len(active) < wanted else "FailedDelete" if len(active) > wanted else ""
        conditions.set_condition(made, "ReplicaFailure", "True", reason, str(error), view.now)
    return made


def controller(name: str, flavour: Flavour) -> Controller:
    resource = flavour.resource

    async def reconcile(context: Context, key: str) -> Outcome:
        rs = context.store(resource).get(key)
        if rs is None:
            return DONE
        try:
            selector = flavour.selector(rs)
        except SelectorError as error:
            return Terminal(error)
        owned = await adoption.claimed(context, rs, resource, selector, PODS, adopts=not selector.empty)
        failure: Exception | None = None
        if not rs["metadata"].get("deletionTimestamp"):
            view = View(rs, tuple(owned), tuple(_related(context, rs, resource)), context.clock.now())
            applied = await context.execute.apply(plan(view, flavour))
            failure = applied.error
        rs = context.store(resource).get(key)
        if rs is None:
            return DONE
        store = context.store(PODS)
        mine = tuple(pod for pod in store.by("owner", rs["metadata"]["uid"]) if controller_of(pod))
        view = View(rs, mine, (), context.clock.now())
        made = status(view, flavour, failure)
        if made != (rs.get("status") or {}):
            applied = await context.execute.apply([Update(resource, rs | {"status": made}, "status")])
            failure = failure or applied.error
        if failure is not None:
            return Retry(failure)
        wait = pods.until_available(mine, rs["spec"].get("minReadySeconds", 0), view.now)
        return DONE if wait is None else After(wait)

    handles = adoption.both(
        owner(resource.kind, resource.group), adoption.adopters(resource, flavour.selector)
    )
    return Controller(name, (Watch(resource, own), Watch(PODS, handles)), reconcile, workers=8)


def _related(context: Context, rs: Object, resource: Resource) -> list[Object]:
    """Pods of all the sets that share this one's controller."""
    store = context.store(PODS)
    ref = controller_of(rs)
    siblings = context.store(resource).by("owner", ref["uid"]) if ref else [rs]
    return [pod for sibling in siblings for pod in store.by("owner", sibling["metadata"]["uid"])]


def _rs_selector(rs: Object) -> Selector:
    return Selector.from_object(rs["spec"].get("selector"))


def _rc_selector(rc: Object) -> Selector:
    return Selector.from_labels(rc["spec"].get("selector"))


REPLICASET: Final = Flavour(REPLICASETS, _rs_selector, counts_terminating=True)
REPLICATION: Final = Flavour(REPLICATION_CONTROLLERS, _rc_selector, counts_terminating=False)

CONTROLLER: Final = controller("replicaset-controller", REPLICASET)
REPLICATION_CONTROLLER: Final = controller("replication-controller", REPLICATION)
