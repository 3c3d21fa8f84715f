"""What lies under a node's pods: the bridge, forwarding, routes under the ranges, the nft table.

Every step may be repeated, and `remove` takes all of it away whatever is left.
"""

from __future__ import annotations

import ipaddress
import logging
import subprocess
from pathlib import Path

from sampan.base.netlink import NetlinkError, Request, Socket, nft, rtnl
from sampan.base.netlink import netns as namespaces
from sampan.base.netlink.socket import ROUTE
from sampan.dataplane import ruleset
from sampan.node.network import firewall, table
from sampan.node.network.model import Config
from sampan.node.network.plugins.bridge import mac_of

log = logging.getLogger(__name__)

_SYS = Path("/proc/sys/net")
MODPROBE_SECONDS = 10.0


def check(config: Config) -> None:
    """Raises ValueError for ranges that cannot be used; names all of them."""
    wrong = []
    for field in ("pod_cidrs", "node_cidrs", "service_cidrs"):
        for cidr in getattr(config, field):
            try:
                network = ipaddress.ip_network(cidr)
            except ValueError as error:
                wrong.append(f"{field}: {error}")
                continue
            if network.version == 6:
                wrong.append(f"{field}: {cidr!r}: IPv6 ranges are not supported yet")
    wrong += [
        f"{field}: {getattr(config, field)!r}: expected one IPv4 range"
        for field in ("pod_cidrs", "node_cidrs")
        if len(getattr(config, field)) != 1
    ]
    if not 0 < len(config.bridge) <= rtnl.NAME_SIZE:
        wrong.append(f"bridge: {config.bridge!r}: must have 1 to {rtnl.NAME_SIZE} characters")
    if wrong:
        raise ValueError("; ".join(wrong))


def gateway(config: Config) -> str:
    """The bridge's address: the first of the node's range."""
    return str(ipaddress.IPv4Network(config.node_cidrs[0])[1])


def lay(config: Config) -> None:
    """Raises NetlinkError where the kernel refuses; sysctls that cannot be set are logged by name."""
    at = gateway(config)
    length = ipaddress.IPv4Network(config.node_cidrs[0]).prefixlen
    with Socket(ROUTE, config.netns) as socket:
        socket.run(rtnl.bridge(config.bridge, mac=mac_of(at)), rtnl.link_set("lo", up=True))
        bridge = rtnl.link(socket, config.bridge)
        if bridge is None:
            raise NetlinkError(19, f"find bridge {config.bridge!r} after making it")
        if bridge.kind != "bridge":
            raise ValueError(f"link {config.bridge!r}: is a {bridge.kind or 'device'}, expected a bridge")
        stale = [a for a in rtnl.addresses(socket, bridge.ifindex) if ":" not in a.address]
        wanted = f"{at}/{length}"
        socket.run(
            *(rtnl.address_delete(bridge.ifindex, a.address) for a in stale if a.address != wanted),
            rtnl.link_set(bridge.ifindex, up=True, mtu=mtu(config, socket)),
            rtnl.address_add(bridge.ifindex, wanted),
        )
        socket.run(*_routes(config, bridge.ifindex))
    _sysctls(config)
    with nft.open_socket(config.netns) as socket:
        nft.commit(socket, table.lay(config))


def _routes(config: Config, bridge: int) -> list[Request]:
    """Nothing for a range ever leaves by the default route; programs on the node reach services by the bridge.

    A packet of the node needs a route before the output hook can lead it to an endpoint.
    """
    under = [
        rtnl.route_add(cidr, kind="unreachable", metric=ruleset.UNREACHABLE_METRIC)
        for cidr in (*config.pod_cidrs, *config.service_cidrs)
    ]
    return under + [
        rtnl.route_add(cidr, device=bridge, source=gateway(config), replace=True)
        for cidr in config.service_cidrs
    ]


def mtu(config: Config, socket: Socket) -> int:
    """The configured one, or that of the link that the default route leaves by; 1500 without either."""
    if config.mtu:
        return config.mtu
    device = rtnl.default_device(rtnl.routes(socket))
    link = rtnl.link(socket, device) if device else None
    return link.mtu if link else 1500


def _sysctls(config: Config) -> None:
    wanted = {
        "ipv4/ip_forward": "1",
        # NodePorts and hostPorts on 127.0.0.1; the table's guard keeps pods off the node's loopback
        f"ipv4/conf/{config.bridge}/route_localnet": "1",
        f"ipv4/conf/{config.bridge}/send_redirects": "0",
        f"ipv4/conf/{config.bridge}/rp_filter": "2",
        # answers for the pods to each other where their ports are isolated; without that nobody asks for it
        f"ipv4/conf/{config.bridge}/proxy_arp_pvlan": "1",
        # at once: the kernel's default is a random wait of up to 0.8 s
        f"ipv4/neigh/{config.bridge}/proxy_delay": "0",
    }
    for name, value in wanted.items():
        _set(config, name, value)


def _set(config: Config, name: str, value: str) -> bool:
    """Whether the sysctl has the value now; one that cannot be set is logged by name."""
    path = _SYS / name
    with namespaces.inside(config.netns):
        try:
            if path.read_text().strip() != value:
                path.write_text(value)
        except OSError as error:
            log.warning("sysctl net.%s cannot be set to %s: %s", name.replace("/", "."), value, error)
            return False
    return True


def bridged_is_filtered(config: Config) -> bool:
    """Whether packets from pod to pod on the bridge pass the ip hooks (br_netfilter, loaded when it can be).

    They must, one way or the other: a pod that asks another by a service gets its answer straight over the bridge,
    and only conntrack can give it the service's address back.
    """
    if not (_SYS / "bridge").exists():
        for program in ("/sbin/modprobe", "/usr/sbin/modprobe"):
            if Path(program).exists():
                subprocess.run(
                    [program, "br_netfilter"], capture_output=True, timeout=MODPROBE_SECONDS, check=False
                )
                break
    return (_SYS / "bridge").exists() and _set(config, "bridge/bridge-nf-call-iptables", "1")


def remove(config: Config) -> None:
    """Removes tables, routes, the bridge and every veth on it; goes on behind what is gone already."""
    with nft.open_socket(config.netns) as socket:
        wanted = {table.of(config)}
        there = [t for t in nft.tables(socket) if t in wanted]
        nft.commit(socket, [nft.table_delete(t) for t in there])
    firewall.clear(config.netns, config.bridge)
    with Socket(ROUTE, config.netns) as socket:
        bridge = rtnl.link(socket, config.bridge)
        if bridge is not None:
            ports = [link.ifindex for link in rtnl.links(socket) if link.master == bridge.ifindex]
            socket.run(*(rtnl.link_delete(index) for index in (*ports, bridge.ifindex)))
        socket.run(
            *(
                rtnl.route_delete(cidr, kind="unreachable", metric=ruleset.UNREACHABLE_METRIC)
                for cidr in (*config.pod_cidrs, *config.service_cidrs)
            )
        )
