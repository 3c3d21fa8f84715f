"""Subresources that take and give the object itself: status, finalize, approval, ephemeralcontainers, resize."""

from __future__ import annotations

from collections.abc import Awaitable

from sampan.base.http.model import Answer, Request
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs import patch, read, write
from sampan.control_plane.apiserver.verbs.scope import Scope

NAMES = ("status", "finalize", "approval", "ephemeralcontainers", "resize")


class Objects:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(
        self, request: Request, route: Route, served: Served, user: User
    ) -> Answer | Awaitable[Answer]:
        if route.verb == "get":
            return read.get(self._scope, request, route, served)
        if route.verb == "patch":
            return patch.patch(self._scope, request, route, served, user)
        return write.update(self._scope, request, route, served, user)
