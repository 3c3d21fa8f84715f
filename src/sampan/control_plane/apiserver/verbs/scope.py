"""What every verb works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sampan.base.http.model import Request
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.cache.cache import Cache
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.removal import Removal
from sampan.control_plane.apiserver.registry.resources import Resources, Served
from sampan.control_plane.apiserver.registry.store import Store
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.storage import Storage
from sampan.control_plane.apiserver.wire import accept, options, printers, represent

MANAGER_LIMIT = 128


class Scope(NamedTuple):
    """The server's parts, as verbs and subresources see them."""

    storage: Storage
    cache: Cache
    resources: Resources
    store: Store
    removal: Removal
    clock: Callable[[], float]


def form(scope: Scope, request: Request, served: Served) -> represent.Form:
    """How the client wants to see what it gets. Raises ApiError 406."""
    header = request.headers.get("accept", "")
    wanted = accept.negotiate(header)
    if wanted.form == accept.PARTIAL_LIST:
        wanted = wanted._replace(form=accept.PARTIAL)
    include = request.argument("includeObject") if wanted.form == accept.TABLE and request.query else ""
    return represent.form(served, wanted, include, printers.printer, scope.clock)


def single_form(scope: Scope, request: Request, served: Served) -> represent.Form:
    """The same for one object, which is no list."""
    if accept.negotiate(request.headers.get("accept", "")).form == accept.PARTIAL_LIST:
        raise accept.refusal()
    return form(scope, request, served)


def call(request: Request, route: Route, served: Served, user: User, kind: str) -> Call:
    """A write with its options; `kind`: CreateOptions, UpdateOptions, PatchOptions."""
    given = options.writing(request, kind)
    return Call(
        served,
        user,
        route.place,
        route.name,
        subresource=route.subresource,
        manager=given.manager or manager_of(request.headers.get("user-agent", "")),
        dry_run=given.dry_run,
        field_validation=given.field_validation,
        options=given.to_object(kind),
    )


def manager_of(user_agent: str) -> str:
    """The field manager of a client that names none: its user agent up to the version, printable, at most 128 bytes."""
    name = "".join(c for c in user_agent.partition("/")[0] if c.isprintable())
    return name[:MANAGER_LIMIT] or "unknown"
