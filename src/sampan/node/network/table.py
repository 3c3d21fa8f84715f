"""The nft table of a node's pod network: masquerade, hostPorts, and what pods may never reach. Pure.

hostPorts are one map, (address, protocol, port) to (pod, port); address 0.0.0.0 stands for every address of the node.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from sampan.base.netlink import expression as x
from sampan.base.netlink import nft
from sampan.base.netlink.wire import Request
from sampan.dataplane import ruleset
from sampan.node.network.model import Config

HOST_PORTS = nft.Set("host-ports", ("ipv4_addr", "inet_proto", "inet_service"), ("ipv4_addr", "inet_service"))
HAIRPINS = nft.Set("hairpins", ("ipv4_addr", "ipv4_addr"))
NODE_RANGES = nft.Set("node-ranges", ("ipv4_addr",), interval=True)
CLUSTER_RANGES = nft.Set("cluster-ranges", ("ipv4_addr",), interval=True)

PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}

_LOOPBACK = (x.ip_saddr(), x.bitwise(b"\xff\0\0\0"), x.cmp(x.EQ, b"\x7f\0\0\0"))
_TO_LOOPBACK = (x.ip_daddr(), x.bitwise(b"\xff\0\0\0"), x.cmp(x.EQ, b"\x7f\0\0\0"))
_WAS_DNATED = (x.ct(x.CT_STATUS), x.bitwise(x.host32(x.STATUS_DNAT)), x.cmp(x.NEQ, x.host32(0)))


class HostPort(NamedTuple):
    """One forwarded port; `host` "" is every address of the node."""

    host: str
    protocol: str
    port: int
    pod: str
    pod_port: int

    def key(self) -> bytes:
        return nft.padded(
            socket.inet_aton(self.host) if self.host else bytes(4),
            bytes((PROTOCOLS[self.protocol],)),
            struct.pack(">H", self.port),
        )

    def data(self) -> bytes:
        return nft.padded(socket.inet_aton(self.pod), struct.pack(">H", self.pod_port))


def of(config: Config) -> nft.Table:
    return nft.Table(ruleset.table(config.cluster, "network"))


def lay(config: Config) -> list[Request]:
    """The table with its rules, whatever was there; elements of the maps stay."""
    table = of(config)
    requests = [nft.table_add(table)]
    requests += [nft.set_add(table, s) for s in (HOST_PORTS, HAIRPINS, NODE_RANGES, CLUSTER_RANGES)]
    for name, kind, hook, priority in (
        ("guard", "filter", "prerouting", ruleset.RAW),
        ("prerouting", "nat", "prerouting", ruleset.HOST_PORTS),
        ("output", "nat", "output", ruleset.HOST_PORTS),
        ("postrouting", "nat", "postrouting", ruleset.SRCNAT),
    ):
        requests += [nft.base_chain_add(table, name, kind, hook, priority), nft.chain_flush(table, name)]
    requests += [nft.chain_add(table, "to-pods"), nft.chain_flush(table, "to-pods")]
    for which, cidrs in ((NODE_RANGES, config.node_cidrs), (CLUSTER_RANGES, config.pod_cidrs)):
        requests.append(nft.elements_flush(table, which.name))
        requests += nft.ranges_add(table, which, [_ends(cidr) for cidr in cidrs])
    return requests + list(_rules(table, config))


def _rules(table: nft.Table, config: Config) -> Iterator[Request]:
    bridge = (x.meta(x.META_IIFNAME), x.cmp(x.EQ, x.ifname(config.bridge)))
    yield nft.rule_add(
        table,
        "guard",
        *bridge,
        *_TO_LOOPBACK,
        x.verdict(x.Verdict(x.DROP)),
        comment="hostPorts on 127.0.0.1 must not open the node's loopback to pods",
    )
    for chain in ("prerouting", "output"):
        yield nft.rule_add(
            table,
            chain,
            x.ip_daddr(0),
            x.l4proto(1),
            x.th_dport(2),
            x.lookup(HOST_PORTS.name, 0, into=8),
            x.nat(x.DNAT, 8, 9),
        )
        yield nft.rule_add(
            table,
            chain,
            x.fib(x.FIB_ADDRTYPE, x.FIB_DADDR),
            x.cmp(x.EQ, x.host32(x.RTN_LOCAL)),
            x.verdict(x.Verdict(x.JUMP, "to-pods")),
        )
    yield nft.rule_add(
        table,
        "to-pods",
        *x.ANY_ADDRESS,
        x.l4proto(1),
        x.th_dport(2),
        x.lookup(HOST_PORTS.name, 0, into=8),
        x.nat(x.DNAT, 8, 9),
    )
    to_bridge = (x.meta(x.META_OIFNAME), x.cmp(x.EQ, x.ifname(config.bridge)))
    yield nft.rule_add(table, "postrouting", *to_bridge, *_LOOPBACK, *_WAS_DNATED, x.masquerade())
    yield nft.rule_add(
        table,
        "postrouting",
        *_WAS_DNATED,
        x.ip_saddr(0),
        x.ip_daddr(1),
        x.lookup(HAIRPINS.name),
        x.masquerade(),
    )
    if config.masquerade:
        yield nft.rule_add(
            table,
            "postrouting",
            x.ip_saddr(),
            x.lookup(NODE_RANGES.name),
            x.ip_daddr(),
            x.lookup(CLUSTER_RANGES.name, invert=True),
            x.bitwise(b"\xf0\0\0\0"),
            x.cmp(x.NEQ, b"\xe0\0\0\0"),
            x.masquerade(),
            comment="pods speak to the world as the node",
        )


def _ends(cidr: str) -> tuple[bytes, bytes]:
    network = ipaddress.ip_network(cidr)
    return network.network_address.packed, network.broadcast_address.packed
