"""Namespaces that are deleted: all that is in them goes, of every kind that the server has, then they do.

Behaviour, conditions, texts: k8s.io/kubernetes pkg/controller/namespace/deletion. Pods go first, as there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.reconcile import DONE, After, Outcome, Retry
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import conditions
from sampan.control_plane.controllers.pods import PODS
from sampan.control_plane.controllers.serviceaccount import NAMESPACES

Object = dict[str, Any]

FINALIZER: Final = "kubernetes"
AT_ONCE: Final = 16  # requests
AGAIN: Final = 1.0  # seconds between looks at what remains


class Remains(NamedTuple):
    """What one round of deleting has found."""

    counts: dict[str, int]  # objects left, by plural.group
    finalizers: dict[str, int]  # objects that hold one, by finalizer
    failures: tuple[str, ...]
    undiscovered: tuple[str, ...]


def status(namespace: Object, found: Remains, now: float) -> Object:
    """The namespace's status with the five conditions."""
    made = dict(namespace.get("status") or {})
    told = (
        (
            "NamespaceDeletionDiscoveryFailure",
            ("DiscoveryFailed", "Discovery failed for some groups, " + _groups(found.undiscovered)),
            ("ResourcesDiscovered", "All resources successfully discovered"),
            bool(found.undiscovered),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            ("", ""),
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
            False,
        ),
        (
            "NamespaceDeletionContentFailure",
            ("ContentDeletionFailed", "Failed to delete all resource types, " + _failures(found.failures)),
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            bool(found.failures),
        ),
        (
            "NamespaceContentRemaining",
            ("SomeResourcesRemain", "Some resources are remaining: " + _counts(found.counts)),
            ("ContentRemoved", "All content successfully removed"),
            bool(found.counts),
        ),
        (
            "NamespaceFinalizersRemaining",
            (
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: " + _held(found.finalizers),
            ),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
            bool(found.finalizers),
        ),
    )
    for kind, bad, good, failed in told:
        reason, text = bad if failed else good
        _set(made, kind, "True" if failed else "False", reason, text, now)
    return made


def _set(made: Object, kind: str, value: str, reason: str, text: str, now: float) -> None:
    current = conditions.find(made, kind)
    if current is None:
        since = stamp(now)
    elif (current["status"], current.get("reason"), current.get("message")) == (value, reason, text):
        return
    else:
        since = current["lastTransitionTime"] if current["status"] == value else stamp(now)
    made_condition = {
        "type": kind,
        "status": value,
        "lastTransitionTime": since,
        "reason": reason,
        "message": text,
    }
    listed = list(made.get("conditions") or ())
    at = next((i for i, c in enumerate(listed) if c["type"] == kind), len(listed))
    made["conditions"] = [*listed[:at], made_condition, *listed[at + 1 :]]


def _groups(groups: Sequence[str]) -> str:
    return f"{len(groups)} failing: {', '.join(groups)}"


def _failures(failures: Sequence[str]) -> str:
    return f"{len(failures)} failing: {'; '.join(failures)}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} has {count} resource instances" for name, count in sorted(counts.items()))


def _held(finalizers: dict[str, int]) -> str:
    return ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))


async def reconcile(context: Context, key: str) -> Outcome:
    namespace = context.store(NAMESPACES).get(key)
    if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
        return DONE
    if FINALIZER not in (namespace["spec"].get("finalizers") or ()):
        return DONE
    found = await _empty(context, key)
    made = status(namespace, found, context.clock.now())
    if made != namespace.get("status"):
        try:
            namespace = await context.client.replace_status(NAMESPACES, namespace | {"status": made})
        except ApiError as error:
            return DONE if error.code == 404 else Retry(error)
        context.execute.observe(NAMESPACES, namespace)
    if found.failures or found.undiscovered:
        return Retry(RuntimeError("; ".join((*found.failures, *found.undiscovered))))
    if found.counts:
        return After(AGAIN)
    return await _finalize(context, namespace)


async def _finalize(context: Context, namespace: Object) -> Outcome:
    kept = [name for name in namespace["spec"]["finalizers"] if name != FINALIZER]
    body = namespace | {"spec": namespace["spec"] | {"finalizers": kept}}
    try:
        answer = await context.client.replace(NAMESPACES, body, subresource="finalize")
    except ApiError as error:
        return DONE if error.code == 404 else Retry(error)
    context.execute.observe(NAMESPACES, answer)
    return DONE


async def _empty(context: Context, namespace: str) -> Remains:
    """Deletes what can be deleted now and tells what is left."""
    try:
        known = await context.client.discovery.preferred(fresh=True)
    except ApiError as error:
        return Remains({}, {}, (), (str(error),))
    found = await _delete(context, PODS, namespace)
    if found.counts or found.failures:  # pods may need their Secrets and claims to end well
        return found
    wanted = [
        resource
        for resource in known
        if resource.namespaced and {"list", "delete"} <= set(resource.verbs) and resource != PODS
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(resource: Resource) -> Remains:
        async with gate:
            return await _delete(context, resource, namespace)

    rounds = await asyncio.gather(*(one(resource) for resource in wanted))
    held: Counter[str] = Counter()
    for each in rounds:
        held.update(each.finalizers)
    return Remains(
        {name: count for each in rounds for name, count in each.counts.items()},
        dict(held),
        tuple(failure for each in rounds for failure in each.failures),
        context.client.discovery.stale,
    )


async def _delete(context: Context, resource: Resource, namespace: str) -> Remains:
    client = context.client
    name = f"{resource.plural}.{resource.group}"
    try:
        first = await client.list(resource, namespace, metadata_only=True)
        if first["items"]:
            if "deletecollection" in resource.verbs:
                await client.delete_collection(resource, namespace, propagation="Background")
            else:
                for item in first["items"]:
                    await _delete_one(context, resource, namespace, item["metadata"]["name"])
            first = await client.list(resource, namespace, metadata_only=True)
    except ApiError as error:
        if error.code in (404, 405):  # the kind has gone, or cannot be deleted
            return Remains({}, {}, (), ())
        return Remains({}, {}, (f"{name}: {error}",), ())
    left = first["items"]
    held = Counter(f for item in left for f in item["metadata"].get("finalizers") or ())
    return Remains({name: len(left)} if left else {}, dict(held), (), ())


async def _delete_one(context: Context, resource: Resource, namespace: str, name: str) -> None:
    try:
        await context.client.delete(resource, name, namespace, propagation="Background")
    except ApiError as error:
        if error.code != 404:
            raise


def _of_pod(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """The last pods of a namespace that ends are worth a look at once."""
    if new is not None or old is None:
        return ()
    name = old["metadata"]["namespace"]
    namespace = context.store(NAMESPACES).get(name)
    return (name,) if namespace is not None and namespace["metadata"].get("deletionTimestamp") else ()


CONTROLLER: Final = Controller(
    "namespace-controller", (Watch(NAMESPACES, own), Watch(PODS, _of_pod)), reconcile, workers=4
)
