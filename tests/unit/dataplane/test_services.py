"""Services to elements: which endpoint each kind of traffic may meet, and that changes add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.dataplane import services
from sampan.dataplane.services import (
    ANY,
    INSIDE,
    OUTSIDE,
    Backend,
    Changes,
    Frontend,
    Ledger,
    Pick,
    Rule,
    Sticky,
)

Object = dict[str, Any]
VIP = "10.43.0.1"


def service(**spec: Any) -> Object:
    port: Object = {"port": 80, "protocol": "TCP", "name": "http"} | spec.pop("port", {})
    status = {"loadBalancer": {"ingress": spec.pop("ingress", [])}}
    meta = {"name": "web", "namespace": "default"} | spec.pop("metadata", {})
    return {"metadata": meta, "spec": {"clusterIP": VIP, "ports": [port], **spec}, "status": status}


def slices(*endpoints: Any, **port: Any) -> list[Object]:
    """Endpoints are addresses (ready, elsewhere) or whole objects."""
    listed = [{"addresses": [e]} if isinstance(e, str) else e for e in endpoints]
    ports = [{"port": 8080, "protocol": "TCP", "name": "http"} | port]
    return [{"addressType": "IPv4", "ports": ports, "endpoints": listed, "metadata": {}}]


def end(address: str, node: str = "n1", **conditions: bool) -> Object:
    return {"addresses": [address], "nodeName": node, "conditions": conditions}


def rules(obj: Object, listed: list[Object]) -> dict[Frontend, Rule]:
    return {claim.frontend: claim.rule for claim in services.claims(obj, listed, "n1")}


def inside(obj: Object, listed: list[Object], frontend: Frontend | None = None) -> list[str]:
    return [b.address for b in rules(obj, listed)[frontend or Frontend(VIP, "TCP", 80)].inside]


@pytest.mark.parametrize(
    "obj",
    [
        service(clusterIP="None"),
        service(clusterIP=""),
        service(clusterIP="fd00::1"),
        service(type="ExternalName", externalName="x"),
        service(metadata={"labels": {"service.kubernetes.io/service-proxy-name": "other"}}),
    ],
)
def test_services_that_are_not_ours(obj: Object) -> None:
    assert services.claims(obj, slices("10.42.0.1"), "n1") == ()


def test_ports_match_by_name_and_protocol() -> None:
    assert inside(service(), slices("10.42.0.1")) == ["10.42.0.1"]
    assert inside(service(), slices("10.42.0.1", name="other")) == []
    assert inside(service(), slices("10.42.0.1", protocol="UDP")) == []
    assert inside(service(), slices("10.42.0.1", port=None)) == []
    unnamed = service(port={"name": None})
    assert inside(unnamed, slices("10.42.0.1", name="")) == ["10.42.0.1"]
    assert inside(service(), [{**slices("10.42.0.1")[0], "addressType": "IPv6"}]) == []


@pytest.mark.parametrize(
    "endpoints, used",
    [
        ([end("10.42.0.1", ready=True), end("10.42.0.2", ready=False)], ["10.42.0.1"]),
        ([end("10.42.0.1"), "10.42.0.1"], ["10.42.0.1"]),
        ([end("10.42.0.2", ready=False, serving=True, terminating=True)], ["10.42.0.2"]),
        ([end("10.42.0.2", ready=False, terminating=True)], ["10.42.0.2"]),
        ([end("10.42.0.2", ready=False, serving=False, terminating=True)], []),
        ([end("10.42.0.2", ready=False, serving=True)], []),
        ([end("10.42.0.1"), end("10.42.0.2", ready=False, serving=True, terminating=True)], ["10.42.0.1"]),
    ],
)
def test_which_endpoints_are_used(endpoints: list[Any], used: list[str]) -> None:
    assert inside(service(), slices(*endpoints)) == used


def test_frontends_of_a_service() -> None:
    obj = service(
        type="LoadBalancer",
        port={"nodePort": 30080},
        externalIPs=["203.0.113.1", "2001:db8::1"],
        ingress=[{"ip": "203.0.113.2"}, {"ip": "203.0.113.3", "ipMode": "Proxy"}, {"hostname": "x"}],
    )
    found = rules(obj, slices("10.42.0.1"))
    assert set(found) == {Frontend(a, "TCP", 80) for a in (VIP, "203.0.113.1", "203.0.113.2")} | {
        Frontend(ANY, "TCP", 30080)
    }
    assert not found[Frontend(VIP, "TCP", 80)].external and found[Frontend(ANY, "TCP", 30080)].external


def test_ranges_hold_for_the_balancers_address_alone() -> None:
    obj = service(
        type="LoadBalancer",
        port={"nodePort": 30080},
        ingress=[{"ip": "203.0.113.2"}],
        loadBalancerSourceRanges=["198.51.100.0/24", " 192.0.2.0/24 ", "fd00::/8"],
    )
    found = rules(obj, slices("10.42.0.1"))
    assert found[Frontend("203.0.113.2", "TCP", 80)].sources == ("192.0.2.0/24", "198.51.100.0/24")
    assert found[Frontend(ANY, "TCP", 30080)].sources == ()


def test_policies() -> None:
    here, there = end("10.42.0.1", "n1"), end("10.42.1.1", "n2")
    node_port = Frontend(ANY, "TCP", 30080)
    spec: Object = {"type": "NodePort", "port": {"nodePort": 30080}}
    local = rules(service(**spec, externalTrafficPolicy="Local"), slices(here, there))[node_port]
    assert [b.address for b in local.inside] == ["10.42.0.1", "10.42.1.1"]
    assert local.outside == (Backend("10.42.0.1", 8080),)
    none_here = rules(service(**spec, externalTrafficPolicy="Local"), slices(there))[node_port]
    assert none_here.outside == () and none_here.inside
    nobody = rules(service(**spec, externalTrafficPolicy="Local"), [])[node_port]
    assert nobody.outside is None
    assert rules(service(**spec), slices(here, there))[node_port].outside is None
    assert inside(service(internalTrafficPolicy="Local"), slices(here, there)) == ["10.42.0.1"]
    dropped = rules(service(internalTrafficPolicy="Local"), slices(there))[Frontend(VIP, "TCP", 80)]
    assert dropped.drop and not dropped.inside
    terminating = end("10.42.0.1", "n1", ready=False, terminating=True)
    kept = rules(service(**spec, externalTrafficPolicy="Local"), slices(terminating, there))[node_port]
    assert kept.outside == (Backend("10.42.0.1", 8080),)


def test_affinity_has_upstreams_default() -> None:
    frontend = Frontend(VIP, "TCP", 80)
    assert rules(service(sessionAffinity="ClientIP"), slices("10.42.0.1"))[frontend].affinity == 10800
    config = {"clientIP": {"timeoutSeconds": 5}}
    obj = service(sessionAffinity="ClientIP", sessionAffinityConfig=config)
    assert rules(obj, slices("10.42.0.1"))[frontend].affinity == 5
    assert rules(service(), slices("10.42.0.1"))[frontend].affinity == 0


def test_elements_of_a_claim() -> None:
    frontend = Frontend(ANY, "TCP", 30080)
    a, b = Backend("10.42.0.1", 80), Backend("10.42.0.2", 80)
    made = services.elements(
        services.Claim(frontend, Rule((a, b), (b,), 60, external=True, here=("10.42.0.1",)))
    )
    assert made == {
        (services.HAIRPINS, ("10.42.0.1", "10.42.0.1")): None,
        (services.ENDPOINTS, (frontend, 0)): a,
        (services.ENDPOINTS, (frontend, 1)): b,
        (services.ENDPOINTS, (frontend, services.OUTSIDE_SLOT)): b,
        (services.LOCAL_POLICY, frontend): None,
        (Pick(2, INSIDE), frontend): None,
        (Pick(1, OUTSIDE), frontend): None,
        (Sticky(60), frontend): None,
        (services.MASQUERADED_LOCAL, frontend): None,
    }
    assert services.elements(services.Claim(frontend, Rule())) == {(services.REJECTED, frontend): None}
    assert services.elements(services.Claim(frontend, Rule(drop=True))) == {
        (services.DROPPED, frontend): None
    }


def test_slices_say_whose_they_are() -> None:
    labels = {"kubernetes.io/service-name": "web"}
    assert services.service_of({"metadata": {"namespace": "default", "labels": labels}}) == "default/web"
    assert services.service_of({"metadata": {"namespace": "default"}}) == ""


def test_a_cluster_ip_cannot_be_taken_over() -> None:
    victim = services.claims(service(), slices("10.42.0.1"), "n1")
    thief_spec = service(clusterIP="10.43.0.2", externalIPs=[VIP])
    thief = services.claims(thief_spec, slices("10.66.6.6"), "n1")
    ledger = Ledger()
    ledger.put({"a/thief": thief})
    ledger.put({"b/victim": victim})
    assert ledger.backends(Frontend(VIP, "TCP", 80)) == {Backend("10.42.0.1", 8080)}
    ledger.put({"b/victim": ()})
    assert ledger.backends(Frontend(VIP, "TCP", 80)) == {Backend("10.66.6.6", 8080)}


def test_what_did_not_change_changes_nothing() -> None:
    ledger = Ledger()
    claims = services.claims(service(), slices("10.42.0.1"), "n1")
    assert ledger.put({"default/web": claims})
    assert not ledger.put({"default/web": claims})
    assert not ledger.put({"default/none": ()})


def test_one_endpoint_more_is_a_small_change() -> None:
    ledger = Ledger()
    ledger.put({"default/web": services.claims(service(), slices("10.42.0.1", "10.42.0.2"), "n1")})
    changes = ledger.put(
        {"default/web": services.claims(service(), slices("10.42.0.1", "10.42.0.2", "10.42.0.3"), "n1")}
    )
    frontend = Frontend(VIP, "TCP", 80)
    assert changes == Changes(
        ((Pick(2), frontend),),
        (((services.ENDPOINTS, (frontend, 2)), Backend("10.42.0.3", 8080)), ((Pick(3), frontend), None)),
    )


backends = st.lists(
    st.sampled_from([Backend(f"10.42.0.{i}", 80) for i in range(1, 5)]), max_size=3, unique=True
).map(tuple)
rule = st.builds(
    Rule,
    backends,
    st.none() | backends,
    st.sampled_from([0, 0, 60]),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(["10.0.0.0/8", "192.0.2.0/24"]), unique=True, max_size=2).map(tuple),
    st.lists(st.sampled_from(["10.42.0.1", "10.42.0.2"]), unique=True, max_size=2).map(tuple),
)
frontend = st.builds(
    Frontend, st.sampled_from([ANY, VIP, "10.43.0.2"]), st.just("TCP"), st.sampled_from([80, 81])
)
batch = st.dictionaries(
    st.sampled_from(["a/a", "a/b", "b/a"]),
    st.lists(st.builds(services.Claim, frontend, rule, st.integers(0, 1)), max_size=3).map(tuple),
    max_size=3,
)


@settings(max_examples=200)
@given(st.lists(batch, max_size=6))
def test_changes_add_up_to_what_there_should_be(batches: list[dict[str, tuple[services.Claim, ...]]]) -> None:
    ledger, filled = Ledger(), Ledger()
    kernel: dict[Any, Any] = {}
    for one in batches:
        changes = ledger.put(one)
        for place in changes.removed:
            del kernel[place]
        for place, value in changes.added:
            assert place not in kernel
            kernel[place] = value
        assert kernel == ledger.all()
        filled.fill(one)
        assert kernel == filled.all()
    assert filled.put({"a/a": (), "a/b": (), "b/a": ()}) == ledger.put({"a/a": (), "a/b": (), "b/a": ()})
