"""What a node's network is told."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Config(NamedTuple):
    """One node's pod network. Ranges are one per address family; IPv4 only today, IPv6 is refused by name.

    `cluster` is the cluster's name: nft tables carry it, so that clusters lie side by side. `node_cidrs` are
    this node's parts of `pod_cidrs`. `state` holds leases and cached results and belongs to this node alone; no
    attachment outlives a reboot, so it may lie on a tmpfs (and is faster there).
    `netns` is the path of the network namespace that is the node; "" means the one we run in. `conf_dir` names a
    folder of foreign CNI configurations (the first by name is used) and takes the place of our own chain;
    `bin_dirs` is where executables of such a chain are looked for. `mtu` 0 follows the default route's device.
    """

    cluster: str
    bridge: str
    state: Path
    pod_cidrs: tuple[str, ...]
    node_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...] = ()
    netns: str = ""
    mtu: int = 0
    masquerade: bool = True
    conf_dir: Path | None = None
    bin_dirs: tuple[str, ...] = ("/opt/cni/bin", "/usr/lib/cni")
    plugin_seconds: float = 30.0
