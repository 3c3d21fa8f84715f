"""What calls meet: the service table under real packets between namespaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netlab
from netlab import GATEWAY, NODE, OUTSIDE, Lab
from sampan.base.netlink import netns
from sampan.dataplane import services
from sampan.node.proxy import kernel, table
from sampan.node.proxy.kernel import Kernel
from sampan.node.proxy.model import Config

pytestmark = pytest.mark.root

VIP = "10.43.0.80"


class Bench:
    """A node with pods a, b (here) and a proxy that is told of services."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.a, self.b = lab.pod("a"), lab.pod("b")
        self.config = Config(
            "lab",
            "n1",
            (netlab.POD_CIDR,),
            (netlab.SERVICE_CIDR,),
            (NODE,),
            bridge=lab.config.bridge,
            netns=lab.node,
        )
        self.ledger = services.Ledger()
        self.kernel = Kernel(self.config)
        self.kernel.replace(self.ledger)

    def service(
        self,
        *endpoints: tuple[str, str],
        name: str = "web",
        ip: str = VIP,
        protocol: str = "TCP",
        **spec: Any,
    ) -> None:
        """Endpoints are (address, node)."""
        port: dict[str, Any] = {"port": 80, "protocol": protocol}
        if "node_port" in spec:
            port["nodePort"] = spec.pop("node_port")
        status = {"loadBalancer": {"ingress": [{"ip": i} for i in spec.pop("ingress", ())]}}
        service = {
            "metadata": {"name": name},
            "spec": {"clusterIP": ip, "ports": [port], **spec},
            "status": status,
        }
        listed = {
            "addressType": "IPv4",
            "ports": [{"port": 80, "protocol": protocol}],
            "endpoints": [{"addresses": [a], "nodeName": node} for a, node in endpoints],
        }
        if changes := self.ledger.put({f"default/{name}": services.claims(service, [listed], "n1")}):
            self.kernel.tidy(self.kernel.change(changes), self.ledger)

    def ask(self, who: str, host: str = VIP, port: int = 80, protocol: str = "tcp", **more: Any) -> str:
        return self.lab.ask(who, host, port, protocol, **more)

    def many(self, who: str, count: int = 30, **more: Any) -> Counter[str]:
        return Counter(self.ask(who, **more).split()[0] for _ in range(count))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Lab(tmp_path / "state") as lab:
        made = Bench(lab)
        yield made
        made.kernel.close()


def both(bench: Bench) -> tuple[tuple[str, str], tuple[str, str]]:
    return (bench.a, "n1"), (bench.b, "n1")


def test_cluster_ip_reaches_every_endpoint_and_pods_keep_their_address(bench: Bench) -> None:
    bench.lab.pod("c")
    bench.service(*both(bench))
    assert set(bench.many("c")) == {"a", "b"}
    assert (
        bench.ask("c").split()[1]
        == bench.lab.ip(bench.lab.pods["c"].netns, "addr", "show", "eth0")[0]["addr_info"][0]["local"]
    )
    assert set(bench.many("node")) == {"a", "b"}
    assert bench.ask("node").split()[1] == GATEWAY
    assert bench.ask("c", protocol="udp") == "refused"


def test_a_pod_meets_itself_behind_its_own_service(bench: Bench) -> None:
    bench.service((bench.a, "n1"))
    assert bench.ask("a") == f"a {GATEWAY}"
    assert bench.ask("b").startswith("a ")


def test_what_nobody_serves_is_refused_at_once(bench: Bench) -> None:
    bench.service()
    for who in ("a", "node"):
        assert bench.ask(who) == "refused"
        assert bench.ask(who, "10.43.9.9") == "refused"
    assert bench.ask("a", "10.43.9.9", protocol="udp") == "refused"
    bench.service((bench.b, "n1"))
    assert bench.ask("a").startswith("b ")
    assert bench.ask("a", port=81) == "refused"


def test_node_port_from_everywhere(bench: Bench) -> None:
    bench.service(*both(bench), type="NodePort", node_port=30080)
    assert set(bench.many("outside", host=NODE, port=30080)) == {"a", "b"}
    assert bench.ask("outside", NODE, 30080).split()[1] == GATEWAY
    assert set(bench.many("node", host=NODE, port=30080)) == {"a", "b"}
    assert set(bench.many("node", host="127.0.0.1", port=30080)) == {"a", "b"}
    assert bench.ask("a", NODE, 30080).split()[0] in "ab"
    assert bench.ask("a", GATEWAY, 30080).split()[0] in "ab"


