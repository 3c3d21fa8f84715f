"""From request to answer: who asks, for what, may they, and then the verb.

The path of a GET is short on purpose: what was parsed, authenticated and authorized for a connection is remembered
there, and the answer is bytes that lie ready.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sampan.api import kinds
from sampan.api.status import ApiError, internal, method_not_allowed, not_found, timeout
from sampan.base.http.model import Answer, Request, Response, Streaming
from sampan.control_plane.apiserver import routing
from sampan.control_plane.apiserver.authn import connection
from sampan.control_plane.apiserver.authn.authenticator import Authenticator
from sampan.control_plane.apiserver.authn.impersonation import impersonate
from sampan.control_plane.apiserver.authn.model import NODES, Peer, User
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer, denial
from sampan.control_plane.apiserver.discovery import unknown_path
from sampan.control_plane.apiserver.metrics import Registry
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs import patch, read, watch, write
from sampan.control_plane.apiserver.verbs.scope import Scope
from sampan.control_plane.apiserver.wire import answer
from sampan.control_plane.apiserver.wire.options import is_true

log = logging.getLogger(__name__)

REMEMBERED: Final = 4096
RBAC: Final = "rbac.authorization.k8s.io"
RBAC_RESOURCES: Final = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
TOKEN_SECONDS: Final = (
    1.0  # for which a connection's token is not looked at again; upstream's token cache keeps 10
)
WRITES: Final = frozenset({"create", "update", "patch"})
SELECTED: Final = frozenset({"list", "watch", "deletecollection"})

NOT_ALLOWED: Final = ApiError(
    405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
)

READS: Final = ("GET", "HEAD")
READ_ONLY: Final = ("/api", "/version", "/openapi")  # documents that answer to nothing but reads
_GROUPS: Final = frozenset(found.group for found in kinds.group_versions())

# what is no API path at all is answered as Go's mux does
NOT_FOUND: Final = answer.text("404 page not found\n", 404)

PathHandler = Callable[[Request, User], "Answer | Awaitable[Answer] | None"]
SubresourceHandler = Callable[[Request, Route, Served, User], "Answer | Awaitable[Answer]"]


class Known:
    """What was found out about a method and path, once."""

    __slots__ = ("labels", "route", "served")

    def __init__(self, route: Route, served: Served | None) -> None:
        self.route = route
        self.served = served
        scope = "resource" if route.name else "namespace" if route.namespace else "cluster"
        self.labels = (
            route.verb.upper(),
            route.group,
            route.version,
            route.resource,
            route.subresource,
            scope if route.resource else "",
        )


class Memory:
    """What a connection remembers: who its peer is, whose requests were allowed, the last token."""

    __slots__ = ("allowed", "peer", "stamp", "token", "token_until", "token_user", "user")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.user: User | None = None  # fixed for the life of the connection
        self.token = ""
        self.token_user: User | None = None
        self.token_until = 0.0
        self.allowed: dict[Route, User] = {}
        self.stamp = -1


class Handler:
    """paths: asked in order for what is no resource; subresources: by storage key and name, then by name alone.

    virtual: resources that are answered, not stored (reviews), by group and plural.
    """

    def __init__(
        self,
        scope: Scope,
        authenticator: Authenticator,
        authorizer: Authorizer,
        *,
        metrics: Registry,
        request_timeout: float,
        paths: tuple[PathHandler, ...],
        subresources: Mapping[tuple[str, str, str], SubresourceHandler],
        virtual: Mapping[tuple[str, str], SubresourceHandler],
    ) -> None:
        self._scope = scope
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._timeout = request_timeout
        self._paths = paths
        self._subresources = subresources
        self._virtual = virtual
        self._routes: dict[tuple[str, str], Known] = {}
        self._roles = [scope.cache.table(RBAC, plural) for plural in RBAC_RESOURCES]
        scope.resources.on_change(self._routes.clear)
        labels = ("verb", "group", "version", "resource", "subresource", "scope", "code")
        self._count = metrics.counter("apiserver_request_total", "Counter of apiserver requests.", labels)
        self._latency = metrics.histogram(
            "apiserver_request_duration_seconds", "Response latency in seconds.", labels[:-1]
        )
        self._inflight = {"mutating": 0, "readOnly": 0}
        metrics.gauge(
            "apiserver_current_inflight_requests",
            "Requests in progress, by kind.",
            ("request_kind",),
            lambda: [((kind,), float(count)) for kind, count in self._inflight.items()],
        )

    def __call__(self, request: Request) -> Answer | Awaitable[Answer]:
        started = time.perf_counter()
        known = self._known(request)
        route = known.route
        try:
            memory = request.connection.memory.get("api") or self._remember(request)
            user = self._user(request, memory)
            if route.verb in SELECTED and request.query:
                route = self._selected(request, route)
            self._authorize(request, route, user, memory)
            found = self._dispatch(request, route, known.served, user)
        except ApiError as error:
            return self._done(known, started, answer.error(error))
        if isinstance(found, (Response, Streaming)):
            return self._done(known, started, found)
        if isinstance(found, Awaitable):
            return self._later(known, started, found)
        return found

    # -- what is asked

    def _known(self, request: Request) -> Known:
        method = request.method
        key = (method, request.path)
        if method == "GET" and "watch=" in request.query and is_true(request, "watch"):
            key = ("WATCH", request.path)
        known = self._routes.get(key)
        if known is None:
            if len(self._routes) >= REMEMBERED:
                self._routes.clear()
            known = self._routes[key] = self._find(method, request.path, watch=key[0] == "WATCH")
        return known

    def _find(self, method: str, path: str, *, watch: bool) -> Known:
        route = routing.parse(method, path)
        served = None
        if route.resource:
            served = self._scope.resources.find(route.group, route.version, route.resource)
            if served is not None and served.resource.namespaced:
                route = route._replace(place=route.namespace)
        if watch and route.verb == "list":
            route = route._replace(verb="watch")
        return Known(route, served)

    @staticmethod
    def _selected(request: Request, route: Route) -> Route:
        """The route with the name that a field selector pins down: rights may be given by name."""
        fields = request.argument("fieldSelector")
        if fields.startswith("metadata.name=") and "," not in fields and not route.name:
            return route._replace(name=fields.removeprefix("metadata.name=").removeprefix("="))
        return route

    # -- who asks

    def _remember(self, request: Request) -> Memory:
        peer = connection.peer(request.connection.identity, request.connection.peer_certificate)
        memory = Memory(peer)
        if peer.user is not None or peer.certificate is not None:
            memory.user = self._authenticator.authenticate(peer)
        request.connection.memory["api"] = memory
        return memory

    def _user(self, request: Request, memory: Memory) -> User:
        headers = request.headers
        user = memory.user or self._bearer(headers, memory)
        for name in headers:
            if name.startswith("impersonate-"):
                return impersonate(user, headers, request.all, self._authorizer)
        return user

    def _bearer(self, headers: Mapping[str, str], memory: Memory) -> User:
        token = headers.get("authorization", "")
        now = self._scope.clock()
        if token and token == memory.token and now < memory.token_until and memory.token_user is not None:
            return memory.token_user
        user = self._authenticator.authenticate(memory.peer, token, headers.get("sec-websocket-protocol", ""))
        if token:
            memory.token, memory.token_until = token, now + TOKEN_SECONDS
            if user == memory.token_user:
                return memory.token_user  # the same value keeps what is remembered under it
            memory.token_user = user
        return user

    # -- may they

    def _authorize(self, request: Request, route: Route, user: User, memory: Memory) -> None:
        """Raises ApiError 403."""
        stamp = 0
        for table in self._roles:
            stamp += table.revision
        allowed = memory.allowed
        if memory.stamp != stamp or len(allowed) >= REMEMBERED:
            allowed.clear()
            memory.stamp = stamp
        elif allowed.get(route) is user:
            return
        labels = fields = ""
        if request.query and route.verb in SELECTED:
            labels, fields = request.argument("labelSelector"), request.argument("fieldSelector")
        question = _question(route, user, labels, fields)
        decision = self._authorizer.authorize(question)
        if not decision.allowed:
            raise denial(question, decision)
        # a node's rights follow its pods, so they are asked for anew each time
        if NODES not in user.groups:
            allowed[route] = user

    # -- the verb

    def _dispatch(
        self, request: Request, route: Route, served: Served | None, user: User
    ) -> Answer | Awaitable[Answer]:
        if not route.resource:
            for handler in self._paths:
                found = handler(request, user)
                if found is not None:
                    if route.method not in READS and route.path.startswith(READ_ONLY):
                        raise NOT_ALLOWED
                    return found
            return _missing(route)
        if served is None:
            return _missing(route)
        self._check_shape(route, served)
        virtual = self._virtual.get((served.group, served.resource.plural))
        if virtual is not None and not route.subresource:
            self._check_verb(route, served.resource.verbs)
            return virtual(request, route, served, user)
        if route.subresource:
            return self._subresource(request, route, served, user)
        self._check_verb(route, served.resource.verbs)
        scope = self._scope
        match route.verb:
            case "get":
                return read.get(scope, request, route, served)
            case "list":
                return read.list_objects(scope, request, route, served)
            case "watch":
                return watch.watch(scope, request, route, served)
            case "create":
                return write.create(scope, request, route, served, user)
            case "update":
                return write.update(scope, request, route, served, user)
            case "patch":
                return patch.patch(scope, request, route, served, user)
            case "delete":
                return write.delete(scope, request, route, served, user)
            case "deletecollection":
                return write.delete_collection(scope, request, route, served, user)
        raise method_not_allowed(route.verb)

    @staticmethod
    def _check_shape(route: Route, served: Served) -> None:
        """Namespaced resources have a namespace in the path except where all are listed; others never have one."""
        if not served.resource.namespaced:
            if route.namespace and served.key != ("", "namespaces"):
                raise unknown_path()
        elif not route.namespace and route.verb not in ("list", "watch"):
            raise NOT_ALLOWED if not route.name else unknown_path()

    @staticmethod
    def _check_verb(route: Route, verbs: tuple[str, ...]) -> None:
        named = bool(route.name)
        if route.verb not in verbs or (named == (route.verb == "create") and route.verb in WRITES):
            raise NOT_ALLOWED

    def _subresource(
        self, request: Request, route: Route, served: Served, user: User
    ) -> Answer | Awaitable[Answer]:
        known = next((sub for sub in served.resource.subresources if sub.name == route.subresource), None)
        if known is None and served.custom is not None:
            raise not_found(served.group, served.resource.plural, route.name)
        if known is None:
            raise unknown_path()
        handler = self._subresources.get((*served.key, route.subresource))
        if handler is None:
            handler = self._subresources.get(("*", "*", route.subresource))
        if handler is None:
            raise unknown_path()
        if route.verb not in known.verbs:
            raise NOT_ALLOWED
        return handler(request, route, served, user)

    # -- the end

    async def _later(self, known: Known, started: float, work: Awaitable[Answer]) -> Answer:
        kind = "readOnly" if known.route.method in ("GET", "HEAD") else "mutating"
        self._inflight[kind] += 1
        try:
            async with asyncio.timeout(self._timeout):
                found = await work
        except ApiError as error:
            found = answer.error(error)
        except TimeoutError:
            found = answer.error(
                timeout("request did not complete within the allotted timeout", retry_after=0)
            )
        except Exception as error:
            log.exception("%s %s failed", known.route.method, known.route.path)
            found = answer.error(internal(str(error) or type(error).__name__))
        finally:
            self._inflight[kind] -= 1
        return self._done(known, started, found)

    def _done(self, known: Known, started: float, found: Answer) -> Answer:
        self._count.add((*known.labels, str(found.status)))
        if not isinstance(found, Streaming):
            self._latency.observe(known.labels, time.perf_counter() - started)
        return found


def _missing(route: Route) -> Answer:
    """What is below a built-in group is missing in the API's words, what is below none in those of Go's mux."""
    parts = route.path.removeprefix("/").split("/")
    if (parts[0] == "api" and len(parts) > 1) or (
        parts[0] == "apis" and len(parts) > 2 and parts[1] in _GROUPS
    ):
        raise NOT_ALLOWED if route.method not in routing.METHOD_VERBS else unknown_path()
    return NOT_FOUND


def _question(route: Route, user: User, labels: str, fields: str) -> Attributes:
    if not route.resource:
        return Attributes(user, route.verb, path=route.path)
    return Attributes(
        user,
        route.verb,
        route.group,
        route.version,
        route.resource,
        route.subresource,
        route.namespace,
        route.name,
        "",
        fields,
        labels,
    )
