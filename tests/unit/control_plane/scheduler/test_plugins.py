"""The plug-ins through the one gate: where would this pod go, and why nowhere?"""

from __future__ import annotations

from typing import Any

import pytest

from sampan.control_plane.scheduler import framework, plugins
from sampan.control_plane.scheduler.cluster import Cluster
from sampan.control_plane.scheduler.cycle import Choice, NoFit, decide
from sampan.control_plane.scheduler.model import CPU, MEMORY, PodInfo, requests_of
from workloads import meta, node, pod

Object = dict[str, Any]


class Storage:
    def __init__(self, claims: Any = (), volumes: Any = (), classes: Any = ()) -> None:
        self._claims = {c["metadata"]["name"]: c for c in claims}
        self._volumes = {v["metadata"]["name"]: v for v in volumes}
        self._classes = {c["metadata"]["name"]: c for c in classes}

    def claim(self, namespace: str, name: str) -> Object | None:
        return self._claims.get(name)

    def volume(self, name: str) -> Object | None:
        return self._volumes.get(name)

    def volumes(self) -> Any:
        return self._volumes.values()

    def storage_class(self, name: str) -> Object | None:
        return self._classes.get(name)


def cluster(nodes: list[Object], *running: Object) -> Cluster:
    made = Cluster()
    for each in nodes:
        made.set_node(each)
    for each in running:
        made.set_pod(PodInfo(each))
    return made


def wanted(spec: Object | None = None, labels: dict[str, str] | None = None, **asks: str) -> Object:
    """A pod that waits; `asks` are resource requests."""
    containers = [{"name": "c", "image": "i", "resources": {"requests": asks}}]
    return pod(
        "new",
        "Pending",
        node="",
        labels=labels or {"app": "new"},
        spec={"containers": containers, **(spec or {})},
    )


def placed(target: Object, nodes: list[Object], *running: Object, storage: Any = None) -> str:
    """The node, or why there is none."""
    answer = decide(
        PodInfo(target), cluster(nodes, *running), plugins.default(storage or Storage()), lambda n: 0
    )
    return answer.node if isinstance(answer, Choice) else answer.message


def two(**more: Any) -> list[Object]:
    return [node("n1", **more), node("n2")]


def test_no_nodes() -> None:
    assert placed(wanted(), []) == "no nodes available to schedule pods"


TAINT = {"key": "k", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("spec", "first", "expected"),
    [
        ({}, {"unschedulable": True}, "n2"),
        ({}, {"taints": [TAINT]}, "n2"),
        ({}, {"taints": [{"key": "k", "effect": "PreferNoSchedule"}]}, "n2"),
        ({"nodeSelector": {"kubernetes.io/hostname": "n2"}}, {}, "n2"),
        ({"nodeName": "n2"}, {}, "n2"),
    ],
)
def test_nodes_that_are_passed_over(spec: Object, first: Object, expected: str) -> None:
    assert placed(wanted(spec), two(**first)) == expected


@pytest.mark.parametrize(
    ("spec", "asks", "first", "reason"),
    [
        ({}, {}, {"unschedulable": True}, "node(s) were unschedulable"),
        ({}, {}, {"taints": [TAINT]}, "node(s) had untolerated taint(s)"),
        ({"nodeName": "x"}, {}, {}, "node(s) didn't match the requested node name"),
        ({"nodeSelector": {"a": "b"}}, {}, {}, "node(s) didn't match Pod's node affinity/selector"),
        ({}, {"cpu": "5"}, {}, "Insufficient cpu"),
        ({}, {"example.com/gpu": "1"}, {}, "Insufficient example.com/gpu"),
        ({}, {}, {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "0"}}, "Too many pods"),
    ],
)
def test_reasons(spec: Object, asks: Object, first: Object, reason: str) -> None:
    assert placed(wanted(spec, **asks), [node("n1", **first)]) == f"0/1 nodes are available: 1 {reason}."


def test_reasons_are_counted_and_sorted() -> None:
    nodes = [node("n1", unschedulable=True), node("n2"), node("n3")]
    text = placed(wanted(cpu="5", memory="9Gi"), nodes)
    assert text == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory."
    )


def test_what_runs_takes_room() -> None:
    big = pod(
        "big", node="n1", spec={"containers": [{"name": "c", "resources": {"requests": {"cpu": "3500m"}}}]}
    )
    assert placed(wanted(cpu="1"), two(), big) == "n2"
    assert placed(wanted(cpu="1"), [node("n1")], big) == "0/1 nodes are available: 1 Insufficient cpu."


