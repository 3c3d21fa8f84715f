"""Writing and deleting a release's objects, by server-side apply or by the client's own patches.

helm 4.3 pkg/kube/client.go: creation goes kind by kind in the order of the list, objects of one kind together.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

from sampan.api.kinds import BUILT_IN
from sampan.api.patch import merge, strategic
from sampan.api.schema import builtin
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import ownership
from sampan.apps.helm.kube.objects import Object, Target
from sampan.client.rest import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Client

MANAGER = "helm"
_BUILT_IN_GROUPS = frozenset(resource.group for resource in BUILT_IN) - {
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
}


class How(NamedTuple):
    """How objects are written. `server_side` is server-side apply; `force` takes fields from other managers;
    `replace` overwrites whole objects (--force-replace)."""

    server_side: bool = True
    force: bool = False
    replace: bool = False
    dry_run: bool = False


class Changed(NamedTuple):
    created: tuple[Target, ...] = ()
    updated: tuple[Target, ...] = ()
    deleted: tuple[Target, ...] = ()


async def live(client: Client, target: Target) -> Object | None:
    """The object as the cluster has it, or None."""
    try:
        return await client.get(target.resource, target.name, target.namespace or None)
    except ApiError as error:
        if error.code == 404:
            return None
        raise


async def find_existing(
    client: Client, targets: list[Target], release: str, namespace: str, *, take: bool
) -> list[Target]:
    """Those that exist already and are (or with `take` become) the release's. Raises HelmError for somebody else's."""
    adopted = []
    found = await asyncio.gather(*(live(client, target) for target in targets))
    for target, existing in zip(targets, found, strict=True):
        if existing is None:
            continue
        if not take and (problems := ownership.complaints(existing, release, namespace)):
            raise HelmError(ownership.refusal(target, problems))
        adopted.append(target)
    return adopted


async def create(client: Client, targets: list[Target], how: How) -> None:
    """Creates all, kind by kind. Raises ApiError of the first that fails."""
    for _, group in itertools.groupby(targets, key=lambda target: target.resource.kind):
        await _together(_create(client, target, how) for target in group)


async def _together(work: Iterable[Any]) -> None:
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _create(client: Client, target: Target, how: How) -> None:
    if how.server_side:
        await _apply(client, target, how)
        return
    await client.create(
        target.resource, target.obj, target.namespace or None, dry_run=how.dry_run, field_manager=MANAGER
    )


async def _apply(client: Client, target: Target, how: How) -> None:
    try:
        await client.apply(
            target.resource,
            target.obj,
            target.namespace or None,
            field_manager=MANAGER,
            force=how.force,
            dry_run=how.dry_run,
            field_validation="Strict",
        )
    except ApiError as error:
        if error.reason == "Conflict":
            raise HelmError(
                f"conflict occurred while applying object {target.namespace}/{target.name} "
                f"{target.resource.api_version}, Kind={target.resource.kind}: {error.message}"
            ) from error
        raise


async def update(client: Client, original: list[Target], wanted: list[Target], how: How) -> Changed:
    """Makes the cluster have `wanted` where it had `original`: creates, patches, and deletes what is no more wanted."""
    before = {target.key: target for target in original}
    created, updated = [], []
    for target in wanted:
        existing = await live(client, target)
        if existing is None:
            await _create(client, target, how)
            created.append(target)
            continue
        await _update(client, before.get(target.key), target, existing, how)
        updated.append(target)
    keys = {target.key for target in wanted}
    gone = [target for target in original if target.key not in keys]
    deleted = await delete(client, gone, "background") if not how.dry_run else []
    return Changed(tuple(created), tuple(updated), tuple(deleted))


async def _update(client: Client, old: Target | None, target: Target, existing: Object, how: How) -> None:
    if how.replace:
        meta = {**target.obj["metadata"], "resourceVersion": existing["metadata"]["resourceVersion"]}
        await client.replace(
            target.resource,
            {**target.obj, "metadata": meta},
            target.namespace or None,
            dry_run=how.dry_run,
            field_manager=MANAGER,
        )
    elif how.server_side:
        await _apply(client, target, how)
    else:
        await _patch(client, old.obj if old else existing, target, existing, how)


async def _patch(client: Client, original: Object, target: Target, existing: Object, how: How) -> None:
    """Built-in kinds by a strategic three-way patch, others by a JSON merge patch of old and new manifest."""
    schema = builtin.for_kind(target.resource.api_version, target.resource.kind)
    if schema is not None and target.resource.group in _BUILT_IN_GROUPS:
        body = strategic.three_way(original, target.obj, existing, schema)
        kind = STRATEGIC_MERGE_PATCH
    else:
        body = merge.three_way(original, target.obj, original)
        kind = MERGE_PATCH
    if not body:
        return
    await client.patch(
        target.resource,
        target.name,
        body,
        target.namespace or None,
        content_type=kind,
        dry_run=how.dry_run,
        field_manager=MANAGER,
    )


PROPAGATION = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


async def delete(client: Client, targets: list[Target], cascade: str) -> list[Target]:
    """Deletes what is there and is not kept; returns what was deleted. Raises HelmError that names all failures."""
    deleted, failures = [], []
    for target in targets:
        existing = await live(client, target)
        if existing is None or ownership.is_kept(existing) or ownership.is_kept(target.obj):
            continue
        try:
            await client.delete(
                target.resource, target.name, target.namespace or None, propagation=PROPAGATION[cascade]
            )
        except ApiError as error:
            if error.code != 404:
                failures.append(error.message)
                continue
        deleted.append(target)
    if failures:
        raise HelmError("; ".join(failures))
    return deleted
