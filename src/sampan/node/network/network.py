"""Opens and removes a node's pod network."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from sampan.base.netlink import Socket, rtnl
from sampan.base.netlink.socket import ROUTE
from sampan.node.network import conflist, firewall, ground, table
from sampan.node.network.cache import Cache
from sampan.node.network.host import Chain
from sampan.node.network.model import Config
from sampan.node.network.plugins.bridge import Bridge
from sampan.node.network.plugins.hostlocal import HostLocal
from sampan.node.network.plugins.loopback import Loopback
from sampan.node.network.plugins.model import Call, Plugin
from sampan.node.network.plugins.portmap import Portmap
from sampan.spec import cni

log = logging.getLogger(__name__)


class _Own:
    """Our own chain: as `Chain`, and its status sees to foreign firewalls."""

    def __init__(self, chain: Chain, config: Config) -> None:
        self._chain = chain
        self._config = config
        self.add = chain.add
        self.delete = chain.delete
        self.check = chain.check
        self.gc = chain.gc

    async def status(self) -> None:
        """Raises CniError 50 when the ground is gone; it is laid again on the next `open`."""
        await asyncio.to_thread(self._status)

    def _status(self) -> None:
        with Socket(ROUTE, self._config.netns) as socket:
            bridge = rtnl.link(socket, self._config.bridge)
        if bridge is None or not bridge.up:
            raise cni.CniError(50, f"bridge {self._config.bridge!r} is {'down' if bridge else 'not there'}")
        for changed in firewall.mend(self._config.netns, self._config.bridge):
            log.warning("%s drops forwarded packets; pods on %s pass it now", changed, self._config.bridge)


def open(config: Config) -> cni.Network:
    """Lays the ground (bridge, forwarding, routes, masquerade) and returns the network; takes some milliseconds.

    Raises ValueError for a configuration that cannot be used and NetlinkError where the kernel refuses.
    May be called again at any time: what is there already is kept, pods included. With `conf_dir`, foreign plug-ins
    lay their own ground, and CniError tells what is wrong with their configuration.
    """
    cache = Cache(config.state / "results")
    if config.conf_dir is not None:
        cache.open(_boot_id())
        return Chain(conflist.load(config.conf_dir), cache, {}, config.bin_dirs, config.plugin_seconds)
    ground.check(config)
    if not cache.open(_boot_id()):
        shutil.rmtree(config.state / "leases", ignore_errors=True)
    ground.lay(config)
    filtered = ground.bridged_is_filtered(config)
    if not filtered:
        log.warning(
            "no br_netfilter: pods on %s speak to each other through the node's routing", config.bridge
        )
    with Socket(ROUTE, config.netns) as socket:
        listed = conflist.own(config, ground.mtu(config, socket), isolate=not filtered)
    ipam = HostLocal()
    _release_unfinished(config, cache, ipam, listed)
    portmap = Portmap(config.netns, table.of(config))
    portmap.restore(
        Call(str(listed["name"]), {"type": "portmap"}, e.attachment, e.result) for e in cache.entries()
    )
    inline: dict[str, Plugin] = {
        "loopback": Loopback(),
        "bridge": Bridge(config.netns, ipam),
        "portmap": portmap,
    }
    for changed in firewall.mend(config.netns, config.bridge):
        log.warning("%s drops forwarded packets; pods on %s pass it now", changed, config.bridge)
    if legacy := firewall.legacy_tables(config.netns):
        log.info(
            "old iptables are in use too (tables %s); should they drop, pods are cut off", ", ".join(legacy)
        )
    return _Own(Chain(conflist.check(listed, "our own list"), cache, inline), config)


def _release_unfinished(config: Config, cache: Cache, ipam: HostLocal, listed: dict[str, object]) -> None:
    """An ADD that was killed has a lease but no cached result: nobody holds that address."""
    finished = frozenset((e.attachment.container_id, e.attachment.ifname) for e in cache.entries())
    plugins = listed["plugins"]
    if not isinstance(plugins, list):
        return
    settings = next(p["ipam"] for p in plugins if p["type"] == "bridge")
    for lease in ipam.store(str(listed["name"]), settings).keep_only(finished):
        log.info("address %s of %s was never used and is free again", lease.address, lease.container_id)


def cleanup(config: Config) -> None:
    """Removes bridge, veths, routes, nft tables and state of this cluster, whatever state it finds."""
    if config.conf_dir is None:
        ground.remove(config)
    shutil.rmtree(config.state, ignore_errors=True)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
