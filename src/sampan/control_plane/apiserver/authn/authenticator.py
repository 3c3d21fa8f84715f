"""The ordered ways to be somebody: listener, client certificate, bearer token; else anonymous.

The first that recognises its credentials decides. Bad credentials are 401, never anonymous.
k8s.io/apiserver pkg/authentication/request/{union,x509,bearertoken,websocket,anonymous}.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sampan.api.status import unauthorized
from sampan.base.pki import b64
from sampan.control_plane.apiserver.authn.model import (
    ANONYMOUS,
    AUTHENTICATED,
    NO_EXTRA,
    UNAUTHENTICATED,
    Certificate,
    Peer,
    User,
)
from sampan.control_plane.apiserver.authn.tokens import Rejected, TokenAuthenticator, Verified

ANONYMOUS_USER: Final = User(ANONYMOUS, (UNAUTHENTICATED,))
CREDENTIAL_ID: Final = "authentication.kubernetes.io/credential-id"
PROTOCOL_PREFIX: Final = "base64url.bearer.authorization.k8s.io."
_BOOTSTRAP_TOKEN: Final = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")


class Authenticator:
    """tokens: asked in order. audiences: those that this API server is. anonymous: whether nobody is somebody."""

    def __init__(
        self, tokens: Sequence[TokenAuthenticator], audiences: Sequence[str], *, anonymous: bool = True
    ) -> None:
        self._tokens = tuple(tokens)
        self.audiences = tuple(audiences)
        self._anonymous = anonymous

    def authenticate(self, peer: Peer, authorization: str = "", protocols: str = "") -> User:
        """The user behind a request. Raises ApiError 401.

        authorization: the Authorization header; protocols: Sec-WebSocket-Protocol of a websocket request, which
        browsers use to carry a token (`without_token` gives what is left to offer).
        """
        if peer.user is not None:
            return peer.user
        if peer.certificate is not None:
            return certificate_user(peer.certificate)
        try:
            token = bearer(authorization) or protocol_token(protocols)
            if token:
                return self.authenticate_token(token, self.audiences).user
        except Rejected as rejection:
            raise unauthorized() from rejection
        if self._anonymous:
            return ANONYMOUS_USER
        raise unauthorized()

    def authenticate_token(self, token: str, audiences: Sequence[str]) -> Verified:
        """Who the token is, for any of the audiences. Raises Rejected."""
        if _BOOTSTRAP_TOKEN.fullmatch(token):
            raise Rejected("bootstrap tokens are not supported")
        for authenticator in self._tokens:
            verified = authenticator.authenticate(token, audiences)
            if verified is not None:
                return verified
        raise Rejected("invalid bearer token")


def certificate_user(certificate: Certificate) -> User:
    """CN is the user and O are the groups. A certificate without a CN is nobody: 401."""
    if not certificate.common_name:
        raise unauthorized()
    extra = NO_EXTRA
    if certificate.fingerprint:
        extra = {CREDENTIAL_ID: (f"X509SHA256={certificate.fingerprint}",)}
    return User(certificate.common_name, with_authenticated(certificate.organizations), "", extra)


def with_authenticated(groups: Sequence[str]) -> tuple[str, ...]:
    """system:authenticated goes last unless the credentials name it or system:unauthenticated themselves."""
    if AUTHENTICATED in groups or UNAUTHENTICATED in groups:
        return tuple(groups)
    return (*groups, AUTHENTICATED)


def bearer(authorization: str) -> str:
    """The token of an Authorization header, or "" where it carries none."""
    scheme, _, rest = authorization.strip().partition(" ")
    return rest.split(" ", 1)[0] if scheme.lower() == "bearer" else ""


def protocol_token(protocols: str) -> str:
    """The token among a websocket's subprotocols, or "". Raises Rejected where it is malformed or alone."""
    offered = [p.strip() for p in protocols.split(",") if p.strip()]
    tokens = [p.removeprefix(PROTOCOL_PREFIX) for p in offered if p.startswith(PROTOCOL_PREFIX)]
    if not tokens:
        return ""
    if len(tokens) > 1:
        raise Rejected("more than one bearer token among the subprotocols")
    if len(offered) == 1:
        raise Rejected("a bearer token among the subprotocols needs another one beside it")
    try:
        return b64.decode(tokens[0]).decode()
    except ValueError:
        raise Rejected("the bearer token among the subprotocols is not base64url") from None


def without_token(protocols: str) -> str:
    """The subprotocols that a server may answer with."""
    return ", ".join(p.strip() for p in protocols.split(",") if not p.strip().startswith(PROTOCOL_PREFIX))
