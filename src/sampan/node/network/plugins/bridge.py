"""bridge: a veth per container on a bridge of the node, with an address from host-local.

The container's MAC follows from its address (0a:58 and the four bytes), so that a neighbour entry of a former
holder of the address is right for the next one.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sampan.base.netlink import NetlinkError, Socket, rtnl
from sampan.base.netlink.socket import ROUTE
from sampan.node.network.plugins.hostlocal import HostLocal
from sampan.node.network.plugins.model import Call, only
from sampan.spec.cni import Address, Attachment, CniError, Interface, Result, Route

CARRIER_LOOKS, CARRIER_PAUSE = 50, 0.0002
_FIELDS = (
    "bridge",
    "isGateway",
    "isDefaultGateway",
    "hairpinMode",
    "portIsolation",
    "mtu",
    "ipam",
    "capabilities",
)


def mac_of(address: str) -> str:
    """The MAC that goes with an IPv4 address, with or without its prefix length."""
    packed = ipaddress.ip_interface(address).ip.packed
    return (b"\x0a\x58" + packed[-4:]).hex(":")


def host_link(attachment: Attachment) -> str:
    """The node's end of a container's veth: found again without a record."""
    digest = hashlib.sha256(f"{attachment.container_id}/{attachment.ifname}".encode()).hexdigest()
    return f"veth{digest[:8]}"


class Bridge:
    """`netns` is the node's network namespace, "" the one we run in."""

    def __init__(self, netns: str, ipam: HostLocal) -> None:
        self._netns = netns
        self._ipam = ipam

    def add(self, call: Call) -> Result:
        config, attachment = call.config, call.attachment
        only(config, "bridge", _FIELDS)
        ipam = _ipam(config)
        address = self._ipam.reserve(call.network, ipam, attachment.container_id, attachment.ifname)
        try:
            return self._plug(call, address)
        except BaseException:
            # the runtime may or may not call DEL after a failed ADD
            self._unplug(attachment)
            self._ipam.store(call.network, ipam).release(attachment.container_id, attachment.ifname)
            raise

    def _plug(self, call: Call, address: Address) -> Result:
        config, attachment = call.config, call.attachment
        name, mac, mtu = host_link(attachment), mac_of(address.address), int(config.get("mtu") or 0)
        with _Namespace(attachment) as inner, Socket(ROUTE, self._netns) as host:
            bridge = rtnl.link(host, config["bridge"])
            if bridge is None:
                raise CniError(50, f"bridge {config['bridge']!r} is not there")
            with Socket(ROUTE, attachment.netns) as pod:
                if rtnl.link(pod, attachment.ifname) is not None:
                    raise CniError(
                        100,
                        f"container {attachment.container_id!r} has an interface {attachment.ifname!r} already",
                    )
                veth = rtnl.veth(
                    name, attachment.ifname, inner.fd, master=bridge.ifindex, mtu=mtu, peer_mac=mac
                )
                self._make(host, veth, name)
                hairpin, isolated = bool(config.get("hairpinMode")), bool(config.get("portIsolation"))
                if hairpin or isolated:
                    host.run(rtnl.bridge_port(name, hairpin=hairpin, isolated=isolated))
                link = rtnl.link(pod, attachment.ifname)
                if link is None:
                    raise CniError(5, f"interface {attachment.ifname!r} vanished while it was made")
                routes = self._routes(config, address)
                pod.run(
                    rtnl.address_add(link.ifindex, address.address),
                    rtnl.link_set(link.ifindex, up=True),
                    *(rtnl.route_add(r.dst, via=r.gw, device=link.ifindex) for r in routes),
                )
            _await_carrier(host, name)
        interfaces = (
            Interface(bridge.name, bridge.mac, bridge.mtu),
            Interface(name, "", link.mtu),
            Interface(attachment.ifname, mac, link.mtu, attachment.netns),
        )
        return Result(interfaces, (address._replace(interface=2),), routes)

    def _make(self, host: Socket, veth: Any, name: str) -> None:
        try:
            host.run(veth)
        except NetlinkError as error:
            if error.errno != errno.EEXIST:
                raise
            # left by an ADD that was killed: its container is the one that is added now
            host.run(rtnl.link_delete(name), veth)

    def _routes(self, config: Mapping[str, Any], address: Address) -> tuple[Route, ...]:
        wanted = [Route(r["dst"], r.get("gw") or address.gateway) for r in _ipam(config).get("routes") or ()]
        if config.get("isDefaultGateway") and not any(r.dst == "0.0.0.0/0" for r in wanted):
            wanted.append(Route("0.0.0.0/0", address.gateway))
        return tuple(wanted)

    def delete(self, call: Call) -> None:
        self._unplug(call.attachment)
        ipam = _ipam(call.config)
        self._ipam.store(call.network, ipam).release(call.attachment.container_id, call.attachment.ifname)

    def _unplug(self, attachment: Attachment) -> None:
        with Socket(ROUTE, self._netns) as host:
            host.run(rtnl.link_delete(host_link(attachment)))

    def check(self, call: Call) -> None:
        attachment = call.attachment
        with Socket(ROUTE, self._netns) as host:
            outer = rtnl.link(host, host_link(attachment))
            bridge = rtnl.link(host, call.config["bridge"])
        with Socket(ROUTE, attachment.netns) as pod:
            inner = rtnl.link(pod, attachment.ifname)
            has = {a.address for a in rtnl.addresses(pod, inner.ifindex)} if inner else set()
        wanted = {a.address for a in (call.previous.ips if call.previous else ())}
        wrong = []
        if outer is None or bridge is None or outer.master != bridge.ifindex:
            wrong.append(f"the node's end is not on bridge {call.config['bridge']!r}")
        if inner is None or not inner.up:
            wrong.append(f"interface {attachment.ifname!r} is not up")
        if missing := sorted(wanted - has):
            wrong.append(f"addresses are missing: {', '.join(missing)}")
        if wrong:
            raise CniError(
                100, f"network of container {attachment.container_id!r} is broken", "; ".join(wrong)
            )

    def gc(self, network: str, config: Mapping[str, Any], valid: frozenset[tuple[str, str]]) -> None:
        self._ipam.store(network, _ipam(config)).keep_only(valid)
        keep = {host_link(Attachment(container, "", ifname)) for container, ifname in valid}
        with Socket(ROUTE, self._netns) as host:
            bridge = rtnl.link(host, config["bridge"])
            if bridge is None:
                return
            ports = [
                link for link in rtnl.links(host) if link.master == bridge.ifindex and link.kind == "veth"
            ]
            host.run(*(rtnl.link_delete(link.ifindex) for link in ports if link.name not in keep))


def _ipam(config: Mapping[str, Any]) -> Mapping[str, Any]:
    ipam: Mapping[str, Any] = config.get("ipam") or {}
    if ipam.get("type") != "host-local":
        raise CniError(
            2, f"plug-in 'bridge' delegates to 'host-local' only, got ipam type {ipam.get('type')!r}"
        )
    return ipam


def _await_carrier(host: Socket, name: str) -> None:
    """Until the bridge forwards to the port: the kernel starts it by a worker, and drops what comes before.

    Usually there at the first look; a lost first packet costs a client a second.
    """
    for _ in range(CARRIER_LOOKS):
        link = rtnl.link(host, name)
        if link is None or link.running:
            return
        time.sleep(CARRIER_PAUSE)


class _Namespace:
    """An open descriptor of the container's namespace. CniError 3 when it is gone."""

    def __init__(self, attachment: Attachment) -> None:
        try:
            self.fd = os.open(Path(attachment.netns), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CniError(
                3,
                f"network namespace {attachment.netns!r} of container {attachment.container_id!r}",
                str(error),
            ) from error

    def __enter__(self) -> _Namespace:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
