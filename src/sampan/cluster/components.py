"""Every component, in order, with the reason for its place. The only code that constructs them.

Three processes: the API server alone, because its latency is everybody's; the control plane's loops with DNS and the
service proxy, which all live on watches; the node agent with its runtime, which works with files and processes.
"""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from sampan.cluster import ranges
from sampan.cluster.host import Runner, Started, Unit
from sampan.cluster.settings import Settings
from sampan.cluster.supervisor import Child

SHARED = (
    "asyncio",
    "ssl",
    "logging",
    "json",
    "orjson",
    "httptools",
    "sampan.api.kinds.builtin",
    "sampan.api.status",
    "sampan.base.aio",
    "sampan.client.rest",
    "sampan.client.cache",
    "sampan.control.manager",
)
"""What the parent imports before the fork."""

SYSTEM_ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:kube-system")
IDENTITIES = {
    "controllers": ("system:kube-controller-manager", ("system:masters",)),
    "scheduler": ("system:kube-scheduler", ()),
    "node": ("system:node:{node}", ("system:nodes",)),
    "proxy": ("system:kube-proxy", ()),
    "dns": ("system:serviceaccount:kube-system:kube-dns", SYSTEM_ACCOUNTS),
    "localpath": ("system:serviceaccount:kube-system:local-path-provisioner", SYSTEM_ACCOUNTS),
}
"""Who each of our components is to the API: the user and groups of its unix socket."""


class Sockets(NamedTuple):
    """What the supervisor opened: the API on TLS, one unix socket per identity, the node agent's server."""

    api: tuple[socket.socket, ...]
    identities: dict[str, socket.socket]
    node: socket.socket | None


def gateway(settings: Settings) -> str:
    """The pod bridge's address: always reachable from pods, whatever the machine's own address does."""
    return ranges.nth(ranges.node_cidr(settings.pod_cidrs[0]), 1)


def dns_address(settings: Settings) -> str:
    return ranges.nth(settings.service_cidrs[0], 10)


def socket_path(settings: Settings, identity: str) -> Path:
    return settings.run_path / "api" / f"{identity}.sock"


def names(settings: Settings) -> tuple[str, ...]:
    """Every name and address that the API's certificate covers."""
    domain = settings.domain
    found = [
        "localhost",
        "127.0.0.1",
        settings.advertise,
        settings.node_name,
        socket.gethostname(),
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{domain}",
        ranges.nth(settings.service_cidrs[0], 1),
        gateway(settings),
    ]
    if settings.bind not in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        found.append(settings.bind)
    return tuple(dict.fromkeys(found))


def node_address() -> str:
    """The machine's own address: that of its default route, or loopback without one. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: only the routing table is asked
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def children(settings: Settings, sockets: Sockets, pki: Any) -> list[Child]:
    """The processes in start order. `pki` is base.pki.layout.Paths."""
    control = [
        Unit("controllers", lambda: _controllers(settings)),
        Unit("scheduler", lambda: _scheduler(settings)),
        # Names and addresses of services: pods need both, and both need only Services and EndpointSlices.
        Unit("dns", lambda: _dns(settings)),
        Unit("proxy", lambda: _proxy(settings)),
        Unit("localpath", lambda: _localpath(settings)),
    ]
    return [
        # First: everything else is a client of it. Its sockets are open already, so nobody has to wait for it.
        Child("apiserver", [Unit("apiserver", lambda: _apiserver(settings, sockets, pki))]),
        Child("controllers", [unit for unit in control if _wanted(settings, unit.name)]),
        # The node last: what it runs expects the control plane; with it the cluster is Ready.
        *(
            [Child("node", [Unit("node", lambda: _node(settings, sockets, pki))])]
            if settings.on("node")
            else []
        ),
    ]


def _wanted(settings: Settings, name: str) -> bool:
    if settings.simulated and name in ("dns", "proxy", "localpath"):
        return False  # simulated pods have no network and no files
    return settings.on(name)


def _client(settings: Settings, identity: str) -> Any:
    from sampan import client
    from sampan.client.config import Config

    return client.connect(Config.unix(str(socket_path(settings, identity)), user_agent=f"sampan-{identity}"))


def _apiserver(settings: Settings, sockets: Sockets, pki: Any) -> Runner:
    from sampan.control_plane.apiserver import config as api
    from sampan.control_plane.apiserver.authn.model import component_user
    from sampan.control_plane.apiserver.run import run as serve

    tls = api.Tls(pki.apiserver.certificate, pki.apiserver.key, pki.ca.certificate)
    unix = []
    for identity, listener in sockets.identities.items():
        name, groups = IDENTITIES[identity]
        user = component_user(name.format(node=settings.node_name), *groups)
        unix.append(api.UnixListener(socket_path(settings, identity), user, listener))
    database = settings.data_path / "db" / "state.db"
    database.parent.mkdir(mode=0o700, exist_ok=True)
    config = api.Config(
        tcp=tuple(api.TcpListener(tls=tls, sock=listener) for listener in sockets.api),
        unix=tuple(unix),
        database=database,
        service_cidrs=settings.service_cidrs,
        advertise_host=settings.advertise,
        advertise_port=settings.port,
        service_accounts=api.ServiceAccounts(
            issuer=f"https://kubernetes.default.svc.{settings.domain}",
            signing_key=pki.sa_key,
            public_keys=(pki.sa_pub,),
        ),
        node_tls=api.NodeTls(pki.kubelet_client.certificate, pki.kubelet_client.key, pki.ca.certificate),
    )

    async def run(started: Started) -> None:
        await serve(config, started)

    return run


def _controllers(settings: Settings) -> Runner:
    from sampan.control_plane.controllers import run as controllers

    config = controllers.Config(
        ca=(settings.data_path / "pki" / "ca.crt").read_text(),
        service_lb=settings.on("servicelb"),
        host=settings.node_name,
    )

    async def run(started: Started) -> None:
        async with _client(settings, "controllers") as client:
            await controllers.run(client, config, started)

    return run


def _scheduler(settings: Settings) -> Runner:
    from sampan.control_plane.scheduler import run as scheduler

    async def run(started: Started) -> None:
        async with _client(settings, "scheduler") as client:
            await scheduler.run(client, scheduler.Config(), started)

    return run


def _dns(settings: Settings) -> Runner:
    from sampan.addons import dns

    config = dns.Config(
        listen=((gateway(settings), 53),), domain=settings.domain, service_address=dns_address(settings)
    )

    async def run(started: Started) -> None:
        async with _client(settings, "dns") as client:
            await dns.run(client, config, started)

    return run


def proxy_config(settings: Settings) -> Any:
    """node.proxy.Config of this cluster's node."""
    from sampan.node import proxy

    return proxy.Config(
        cluster=settings.name,
        node_name=settings.node_name,
        pod_cidrs=settings.pod_cidrs,
        service_cidrs=settings.service_cidrs,
        node_addresses=(node_address(),),
        bridge=settings.bridge if settings.on("network") else "",
    )


