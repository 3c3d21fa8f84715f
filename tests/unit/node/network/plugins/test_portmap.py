"""What the portmap plug-in decides without a kernel."""

from __future__ import annotations

import pytest

from sampan.base.netlink import nft
from sampan.node.network.plugins.model import Call
from sampan.node.network.plugins.portmap import Portmap
from sampan.spec.cni import Address, Attachment, CniError, PortMapping, Result

PLUGIN = Portmap("", nft.Table("t"))
BEFORE = Result(ips=(Address("10.42.0.5/24"),))


def call(*ports: PortMapping, previous: Result | None = BEFORE, **config: object) -> Call:
    return Call("net", {"type": "portmap", **config}, Attachment("c", "/n", port_mappings=ports), previous)


def test_no_ports_is_no_work() -> None:
    assert PLUGIN.add(call()) is BEFORE
    assert PLUGIN.add(call(PortMapping(0, 80))) is BEFORE


@pytest.mark.parametrize(
    "made, code, words",
    [
        (call(previous=None), 7, "behind one"),
        (call(PortMapping(80, 80, "icmp")), 7, "icmp"),
        (call(PortMapping(80, 80, "tcp", "fd00::1")), 2, "IPv6"),
        (call(PortMapping(70000, 80)), 7, "70000"),
        (call(markMasqBit=3), 2, "markMasqBit"),
    ],
)
def test_what_cannot_be_forwarded_is_refused_by_name(made: Call, code: int, words: str) -> None:
    with pytest.raises(CniError, match=words) as refused:
        PLUGIN.add(made)
    assert refused.value.code == code
