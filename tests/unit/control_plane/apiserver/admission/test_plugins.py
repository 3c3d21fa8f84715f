"""What does a write meet on its way? One test per rule of each plug-in."""

from __future__ import annotations

import asyncio
import base64
import copy
from typing import Any

import pytest

from sampan.api.status import ApiError
from sampan.base.pki import keys, requests
from sampan.control_plane.apiserver.admission import priority
from sampan.control_plane.apiserver.admission.model import CONNECT, CREATE, DELETE, UPDATE, Request
from sampan.control_plane.apiserver.admission.service_account import MOUNT_PATH, token_volume
from sampan.control_plane.apiserver.admission.standard import standard
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz.model import Attributes, Decision
from unit.control_plane.apiserver.fakes import FakeView, named

ALICE = User("alice", ("system:authenticated",))
TUG = User("system:node:tug", ("system:nodes", "system:authenticated"))


class Signers:
    """Allows what is named to whom it may concern."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def authorize(self, attributes: Attributes, /) -> Decision:
        return Decision(f"{attributes.verb} {attributes.name}" in self.allowed)


class World:
    def __init__(self, *signers: str) -> None:
        self.view = FakeView()
        self.view.put("", "namespaces", named("ns", status={"phase": "Active"}))
        self.view.put("", "namespaces", named("dying", status={"phase": "Terminating"}))
        self.view.put("", "serviceaccounts", named("default", "ns"), named("robot", "ns"))
        self.pauses: list[float] = []
        self.chain = standard(self.view, Signers(*signers), suffix=lambda: "abcde", pause=self.pause)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def meet(self, request: Request) -> dict[str, Any]:
        async def go() -> None:
            await self.chain.admit(request)
            before = copy.deepcopy(request.object)
            await self.chain.validate(request)
            assert request.object == before, "validation must not change the object"

        asyncio.run(go())
        return request.object or {}

    def create(
        self, what: str, obj: dict[str, Any], namespace: str = "ns", user: User = ALICE
    ) -> dict[str, Any]:
        return self.meet(ask(CREATE, what, obj, namespace=namespace, user=user))

    def update(
        self, what: str, obj: dict[str, Any], old: dict[str, Any], user: User = ALICE
    ) -> dict[str, Any]:
        namespace = obj["metadata"].get("namespace", "")
        return self.meet(ask(UPDATE, what, obj, old, namespace=namespace, user=user))


def ask(
    operation: str,
    what: str,
    obj: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    *,
    namespace: str = "",
    name: str = "",
    user: User = ALICE,
) -> Request:
    resource, _, group = what.partition(".")
    plural, _, subresource = resource.partition("/")
    known = ((obj or old or {}).get("metadata") or {}).get("name", "")
    return Request(
        user=user,
        operation=operation,
        group=group,
        version="v1",
        resource=plural,
        subresource=subresource,
        kind="",
        namespace=namespace,
        name=name or known,
        object=copy.deepcopy(obj),
        old=old,
    )


def refused(call: Any, *arguments: Any, code: int = 403, **rest: Any) -> str:
    with pytest.raises(ApiError) as raised:
        call(*arguments, **rest)
    assert raised.value.code == code
    return raised.value.message


def pod(**spec: Any) -> dict[str, Any]:
    return named("web", "ns", spec={"containers": [{"name": "c"}], **spec})


# -- NamespaceLifecycle


def test_nothing_is_created_in_a_namespace_that_is_not_there() -> None:
    assert (
        refused(World().create, "configmaps", named("a"), "gone", code=404) == 'namespaces "gone" not found'
    )


def test_nothing_is_created_in_a_namespace_on_its_way_out() -> None:
    with pytest.raises(ApiError) as raised:
        World().create("configmaps", named("a"), "dying")
    error = raised.value
    assert error.message == (
        'configmaps "a" is forbidden: unable to create new content in namespace dying because it is being terminated'
    )
    (cause,) = error.causes
    assert cause == ("NamespaceTerminating", "namespace dying is being terminated", "metadata.namespace")


def test_what_is_there_may_change_and_go() -> None:
    world = World()
    old = named("a", "dying")
    world.update("configmaps", old, old)
    world.meet(ask(DELETE, "configmaps", None, old, namespace="dying"))


def test_a_review_does_not_tell_whether_a_namespace_exists() -> None:
    World().create("localsubjectaccessreviews.authorization.k8s.io", {"metadata": {}}, "gone")


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_some_namespaces_stay(name: str) -> None:
    request = ask(DELETE, "namespaces", None, named(name))
    assert (
        refused(World().meet, request)
        == f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    )
    World().meet(ask(DELETE, "namespaces", None, named("kube-node-lease")))


# -- ServiceAccount


def test_a_pod_runs_as_the_default_account_with_its_token() -> None:
    made = World().create("pods", pod(initContainers=[{"name": "i"}]))
    spec = made["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    assert spec["volumes"] == [{"name": "kube-api-access-abcde", "projected": token_volume()}]
    mount = {"name": "kube-api-access-abcde", "readOnly": True, "mountPath": MOUNT_PATH}
    assert spec["containers"][0]["volumeMounts"] == [mount]
    assert spec["initContainers"][0]["volumeMounts"] == [mount]


def test_the_token_volume_is_upstreams() -> None:
    token, ca, namespace = token_volume()["sources"]
    assert token == {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
    assert ca["configMap"]["name"] == "kube-root-ca.crt"
    assert namespace["downwardAPI"]["items"][0]["path"] == "namespace"
    assert token_volume()["defaultMode"] == 420


@pytest.mark.parametrize(
    ("pod_says", "account_says", "mounted"),
    [(None, None, True), (False, True, False), (True, False, True), (None, False, False)],
)
def test_who_decides_about_the_token(pod_says: bool | None, account_says: bool | None, mounted: bool) -> None:
    world = World()
    said = {} if account_says is None else {"automountServiceAccountToken": account_says}
    world.view.put("", "serviceaccounts", named("default", "ns", **said))
    wish = {} if pod_says is None else {"automountServiceAccountToken": pod_says}
    assert ("volumes" in world.create("pods", pod(**wish))["spec"]) is mounted


def test_a_mount_of_ones_own_is_left_alone() -> None:
    own = {"name": "mine", "mountPath": MOUNT_PATH}
    made = World().create("pods", pod(containers=[{"name": "c", "volumeMounts": [own]}]))
    assert made["spec"]["containers"][0]["volumeMounts"] == [own]
    assert "volumes" not in made["spec"]


def test_a_second_pass_mounts_nothing_twice() -> None:
    world = World()
    once = world.create("pods", pod())
    assert world.create("pods", once) == once


def test_pull_secrets_come_from_the_account_unless_the_pod_has_its_own() -> None:
    world = World()
    world.view.put("", "serviceaccounts", named("default", "ns", imagePullSecrets=[{"name": "pull"}]))
    assert world.create("pods", pod())["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    own = [{"name": "own"}]
    assert world.create("pods", pod(imagePullSecrets=own))["spec"]["imagePullSecrets"] == own


def test_an_account_that_is_not_there() -> None:
    world = World()
    message = refused(world.create, "pods", pod(serviceAccountName="gone"))
    assert message == (
        'pods "web" is forbidden: error looking up service account ns/gone: serviceaccount "gone" not found'
    )
    assert world.pauses == []


def test_the_default_account_of_a_new_namespace_is_waited_for() -> None:
    world = World()
    world.view.put("", "namespaces", named("new"))

    async def appear(seconds: float) -> None:
        world.pauses.append(seconds)
        if len(world.pauses) == 3:
            world.view.put("", "serviceaccounts", named("default", "new"))

    world.chain = standard(world.view, Signers(), suffix=lambda: "abcde", pause=appear)
    assert world.create("pods", pod(), "new")["spec"]["serviceAccountName"] == "default"
    assert len(world.pauses) == 3
    world.view.remove("", "serviceaccounts", "new", "default")
    world.chain = standard(world.view, Signers(), suffix=lambda: "abcde", pause=world.pause)
    assert "error looking up service account new/default" in refused(world.create, "pods", pod(), "new")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"serviceAccountName": "robot"}, "a mirror pod may not reference service accounts"),
        ({"volumes": [{"secret": {"secretName": "x"}}]}, "a mirror pod may not reference secrets"),
        (
            {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
def test_a_mirror_pod_has_no_account_and_no_secret(spec: dict[str, Any], said: str) -> None:
    mirror = pod(**spec)
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert said in refused(World().create, "pods", mirror)
    del mirror["spec"]
    assert "serviceAccountName" not in World().create("pods", mirror)["spec"]


def test_an_account_may_bound_its_secrets() -> None:
    world = World()
    account = named("default", "ns", secrets=[{"name": "ok"}])
    account["metadata"]["annotations"] = {"kubernetes.io/enforce-mountable-secrets": "true"}
    world.view.put("", "serviceaccounts", account)
    env = [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "no"}}}]
    message = refused(world.create, "pods", pod(containers=[{"name": "c", "env": env}]))
    assert 'container c with envVar E referencing secret.secretName="no" is not allowed' in message
    assert 'secretName="no"' in refused(world.create, "pods", pod(volumes=[{"secret": {"secretName": "no"}}]))
    assert "imagePullSecrets[0]" in refused(world.create, "pods", pod(imagePullSecrets=[{"name": "no"}]))
    world.create("pods", pod(volumes=[{"name": "v", "secret": {"secretName": "ok"}}]))


# -- Priority, tolerations, taints, runtime class


def test_a_pod_gets_its_priority() -> None:
    world = World()
    spec = world.create("pods", pod())["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert "priorityClassName" not in spec
    world.view.put(priority.GROUP, "priorityclasses", *priority.SYSTEM_CLASSES)
    default = named("mine", value=7, globalDefault=True, preemptionPolicy="Never")
    world.view.put(priority.GROUP, "priorityclasses", default)
    spec = world.create("pods", pod(priorityClassName="system-node-critical"))["spec"]
    assert spec["priority"] == 2_000_001_000
    spec = world.create("pods", pod())["spec"]
    assert (spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"]) == ("mine", 7, "Never")
    assert "must not be provided in pod spec" in refused(world.create, "pods", pod(priority=1))
    assert "no PriorityClass with name x was found" in refused(
        world.create, "pods", pod(priorityClassName="x")
    )


def test_a_priority_survives_clients_that_do_not_know_it() -> None:
    old = pod(priority=5, preemptionPolicy="Never")
    spec = World().update("pods", pod(), old)["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (5, "Never")


def test_there_is_one_default_class() -> None:
    world = World()
    world.view.put(priority.GROUP, "priorityclasses", named("one", globalDefault=True))
    what = f"priorityclasses.{priority.GROUP}"
    assert "PriorityClass one is already marked as default" in refused(
        world.create, what, named("two", globalDefault=True), ""
    )
    world.update(what, named("one", globalDefault=True, value=3), named("one", globalDefault=True))
    world.create(what, named("three"), "")


def test_a_pod_stays_five_minutes_on_a_node_in_trouble() -> None:
    tolerations = World().create("pods", pod())["spec"]["tolerations"]
    assert [(t["key"], t["tolerationSeconds"]) for t in tolerations] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]
    own = [{"operator": "Exists"}]
    assert World().create("pods", pod(tolerations=own))["spec"]["tolerations"] == own


def test_a_new_node_is_not_ready() -> None:
    world = World()
    made = world.create("nodes", named("tug"), "")
    assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert world.create("nodes", made, "") == made


def test_a_runtime_class_brings_overhead_nodes_and_tolerations() -> None:
    world = World()
    scheduling = {"nodeSelector": {"kind": "vm"}, "tolerations": [{"key": "vm"}]}
    found = named("vm", handler="vm", overhead={"podFixed": {"cpu": "1"}}, scheduling=scheduling)
    world.view.put("node.k8s.io", "runtimeclasses", found)
    spec = world.create("pods", pod(runtimeClassName="vm", nodeSelector={"a": "b"}))["spec"]
    assert spec["overhead"] == {"cpu": "1"}
    assert spec["nodeSelector"] == {"a": "b", "kind": "vm"}
    assert {"key": "vm"} in spec["tolerations"]
    assert 'RuntimeClass "x" not found' in refused(world.create, "pods", pod(runtimeClassName="x"))
    conflict = pod(runtimeClassName="vm", nodeSelector={"kind": "metal"})
    assert "conflict: runtimeClass.scheduling.nodeSelector[kind] = vm" in refused(
        world.create, "pods", conflict
    )
    assert "Overhead set without" in refused(world.create, "pods", pod(overhead={"cpu": "1"}))


# -- storage and ingress


def storage_class(name: str, created: str, marked: str = "true", **rest: Any) -> dict[str, Any]:
    made = named(name, **rest)
    made["metadata"] |= {
        "creationTimestamp": created,
        "annotations": {"storageclass.kubernetes.io/is-default-class": marked},
    }
    return made


def claim(size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    return named("data", "ns", spec={"resources": {"requests": {"storage": size}}, **spec})


def test_a_claim_gets_the_newest_default_class() -> None:
    world = World()
    assert "storageClassName" not in world.create("persistentvolumeclaims", claim())["spec"]
    world.view.put(
        "storage.k8s.io",
        "storageclasses",
        storage_class("old", "2020-01-01T00:00:00Z"),
        storage_class("new", "2021-01-01T00:00:00Z"),
        storage_class("b-new", "2021-01-01T00:00:00Z"),
        storage_class("other", "2022-01-01T00:00:00Z", "false"),
    )
    assert world.create("persistentvolumeclaims", claim())["spec"]["storageClassName"] == "b-new"
    assert (
        world.create("persistentvolumeclaims", claim(storageClassName=""))["spec"]["storageClassName"] == ""
    )


def test_an_ingress_gets_the_default_class() -> None:
    world = World()
    made = named("nginx")
    made["metadata"]["annotations"] = {"ingressclass.kubernetes.io/is-default-class": "true"}
    world.view.put("networking.k8s.io", "ingressclasses", made)
    assert world.create("ingresses.networking.k8s.io", named("i"))["spec"]["ingressClassName"] == "nginx"
    old = named("i")
    old["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "x"}
    assert "ingressClassName" not in world.create("ingresses.networking.k8s.io", old)["spec"]


def test_storage_is_born_protected() -> None:
    world = World()
    made = world.create("persistentvolumeclaims", claim())
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert (
        world.create("persistentvolumeclaims", made)["metadata"]["finalizers"]
        == made["metadata"]["finalizers"]
    )
    assert world.create("persistentvolumes", named("pv"), "")["metadata"]["finalizers"] == [
        "kubernetes.io/pv-protection"
    ]


def test_a_claim_grows_when_its_class_allows_it() -> None:
    world = World()
    classes = storage_class("grows", "x", allowVolumeExpansion=True), storage_class("fixed", "x")
    world.view.put("storage.k8s.io", "storageclasses", *classes)

    def grow(name: str, phase: str = "Bound", size: str = "2Gi") -> None:
        old = {**claim(storageClassName=name), "status": {"phase": phase}}
        world.update("persistentvolumeclaims", claim(size, storageClassName=name), old)

    grow("grows")
    grow("fixed", size="1024Mi")
    assert "must support resize" in refused(grow, "fixed")
    assert "Only bound persistent volume claims can be expanded" in refused(grow, "grows", "Pending")


# -- LimitRanger


def limits(world: World, *listed: dict[str, Any]) -> None:
    world.view.put("", "limitranges", named("limits", "ns", spec={"limits": list(listed)}))


def test_containers_get_the_defaults_of_their_namespace() -> None:
    world = World()
    limits(
        world, {"type": "Container", "default": {"cpu": "2", "memory": "1Gi"}, "defaultRequest": {"cpu": "1"}}
    )
    made = world.create("pods", pod(containers=[{"name": "c", "resources": {"limits": {"cpu": "4"}}}]))
    resources = made["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"cpu": "4", "memory": "1Gi"}, "requests": {"cpu": "1"}}
    said = made["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert said == "LimitRanger plugin set: cpu request for container c; memory limit for container c"


def sized(requests_: dict[str, str], limits_: dict[str, str], count: int = 1) -> dict[str, Any]:
    resources = {"requests": requests_, "limits": limits_}
    return pod(containers=[{"name": f"c{n}", "resources": resources} for n in range(count)])


@pytest.mark.parametrize(
    ("bound", "given", "said"),
    [
        (
            {"min": {"cpu": "1"}},
            sized({"cpu": "500m"}, {}),
            "minimum cpu usage per Container is 1, but request is 500m",
        ),
        (
            {"min": {"cpu": "1"}},
            sized({}, {}),
            "minimum cpu usage per Container is 1.  No request is specified",
        ),
        (
            {"max": {"memory": "1Gi"}},
            sized({}, {"memory": "2Gi"}),
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            {"max": {"memory": "1Gi"}},
            sized({}, {}),
            "maximum memory usage per Container is 1Gi.  No limit is specified",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            sized({"cpu": "1"}, {"cpu": "3"}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ],
)
def test_containers_keep_the_bounds_of_their_namespace(
    bound: dict[str, Any], given: dict[str, Any], said: str
) -> None:
    world = World()
    limits(world, {"type": "Container", **bound})
    assert refused(world.create, "pods", given) == f'pods "web" is forbidden: {said}'


def test_pods_keep_bounds_as_a_whole() -> None:
    world = World()
    limits(world, {"type": "Pod", "max": {"cpu": "3"}})
    world.create("pods", sized({"cpu": "1"}, {"cpu": "1"}, 3))
    message = refused(world.create, "pods", sized({"cpu": "1"}, {"cpu": "1"}, 4))
    assert "maximum cpu usage per Pod is 3, but limit is 4" in message


def test_claims_keep_bounds() -> None:
    world = World()
    limits(world, {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}})
    world.create("persistentvolumeclaims", claim("1.5Gi"))
    for size in ("512Mi", "3Gi"):
        assert "usage per PersistentVolumeClaim is" in refused(
            world.create, "persistentvolumeclaims", claim(size)
        )


def test_a_size_that_is_none_is_a_bad_request() -> None:
    world = World()
    limits(world, {"type": "Container", "min": {"cpu": "1"}})
    refused(world.create, "pods", sized({"cpu": "much"}, {}), code=400)


# -- certificates


def csr(signer: str, *groups: str) -> dict[str, Any]:
    pem = requests.create(keys.generate(), "alice", groups)
    return named("csr", spec={"signerName": signer, "request": base64.b64encode(pem).decode()})


CSRS = "certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"


def test_nobody_asks_for_the_privileged_group() -> None:
    world = World()
    world.create(f"{CSRS}.certificates.k8s.io", csr(CLIENT, "devs"), "")
    message = refused(world.create, f"{CSRS}.certificates.k8s.io", csr(CLIENT, "system:masters"), "")
    assert "signer with system:masters group is not allowed" in message
    world.create(f"{CSRS}.certificates.k8s.io", csr("example.com/x", "system:masters"), "")
    assert "failed to parse CSR" in refused(
        world.create,
        f"{CSRS}.certificates.k8s.io",
        named("c", spec={"signerName": CLIENT, "request": "!"}),
        "",
    )


@pytest.mark.parametrize(("verb", "subresource"), [("approve", "approval"), ("sign", "status")])
def test_signers_say_who_may_approve_and_sign(verb: str, subresource: str) -> None:
    old = csr("example.com/x")
    new = {**old, "status": {"certificate": "YQ=="}}
    what = f"{CSRS}/{subresource}.certificates.k8s.io"
    assert f'user not permitted to {verb} requests with signerName "example.com/x"' in refused(
        World().update, what, new, old
    )
    World(f"{verb} example.com/x").update(what, new, old)
    World(f"{verb} example.com/*").update(what, new, old)


def test_a_status_without_a_certificate_needs_no_signer() -> None:
    old = csr("example.com/x")
    World().update(f"{CSRS}/status.certificates.k8s.io", {**old, "status": {"conditions": []}}, old)


# -- NodeRestriction


def mirror(**changes: Any) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": "Node", "name": "tug", "uid": "uid-tug", "controller": True}
    made = named("mirror", "ns", spec={"nodeName": "tug", "containers": [{"name": "c"}]})
    made["metadata"] |= {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}
    made["metadata"] |= changes.pop("metadata", {})
    made["spec"] |= changes
    return made


def node_world() -> World:
    world = World()
    world.view.put("", "nodes", named("tug"))
    volumes = [{"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
    volumes.append({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}})
    world.view.put("", "pods", named("mine", "ns", spec={"nodeName": "tug", "volumes": volumes}))
    world.view.put("", "pods", named("theirs", "ns", spec={"nodeName": "barge"}))
    return world


def test_a_node_creates_mirror_pods_of_its_own() -> None:
    node_world().create("pods", mirror(), user=TUG)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metadata": {"annotations": {}}}, "can only create mirror pods"),
        ({"nodeName": "barge"}, "can only create pods with spec.nodeName set to itself"),
        ({"metadata": {"ownerReferences": []}}, "can only create pods with an owner reference set to itself"),
        ({"volumes": [{"configMap": {"name": "x"}}]}, "can not create pods that reference configmaps"),
    ],
)
def test_a_node_creates_no_other_pods(changes: dict[str, Any], said: str) -> None:
    made = mirror(**changes)
    made["spec"].setdefault("serviceAccountName", "")
    assert said in refused(node_world().create, "pods", made, user=TUG)


def test_a_node_writes_the_status_of_its_pods_only() -> None:
    world = node_world()
    mine, theirs = (
        named("mine", "ns", spec={"nodeName": "tug"}),
        named("theirs", "ns", spec={"nodeName": "barge"}),
    )
    world.update("pods/status", {**mine, "status": {"phase": "Running"}}, mine, TUG)
    assert "spec.nodeName set to itself" in refused(world.update, "pods/status", theirs, theirs, TUG)
    relabelled = copy.deepcopy(mine)
    relabelled["metadata"]["labels"] = {"a": "b"}
    assert "cannot update labels through pod status" in refused(
        world.update, "pods/status", relabelled, mine, TUG
    )


def test_a_node_deletes_and_evicts_its_pods_only() -> None:
    world = node_world()
    for name, good in (("mine", True), ("theirs", False)):
        stored = dict(world.view.get("", "pods", "ns", name) or {})
        deletion = ask(DELETE, "pods", None, stored, namespace="ns", user=TUG)
        eviction = ask(CREATE, "pods/eviction", named(name, "ns"), namespace="ns", user=TUG)
        for request in (deletion, eviction):
            if good:
                world.meet(request)
            else:
                assert "spec.nodeName set to itself" in refused(world.meet, request)


def test_a_node_writes_itself_only() -> None:
    world = node_world()
    world.create("nodes", named("tug"), "", TUG)
    assert 'is not allowed to modify node "barge"' in refused(world.create, "nodes", named("barge"), "", TUG)


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("kubernetes.io/hostname", True),
        ("node.kubernetes.io/pool", True),
        ("kubelet.kubernetes.io/x", True),
        ("acme.com/x", True),
        ("pool", True),
        ("node-restriction.kubernetes.io/pool", False),
        ("x.node-restriction.kubernetes.io/pool", False),
        ("node-role.kubernetes.io/control-plane", False),
        ("k8s.io/x", False),
    ],
)
def test_labels_that_a_node_may_set(label: str, allowed: bool) -> None:
    made = named("tug")
    made["metadata"]["labels"] = {label: "x"}
    world = node_world()
    if allowed:
        world.create("nodes", made, "", TUG)
        world.update("nodes", made, named("tug"), TUG)
    else:
        assert f"is not allowed to set the following labels: {label}" in refused(
            world.create, "nodes", made, "", TUG
        )
        assert f"is not allowed to modify labels: {label}" in refused(
            world.update, "nodes", made, named("tug"), TUG
        )
        world.update("nodes", made, made, TUG)


def test_a_node_takes_off_no_taint() -> None:
    old = named("tug", spec={"taints": [{"key": "a", "effect": "NoExecute"}]})
    assert "is not allowed to modify taints" in refused(
        node_world().update, "nodes", named("tug", spec={}), old, TUG
    )


@pytest.mark.parametrize(
    ("bound", "audiences", "said"),
    [
        ({"name": "mine", "uid": "uid-mine"}, None, ""),
        ({"name": "mine", "uid": "uid-mine"}, ["vault"], ""),
        ({"name": "mine", "uid": "uid-mine"}, ["bank"], 'audience "bank" not found in pod spec volume'),
        ({"name": "mine", "uid": "uid-mine"}, ["vault", "bank"], "node may only request 0 or 1 audiences"),
        ({"name": "mine"}, None, "pod binding without a uid"),
        ({"name": "theirs", "uid": "uid-theirs"}, None, "bound to a pod scheduled on a different node"),
        ({"name": "mine", "uid": "old"}, None, "does not match the UID in record"),
        ({}, None, "node requested token not bound to a pod"),
    ],
)
def test_a_node_asks_for_tokens_of_its_pods_only(
    bound: dict[str, Any], audiences: list[str] | None, said: str
) -> None:
    reference = {"apiVersion": "v1", "kind": "Pod", **bound} if bound else None
    spec = {k: v for k, v in (("boundObjectRef", reference), ("audiences", audiences)) if v}
    world = node_world()
    arguments = ("serviceaccounts/token", named("robot", "ns", spec=spec))
    if said:
        assert said in refused(world.create, *arguments, user=TUG)
    else:
        world.create(*arguments, user=TUG)


def test_others_are_not_bound_by_what_binds_nodes() -> None:
    world = node_world()
    world.create("serviceaccounts/token", named("robot", "ns", spec={}))
    made = named("barge")
    made["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
    world.create("nodes", made, "")


def test_a_node_holds_its_own_lease_only() -> None:
    world = node_world()
    world.view.put("", "namespaces", named("kube-node-lease"))
    what = "leases.coordination.k8s.io"
    world.create(what, named("tug"), "kube-node-lease", TUG)
    assert "same name as the requesting node" in refused(
        world.create, what, named("barge"), "kube-node-lease", TUG
    )


def test_a_connection_meets_nothing() -> None:
    world = World()
    assert world.meet(ask(CONNECT, "pods/exec", {"command": ["x"]}, namespace="ns", name="web")) == {
        "command": ["x"]
    }