def _proxy(settings: Settings) -> Runner:
    from sampan.node import proxy

    async def run(started: Started) -> None:
        async with _client(settings, "proxy") as client:
            await proxy.run(client, proxy_config(settings), started)

    return run


def _localpath(settings: Settings) -> Runner:
    from sampan.addons import localpath

    config = localpath.Config(node_name=settings.node_name, directory=settings.data_path / "storage")

    async def run(started: Started) -> None:
        async with _client(settings, "localpath") as client:
            await localpath.run(client, config, started)

    return run


def runtime_config(settings: Settings) -> Any:
    """node.runtime.Config of this cluster's node."""
    from sampan.node import runtime

    return runtime.Config(
        root=settings.data_path / "node" / "runtime",
        run=settings.run_path / "node",
        cluster=settings.name,
        registries=settings.registries,
    )


def network_config(settings: Settings) -> Any:
    """node.network.Config of this cluster's node."""
    from sampan.node import network

    return network.Config(
        cluster=settings.name,
        bridge=settings.bridge,
        state=settings.run_path / "network",
        pod_cidrs=settings.pod_cidrs,
        node_cidrs=tuple(ranges.node_cidr(cidr) for cidr in settings.pod_cidrs),
        service_cidrs=settings.service_cidrs,
    )


def _node(settings: Settings, sockets: Sockets, pki: Any) -> Runner:
    from sampan.node.agent import run as agent
    from sampan.node.agent.config import Config

    files = pki.nodes[settings.node_name].serving
    tls = _node_tls(files.certificate, files.key, pki.ca.certificate) if sockets.node else None
    config = Config(
        node_name=settings.node_name,
        root=settings.data_path / "node",
        addresses=(node_address(),),
        server=sockets.node,
        tls=tls,
        cluster_dns=(dns_address(settings),) if _wanted(settings, "dns") else (),
        cluster_domain=settings.domain,
        pod_cidrs=tuple(ranges.node_cidr(cidr) for cidr in settings.pod_cidrs),
        simulated=settings.simulated,
    )

    async def run(started: Started) -> None:
        # Volumes are read by the users that pods run as; the data folder itself, 0700, keeps everybody else out.
        os.umask(0o022)
        runtime = await _open_runtime(settings)
        try:
            async with _client(settings, "node") as client:
                await agent.run(client, runtime, runtime.images, config, started)
        finally:
            await runtime.close()

    return run


async def _open_runtime(settings: Settings) -> Any:
    import asyncio

    from sampan.node import runtime

    if settings.simulated:
        from sampan.node.runtime import simulated

        return await simulated.open(settings.node_name, ranges.node_cidr(settings.pod_cidrs[0]))
    network = None
    if settings.on("network"):
        from sampan.node import network as room

        network = await asyncio.to_thread(room.open, network_config(settings))
    return await runtime.open(runtime_config(settings), network)


def _node_tls(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    from sampan.base.pki import contexts

    return contexts.server(certificate, key, authority)