def test_pods_do_not_reach_the_loopback_of_the_node(bench: Bench) -> None:
    bench.lab.servers.serve(bench.lab.node, "127.0.0.1", 7000, "private")
    assert bench.ask("node", "127.0.0.1", 7000).startswith("private")
    pod = bench.lab.pods["a"].netns
    with netns.inside(pod):
        Path("/proc/sys/net/ipv4/conf/eth0/route_localnet").write_text("1")
    from sampan.base.netlink import Socket, rtnl
    from sampan.base.netlink.socket import ROUTE

    with Socket(ROUTE, pod) as sock:
        link = rtnl.link(sock, "eth0")
        assert link is not None
        local = [a for a in rtnl.addresses(sock) if a.address == "127.0.0.1/8"]
        sock.run(*(rtnl.address_delete(a.ifindex, a.address) for a in local))
        sock.run(rtnl.route_add("127.0.0.1/32", via=GATEWAY, device=link.ifindex))
    assert bench.ask("a", "127.0.0.1", 7000) in ("silence", "unreachable")


def test_local_policy_keeps_the_outsiders_address(bench: Bench) -> None:
    far = ("10.42.9.9", "n2")
    spec: dict[str, Any] = {"type": "NodePort", "node_port": 30080, "externalTrafficPolicy": "Local"}
    bench.service((bench.a, "n1"), far, **spec)
    assert {bench.ask("outside", NODE, 30080) for _ in range(12)} == {f"a {OUTSIDE}"}
    bench.service(far, **spec)
    assert bench.ask("outside", NODE, 30080, seconds=0.3) == "silence"


def test_local_policy_serves_the_cluster_from_everywhere(bench: Bench) -> None:
    bench.service(
        (bench.a, "n1"), (bench.b, "n2"), type="NodePort", node_port=30080, externalTrafficPolicy="Local"
    )
    assert set(bench.many("a", host=NODE, port=30080)) == {"a", "b"}
    assert set(bench.many("outside", host=NODE, port=30080, count=12)) == {"a"}


def test_internal_local_policy_drops_without_an_endpoint_here(bench: Bench) -> None:
    bench.service((bench.a, "n1"), (bench.b, "n2"), internalTrafficPolicy="Local")
    assert set(bench.many("b", count=12)) == {"a"}
    bench.service((bench.b, "n2"), internalTrafficPolicy="Local")
    assert bench.ask("b", seconds=0.3) == "silence"


def test_external_addresses_and_ranges_that_may_ask(bench: Bench) -> None:
    bench.service(*both(bench), type="LoadBalancer", ingress=["203.0.113.7"], externalIPs=["203.0.113.8"])
    for address in ("203.0.113.7", "203.0.113.8"):
        assert set(bench.many("outside", host=address)) == {"a", "b"}
        assert set(bench.many("a", host=address)) == {"a", "b"}
    bench.service(
        *both(bench),
        type="LoadBalancer",
        ingress=["203.0.113.7"],
        loadBalancerSourceRanges=["198.51.100.0/24"],
    )
    assert bench.ask("outside", "203.0.113.7", seconds=0.3) == "silence"
    bench.service(
        *both(bench), type="LoadBalancer", ingress=["203.0.113.7"], loadBalancerSourceRanges=["192.0.2.0/24"]
    )
    assert set(bench.many("outside", host="203.0.113.7")) == {"a", "b"}


def test_the_balancer_address_may_be_the_nodes_own(bench: Bench) -> None:
    bench.service(*both(bench), type="LoadBalancer", ingress=[NODE], node_port=30080)
    for who in ("outside", "node", "a"):
        assert set(bench.many(who, host=NODE)) == {"a", "b"}


def test_clients_stay_with_their_endpoint_until_it_goes(bench: Bench) -> None:
    bench.lab.pod("c")
    sticky: dict[str, Any] = {"sessionAffinity": "ClientIP", "type": "NodePort", "node_port": 30080}
    bench.service(*both(bench), **sticky)
    for who, host, port in (("c", VIP, 80), ("node", VIP, 80), ("outside", NODE, 30080)):
        assert len(bench.many(who, host=host, port=port)) == 1
    stays = bench.ask("c").split()[0]
    rest = [e for e in both(bench) if e[0] != getattr(bench, stays)]
    bench.service(*rest, **sticky)
    assert set(bench.many("c")) == {"a", "b"} - {stays}
    bench.service(*both(bench), **sticky)
    assert set(bench.many("c")) == {"a", "b"} - {stays}


