"""Resources that are answered and never stored: who am I, may I, is this token good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.authn import reviews as authn_reviews
from sampan.control_plane.apiserver.authn.authenticator import Authenticator
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz import reviews as authz_reviews
from sampan.control_plane.apiserver.authz.model import Authorizer
from sampan.control_plane.apiserver.authz.rbac import Rbac
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs.scope import Scope, call
from sampan.control_plane.apiserver.verbs.write import decoded
from sampan.control_plane.apiserver.wire import answer

Object = dict[str, Any]
Review = Callable[[User, Object, Route], Object]
Handler = Callable[[Request, Route, Served, User], Response]

AUTHN = "authentication.k8s.io"
AUTHZ = "authorization.k8s.io"


def handlers(
    scope: Scope, authenticator: Authenticator, authorizer: Authorizer, rbac: Rbac
) -> Mapping[tuple[str, str], Handler]:
    reviews: dict[tuple[str, str], Review] = {
        (AUTHN, "tokenreviews"): lambda user, obj, route: authn_reviews.review_token(authenticator, obj),
        (AUTHN, "selfsubjectreviews"): lambda user, obj, route: authn_reviews.review_self(user, obj),
        (AUTHZ, "subjectaccessreviews"): lambda user, obj, route: authz_reviews.review_subject(
            authorizer, obj
        ),
        (AUTHZ, "localsubjectaccessreviews"): lambda user, obj, route: authz_reviews.review_local(
            authorizer, obj, route.namespace
        ),
        (AUTHZ, "selfsubjectaccessreviews"): lambda user, obj, route: authz_reviews.review_self(
            authorizer, user, obj
        ),
        (AUTHZ, "selfsubjectrulesreviews"): lambda user, obj, route: authz_reviews.review_rules(
            rbac, user, obj
        ),
    }

    def handler(review: Review) -> Handler:
        def answered(request: Request, route: Route, served: Served, user: User) -> Response:
            action = call(request, route, served, user, "CreateOptions")
            obj = decoded(scope, request, action, served)
            return answer.json(review(user, obj, route), 201, action.warnings)

        return answered

    return {key: handler(review) for key, review in reviews.items()}
