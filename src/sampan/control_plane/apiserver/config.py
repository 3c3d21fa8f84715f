"""What an API server needs to know before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sampan.control_plane.apiserver.authn.model import User

if TYPE_CHECKING:
    import socket


class Tls(NamedTuple):
    """PEM files. `client_ca`: of the authority whose client certificates are users."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class TcpListener(NamedTuple):
    """Port 0 takes a free one. Without `tls` it is plain HTTP, for loopback only.

    `sock` is a listening socket that somebody else opened and keeps open; host and port then say nothing.
    """

    host: str = "127.0.0.1"
    port: int = 6443
    tls: Tls | None = None
    sock: socket.socket | None = None


class UnixListener(NamedTuple):
    """A socket that only its owner may open; whoever opens it is `user`. `sock` as in TcpListener."""

    path: Path
    user: User
    sock: socket.socket | None = None


class ServiceAccounts(NamedTuple):
    """`issuer`: the `iss` of tokens. Keys are PEM files; `public_keys` verify, also those of the past."""

    issuer: str = "https://kubernetes.default.svc.cluster.local"
    signing_key: Path | None = None
    public_keys: tuple[Path, ...] = ()
    audiences: tuple[str, ...] = ()  # empty: the issuer


class NodeTls(NamedTuple):
    """How the server speaks to node agents: its client certificate, and the authority of theirs."""

    certificate: Path
    key: Path
    ca: Path


class Config(NamedTuple):
    """database: the SQLite file, None keeps everything in memory.

    service_cidrs: one per family, the first is the default; node_ports: first and last, both included.
    advertise: host and port under which the `kubernetes` Service reaches this server; port 0: as bound.
    tokens: lines of static tokens (see authn/static_tokens), for tests.
    anonymous: whether requests without credentials are those of system:anonymous.
    """

    tcp: tuple[TcpListener, ...] = (TcpListener(),)
    unix: tuple[UnixListener, ...] = ()
    database: Path | None = None
    service_cidrs: tuple[str, ...] = ("10.96.0.0/16",)
    node_ports: tuple[int, int] = (30000, 32767)
    advertise_host: str = "127.0.0.1"
    advertise_port: int = 0
    service_accounts: ServiceAccounts = ServiceAccounts()
    node_tls: NodeTls | None = None
    tokens: str = ""
    anonymous: bool = True
    service_name_port: int = 443
    grace: float = 5.0  # seconds for requests in progress when the server stops
    request_timeout: float = 60.0
    version: str = ""
    extra_plugins: tuple[Any, ...] = ()
