"""What a node's service proxy is told."""

from __future__ import annotations

from typing import NamedTuple


class Config(NamedTuple):
    """One node's proxy.

    `cluster` names the nft table. `node_addresses` are where NodePorts answer besides every local address of the
    node. `pod_cidrs` tell cluster traffic from outside; `service_cidrs` are rejected where no service claims them.
    `bridge` is the pod bridge ("" with a foreign CNI): with it, NodePorts answer on 127.0.0.1 as well.
    `netns` is the path of the network namespace that is the node; "" means the one we run in.
    """

    cluster: str
    node_name: str
    pod_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    node_addresses: tuple[str, ...] = ()
    bridge: str = ""
    netns: str = ""
