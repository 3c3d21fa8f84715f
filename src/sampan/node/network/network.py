"""Opens and removes a node's pod network."""

from __future__ import annotations

from sampan.node.network.model import Config
from sampan.spec import cni


def open(config: Config) -> cni.Network:
    """Lays the ground (bridge, forwarding, routes, masquerade) and returns the network; takes some milliseconds.

    Raises ValueError for a configuration that cannot be used and NetlinkError where the kernel refuses.
    May be called again at any time: what is there already is kept, pods included.
    """
    raise NotImplementedError(config)


def cleanup(config: Config) -> None:
    """Removes bridge, veths, routes, nft tables and state of this cluster, whatever state it finds."""
    raise NotImplementedError(config)
