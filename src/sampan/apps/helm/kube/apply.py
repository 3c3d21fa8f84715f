"""Writing and deleting a release's objects, by server-side apply or by the client's own patches.

helm 4.3 pkg/kube/client.go: creation goes kind by kind in the order of the list, objects of one kind together; an
update goes object by object, and what fails does not keep the rest from being tried.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from sampan.api.kinds import BUILT_IN
from sampan.api.patch import merge, strategic
from sampan.api.schema import builtin
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import migrate, ownership
from sampan.apps.helm.kube.objects import Object, Target
from sampan.client.rest import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, Client

T = TypeVar("T")

MANAGER = "helm"
TRIES = 5
PAUSE_SECONDS = 0.01
"""client-go util/retry DefaultRetry: five tries, ten milliseconds between them at first."""

_BUILT_IN_GROUPS = frozenset(resource.group for resource in BUILT_IN) - {
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
}


class How(NamedTuple):
    """How objects are written. `server_side` is server-side apply; `force` takes fields from other managers;
    `replace` overwrites whole objects (--force-replace); `migrate` moves fields that client-side apply owned;
    `three_way` looks at live custom resources too, when the client patches them."""

    server_side: bool = True
    force: bool = False
    replace: bool = False
    migrate: bool = False
    three_way: bool = False


class Changed(NamedTuple):
    created: tuple[Target, ...] = ()
    updated: tuple[Target, ...] = ()
    deleted: tuple[Target, ...] = ()


class Incomplete(HelmError):
    """An update that failed; `changed` is what was tried before."""

    def __init__(self, message: str, changed: Changed) -> None:
        super().__init__(message)
        self.changed = changed


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
    named = [target for target in targets if target.name]
    found = await asyncio.gather(*(_look(client, target) for target in named))
    for target, existing in zip(named, found, strict=True):
        if existing is None:
            continue
        if not take and (problems := ownership.complaints(existing, release, namespace)):
            raise HelmError(ownership.refusal(target, problems))
        adopted.append(target)
    return adopted


async def _look(client: Client, target: Target) -> Object | None:
    try:
        return await live(client, target)
    except ApiError as error:
        raise HelmError(
            f"could not get information about the resource {ownership.described(target)}: {error.message}"
        ) from error


async def create(client: Client, targets: list[Target], how: How) -> None:
    """Creates all, kind by kind; every failure is told. Raises HelmError."""
    failures: list[str] = []
    for _, group in itertools.groupby(targets, key=lambda target: target.resource.kind):
        results = await asyncio.gather(
            *(_create(client, target, how) for target in group), return_exceptions=True
        )
        for result in results:
            if isinstance(result, HelmError | ApiError):
                failures.append(str(result))
            elif isinstance(result, BaseException):
                raise result
    if failures:
        raise HelmError("\n".join(failures))


async def _create(client: Client, target: Target, how: How) -> None:
    if how.server_side and target.name:
        await _apply(client, target, how)
        return
    await _retried(
        lambda: client.create(target.resource, target.obj, target.namespace or None, field_manager=MANAGER)
    )


async def _retried(
    call: Callable[[], Awaitable[T]], retryable: Callable[[ApiError], bool] | None = None
) -> T:
    """The call, tried again when something else changed the object in between."""
    pause = PAUSE_SECONDS
    for _ in range(TRIES - 1):
        try:
            return await call()
        except ApiError as error:
            if not (retryable(error) if retryable else error.reason == "Conflict"):
                raise
        await asyncio.sleep(pause)
        pause *= 2
    return await call()


def _quota_conflict(error: ApiError) -> bool:
    """A quota that two requests counted at once; the next try finds it settled."""
    return error.reason == "Conflict" and error.kind == "resourcequotas"


async def _apply(client: Client, target: Target, how: How) -> None:
    try:
        await _retried(
            lambda: client.apply(
                target.resource,
                target.obj,
                target.namespace or None,
                field_manager=MANAGER,
                force=how.force,
                field_validation="Strict",
            ),
            _quota_conflict,
        )
    except ApiError as error:
        if error.code == 415:
            raise HelmError(f"server-side apply not available on the server: {error.message}") from error
        what = (
            "conflict occurred while applying"
            if error.reason == "Conflict"
            else "server-side apply failed for"
        )
        raise HelmError(f"{what} object {target.full}: {error.message}") from error


def check(how: How) -> None:
    """Refuses ways that exclude each other. Raises HelmError."""
    if how.force and not how.server_side:
        raise HelmError(
            "invalid client update option(s): forceConflicts enabled when serverSideApply disabled"
        )
    if how.force and how.replace:
        raise HelmError("invalid operation: cannot use force conflicts and force replace together")
    if how.server_side and how.replace:
        raise HelmError("invalid operation: cannot use server-side apply and force replace together")


async def update(client: Client, original: list[Target], wanted: list[Target], how: How) -> Changed:
    """Makes the cluster have `wanted` where it had `original`: creates, patches, and deletes what is no more wanted.

    Raises Incomplete with everything that went wrong, and what was tried.
    """
    check(how)
    before = {target.key: target for target in original}
    changed = Changed()
    failures: list[str] = []
    for target in wanted:
        try:
            existing = await live(client, target) if target.name else None
            if existing is None:
                changed = changed._replace(created=(*changed.created, target))
                await _create(client, target, how)
                continue
        except (HelmError, ApiError) as error:
            what = (
                "failed to create resource"
                if target in changed.created
                else "could not get information about the resource"
            )
            raise Incomplete(f"{what}: {error}", changed) from error
        changed = changed._replace(updated=(*changed.updated, target))
        try:
            await _update(client, before.get(target.key), target, existing, how)
        except (HelmError, ApiError) as error:
            failures.append(str(error))
    if failures:
        raise Incomplete(" && ".join(failures), changed)
    keys = {target.key for target in wanted}
    gone = [target for target in original if target.key not in keys]
    return await _remove(client, gone, changed)


async def _remove(client: Client, gone: list[Target], changed: Changed) -> Changed:
    """Deletes what the new manifest has no more, unless the live object asks to stay."""
    failures: list[str] = []
    for target in gone:
        existing = await live(client, target)
        if existing is None or ownership.is_kept(existing):
            continue
        try:
            await _delete(client, target, "background")
        except ApiError as error:
            if error.code != 404:
                failures.append(
                    f"failed to delete resource namespace={target.namespace}, name={target.name}, "
                    f"kind={target.resource.kind}: {error.message}"
                )
            continue
        changed = changed._replace(deleted=(*changed.deleted, target))
    if failures:
        raise Incomplete(" && ".join(failures), changed)
    return changed


async def _update(client: Client, old: Target | None, target: Target, existing: Object, how: How) -> None:
    if how.replace:
        await _replace(client, target)
    elif how.server_side:
        if how.migrate:
            await _migrate(client, target, existing)
        await _apply(client, target, how)
    else:
        await _patch(client, old.obj if old else existing, target, existing, three_way=how.three_way)


async def _replace(client: Client, target: Target) -> None:
    async def once() -> Object:
        existing = await live(client, target)
        version = existing["metadata"]["resourceVersion"] if existing else None
        meta = {**target.obj["metadata"], **({"resourceVersion": version} if version else {})}
        return await client.replace(
            target.resource,
            {**target.obj, "metadata": meta},
            target.namespace or None,
            field_manager=MANAGER,
            field_validation="Strict",
        )

    try:
        await _retried(once)
    except ApiError as error:
        raise HelmError(f"failed to replace object: {error.message}") from error


async def _migrate(client: Client, target: Target, existing: Object) -> None:
    """Fields that we owned by updates become owned by apply, so that they go when the manifest drops them."""
    found: Object | None = existing

    async def once() -> None:
        nonlocal found
        known, found = found or await live(client, target), None
        body = migrate.patch(known, MANAGER) if known else []
        if body:
            await client.patch(
                target.resource,
                target.name,
                body,
                target.namespace or None,
                content_type=JSON_PATCH,
                field_manager=MANAGER,
            )

    try:
        await _retried(once)
    except ApiError as error:
        raise HelmError(
            f"failed to patch object to upgrade CSA field manager {target.full}: {error.message}"
        ) from error


async def _patch(
    client: Client, original: Object, target: Target, existing: Object, *, three_way: bool = False
) -> None:
    """Built-in kinds by a strategic three-way patch, others by a JSON merge patch of old and new manifest."""
    schema = builtin.for_kind(target.resource.api_version, target.resource.kind)
    body: Any
    if schema is not None and target.resource.group in _BUILT_IN_GROUPS:
        body = strategic.three_way(original, target.obj, existing, schema)
        kind = STRATEGIC_MERGE_PATCH
    else:
        body = merge.three_way(original, target.obj, existing if three_way else original)
        kind = MERGE_PATCH
    if not body:
        return
    try:
        await client.patch(
            target.resource,
            target.name,
            body,
            target.namespace or None,
            content_type=kind,
            field_manager=MANAGER,
        )
    except ApiError as error:
        raise HelmError(
            f'cannot patch "{target.name}" with kind {target.resource.kind}: {error.message}'
        ) from error


PROPAGATION = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


async def _delete(client: Client, target: Target, cascade: str) -> None:
    await _retried(
        lambda: client.delete(
            target.resource, target.name, target.namespace or None, propagation=PROPAGATION[cascade]
        )
    )


async def delete(client: Client, targets: list[Target], cascade: str) -> list[str]:
    """Deletes all, kind by kind, and tells what failed; what is gone already is fine."""
    failures: list[str] = []
    for _, group in itertools.groupby(targets, key=lambda target: target.resource.kind):
        results = await asyncio.gather(
            *(_delete(client, target, cascade) for target in group), return_exceptions=True
        )
        for result in results:
            if isinstance(result, ApiError):
                failures += [result.message] if result.code != 404 else []
            elif isinstance(result, BaseException):
                raise result
    return failures
