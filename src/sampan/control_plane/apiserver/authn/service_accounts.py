"""Service account tokens as credentials: the signature, and that everything the token is bound to is still there.

kubernetes pkg/serviceaccount/{jwt,claims}.go, k8s.io/apiserver pkg/authentication/serviceaccount/util.go.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sampan.base.pki import jwt
from sampan.base.pki.errors import TokenError
from sampan.control_plane.apiserver.authn.authenticator import CREDENTIAL_ID
from sampan.control_plane.apiserver.authn.model import User, service_account_user
from sampan.control_plane.apiserver.authn.tokens import Rejected, Verified
from sampan.control_plane.apiserver.view import View

DELETED_LEEWAY: Final = 60.0  # seconds; a pod on its way out may still talk
POD_NAME: Final = "authentication.kubernetes.io/pod-name"
POD_UID: Final = "authentication.kubernetes.io/pod-uid"
NODE_NAME: Final = "authentication.kubernetes.io/node-name"
NODE_UID: Final = "authentication.kubernetes.io/node-uid"

_INVALIDATED: Final = "service account token has been invalidated"


class ServiceAccountTokens:
    """issuers: accepted `iss` values, ours first. api_audiences: what a token without `aud` is meant for."""

    def __init__(
        self,
        issuers: Sequence[str],
        verifier: jwt.Verifier,
        view: View,
        api_audiences: Sequence[str],
        clock: Callable[[], float],
    ) -> None:
        self._issuers = frozenset(issuers)
        self._verifier = verifier
        self._view = view
        self._api_audiences = tuple(api_audiences)
        self._clock = clock

    def authenticate(self, token: str, audiences: Sequence[str], /) -> Verified | None:
        if token.count(".") != 2:
            return None
        try:
            claims = self._verifier.verify(token)
        except TokenError as error:
            if self._names_us(token):
                raise Rejected(str(error)) from error
            return None
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._issuers:
            return None
        meant = _audiences(claims) or self._api_audiences
        matching = tuple(a for a in audiences if a in meant)
        if not matching:
            raise Rejected(
                f"token audiences {list(meant)!r} is invalid for the target audiences {list(audiences)!r}"
            )
        return Verified(self._user(claims), matching)

    def _names_us(self, token: str) -> bool:
        """Whether a token that is not believed claims to be from one of our issuers."""
        try:
            return jwt.split(token).claims.get("iss") in self._issuers
        except (TokenError, TypeError):
            return False

    def _user(self, claims: jwt.Claims) -> User:
        bound = claims.get("kubernetes.io")
        if not isinstance(bound, Mapping):
            raise Rejected("the token carries no service account")
        namespace, account = str(bound.get("namespace") or ""), _reference(bound, "serviceaccount")
        name = str((account or {}).get("name") or "")
        if account is None or claims.get("sub") != f"system:serviceaccount:{namespace}:{name}":
            raise Rejected("sub claim is invalid")
        self._check_account(namespace, name, account)
        extra: dict[str, tuple[str, ...]] = {}
        pod, node, secret = (_reference(bound, kind) for kind in ("pod", "node", "secret"))
        if _reference(bound, "validatingwebhookconfiguration") or _reference(
            bound, "mutatingwebhookconfiguration"
        ):
            raise Rejected("tokens bound to webhook configurations are not supported")
        if secret is not None:
            self._check("secrets", "secret", namespace, secret)
        if pod is not None:
            self._check("pods", "pod", namespace, pod)
            extra |= {POD_NAME: (str(pod.get("name")),), POD_UID: (str(pod.get("uid")),)}
        if node is not None:
            if pod is None:
                self._check("nodes", "node", "", node)
            extra[NODE_NAME] = (str(node.get("name")),)
            if node.get("uid"):
                extra[NODE_UID] = (str(node["uid"]),)
        if claims.get("jti"):
            extra[CREDENTIAL_ID] = (f"JTI={claims['jti']}",)
        user = service_account_user(namespace, name, str(account.get("uid") or ""))
        return user._replace(extra=extra) if extra else user

    def _check_account(self, namespace: str, name: str, claim: Mapping[str, Any]) -> None:
        account = self._view.get("", "serviceaccounts", namespace, name)
        if account is None:
            raise Rejected(f'serviceaccounts "{name}" not found')
        metadata = account.get("metadata") or {}
        if metadata.get("uid") != claim.get("uid"):
            raise Rejected(
                f"service account UID ({metadata.get('uid')}) does not match claim ({claim.get('uid')})"
            )
        if self._deleted(metadata):
            raise Rejected(f"service account {namespace}/{name} has been deleted")

    def _check(self, plural: str, kind: str, namespace: str, claim: Mapping[str, Any]) -> None:
        found = self._view.get("", plural, namespace, str(claim.get("name") or ""))
        metadata = (found or {}).get("metadata") or {}
        if found is None or self._deleted(metadata):
            raise Rejected(_INVALIDATED)
        if metadata.get("uid") != claim.get("uid"):
            text = f"{kind} UID ({metadata.get('uid')}) does not match service account {kind} ref claim"
            raise Rejected(f"{text} ({claim.get('uid')})")

    def _deleted(self, metadata: Mapping[str, Any]) -> bool:
        """Deleted longer ago than the leeway, though a finalizer may still hold the object."""
        at = metadata.get("deletionTimestamp")
        if not at:
            return False
        moment = datetime.datetime.fromisoformat(str(at)).timestamp()
        return moment < self._clock() - DELETED_LEEWAY


def _audiences(claims: jwt.Claims) -> tuple[str, ...]:
    given = claims.get("aud")
    if isinstance(given, str):
        return (given,)
    if given is None:
        return ()
    if isinstance(given, list) and all(isinstance(a, str) for a in given):
        return tuple(given)
    raise Rejected("aud claim is invalid")


def _reference(bound: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    reference = bound.get(kind)
    if reference is None:
        return None
    if not isinstance(reference, Mapping):
        raise Rejected(f"{kind} claim is invalid")
    return reference
