"""Tokens of service accounts: POST serviceaccounts/NAME/token."""

from __future__ import annotations

from typing import Final

from sampan.api.kinds import Resource
from sampan.api.status import ApiError
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.admission.model import CREATE
from sampan.control_plane.apiserver.authn.issuing import Issuer
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs.scope import Scope, call
from sampan.control_plane.apiserver.wire import answer, body

TOKEN_REQUEST: Final = Resource(
    "authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", "tokenrequest", True
)


class Token:
    """`issuer` is None where the server has no key to sign with."""

    def __init__(self, scope: Scope, issuer: Issuer | None) -> None:
        self._scope = scope
        self._issuer = issuer

    async def __call__(self, request: Request, route: Route, served: Served, user: User) -> Response:
        if self._issuer is None:
            raise ApiError(404, "NotFound", "this server has no key to sign service account tokens with")
        action = call(request, route, served, user, "CreateOptions")
        wanted = body.expect_typed(
            body.decode(request, strict=False, expected="TokenRequest").object, TOKEN_REQUEST
        )
        store = self._scope.store
        admission = store.admission(action, CREATE, wanted)
        admission.kind = "TokenRequest"
        await store.chain.admit(admission)
        await store.chain.validate(admission)
        issued = self._issuer.create(route.place, route.name, admission.object or wanted, action.warnings)
        return answer.json(issued, 201, action.warnings)
