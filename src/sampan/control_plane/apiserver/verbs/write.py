"""POST, PUT and DELETE."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sampan.api.status import ApiError, bad_request
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.registry import policies
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs import read
from sampan.control_plane.apiserver.verbs.scope import Scope, call, form, single_form
from sampan.control_plane.apiserver.wire import answer, body, options, represent

Object = dict[str, Any]

INERT: Final = "sampan stores {kind} objects but does not act on them yet"
WORKERS: Final = 5  # deletions in flight of one deletecollection


def decoded(scope: Scope, request: Request, action: Call, served: Served) -> Object:
    """The object in the body: decoded, checked, with defaults. Warnings and strictness as fieldValidation says."""
    strict = action.field_validation != "Ignore"
    sent = body.decode(request, strict=strict, expected=served.kind)
    if served.custom is not None:
        body.check_custom(sent.object, served.resource, request.body)
    obj = body.expect(sent.object, served.resource)
    if sent.repeated and action.field_validation == "Strict":
        raise bad_request(body.cannot_be_handled(served.resource, f"strict decoding error: {sent.repeated}"))
    if sent.repeated:
        action.warnings += [line.strip() for line in sent.repeated.splitlines()[1:]]
    return scope.store.rules.admit_fields(action, obj, sent.duplicates)


async def create(scope: Scope, request: Request, route: Route, served: Served, user: User) -> Response:
    made = single_form(scope, request, served)
    action = call(request, route, served, user, "CreateOptions")
    obj = decoded(scope, request, action, served)
    if served.inert:
        action.warnings.append(INERT.format(kind=served.kind))
    record = await scope.store.create(action, obj)
    return answer.body(made.encode(record), 201, action.warnings)


async def update(scope: Scope, request: Request, route: Route, served: Served, user: User) -> Response:
    made = single_form(scope, request, served)
    action = call(request, route, served, user, "UpdateOptions")
    sent = decoded(scope, request, action, served)
    name = sent["metadata"].get("name")
    if not name:
        raise bad_request(
            f"the name of the object ({route.name} based on URL) was undeterminable: name must be provided"
        )
    if name != route.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({route.name})"
        )
    if served.inert:
        action.warnings.append(INERT.format(kind=served.kind))

    async def replace(old: Object | None) -> Object:
        obj = scope.store.rules.copy(sent)
        if action.subresource == "finalize" and old is not None:
            obj["status"] = old.get("status")  # not the writer's to say, so not the writer's to own
        return scope.store.rules.manage(action, old, obj)

    may_create = served.key in policies.CREATED_BY_UPDATE and not action.subresource
    written = await scope.store.update(action, replace, create=may_create)
    return answer.body(made.encode(written.record), 201 if written.created else 200, action.warnings)


def delete_options(request: Request) -> Object:
    """From the body or, without one, from the query. Raises ApiError 400."""
    if not request.body:
        return options.deletion(request)
    sent = body.decode(request, strict=False).object
    kind = sent.pop("kind", "DeleteOptions")
    request_version = sent.pop("apiVersion", None)
    if kind != "DeleteOptions":
        version = request_version or "v1"
        raise bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    error = body.typed(sent, "v1", "DeleteOptions")
    if error:
        raise bad_request(error)
    return sent


def _deletion_call(request: Request, route: Route, served: Served, user: User, given: Object) -> Call:
    return Call(
        served,
        user,
        route.place,
        route.name,
        dry_run=bool(given.get("dryRun")),
    )


async def delete(scope: Scope, request: Request, route: Route, served: Served, user: User) -> Response:
    made = single_form(scope, request, served)
    given = delete_options(request)
    action = _deletion_call(request, route, served, user, given)
    deleted = await scope.removal.delete(action, given)
    if deleted.gone and served.key not in policies.DELETION_SHOWS_OBJECT:
        return answer.json(answer.success(_details(served, deleted.record)), 200, action.warnings)
    return answer.body(made.encode(deleted.record), 200, action.warnings)


def _details(served: Served, record: Record) -> Object:
    details: Object = {"name": record.name}
    if served.group:
        details["group"] = served.group
    return {**details, "kind": served.resource.plural, "uid": record.object["metadata"].get("uid", "")}


async def delete_collection(
    scope: Scope, request: Request, route: Route, served: Served, user: User
) -> Response:
    made = form(scope, request, served)
    listing = options.listing(request)
    options.check_list(listing)
    wanted = read.selection(route, served, listing)
    given = delete_options(request)
    records = [record for record in served.table.select(wanted) if wanted.matches(record)]
    warnings: list[str] = []
    turn = asyncio.Semaphore(WORKERS)

    async def one(record: Record) -> None:
        async with turn:
            action = Call(served, user, record.namespace, record.name, dry_run=bool(given.get("dryRun")))
            action.warnings = warnings
            try:
                await scope.removal.delete(action, dict(given))
            except ApiError as error:
                if error.code != 404:
                    raise

    await asyncio.gather(*(one(record) for record in records))
    metadata = represent.list_metadata(scope.cache.revision)
    return answer.body(represent.whole_list(made, records, metadata), 200, warnings)
