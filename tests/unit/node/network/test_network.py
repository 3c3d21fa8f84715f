"""The node's pod network in namespaces of its own: what pods reach, what is left behind, what survives a kill."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlab import GATEWAY, NODE, NODE_CIDR, OUTSIDE, POD_CIDR, SERVICE_CIDR, Lab
from sampan.base.netlink import Socket, netns, nft, rtnl
from sampan.base.netlink.socket import ROUTE
from sampan.node import network
from sampan.node.network import firewall
from sampan.spec.cni import Attachment, CniError, PortMapping

pytestmark = pytest.mark.root


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path / "state") as made:
        yield made


def do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def leases(lab: Lab) -> set[str]:
    return {p.name for p in (lab.state / "leases" / "sampan-lab").iterdir()} - {"last_reserved_ip.0"}


@pytest.mark.peer
def test_a_pod_has_an_address_a_way_out_and_loopback(lab: Lab) -> None:
    result = lab.attach("a")
    place = lab.pods["a"].netns
    (shown,) = lab.ip(place, "addr", "show", "eth0")
    (address,) = [a for a in shown["addr_info"] if a["family"] == "inet"]
    assert f"{address['local']}/{address['prefixlen']}" == result.ips[0].address == "10.42.0.2/24"
    assert shown["address"] == "0a:58:0a:2a:00:02" == result.interfaces[2].mac
    assert result.interfaces[2].sandbox == place and result.ips[0].gateway == GATEWAY
    assert lab.ip(place, "route")[0]["gateway"] == GATEWAY
    (lo,) = lab.ip(place, "addr", "show", "lo")
    assert "127.0.0.1" in {a["local"] for a in lo["addr_info"]}
    do(lab.net.check(lab.pods["a"]))
    do(lab.net.status())


def test_pods_meet_each_other_the_node_and_the_world(lab: Lab) -> None:
    a, b = lab.pod("a"), lab.pod("b")
    lab.servers.serve(lab.outside, OUTSIDE, 80, "world")
    lab.servers.serve(lab.node, NODE, 81, "node")
    assert lab.ask("a", b, 80) == f"b {a}"
    assert lab.ask("node", a, 80) == f"a {GATEWAY}"
    assert lab.ask("a", NODE, 81) == f"node {a}"
    assert lab.ask("outside", a, 80) == f"a {OUTSIDE}"
    assert lab.ask("a", OUTSIDE, 80) == f"world {NODE}"
    assert lab.ask("a", OUTSIDE, 80, "udp") == f"world {NODE}"


def test_nothing_of_the_ranges_leaks_to_the_default_route(lab: Lab) -> None:
    lab.pod("a")
    kinds = {(r.dst, r.kind) for r in do_routes(lab)}
    assert {(POD_CIDR, "unreachable"), (SERVICE_CIDR, "unreachable")} <= kinds
    lab.servers.serve(lab.outside, OUTSIDE, 80, "world")
    with Socket(ROUTE, lab.outside) as sock:
        link = rtnl.link(sock, "eth0")
        assert link is not None
        sock.run(rtnl.address_add(link.ifindex, "10.42.200.1/32"))
    lab.servers.serve(lab.outside, "10.42.200.1", 80, "leaked")
    for who in ("a", "node"):
        assert lab.ask(who, "10.42.200.1", 80) == "unreachable"


def do_routes(lab: Lab) -> list[rtnl.RouteEntry]:
    with Socket(ROUTE, lab.node) as sock:
        return rtnl.routes(sock)


def test_host_ports(lab: Lab) -> None:
    lab.pod("a", PortMapping(8080, 80), PortMapping(8080, 80, "udp"), PortMapping(8081, 80, "tcp", NODE))
    b = lab.pod("b")
    for who, host in (
        ("outside", NODE),
        ("node", NODE),
        ("node", "127.0.0.1"),
        ("b", NODE),
        ("b", GATEWAY),
        ("a", NODE),
    ):
        assert lab.ask(who, host, 8080).split()[0] == "a", (who, host)
    assert lab.ask("outside", NODE, 8080, "udp") == f"a {OUTSIDE}"
    assert lab.ask("outside", NODE, 8081) == f"a {OUTSIDE}"
    assert lab.ask("b", GATEWAY, 8081) == "refused"
    assert lab.ask("b", NODE, 8080) == f"a {b}"
    with pytest.raises(CniError, match="8080/tcp"):
        lab.attach("c", PortMapping(8080, 80))
    assert len(leases(lab)) == 2
    do(lab.net.delete(lab.pods["a"]))
    assert lab.ask("outside", NODE, 8080) == "refused"
    lab.pod("d", PortMapping(8080, 80))
    assert lab.ask("outside", NODE, 8080).split()[0] == "d"


def test_bad_host_ports_are_refused_by_name(lab: Lab) -> None:
    for mapping, words in (
        (PortMapping(8080, 80, "icmp"), "icmp"),
        (PortMapping(8080, 80, "tcp", "::1"), "IPv6"),
        (PortMapping(8080, 80, "tcp", "nowhere"), "nowhere"),
        (PortMapping(80800, 80), "80800"),
    ):
        with pytest.raises(CniError, match=words):
            lab.attach("x", mapping)
    assert leases(lab) == set()


def test_delete_may_be_repeated_and_leaves_nothing(lab: Lab) -> None:
    lab.attach("a")
    attachment = lab.pods["a"]
    for _ in range(3):
        do(lab.net.delete(attachment))
    netns.remove(attachment.netns)
    do(lab.net.delete(attachment))
    do(lab.net.delete(attachment._replace(netns="")))
    assert leases(lab) == set() and not list((lab.state / "results").glob("*.json"))
    with pytest.raises(CniError, match="not attached"):
        do(lab.net.check(attachment))


def test_an_address_comes_back_late_and_its_mac_with_it(lab: Lab) -> None:
    first = lab.attach("a").ips[0].address
    do(lab.net.delete(lab.pods["a"]))
    assert lab.attach("b").ips[0].address != first


def test_check_tells_everything_that_is_broken(lab: Lab) -> None:
    lab.attach("a")
    with Socket(ROUTE, lab.pods["a"].netns) as sock:
        link = rtnl.link(sock, "eth0")
        assert link is not None
        sock.run(rtnl.address_delete(link.ifindex, "10.42.0.2/24"), rtnl.link_set(link.ifindex, up=False))
    with pytest.raises(CniError) as broken:
        do(lab.net.check(lab.pods["a"]))
    assert "not up" in str(broken.value) and "10.42.0.2/24" in str(broken.value)


def test_what_nobody_knows_is_collected(lab: Lab) -> None:
    for name in ("a", "b", "c"):
        lab.pod(name, PortMapping(8000 + ord(name), 80))
    do(lab.net.gc(frozenset({("b", "eth0")})))
    assert leases(lab) == {"10.42.0.3"}
    with Socket(ROUTE, lab.node) as sock:
        assert len([link for link in rtnl.links(sock) if link.kind == "veth" and link.master]) == 1
    assert lab.ask("outside", NODE, 8000 + ord("b")).split()[0] == "b"
    assert lab.ask("outside", NODE, 8000 + ord("a")) == "refused"


def test_an_add_that_is_killed_leaks_no_address(lab: Lab) -> None:
    place = lab.namespace("victim")
    child = os.fork()
    if child == 0:
        from sampan.node.network.cache import Cache

        def die(self: Cache, entry: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        Cache.store = die  # type: ignore[assignment, method-assign]
        asyncio.run(network.open(lab.config).add(Attachment("victim", place)))
    os.waitpid(child, 0)
    assert leases(lab) == {"10.42.0.2"}
    lab.net = network.open(lab.config)
    assert leases(lab) == set()
    again = Attachment("victim", place)
    with pytest.raises(CniError, match="already"):
        do(lab.net.add(again))
    do(lab.net.delete(again))
    assert do(lab.net.add(again)).ips


def test_opening_again_keeps_pods_and_another_boot_does_not(lab: Lab) -> None:
    a = lab.pod("a", PortMapping(8080, 80))
    with nft.open_socket(lab.node) as sock:
        nft.commit(sock, [nft.table_delete(nft.Table("sampan.lab.network"))])
    assert lab.ask("outside", NODE, 8080) == "refused"
    lab.net = network.open(lab.config)
    assert lab.ask("node", a, 80).split()[0] == "a"
    assert lab.ask("outside", NODE, 8080).split()[0] == "a"
    assert lab.attach("b").ips[0].address != f"{a}/24"
    (lab.state / "results" / "boot").write_text("another")
    network.open(lab.config)
    assert not (lab.state / "leases" / "sampan-lab").exists() or leases(lab) == set()


def test_a_range_that_is_used_up_says_so(lab: Lab, tmp_path: Path) -> None:
    config = lab.config._replace(
        cluster="tiny",
        bridge="sampantiny0",
        state=tmp_path / "tiny",
        pod_cidrs=("10.60.0.0/29",),
        node_cidrs=("10.60.0.0/29",),
    )
    net = network.open(config)
    for i in range(5):
        do(net.add(Attachment(f"t{i}", lab.namespace(f"t{i}"))))
    with pytest.raises(CniError, match=r"10\.60\.0\.0/29") as full:
        do(net.add(Attachment("t5", lab.namespace("t5"))))
    assert full.value.code == 11
    network.cleanup(config)


def test_a_foreign_firewall_that_drops_is_passed(lab: Lab) -> None:
    a = lab.pod("a")
    lab.servers.serve(lab.outside, OUTSIDE, 80, "world")
    table = nft.Table("filter")
    with nft.open_socket(lab.node) as sock:
        nft.commit(
            sock,
            [nft.table_add(table), nft.base_chain_add(table, "FORWARD", "filter", "forward", 0, policy=0)],
        )
        assert lab.ask("a", OUTSIDE, 80, seconds=0.3) == "silence"
        do(lab.net.status())
        assert lab.ask("a", OUTSIDE, 80).split()[0] == "world"
        assert lab.ask("outside", a, 80).split()[0] == "a"
        do(lab.net.status())
        assert len(nft.rule_handles(sock, table, "FORWARD")) == 2
        firewall.clear(lab.node, lab.config.bridge)
        assert nft.rule_handles(sock, table, "FORWARD") == []


@pytest.mark.peer
def test_iptables_still_reads_its_own_chain(lab: Lab) -> None:
    import subprocess

    with netns.inside(lab.node):
        subprocess.run(["iptables-nft", "-P", "FORWARD", "DROP"], check=True)
    do(lab.net.status())
    with netns.inside(lab.node):
        shown = subprocess.run(
            ["iptables-nft", "-S", "FORWARD"], check=True, capture_output=True, text=True
        ).stdout
    assert f"-A FORWARD -i {lab.config.bridge} " in shown and f"-A FORWARD -o {lab.config.bridge} " in shown
    assert shown.count("-j ACCEPT") == 2


def test_without_br_netfilter_pods_meet_through_the_nodes_routing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sampan.dataplane import services
    from sampan.node.network import ground
    from sampan.node.proxy.kernel import Kernel
    from sampan.node.proxy.model import Config

    with netns.inside(lab.node):
        Path("/proc/sys/net/bridge/bridge-nf-call-iptables").write_text("0")
    monkeypatch.setattr(ground, "bridged_is_filtered", lambda config: False)
    lab.net = network.open(lab.config)
    a, b = lab.pod("a"), lab.pod("b", PortMapping(8080, 80))
    assert lab.ask("a", b, 80) == f"b {a}"
    assert lab.ask("node", b, 80).split()[0] == "b"
    kernel = Kernel(Config("lab", "n1", (POD_CIDR,), (SERVICE_CIDR,), (NODE,), lab.config.bridge, lab.node))
    ledger = services.Ledger()
    rule = services.Rule((services.Backend(b, 80),), here=(b,))
    ledger.put({"default/web": (services.Claim(services.Frontend("10.43.0.80", "TCP", 80), rule),)})
    kernel.replace(ledger)
    kernel.close()
    assert lab.ask("a", "10.43.0.80", 80) == f"b {a}"
    assert lab.ask("b", "10.43.0.80", 80) == f"b {GATEWAY}"
    assert lab.ask("a", NODE, 8080).split()[0] == "b"


def test_status_tells_when_the_bridge_is_gone(lab: Lab) -> None:
    with Socket(ROUTE, lab.node) as sock:
        sock.run(rtnl.link_delete(lab.config.bridge))
    with pytest.raises(CniError, match=lab.config.bridge) as gone:
        do(lab.net.status())
    assert gone.value.code == 50
    lab.net = network.open(lab.config)
    do(lab.net.status())


def test_cleanup_takes_everything_from_any_state(lab: Lab) -> None:
    lab.pod("a", PortMapping(8080, 80))
    with nft.open_socket(lab.node) as sock:
        nft.commit(sock, [nft.table_add(nft.Table("foreign"))])
        network.cleanup(lab.config)
        assert [t.name for t in nft.tables(sock)] == ["foreign"]
    assert {r.dst for r in do_routes(lab)} == {"0.0.0.0/0", "192.0.2.0/24"}
    with Socket(ROUTE, lab.node) as sock:
        assert {link.name for link in rtnl.links(sock)} == {"lo", "up0"}
    assert not lab.state.exists()
    network.cleanup(lab.config)


@pytest.mark.parametrize(
    "parts, words",
    [
        ({"pod_cidrs": ("fd00::/48",)}, "IPv6"),
        ({"pod_cidrs": ("10.42.0.0/16", "10.44.0.0/16")}, "one IPv4 range"),
        ({"node_cidrs": ("10.42.0.1/24",)}, "host bits"),
        ({"bridge": "x" * 16}, "15 characters"),
    ],
)
def test_configurations_that_cannot_be_are_refused(lab: Lab, parts: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        network.open(lab.config._replace(**parts))


def test_addresses_of_another_life_leave_the_bridge(lab: Lab) -> None:
    network.open(lab.config._replace(node_cidrs=("10.42.7.0/24",)))
    with Socket(ROUTE, lab.node) as sock:
        bridge = rtnl.link(sock, lab.config.bridge)
        assert bridge is not None
        v4 = {a.address for a in rtnl.addresses(sock, bridge.ifindex) if "." in a.address}
    assert v4 == {"10.42.7.1/24"}
    assert NODE_CIDR not in v4


@pytest.mark.peer
def test_multicast_is_not_masqueraded(lab: Lab) -> None:
    listed = lab.nft("list", "chain", "ip", "sampan.lab.network", "postrouting")
    assert "224.0.0.0" in str(listed)
