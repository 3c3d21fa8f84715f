"""DaemonSets: one pod on every node that fits. Behaviour: k8s.io/kubernetes pkg/controller/daemon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.client.cache import key_of
from sampan.control import adoption
from sampan.control.controller import Context, Controller, Watch, own, owner
from sampan.control.ownership import is_controlled_by
from sampan.control.plan import Emit, Update
from sampan.control.reconcile import DONE, After, Outcome, Retry, Terminal
from sampan.control_plane.controllers import daemons, pods, revisions
from sampan.control_plane.controllers.daemons import DAEMONSETS, View
from sampan.control_plane.controllers.node_lifecycle import NODES
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.revisions import REVISIONS

Object = dict[str, Any]

BACKOFF_FIRST: Final = 1.0  # seconds before a failed pod is replaced; doubles up to the cap
BACKOFF_CAP: Final = 900.0


async def reconcile(context: Context, key: str) -> Outcome:
    ds = context.store(DAEMONSETS).get(key)
    if ds is None:
        for known in [known for known in context.memory if known.startswith(f"{key}@")]:
            del context.memory[known]
        return DONE
    try:
        selector = _selector(ds)
    except SelectorError as error:
        return Terminal(error)
    if selector.empty:
        message = "This daemon set is selecting all pods. A non-empty selector is required."
        await context.execute.apply([Emit(ds, "Warning", "SelectingAll", message)])
        return DONE
    owned = await adoption.claimed(context, ds, DAEMONSETS, selector, PODS)
    await adoption.claimed(context, ds, DAEMONSETS, selector, REVISIONS)
    update, known_revisions = await revisions.sync(context, ds, DAEMONSETS)
    nodes = tuple(context.store(NODES))
    failure = None
    wait: float | None = None
    if not ds["metadata"].get("deletionTimestamp"):
        held, wait = _held_back(context, key, owned)
        view = View(ds, tuple(owned), nodes, update, held, context.clock.now())
        failure = (await context.execute.apply(daemons.plan(view))).error
    fresh = context.store(DAEMONSETS).get(key)
    if fresh is None:
        return DONE
    store = context.store(PODS)
    mine = tuple(pod for pod in store.by("owner", ds["metadata"]["uid"]) if is_controlled_by(pod, ds))
    view = View(fresh, mine, nodes, update, frozenset(), context.clock.now())
    made = daemons.status(view)
    if made != (fresh.get("status") or {}):
        applied = await context.execute.apply([Update(DAEMONSETS, fresh | {"status": made}, "status")])
        failure = failure or applied.error
    if failure is not None:
        return Retry(failure)
    live = {(pod["metadata"].get("labels") or {}).get(revisions.POD_LABEL, "") for pod in mine}
    live.add(update["metadata"]["name"])
    limit = fresh["spec"].get("revisionHistoryLimit", 10)
    await context.execute.apply(revisions.surplus(known_revisions, live, limit))
    waits = [w for w in (wait, pods.until_available(mine, view.min_ready, view.now)) if w is not None]
    return After(min(waits)) if waits else DONE


def _held_back(context: Context, key: str, owned: Iterable[Object]) -> tuple[frozenset[str], float | None]:
    """UIDs of failed pods that are not replaced yet, and the seconds until the first of them is."""
    now = context.clock.monotonic()
    held: set[str] = set()
    waits: list[float] = []
    for pod in owned:
        if pods.phase(pod) != "Failed" or pods.is_terminating(pod):
            continue
        place = f"{key}@{daemons.node_of(pod)}"
        uid = pod["metadata"]["uid"]
        known, due, delay = context.memory.get(place, ("", 0.0, BACKOFF_FIRST / 2))
        if known != uid:
            # a node whose pods failed long ago starts afresh
            delay = BACKOFF_FIRST if now > due + 2 * BACKOFF_CAP else min(BACKOFF_CAP, delay * 2)
            first = place not in context.memory
            due = now if first else now + delay
            context.memory[place] = (uid, due, delay)
        if due > now:
            held.add(uid)
            waits.append(due - now)
    return frozenset(held), min(waits) if waits else None


def _selector(ds: Object) -> Selector:
    return Selector.from_object(ds["spec"].get("selector"))


def _of_node(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """All sets, when a node comes, goes, or changes in what decides where daemons run."""
    if old is not None and new is not None and _shown(old) == _shown(new):
        return ()
    return [key_of(ds) for ds in context.store(DAEMONSETS)]


def _shown(node: Object) -> tuple[Any, ...]:
    return node["metadata"].get("labels"), node["spec"].get("taints")


CONTROLLER: Final = Controller(
    "daemonset-controller",
    (
        Watch(DAEMONSETS, own),
        Watch(PODS, adoption.both(owner("DaemonSet", "apps"), adoption.adopters(DAEMONSETS, _selector))),
        Watch(NODES, _of_node),
        Watch(REVISIONS),
    ),
    reconcile,
)
