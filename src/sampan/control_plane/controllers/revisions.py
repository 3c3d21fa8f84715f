"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, as `kubectl rollout` reads them.

Behaviour: k8s.io/kubernetes pkg/controller/history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.control.controller import Context
from sampan.control.ownership import controller_ref, is_controlled_by
from sampan.control.plan import Create, Delete, Patch
from sampan.control_plane.controllers import hashing

Object = dict[str, Any]

REVISIONS: Final = kinds.of("apps/v1", "ControllerRevision")
HASH: Final = "controller.kubernetes.io/hash"
POD_LABEL: Final = "controller-revision-hash"


class Wanted(NamedTuple):
    """The revision of the owner's present template: one that exists, and the write that is due, if any."""

    found: Object | None
    action: Create | Patch | None


def ordered(revisions: Iterable[Object]) -> list[Object]:
    """Oldest first."""
    return sorted(
        revisions, key=lambda r: (r["revision"], r["metadata"].get("creationTimestamp", ""), _name(r))
    )


def template_of(revision: Object) -> Object:
    """The pod template that a revision holds."""
    template = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


def wanted(owner: Object, resource: Resource, revisions: Sequence[Object]) -> Wanted:
    """`revisions` are the owner's, ordered."""
    template = owner["spec"]["template"]
    equal = [r for r in revisions if template_of(r) == template]
    following = revisions[-1]["revision"] + 1 if revisions else 1
    if not equal:
        return Wanted(None, _create(owner, resource, following))
    latest = equal[-1]
    if latest is revisions[-1]:
        return Wanted(latest, None)
    meta = latest["metadata"]
    body = {
        "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
        "revision": following,
    }
    return Wanted(latest, Patch(REVISIONS, meta["namespace"], meta["name"], body))


def _create(owner: Object, resource: Resource, number: int) -> Create:
    meta, template = owner["metadata"], owner["spec"]["template"]
    digest = hashing.of(template, (owner.get("status") or {}).get("collisionCount") or 0)
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{meta['name'][:223]}-{digest}",
            "namespace": meta["namespace"],
            "labels": {**((template.get("metadata") or {}).get("labels") or {}), HASH: digest},
            "annotations": dict(meta.get("annotations") or {}),
            "ownerReferences": [controller_ref(owner, resource)],
        },
        "data": {"spec": {"template": template | {"$patch": "replace"}}},
        "revision": number,
    }
    return Create(REVISIONS, revision, meta["namespace"])


async def sync(context: Context, owner: Object, resource: Resource) -> tuple[Object, list[Object]]:
    """(the revision of the present template, all of the owner's, oldest first); makes what is missing.

    Raises ApiError; with reason AlreadyExists when the name is taken by another template.
    """
    store = context.store(REVISIONS)
    uid = owner["metadata"]["uid"]
    mine = ordered(r for r in store.by("owner", uid) if is_controlled_by(r, owner))
    now = wanted(owner, resource, mine)
    if now.action is not None:
        applied = await context.execute.apply([now.action])
        if applied.error is not None:
            raise applied.error
        mine = ordered(r for r in store.by("owner", uid) if is_controlled_by(r, owner))
        now = wanted(owner, resource, mine)
    if now.found is None:
        raise ApiError(409, "Conflict", f"revision of {owner['metadata']['name']} is not there yet")
    return now.found, mine


def surplus(revisions: Sequence[Object], live: Iterable[str], limit: int) -> list[Delete]:
    """The oldest revisions beyond the limit, except those whose name or hash is in use."""
    used = set(live)
    idle = [r for r in revisions if _name(r) not in used and digest_of(r) not in used]
    return [
        Delete(REVISIONS, r["metadata"]["namespace"], _name(r), r["metadata"]["uid"])
        for r in idle[: max(0, len(idle) - limit)]
    ]


def digest_of(revision: Object) -> str:
    return str((revision["metadata"].get("labels") or {}).get(HASH, ""))


def _name(revision: Object) -> str:
    return str(revision["metadata"]["name"])