@pytest.mark.parametrize(
    ("spec", "cpu", "memory"),
    [
        ({"containers": [{"resources": {"requests": {"cpu": "100m", "memory": "1Mi"}}}, {}]}, 100, 1 << 20),
        # init containers run one after the other
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [
                    {"resources": {"requests": {"cpu": "3"}}},
                    {"resources": {"requests": {"cpu": "2"}}},
                ],
            },
            3000,
            0,
        ),
        # a sidecar runs beside all that come after it
        (
            {
                "containers": [{"resources": {"requests": {"cpu": "1"}}}],
                "initContainers": [
                    {"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
                    {"resources": {"requests": {"cpu": "2"}}},
                ],
            },
            3000,
            0,
        ),
        ({"containers": [{}], "overhead": {"cpu": "50m"}}, 50, 0),
        ({"containers": [{}], "resources": {"requests": {"cpu": "2"}}}, 2000, 0),
    ],
)
def test_requests(spec: Object, cpu: int, memory: int) -> None:
    found = requests_of(spec)
    assert (found.get(CPU, 0), found.get(MEMORY, 0)) == (cpu, memory)


def ports(number: int, ip: str = "", protocol: str = "TCP") -> Object:
    return {
        "containers": [{"name": "c", "ports": [{"hostPort": number, "hostIP": ip, "protocol": protocol}]}]
    }


@pytest.mark.parametrize(
    ("held", "asked", "free"),
    [
        (ports(80), ports(80), False),
        (ports(80), ports(81), True),
        (ports(80), ports(80, protocol="UDP"), True),
        (ports(80, "10.0.0.1"), ports(80, "10.0.0.2"), True),
        (ports(80, "10.0.0.1"), ports(80), False),
        (ports(80), ports(80, "10.0.0.1"), False),
    ],
)
def test_host_ports(held: Object, asked: Object, free: bool) -> None:
    assert (placed(wanted(asked), [node("n1")], pod("a", spec=held)) == "n1") is free


def test_preferred_node_affinity() -> None:
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    preferred = [{"weight": 50, "preference": term}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    assert placed(wanted({"affinity": affinity}), [node("n1"), node("n2", labels={"disk": "ssd"})]) == "n2"


# --- pods beside pods


def near(kind: str, label: str, key: str = "kubernetes.io/hostname", weight: int = 0) -> Object:
    term: Object = {"labelSelector": {"matchLabels": {"app": label}}, "topologyKey": key}
    if weight:
        return {
            kind: {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": weight, "podAffinityTerm": term}
                ]
            }
        }
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_affinity_and_its_opposite() -> None:
    other = pod("o", node="n2", labels={"app": "db"})
    assert placed(wanted({"affinity": near("podAffinity", "db")}), two(), other) == "n2"
    assert placed(wanted({"affinity": near("podAntiAffinity", "db")}), two(), other) == "n1"
    assert placed(wanted({"affinity": near("podAffinity", "db", weight=10)}), two(), other) == "n2"
    assert placed(wanted({"affinity": near("podAntiAffinity", "db", weight=10)}), two(), other) == "n1"
    text = placed(wanted({"affinity": near("podAffinity", "none")}), two(), other)
    assert text == "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."


def test_the_first_of_a_group_may_start_anywhere() -> None:
    assert placed(wanted({"affinity": near("podAffinity", "new")}), two()) == "n1"


def test_zones_and_namespaces() -> None:
    zones = [
        node("n1", labels={"zone": "a"}),
        node("n2", labels={"zone": "a"}),
        node("n3", labels={"zone": "b"}),
    ]
    other = pod("o", node="n2", labels={"app": "db"})
    assert placed(wanted({"affinity": near("podAntiAffinity", "db", "zone")}), zones, other) == "n3"
    other["metadata"]["namespace"] = "elsewhere"
    text = placed(wanted({"affinity": near("podAffinity", "db", "zone")}), zones, other)
    assert "didn't match pod affinity rules" in text


def test_pods_that_run_keep_others_away() -> None:
    shy = pod("shy", node="n1", spec={"affinity": near("podAntiAffinity", "new")})
    assert placed(wanted(), two(), shy) == "n2"
    text = placed(wanted(), [node("n1")], shy)
    assert text == "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."


# --- spreading


