"""EndpointSlices, Endpoints and mirrored slices: plan tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.control.plan import Create, Delete, Update
from sampan.control_plane.controllers import endpoints, endpointslice, mirroring, service_lb, services, slices
from sampan.control_plane.controllers.slices import MANAGED_BY, SERVICE_NAME, Frame, Group, pack
from workloads import meta, owned, pod, said

Object = dict[str, Any]


def service(**spec: Any) -> Object:
    body = {
        "clusterIP": "10.96.0.1",
        "ipFamilies": ["IPv4"],
        "selector": {"app": "x"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
    }
    return {"metadata": meta("svc", labels={"own": "label"}), "spec": body | spec}


def view(
    owner: Object, *pods: Object, held: Any = (), zones: dict[str, str] | None = None
) -> endpointslice.View:
    return endpointslice.View(owner, pods, tuple(held), zones or {})


def only(actions: Any) -> Object:
    (action,) = actions
    assert isinstance(action, (Create, Update))
    return action.obj


def test_a_slice() -> None:
    made = only(endpointslice.plan(view(service(), pod("a", ip="10.0.0.5"))))
    assert made["metadata"]["generateName"] == "svc-"
    assert made["metadata"]["labels"] == {
        "own": "label",
        SERVICE_NAME: "svc",
        MANAGED_BY: "endpointslice-controller.k8s.io",
    }
    assert made["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert made["endpoints"] == [
        {
            "addresses": ["10.0.0.5"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "ns", "name": "a", "uid": "u-a"},
            "nodeName": "n1",
        }
    ]


@pytest.mark.parametrize(
    ("listed", "spec", "expected"),
    [
        (pod("a", ready=False), {}, (False, False, False)),
        (pod("a", ready=False), {"publishNotReadyAddresses": True}, (True, False, False)),
        (pod("a", going=True), {}, (False, True, True)),
        (pod("a", "Pending"), {}, None),
        (pod("a", "Succeeded"), {}, None),
    ],
)
def test_conditions(listed: Object, spec: Object, expected: tuple[bool, ...] | None) -> None:
    made = only(endpointslice.plan(view(service(**spec), listed)))["endpoints"]
    assert (tuple(made[0]["conditions"].values()) if made else None) == expected


def test_a_service_without_pods_has_one_empty_slice() -> None:
    made = only(endpointslice.plan(view(service())))
    assert (made["endpoints"], made["ports"]) == ([], [])


def stored(obj: Object, name: str) -> Object:
    return obj | {"metadata": meta(name) | {k: v for k, v in obj["metadata"].items() if k != "generateName"}}


def test_what_is_right_is_left_alone_and_changes_are_updates() -> None:
    held = stored(only(endpointslice.plan(view(service(), pod("a"), pod("b", ip="10.0.0.2")))), "svc-1")
    assert endpointslice.plan(view(service(), pod("a"), pod("b", ip="10.0.0.2"), held=[held])) == []
    changed = only(endpointslice.plan(view(service(), pod("a"), held=[held])))
    assert changed["metadata"]["name"] == "svc-1"
    assert len(changed["endpoints"]) == 1
    # when all go, the slice is used for the empty one, and again when they come back
    (empty,) = endpointslice.plan(view(service(), held=[held]))
    assert isinstance(empty, Update)
    assert said([empty]) == ["update endpointslices svc-1"]
    (back,) = endpointslice.plan(view(service(), pod("a"), held=[empty.obj]))
    assert said([back]) == ["update endpointslices svc-1"]


def test_named_ports_differ_by_pod() -> None:
    def with_port(name: str, number: int) -> Object:
        ports = [{"name": "web", "containerPort": number, "protocol": "TCP"}]
        return pod(name, spec={"containers": [{"name": "c", "ports": ports}]})

    owner = service(ports=[{"port": 80, "targetPort": "web", "protocol": "TCP"}])
    actions = endpointslice.plan(view(owner, with_port("a", 8080), with_port("b", 9090)))
    assert [a.obj["ports"][0]["port"] for a in actions] == [8080, 9090]  # type: ignore[union-attr]


def test_headless_names_and_families() -> None:
    named = pod("a", spec={"hostname": "a-0", "subdomain": "svc"})
    named["status"]["podIPs"].append({"ip": "fd00::5"})
    owner = service(clusterIP="None", ipFamilies=["IPv4", "IPv6"])
    first, second = endpointslice.plan(view(owner, named))
    assert first.obj["endpoints"][0]["hostname"] == "a-0"  # type: ignore[union-attr]
    assert services.HEADLESS_LABEL in first.obj["metadata"]["labels"]  # type: ignore[union-attr]
    assert (second.obj["addressType"], second.obj["endpoints"][0]["addresses"]) == ("IPv6", ["fd00::5"])  # type: ignore[union-attr]


def test_zones_and_hints() -> None:
    zones = {"n1": "z1", "n2": "z2"}
    two = (pod("a"), pod("b", node="n2", ip="10.0.0.2"))
    made = only(endpointslice.plan(view(service(trafficDistribution="PreferClose"), *two, zones=zones)))
    assert [e["hints"]["forZones"] for e in made["endpoints"]] == [[{"name": "z1"}], [{"name": "z2"}]]
    none = only(
        endpointslice.plan(view(service(trafficDistribution="PreferClose"), *two, zones={"n1": "z1"}))
    )
    assert not any("hints" in e for e in none["endpoints"])


# --- packing

FRAME = Frame("ns", "svc", {"l": "v"}, {"uid": "o"})


def endpoint(number: int) -> Object:
    return {"addresses": [f"10.0.{number // 256}.{number % 256}"], "targetRef": {"uid": str(number)}}


def group(*numbers: int) -> Group:
    return Group("IPv4", ({"name": "p", "port": 1},), tuple(endpoint(n) for n in numbers))


def apply(held: dict[str, Object], actions: Any) -> dict[str, Object]:
    after = dict(held)
    for action in actions:
        if isinstance(action, Create):
            after[f"s{len(after)}-{id(action)}"] = stored(action.obj, f"s{len(after)}-{id(action)}")
        elif isinstance(action, Update):
            after[action.obj["metadata"]["name"]] = action.obj
        elif isinstance(action, Delete):
            del after[action.name]
    return after


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.integers(0, 40), max_size=30), min_size=1, max_size=6))
def test_packing_holds_exactly_what_is_wanted(rounds: list[set[int]]) -> None:
    """After each round every endpoint is there once, no slice is over its limit, and a second look writes nothing."""
    held: dict[str, Object] = {}
    for wanted in rounds:
        groups = [group(*sorted(wanted))]
        held = apply(held, pack(list(held.values()), groups, FRAME, limit=7))
        listed = [e["targetRef"]["uid"] for s in held.values() for e in s["endpoints"]]
        assert sorted(listed) == sorted(map(str, wanted))
        assert all(len(s["endpoints"]) <= 7 for s in held.values())
        assert held
        assert pack(list(held.values()), groups, FRAME, limit=7) == []


def test_packing_touches_little() -> None:
    held = apply({}, pack([], [group(*range(14))], FRAME, limit=7))
    assert len(held) == 2
    assert said(pack(list(held.values()), [group(*range(15))], FRAME, limit=7)) == [
        "create endpointslices svc-"
    ]
    assert len(pack(list(held.values()), [group(*range(13))], FRAME, limit=7)) == 1


# --- Endpoints


def plan_endpoints(owner: Object, *pods: Object, current: Object | None = None) -> Any:
    return endpoints.plan(endpoints.View(owner, pods, current))


def test_endpoints() -> None:
    made = only(
        plan_endpoints(service(), pod("b", ip="10.0.0.2"), pod("a"), pod("c", ready=False, ip="10.0.0.3"))
    )
    assert made["metadata"]["name"] == "svc"
    assert made["metadata"]["labels"] == {"own": "label", endpoints.MANAGED_BY: endpoints.MANAGER}
    (subset,) = made["subsets"]
    assert [a["ip"] for a in subset["addresses"]] == ["10.0.0.1", "10.0.0.2"]
    assert [a["ip"] for a in subset["notReadyAddresses"]] == ["10.0.0.3"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert (
        plan_endpoints(
            service(), pod("b", ip="10.0.0.2"), pod("a"), pod("c", ready=False, ip="10.0.0.3"), current=made
        )
        == []
    )
    gone = only(plan_endpoints(service(), current=made))
    assert "subsets" not in gone


def test_terminating_pods_have_no_endpoints() -> None:
    assert "subsets" not in only(plan_endpoints(service(), pod("a", going=True)))


def test_endpoints_beyond_capacity_are_cut() -> None:
    many = [pod(f"p{n}", ip=f"10.0.{n // 250}.{n % 250 + 1}") for n in range(1005)]
    made = only(plan_endpoints(service(), *many))
    assert len(made["subsets"][0]["addresses"]) == endpoints.CAPACITY
    assert made["metadata"]["annotations"] == {endpoints.OVER_CAPACITY: "truncated"}


# --- mirrored


def by_hand(**more: Any) -> Object:
    subset = {"addresses": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}], "ports": [{"port": 80}]}
    return {"metadata": meta("svc", **more), "subsets": [subset]}


def mirror(hand: Object | None, owner: Object | None, *held: Object) -> Any:
    return mirroring.plan(mirroring.View(hand, owner, held))


def test_endpoints_by_hand_are_mirrored() -> None:
    actions = mirror(by_hand(), service(selector=None))
    assert [(a.obj["addressType"], a.obj["endpoints"][0]["addresses"]) for a in actions] == [
        ("IPv4", ["192.0.2.1"]),
        ("IPv6", ["2001:db8::1"]),
    ]
    assert actions[0].obj["metadata"]["ownerReferences"] == owned(by_hand(), "Endpoints", "v1")


@pytest.mark.parametrize(
    ("hand", "owner"),
    [
        (None, service(selector=None)),
        (by_hand(), None),
        (by_hand(), service()),
        (by_hand(labels={mirroring.SKIP: "true"}), service(selector=None)),
        (by_hand(annotations={mirroring.LEADER: "x"}), service(selector=None)),
    ],
)
def test_what_is_not_mirrored_is_taken_back(hand: Object | None, owner: Object | None) -> None:
    held = {"metadata": meta("svc-1"), "addressType": "IPv4"}
    assert said(mirror(hand, owner, held)) == ["delete endpointslices svc-1"]


# --- what they know of services


def test_target_ports() -> None:
    holder = pod("a", spec={"containers": [{"name": "c", "ports": [{"name": "w", "containerPort": 1}]}]})
    assert services.target_port(holder, {"port": 5}) == 5
    assert services.target_port(holder, {"port": 5, "targetPort": 6}) == 6
    assert services.target_port(holder, {"port": 5, "targetPort": "w"}) == 1
    assert services.target_port(holder, {"port": 5, "targetPort": "w", "protocol": "UDP"}) is None


def test_families() -> None:
    assert services.families(service(ipFamilies=None, clusterIP="fd00::1")) == ("IPv6",)
    assert services.families(service(ipFamilies=None, clusterIP="None")) == ("IPv4", "IPv6")


# --- addresses of load balancers


def balanced(*nodes: Object, **spec: Any) -> Any:
    from workloads import node

    listed = nodes or (node("n2"), node("n1"))
    return service_lb.plan(service_lb.View(service(type="LoadBalancer", **spec), tuple(listed), (pod("a"),)))


def test_a_load_balancer_is_the_nodes() -> None:
    from workloads import node

    (action,) = balanced()
    assert action.obj["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1", "ipMode": "VIP"}]
    assert balanced(node("n1", ready="False")) == []
    assert balanced(loadBalancerClass="other/lb") == []
    assert balanced(node("n9"), externalTrafficPolicy="Local") == []
    kept = service(type="ClusterIP") | {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    (action,) = service_lb.plan(service_lb.View(kept, (), ()))
    assert action.obj["status"]["loadBalancer"] == {}


def test_empty_slices_are_grouped_by_family() -> None:
    assert slices.pack([], [], FRAME) == []
