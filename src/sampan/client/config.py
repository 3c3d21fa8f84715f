"""Where an API server is and who asks: the value that kubeconfig files, pods and our own components make."""

from __future__ import annotations

from typing import Any, NamedTuple


class ExecPlugin(NamedTuple):
    """A program that prints an ExecCredential (client.authentication.k8s.io v1 or v1beta1)."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    api_version: str = "client.authentication.k8s.io/v1"
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"
    install_hint: str = ""
    directory: str = ""
    cluster_config: Any = None


class Config(NamedTuple):
    """`server` is https://host:port/prefix, http://... or unix:///path/to/socket.

    Certificates and keys are PEM bytes or, by the _file fields, paths that are read when the client connects.
    """

    server: str
    ca: bytes = b""
    ca_file: str = ""
    insecure: bool = False
    server_name: str = ""
    cert: bytes = b""
    cert_file: str = ""
    key: bytes = b""
    key_file: str = ""
    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    exec_plugin: ExecPlugin | None = None
    impersonate_user: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    impersonate_extra: tuple[tuple[str, str], ...] = ()
    namespace: str = "default"
    user_agent: str = ""
    connect_timeout: float = 10.0

    @classmethod
    def unix(cls, path: str, *, user_agent: str = "") -> Config:
        """Our own components: the socket says who asks."""
        return cls(f"unix://{path}", user_agent=user_agent)
