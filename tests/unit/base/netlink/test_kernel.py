"""rtnetlink, nf_tables and conntrack against the kernel, with ip and nft as oracles."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlab
from netlab import Lab
from sampan.base.netlink import NetlinkError, Socket, conntrack, netns, nft, rtnl
from sampan.base.netlink import expression as x
from sampan.base.netlink.socket import ROUTE

pytestmark = pytest.mark.root


class Place:
    """Two empty namespaces and the tools in the first."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.path = lab.namespace("one")
        self.other = lab.namespace("two")
        lab.node = self.path
        self.route = Socket(ROUTE, self.path)
        self.filter = nft.open_socket(self.path)

    def ip(self, *words: str) -> list[dict[str, object]]:
        return list(self.lab.ip(self.path, *words))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    netlab.sweep()
    lab = Lab(tmp_path)
    try:
        made = Place(lab)
        yield made
        made.route.close()
        made.filter.close()
    finally:
        lab.__exit__()


@pytest.mark.peer
def test_links_as_ip_shows_them(place: Place) -> None:
    fd = os.open(place.other, os.O_RDONLY)
    place.route.run(rtnl.bridge("br0", mac="0a:58:0a:00:00:01"), rtnl.bridge("br0"))
    bridge = rtnl.link(place.route, "br0")
    assert bridge is not None and bridge.kind == "bridge" and bridge.up
    place.route.run(
        rtnl.veth("v0", "eth0", fd, master=bridge.ifindex, mtu=1400, peer_mac="0a:58:0a:00:00:02"),
        rtnl.bridge_port("v0", hairpin=True),
    )
    os.close(fd)
    (shown,) = place.ip("-d", "link", "show", "v0")
    assert (shown["mtu"], shown["master"]) == (1400, "br0")
    assert "UP" in shown["flags"]  # type: ignore[operator]
    assert shown["linkinfo"]["info_slave_data"]["hairpin"] is True  # type: ignore[index]
    (inner,) = place.lab.ip(place.other, "link", "show", "eth0")
    assert inner["address"] == "0a:58:0a:00:00:02"
    assert {link.name for link in rtnl.links(place.route)} == {i["ifname"] for i in place.ip("link")}
    assert rtnl.link(place.route, "nothing") is None
    place.route.run(rtnl.link_set("v0", mtu=1300, master=0, up=False))
    changed = rtnl.link(place.route, "v0")
    assert changed is not None and (changed.mtu, changed.master, changed.up) == (1300, 0, False)
    place.route.run(rtnl.link_delete("v0"), rtnl.link_delete("v0"))
    assert place.lab.ip(place.other, "link") and rtnl.link(place.route, "v0") is None


@pytest.mark.peer
def test_addresses_and_routes_as_ip_shows_them(place: Place) -> None:
    place.route.run(rtnl.bridge("br0"))
    bridge = rtnl.link(place.route, "br0")
    assert bridge is not None
    at = bridge.ifindex
    place.route.run(
        rtnl.address_add(at, "10.1.0.1/24"),
        rtnl.address_add(at, "10.1.0.1/24"),
        rtnl.address_add(at, "2001:db8::1/64"),
        rtnl.route_add("10.2.0.0/16", device=at, source="10.1.0.1", metric=7),
        rtnl.route_add("10.3.0.0/16", via="10.1.0.9"),
        rtnl.route_add("10.4.0.0/16", kind="unreachable", metric=4278198272),
        rtnl.route_add("default", via="10.1.0.9"),
        rtnl.route_add("10.5.0.0/16", via="10.9.9.9", device=at, onlink=True),
        rtnl.neighbour_add(at, "10.1.0.9", "0a:58:0a:01:00:09"),
    )
    (shown,) = place.ip("addr", "show", "br0")
    locals_ = {f"{a['local']}/{a['prefixlen']}" for a in shown["addr_info"]}  # type: ignore[attr-defined]
    assert {"10.1.0.1/24", "2001:db8::1/64"} <= locals_
    assert locals_ == {a.address for a in rtnl.addresses(place.route, at)}
    routes = {r["dst"]: r for r in place.ip("route")}
    assert routes["10.2.0.0/16"]["metric"] == 7 and routes["10.2.0.0/16"]["prefsrc"] == "10.1.0.1"
    assert routes["10.3.0.0/16"]["gateway"] == "10.1.0.9" == routes["default"]["gateway"]
    assert routes["10.4.0.0/16"]["type"] == "unreachable"
    assert routes["10.5.0.0/16"]["flags"] == [
        "onlink",
        *[f for f in routes["10.5.0.0/16"]["flags"] if f != "onlink"],
    ]  # type: ignore[attr-defined]
    ours = rtnl.routes(place.route)
    assert {e.dst for e in ours} == {"0.0.0.0/0" if d == "default" else d for d in routes}
    assert rtnl.default_device(ours) == at
    assert place.ip("neigh")[0]["lladdr"] == "0a:58:0a:01:00:09"
    place.route.run(
        rtnl.route_delete("10.4.0.0/16", kind="unreachable"),
        rtnl.route_delete("10.4.0.0/16", kind="unreachable"),
        rtnl.address_delete(at, "10.1.0.1/24"),
        rtnl.address_delete(at, "10.1.0.1/24"),
    )
    assert "10.4.0.0/16" not in {r["dst"] for r in place.ip("route")}


