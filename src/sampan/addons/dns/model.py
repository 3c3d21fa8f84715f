"""What cluster DNS is told."""

from __future__ import annotations

from typing import NamedTuple


class Config(NamedTuple):
    """The cluster's DNS server.

    `listen`: (address, port) pairs served on UDP and TCP, port 0 takes a free one. `service_address` is the
    ClusterIP pods ask (the 10th of the service range): with it, `run` keeps the Service `kube-system/kube-dns`
    and an EndpointSlice that leads to the first of `listen`; "" leaves both to somebody else.
    `upstreams`: resolvers (address or address:port) for other names; empty takes those of `resolv_conf`, and
    never one that leads back to us. `pods` answers names such as 10-42-0-5.default.pod.DOMAIN (insecure mode of
    CoreDNS). `http` serves /health, /ready and /metrics. `netns` is the path of the network namespace to serve in; "" means the one we run in.
    """

    listen: tuple[tuple[str, int], ...]
    domain: str = "cluster.local"
    service_address: str = ""
    upstreams: tuple[str, ...] = ()
    resolv_conf: str = "/etc/resolv.conf"
    pods: bool = True
    ttl: int = 5
    cache_entries: int = 10_000
    http: tuple[str, int] | None = None
    netns: str = ""