@pytest.mark.peer
def test_affinity_is_kept_with_its_time_and_outlives_a_restart(bench: Bench) -> None:
    config = {"clientIP": {"timeoutSeconds": 77}}
    bench.service(*both(bench), sessionAffinity="ClientIP", sessionAffinityConfig=config)
    stays = bench.ask("node").split()[0]
    kept = netlab.elements(bench.lab.nft("list", "ruleset"), "affinity")
    assert [element[0]["elem"]["timeout"] for element in kept] == [77]
    fresh = Kernel(bench.config)
    fresh.replace(bench.ledger)
    fresh.close()
    assert set(bench.many("node")) == {stays}
    bench.service(*both(bench))
    fresh = Kernel(bench.config)
    fresh.replace(bench.ledger)
    fresh.close()
    assert netlab.elements(bench.lab.nft("list", "ruleset"), "affinity") == []


def test_udp_flows_leave_an_endpoint_that_is_gone(bench: Bench) -> None:
    bench.service((bench.a, "n1"), protocol="UDP")
    sock = netlab.client(bench.lab.node, "udp")
    sock.connect((VIP, 80))
    assert bench.ask("node", protocol="udp", sock=sock).startswith("a ")
    bench.service((bench.b, "n1"), protocol="UDP")
    assert bench.ask("node", protocol="udp", sock=sock).startswith("b ")
    sock.close()


def test_replacing_the_table_loses_no_connection(bench: Bench) -> None:
    import threading

    bench.service(*both(bench))
    stop = threading.Event()

    def replace() -> None:
        other = Kernel(bench.config)
        while not stop.is_set():
            other.replace(bench.ledger)
        other.close()

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        met = bench.many("node", 200)
    finally:
        stop.set()
        thread.join()
    assert set(met) == {"a", "b"}


def test_two_clusters_lie_side_by_side(bench: Bench) -> None:
    bench.service((bench.a, "n1"))
    config = bench.config._replace(
        cluster="other", pod_cidrs=("10.52.0.0/16",), service_cidrs=("10.53.0.0/16",)
    )
    other = Bench.__new__(Bench)
    other.lab, other.config, other.ledger, other.kernel = bench.lab, config, services.Ledger(), Kernel(config)
    other.kernel.replace(other.ledger)
    other.service((bench.b, "n1"), ip="10.53.0.80")
    assert bench.ask("node", "10.53.0.80").startswith("b ")
    kernel.remove(bench.config)
    kernel.remove(bench.config)
    assert bench.ask("node", "10.53.0.80").startswith("b ")
    assert bench.ask("node", VIP, seconds=0.3) != "a"
    other.kernel.close()


def test_a_flushed_table_is_noticed(bench: Bench) -> None:
    bench.service((bench.a, "n1"))
    assert bench.kernel.intact()
    kernel.remove(bench.config)
    assert not bench.kernel.intact()
    bench.kernel.replace(bench.ledger)
    assert bench.ask("node").startswith("a ")


@pytest.mark.peer
def test_nft_lists_what_the_ledger_wants(bench: Bench) -> None:
    bench.service(
        *both(bench),
        type="NodePort",
        node_port=30080,
        externalTrafficPolicy="Local",
        sessionAffinity="ClientIP",
    )
    bench.service((bench.a, "n1"), name="other", ip="10.43.0.81", protocol="UDP")
    listed = bench.lab.nft("list", "table", "ip", table.of(bench.config).name)
    wanted: Counter[str] = Counter()
    for head, _ in bench.ledger.all():
        wanted[head if isinstance(head, str) else head.name] += 1
    for name, count in wanted.items():
        assert len(netlab.elements(listed, name)) == count, name
    chains = {item["chain"]["name"] for item in listed if "chain" in item}
    assert {"services", "pick-1", "pick-2-inside", "pick-2-outside-port"} <= chains
    bench.service(name="other", ip="10.43.0.81", protocol="UDP")
    bench.kernel.replace(bench.ledger)
    listed = bench.lab.nft("list", "table", "ip", table.of(bench.config).name)
    assert "pick-1" not in {item["chain"]["name"] for item in listed if "chain" in item}
