"""What the node agent is told."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


class Config(NamedTuple):
    """`root` holds pods' volumes and logs (0700). `addresses` are the node's, internal ones first.

    `server` is the socket that logs and exec are served on, with `tls` as its context (client certificates required);
    None for no server. `clients` are the common names of the certificates that may use it. `api_host` and `api_port` are where pods find the API when its Service is not there.
    `memory` and `cpus` override what the machine tells (simulated nodes); 0 takes the machine's.
    """

    node_name: str
    root: Path
    addresses: tuple[str, ...]
    server: socket.socket | None = None
    tls: ssl.SSLContext | None = None
    clients: frozenset[str] = frozenset({"kube-apiserver-kubelet-client"})
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    pod_cidrs: tuple[str, ...] = ()
    cgroup_root: str = "/kubepods"
    max_pods: int = 110
    labels: Mapping[str, str] = {}
    memory: int = 0
    cpus: int = 0
    resolv_conf: str = "/etc/resolv.conf"
    version: str = "v1.37.0+sampan"
    simulated: bool = False

    def pod_dir(self, uid: str) -> Path:
        return self.root / "pods" / uid

    def log_dir(self, namespace: str, name: str, uid: str) -> Path:
        return self.root / "log" / "pods" / f"{namespace}_{name}_{uid}"