def spread(key: str = "zone", skew: int = 1, action: str = "DoNotSchedule", **more: Any) -> Object:
    selector = {"matchLabels": {"app": "new"}}
    given = {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": action, "labelSelector": selector}
    return {"topologySpreadConstraints": [given | more]}


ZONES = [node("n1", labels={"zone": "a"}), node("n2", labels={"zone": "b"})]
SAME = {"app": "new"}


def test_spread_over_zones() -> None:
    here = [pod("a", node="n1", labels=SAME), pod("b", node="n1", labels=SAME)]
    assert placed(wanted(spread()), ZONES, *here) == "n2"
    assert placed(wanted(spread(action="ScheduleAnyway")), ZONES, *here) == "n2"
    full = [ZONES[0], node("n2", labels={"zone": "b"}, unschedulable=True)]
    text = placed(wanted(spread()), full, *here)
    assert "1 node(s) didn't match pod topology spread constraints" in text
    assert placed(wanted(spread(skew=3)), full, *here) == "n1"


def test_nodes_without_the_label_do_not_count() -> None:
    text = placed(wanted(spread("rack")), ZONES)
    assert text.endswith("2 node(s) didn't match pod topology spread constraints (missing required label).")


def test_fewer_domains_than_asked_for() -> None:
    here = pod("a", node="n1", labels=SAME)
    assert placed(wanted(spread()), ZONES[:1], here) == "n1"
    assert "didn't match" in placed(wanted(spread(minDomains=2)), ZONES[:1], here)


def test_pods_of_one_owner_spread_by_themselves() -> None:
    mine = wanted()
    mine["metadata"]["ownerReferences"] = [{"uid": "o"}]
    # n1 has more room, but already runs one of the kind
    nodes = [node("n1", allocatable={"cpu": "5", "memory": "10Gi", "pods": "110"}), node("n2")]
    assert placed(mine, nodes, pod("a", node="n1", labels={"app": "new"})) == "n2"


def test_image_locality() -> None:
    holder = node("n2")
    holder["status"]["images"] = [{"names": ["i:latest"], "sizeBytes": 900 << 20}]
    assert placed(wanted(), [node("n1"), holder]) == "n2"


# --- volumes

USES = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}


def claim(phase: str = "Pending", volume: str = "", class_name: str = "s", **annotations: str) -> Object:
    spec = {
        "storageClassName": class_name,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {
        "metadata": meta("c", annotations=annotations),
        "spec": spec | ({"volumeName": volume} if volume else {}),
        "status": {"phase": phase},
    }


def local(on: str, phase: str = "Available") -> Object:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}]}
    spec = {
        "storageClassName": "s",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "2Gi"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    return {"metadata": meta("pv"), "spec": spec, "status": {"phase": phase}}


WAITS = {
    "metadata": meta("s"),
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}
PROVISIONS = WAITS | {"provisioner": "a.io/p"}


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        (Storage(), '0/2 nodes are available: persistentvolumeclaim "c" not found.'),
        (Storage([claim()]), "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
        (Storage([claim("Bound", "pv")], [local("n2", "Bound")]), "n2"),
        (Storage([claim()], [local("n2")], [WAITS]), "n2"),
        (Storage([claim()], [], [PROVISIONS]), "n1"),
        (Storage([claim(**{"volume.kubernetes.io/selected-node": "n2"})], [], [PROVISIONS]), "n2"),
        (
            Storage([claim()], [], [WAITS]),
            "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
        ),
    ],
)
def test_volumes(storage: Storage, expected: str) -> None:
    assert placed(wanted(USES), two(), storage=storage) == expected


def test_topologies_of_a_class() -> None:
    term = {"matchLabelExpressions": [{"key": "zone", "values": ["b"]}]}
    allowed = PROVISIONS | {"allowedTopologies": [term]}
    assert placed(wanted(USES), ZONES, storage=Storage([claim()], [], [allowed])) == "n2"


# --- the gate


def test_two_plugins_of_one_name() -> None:
    mine = plugins.default(Storage())
    framework.check(mine)
    with pytest.raises(ValueError, match=r"'NodeName' is claimed by .*NodeName and .*NodeName"):
        framework.check([*mine, plugins.NodeName()])


def test_scores_are_scaled() -> None:
    assert framework.normalized([0, 5, 10]) == [0, 50, 100]
    assert framework.normalized([0, 5, 10], reverse=True) == [100, 50, 0]
    assert framework.normalized([0, 0]) == [0, 0]
    assert framework.normalized([0, 0], reverse=True) == [100, 100]


def test_a_foreign_plugin_decides_like_ours() -> None:
    class Mine:
        name, weight, wakes = "Mine", 100, frozenset[str]()

        def filter(self, target: PodInfo, held: Cluster) -> Any:
            return lambda each: (framework.Reason("node(s) are n1"),) if each.name == "n1" else ()

        def score(self, target: PodInfo, held: Cluster, nodes: Any) -> Any:
            return [100 if each.name == "n3" else 0 for each in nodes]

    nodes = [*two(), node("n3")]
    answer = decide(PodInfo(wanted()), cluster(nodes), [*plugins.default(Storage()), Mine()], lambda n: 0)
    assert answer == Choice("n3")
    alone = decide(PodInfo(wanted()), cluster(nodes[:1]), [Mine()], lambda n: 0)
    assert isinstance(alone, NoFit)
    assert alone.rejectors == {"Mine"}
