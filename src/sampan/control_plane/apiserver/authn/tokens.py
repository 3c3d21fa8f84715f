"""What a bearer token may stand for, and who may say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sampan.control_plane.apiserver.authn.model import User


class Rejected(Exception):
    """The credentials are meant for this authenticator and are not good. The text is for TokenReview and the log,
    never for the 401's body."""


class Verified(NamedTuple):
    """audiences: those of the asked ones that the token is meant for."""

    user: User
    audiences: tuple[str, ...]


class TokenAuthenticator(Protocol):
    def authenticate(self, token: str, audiences: Sequence[str], /) -> Verified | None:
        """None where the token is none of ours; raises Rejected where it is ours and bad. Never waits."""
