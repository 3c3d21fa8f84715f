"""The bodies of TokenReview and SelfSubjectReview.

kubernetes pkg/registry/authentication/{tokenreview,selfsubjectreview}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.api.status import bad_request
from sampan.control_plane.apiserver.authn.authenticator import Authenticator
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authn.tokens import Rejected


def review_token(authenticator: Authenticator, review: Mapping[str, Any]) -> dict[str, Any]:
    """A TokenReview with its status. A bad token is an answer, not an error. Raises ApiError 400."""
    spec = dict(review.get("spec") or {})
    token = spec.get("token")
    if not isinstance(token, str) or not token:
        raise bad_request("token is required for TokenReview in authentication")
    audiences = tuple(spec.get("audiences") or authenticator.audiences)
    status: dict[str, Any]
    try:
        verified = authenticator.authenticate_token(token, audiences)
    except Rejected as rejection:
        status = {"user": {}, "error": f"[{rejection}]"}
    else:
        status = {
            "authenticated": True,
            "user": verified.user.to_dict(),
            "audiences": list(verified.audiences),
        }
    return _answer("TokenReview", review, {"spec": spec, "status": status})


def review_self(user: User, review: Mapping[str, Any]) -> dict[str, Any]:
    """A SelfSubjectReview: who the asker is."""
    return _answer("SelfSubjectReview", review, {"status": {"userInfo": user.to_dict()}})


def _answer(kind: str, review: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    version = review.get("apiVersion") or "authentication.k8s.io/v1"
    return {"kind": kind, "apiVersion": version, "metadata": dict(review.get("metadata") or {}), **rest}
