"""The authenticated user and what a connection tells of its peer.

k8s.io/apiserver pkg/authentication/user/user.go, pkg/authentication/serviceaccount/util.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

SYSTEM_MASTERS: Final = "system:masters"
AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
ANONYMOUS: Final = "system:anonymous"
NODES: Final = "system:nodes"
NODE_PREFIX: Final = "system:node:"
SERVICE_ACCOUNTS: Final = "system:serviceaccounts"
SERVICE_ACCOUNT_PREFIX: Final = "system:serviceaccount:"

NO_EXTRA: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


class User(NamedTuple):
    """Who asks. `groups` are complete (system:authenticated included) and in upstream's order."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = NO_EXTRA

    def to_dict(self) -> dict[str, Any]:
        """The UserInfo of the authentication.k8s.io kinds and of admission reviews."""
        info: dict[str, Any] = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


class Certificate(NamedTuple):
    """The subject of a client certificate that TLS has verified against the client CA."""

    common_name: str
    organizations: tuple[str, ...] = ()
    fingerprint: str = ""  # lower-case hex SHA-256 of the DER, or "" where it was not asked for


class Peer(NamedTuple):
    """What the connection tells, fixed when it opens. At most one of the two is set.

    user: the identity of the unix listener (the socket's owner is the user).
    certificate: the verified client certificate of a TLS connection.
    """

    user: User | None = None
    certificate: Certificate | None = None


NO_PEER: Final = Peer()


def service_account_user(namespace: str, name: str, uid: str = "") -> User:
    """The user of a service account, without the extras of a bound token."""
    groups = (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{namespace}", AUTHENTICATED)
    return User(f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", groups, uid)


def component_user(name: str, *groups: str) -> User:
    """The identity of one of our own components, with system:authenticated added."""
    return User(name, (*groups, AUTHENTICATED))
