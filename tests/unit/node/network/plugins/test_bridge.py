"""What the bridge plug-in decides without a kernel."""

from __future__ import annotations

import pytest

from sampan.node.network.plugins import bridge
from sampan.node.network.plugins.hostlocal import HostLocal
from sampan.node.network.plugins.model import Call
from sampan.spec.cni import Attachment, CniError

AT = Attachment("container", "/nonexistent", "eth0")


def test_names_and_macs_follow_from_what_they_are_for() -> None:
    assert bridge.mac_of("10.42.0.5/24") == "0a:58:0a:2a:00:05"
    name = bridge.host_link(AT)
    assert name == bridge.host_link(Attachment("container", "/other")) and len(name) <= 15
    assert name != bridge.host_link(AT._replace(ifname="eth1"))


@pytest.mark.parametrize(
    "config, words",
    [
        (
            {"bridge": "b", "vlan": 5, "macspoofchk": True, "ipam": {"type": "host-local"}},
            "'macspoofchk', 'vlan'",
        ),
        ({"bridge": "b", "ipam": {"type": "dhcp"}}, "'dhcp'"),
        ({"bridge": "b"}, "None"),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(config: dict[str, object], words: str) -> None:
    with pytest.raises(CniError, match=words) as refused:
        bridge.Bridge("", HostLocal()).add(Call("net", {"type": "bridge", **config}, AT))
    assert refused.value.code == 2
