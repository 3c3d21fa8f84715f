"""loopback: brings lo up in the container's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sampan.base.netlink import Socket, rtnl
from sampan.base.netlink.socket import ROUTE
from sampan.node.network.plugins.model import Call
from sampan.spec.cni import Address, CniError, Interface, Result


class Loopback:
    """The kernel gives lo its addresses once it is up; nothing is to be undone."""

    def add(self, call: Call) -> Result:
        with Socket(ROUTE, call.attachment.netns) as socket:
            socket.run(rtnl.link_set("lo", up=True))
        own = Result(
            (Interface("lo", "00:00:00:00:00:00", 0, call.attachment.netns),),
            (Address("127.0.0.1/8", "", 0),),
        )
        return call.previous or own

    def delete(self, call: Call) -> None:
        return

    def check(self, call: Call) -> None:
        with Socket(ROUTE, call.attachment.netns) as socket:
            link = rtnl.link(socket, "lo")
        if link is None or not link.up:
            raise CniError(100, f"lo of container {call.attachment.container_id!r} is down")

    def gc(self, network: str, config: Mapping[str, Any], valid: frozenset[tuple[str, str]]) -> None:
        return