def test_refusals_name_their_object_and_the_rest_is_done(place: Place) -> None:
    with pytest.raises(NetlinkError, match=r"add route 10\.9\.0\.0/16 via") as refused:
        place.route.run(rtnl.bridge("br0"), rtnl.route_add("10.9.0.0/16", via="1.2.3.4"), rtnl.bridge("br1"))
    assert refused.value.errno == errno.ENETUNREACH
    assert {"br0", "br1"} <= {link.name for link in rtnl.links(place.route)}
    with pytest.raises(NetlinkError, match="'nothing'"):
        place.route.run(rtnl.link_delete("nothing", missing_ok=False))


def test_many_requests_go_in_few_sends(place: Place) -> None:
    place.route.run(*(rtnl.route_add(f"10.{i >> 8}.{i & 255}.0/24", kind="blackhole") for i in range(3000)))
    assert len(rtnl.routes(place.route)) == 3000


TABLE = nft.Table("t")
PAIRS = nft.Set("pairs", ("ipv4_addr", "inet_service"), ("ipv4_addr", "inet_service"))
VERDICTS = nft.Set("verdicts", ("ipv4_addr",), ("verdict",))
RANGES = nft.Set("ranges", ("ipv4_addr",), interval=True)


def pair(i: int) -> bytes:
    return nft.padded(struct.pack(">I", 0x0A000000 + i), x.be16(80))


@pytest.mark.peer
def test_tables_chains_sets_and_rules_as_nft_lists_them(place: Place) -> None:
    requests = [
        nft.table_add(TABLE),
        *(nft.set_add(TABLE, s) for s in (PAIRS, VERDICTS, RANGES)),
        nft.base_chain_add(TABLE, "in", "filter", "input", -5, policy=1),
        nft.chain_add(TABLE, "other"),
        *nft.elements_add(TABLE, PAIRS, [(pair(i), pair(i + 1)) for i in range(3000)]),
        *nft.elements_add(
            TABLE, VERDICTS, [(b"\1\2\3\4", x.goto("other")), (b"\1\2\3\5", x.Verdict(x.DROP))]
        ),
        *nft.ranges_add(
            TABLE, RANGES, [(b"\x0a\0\0\0", b"\x0a\xff\xff\xff"), (b"\xff\0\0\0", b"\xff\xff\xff\xff")]
        ),
        nft.rule_add(TABLE, "in", x.ip_saddr(), x.vmap("verdicts"), comment="by source"),
        nft.rule_add(
            TABLE,
            "in",
            x.ip_saddr(),
            x.lookup("ranges", invert=True),
            x.counter(),
            x.verdict(x.Verdict(x.ACCEPT)),
        ),
        nft.rule_add(
            TABLE, "in", x.l4proto(), x.cmp(x.EQ, b"\x06"), x.reject(x.REJECT_TCP_RESET), first=True
        ),
    ]
    nft.commit(place.filter, requests)
    nft.commit(place.filter, requests[:6])
    listed = place.lab.nft("list", "ruleset")
    assert len(netlab.elements(listed, "pairs")) == 3000
    assert sorted(map(str, netlab.elements(listed, "ranges"))) == sorted(
        map(str, [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"prefix": {"addr": "255.0.0.0", "len": 8}}])
    )
    assert sorted(e[0] for e in netlab.elements(listed, "verdicts")) == ["1.2.3.4", "1.2.3.5"]
    rules = [item["rule"] for item in listed if "rule" in item]
    assert len(rules) == 3 and rules[1]["comment"] == "by source" and "reject" in rules[0]["expr"][-1]
    (chain,) = [c for c in nft.chains(place.filter) if c.hook]
    assert (chain.family, chain.table, chain.name, chain.hook, chain.kind, chain.priority) == (
        "ip", "t", "in", "input", "filter", -5,
    )  # fmt: skip
    assert nft.tables(place.filter) == [TABLE]
    assert sorted(nft.set_names(place.filter, TABLE)) == ["pairs", "ranges", "verdicts"]
    assert {(e.key, e.data) for e in nft.elements(place.filter, TABLE, "pairs")} == {
        (pair(i), pair(i + 1)) for i in range(3000)
    }
    assert {e.data for e in nft.elements(place.filter, TABLE, "verdicts")} == {
        x.goto("other"),
        x.Verdict(x.DROP),
    }
    assert nft.elements(place.filter, TABLE, "nothing") == []
    handles = nft.rule_handles(place.filter, TABLE, "in")
    assert [comment for _, comment in handles] == ["", "by source", ""]
    nft.commit(place.filter, [nft.rule_delete(TABLE, "in", handles[0][0])])
    assert len(nft.rule_handles(place.filter, TABLE, "in")) == 2


def test_a_transaction_is_all_or_nothing(place: Place) -> None:
    nft.commit(place.filter, [nft.table_add(TABLE), nft.set_add(TABLE, PAIRS)])
    with pytest.raises(NetlinkError, match="delete elements of 'pairs'"):
        nft.commit(
            place.filter,
            [
                *nft.elements_add(TABLE, PAIRS, [(pair(1), pair(2))]),
                *nft.elements_delete(TABLE, PAIRS, [pair(9)]),
            ],
        )
    assert nft.elements(place.filter, TABLE, "pairs") == []
    with pytest.raises(NetlinkError, match="add elements to 'pairs'") as refused:
        nft.commit(
            place.filter, list(nft.elements_add(TABLE, PAIRS, [(pair(1), pair(2)), (pair(1), pair(3))]))
        )
    assert refused.value.errno == errno.EEXIST
    nft.commit(place.filter, list(nft.elements_add(TABLE, PAIRS, [(pair(1), pair(2))])))
    swap = [
        *nft.elements_delete(TABLE, PAIRS, [pair(1)]),
        *nft.elements_add(TABLE, PAIRS, [(pair(1), pair(3))]),
    ]
    nft.commit(place.filter, swap)
    (element,) = nft.elements(place.filter, TABLE, "pairs")
    assert element.data == pair(3)
    nft.commit(place.filter, [nft.elements_flush(TABLE, "pairs")])
    assert nft.elements(place.filter, TABLE, "pairs") == []
    nft.commit(place.filter, [nft.table_delete(TABLE)])
    assert nft.tables(place.filter) == []
    with pytest.raises(NetlinkError, match="delete table 't'"):
        nft.commit(place.filter, [nft.table_delete(TABLE)])


def test_keys_and_data_of_the_wrong_size_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="pairs"):
        list(nft.elements_add(TABLE, PAIRS, [(b"short", pair(1))]))
    with pytest.raises(ValueError, match="pairs"):
        list(nft.elements_add(TABLE, PAIRS, [(pair(1), None)]))
    with pytest.raises(ValueError, match="register 16"):
        x.ip_saddr(16)
    with pytest.raises(ValueError, match="comment"):
        nft.rule_add(TABLE, "in", comment="x" * 200)


def test_flows_are_listed_and_forgotten(place: Place) -> None:
    lab = place.lab
    nft.commit(
        place.filter,
        [
            nft.table_add(TABLE),
            nft.base_chain_add(TABLE, "out", "filter", "output", 0),
            nft.rule_add(TABLE, "out", x.ct(x.CT_STATE), x.cmp(x.NEQ, x.host32(0)), x.counter()),
        ],
    )
    lab.servers.serve(place.path, "127.0.0.1", 7000, "here")
    assert netlab.ask(place.path, "127.0.0.1", 7000, "udp") == "here 127.0.0.1"
    with conntrack.open_socket(place.path) as socket:
        (flow,) = conntrack.flows(socket, 17)
        assert (flow.source, flow.destination, flow.destination_port) == ("127.0.0.1", "127.0.0.1", 7000)
        assert (flow.answerer, flow.answerer_port) == ("127.0.0.1", 7000)
        socket.run(conntrack.delete(flow), conntrack.delete(flow))
        assert conntrack.flows(socket, 17) == []


def test_namespaces_are_entered_and_left(place: Place) -> None:
    home = os.readlink("/proc/thread-self/ns/net")
    with netns.inside(place.path):
        assert os.readlink("/proc/thread-self/ns/net") != home
        assert netns.same(place.path, "")
    assert os.readlink("/proc/thread-self/ns/net") == home
    assert not netns.same(place.path, place.other) and not netns.same(place.path, "/nonexistent")
    with pytest.raises(ZeroDivisionError), netns.inside(place.path):
        raise ZeroDivisionError
    assert os.readlink("/proc/thread-self/ns/net") == home
    with pytest.raises(FileNotFoundError), netns.inside("/nonexistent"):
        pass
    with pytest.raises(FileExistsError):
        netns.create(place.path)
