"""What kubectl users do with objects: create, apply, get, describe, explain, patch, diff, delete, ask who may."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusters import eventually
from conformance.cluster.shell import IMAGE, Shell, config_map, container, pod, workload

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]


# -- create


def test_create_of_every_generator(k: Shell, tmp_path: Path) -> None:
    file = tmp_path / "ship.txt"
    file.write_text("junk\n")
    k("create", "configmap", "map", "--from-literal=colour=red", f"--from-file=ship={file}")
    k("create", "secret", "generic", "word", "--from-literal=password=ahoy")
    k("create", "secret", "docker-registry", "pull", "--docker-username=a", "--docker-password=b")
    k("create", "serviceaccount", "master")
    k("create", "role", "reader", "--verb=get,list", "--resource=pods,deployments.apps")
    k("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={k.namespace}:master")
    k("create", "quota", "few", "--hard=configmaps=20")
    k("create", "poddisruptionbudget", "one", "--selector=app=web", "--min-available=1")
    k("create", "service", "clusterip", "inner", "--tcp=80:8080")
    k("create", "service", "nodeport", "outer", "--tcp=80:8080")
    k("create", "service", "externalname", "far", "--external-name=example.com")
    k("create", "ingress", "door", "--rule=example.com/*=inner:80")
    k("create", "cronjob", "nightly", f"--image={IMAGE}", "--schedule=0 3 * * *", "--", "true")
    k("create", "deployment", "idle", f"--image={IMAGE}", "--replicas=0", "--", "sleep", "3600")
    assert k.get("configmap", "map")["data"] == {"colour": "red", "ship": "junk\n"}
    assert k.get("secret", "word")["data"] == {"password": "YWhveQ=="}
    assert k.get("secret", "pull")["type"] == "kubernetes.io/dockerconfigjson"
    assert k.get("role", "reader")["rules"][1]["apiGroups"] == ["apps"]
    assert k.path("service/inner", ".spec.clusterIP").startswith("10.")
    assert 30000 <= int(k.path("service/outer", ".spec.ports[0].nodePort")) < 32768
    assert k.path("cronjob/nightly", ".spec.schedule") == "0 3 * * *"
    assert "already exists" in k.refused("create", "serviceaccount", "master")
    assert k("create", "token", "master").count(".") == 2


def test_create_refuses_what_is_wrong(k: Shell) -> None:
    assert "field is immutable" in _changed_selector(k)
    wrong = config_map("wrong")
    wrong["data"] = {"number": 5}
    assert "cannot unmarshal number" in k.refused(
        "create", "--validate=false", "-f", "-", stdin=json.dumps(wrong)
    )
    odd = pod("odd", container(imagePullPolicie="Always"))
    assert 'unknown field "spec.containers[0].imagePullPolicie"' in k.refused(
        "create", "-f", "-", stdin=json.dumps(odd)
    )
    assert "unknown field" in k.warned("create", "--validate=warn", "-f", "-", stdin=json.dumps(odd))
    empty = pod("empty")
    empty["spec"]["containers"] = []
    assert "spec.containers: Required value" in k.refused("create", "-f", "-", stdin=json.dumps(empty))
    assert "Invalid value" in k.refused("create", "configmap", "Not_A_Name")
    assert "error parsing" in k.refused("create", "-f", "-", stdin="a: [b")


def _changed_selector(k: Shell) -> str:
    web = workload("Deployment", "web", replicas=0)
    k.apply(web)
    web["spec"]["selector"]["matchLabels"] = {"app": "other"}
    web["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    return k.refused("apply", "-f", "-", stdin=json.dumps(web))


def test_dry_run_leaves_nothing(k: Shell) -> None:
    made = k("create", "deployment", "web", f"--image={IMAGE}", "--dry-run=server", "-o", "json")
    assert json.loads(made)["spec"]["progressDeadlineSeconds"] == 600  # the server's default
    assert k("create", "configmap", "a", "--dry-run=client", "-o", "name") == "configmap/a\n"
    assert k("get", "deployment,configmap", "-o", "name") == "configmap/kube-root-ca.crt\n"


def test_generate_name_and_list_input(k: Shell) -> None:
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "boat-"}}
    names = {k("create", "-f", "-", "-o", "name", stdin=json.dumps(one)) for _ in range(2)}
    assert len(names) == 2 and all(name.startswith("configmap/boat-") for name in names)
    both = k("create", "-f", "-", "-o", "name", stdin="{kind: ConfigMap, apiVersion: v1, metadata: {name: x}}\n---\n"
             "kind: Secret\napiVersion: v1\nmetadata: {name: x}\n")  # fmt: skip
    assert both == "configmap/x\nsecret/x\n"


# -- apply


def test_apply_merges_three_ways(k: Shell) -> None:
    assert "created" in k.apply(config_map("map", a="1", b="2"))
    k("patch", "configmap", "map", "-p", '{"data":{"own":"kept"}}')
    assert "configured" in k.apply(config_map("map", a="1", c="3"))
    assert k.get("configmap", "map")["data"] == {"a": "1", "c": "3", "own": "kept"}
    assert "unchanged" in k.apply(config_map("map", a="1", c="3"))
    last = json.loads(k("apply", "view-last-applied", "configmap", "map", "-o", "json"))
    assert last["data"] == {"a": "1", "c": "3"}


def test_apply_prunes(k: Shell) -> None:
    both = [config_map("keep", a="1"), config_map("drop", a="1")]
    for one in both:
        one["metadata"]["labels"] = {"set": "x"}
    k.apply(*both)
    pruned = k.apply(both[0], words=("--prune", "-l", "set=x", "--prune-allowlist=core/v1/ConfigMap"))
    assert "configmap/drop pruned" in pruned
    assert not k.exists("configmap/drop")


def test_server_side_apply_owns_fields(k: Shell) -> None:
    def by(who: str, *words: str, **data: str) -> tuple[str, ...]:
        return ("apply", "--server-side", f"--field-manager={who}", "-f", "-", *words)

    def text(**data: str) -> str:
        return json.dumps(config_map("map", **data))

    k(*by("one"), stdin=text(a="1", b="1"))
    refusal = k.refused(*by("two"), stdin=text(a="2"))
    assert 'Apply failed with 1 conflict: conflict with "one": .data.a' in refusal
    assert "--force-conflicts" in refusal
    k(*by("two", "--force-conflicts"), stdin=text(a="2"))
    fields = {
        entry["manager"]: entry["fieldsV1"]["f:data"]
        for entry in json.loads(k("get", "cm", "map", "-o", "json", "--show-managed-fields"))["metadata"][
            "managedFields"
        ]
    }
    assert fields == {"one": {"f:b": {}}, "two": {"f:a": {}}}
    k(*by("one"), stdin=text())
    assert k.get("cm", "map")["data"] == {"a": "2"}


def test_server_side_apply_takes_over_client_side(k: Shell) -> None:
    web = workload("Deployment", "web", replicas=0)
    k.apply(web)
    web["spec"]["replicas"] = 1
    web["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    k.apply(web, words=("--server-side",))
    assert k.path("deploy/web", ".spec.replicas") == "1"
    del web["spec"]["template"]["spec"]["containers"][0]["env"]
    k.apply(web, words=("--server-side",))
    assert k.path("deploy/web", ".spec.template.spec.containers[0].env") == ""


def test_replace_and_edit_annotations_and_labels(k: Shell) -> None:
    k("create", "configmap", "map", "--from-literal=a=1")
    k("replace", "-f", "-", stdin=json.dumps(config_map("map", b="2")))
    assert k.get("cm", "map")["data"] == {"b": "2"}
    k("label", "cm", "map", "tier=front", "side=port")
    assert "already has a value" in k.refused("label", "cm", "map", "tier=back")
    k("label", "cm", "map", "tier=back", "side-", "--overwrite")
    k("annotate", "cm", "map", "note=on deck")
    seen = k.get("cm", "map")["metadata"]
    assert seen["labels"] == {"tier": "back"} and seen["annotations"]["note"] == "on deck"
    assert k("get", "cm", "-l", "tier in (back)", "-o", "name") == "configmap/map\n"
    assert k("get", "cm", "-l", "tier!=back", "-o", "name") == "configmap/kube-root-ca.crt\n"
    stale = k.get("cm", "map")
    stale["metadata"]["resourceVersion"] = "1"
    assert "the object has been modified" in k.refused("replace", "-f", "-", stdin=json.dumps(stale))


# -- get


def test_get_in_every_form(k: Shell) -> None:
    k("create", "deployment", "web", f"--image={IMAGE}", "--replicas=2", "--", "sleep", "3600")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    table = k("get", "pods").splitlines()
    assert table[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert all(line.split()[1:3] == ["1/1", "Running"] for line in table[1:]) and len(table) == 3
    wide = k("get", "deploy", "-o", "wide").splitlines()
    assert wide[0].split() == [
        "NAME",
        "READY",
        "UP-TO-DATE",
        "AVAILABLE",
        "AGE",
        "CONTAINERS",
        "IMAGES",
        "SELECTOR",
    ]
    assert wide[1].split()[5:] == ["host", IMAGE, "app=web"]
    names = k("get", "pods", "-o", "name").split()
    assert [name.split("-")[0] for name in names] == ["pod/web", "pod/web"]
    assert k("get", "deploy", "web", "-o", "yaml").startswith("apiVersion: apps/v1\nkind: Deployment\n")
    assert (
        k("get", "deploy", "-o", "jsonpath={range .items[*]}{.metadata.name}={.spec.replicas}{end}")
        == "web=2"
    )
    columns = k("get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.status.readyReplicas").split()
    assert columns == ["N", "R", "web", "2"]
    assert k("get", "deploy", "web", "-o", "go-template={{.spec.replicas}}{{len .spec.selector}}") == "21"
    assert k("get", "pods", "--no-headers", "--show-labels").count("app=web,pod-template-hash=") == 2
    assert k("get", "pods", "-L", "app").splitlines()[0].split()[-1] == "APP"
    ordered = k("get", "cm,deploy", "--sort-by=.metadata.name", "-o", "name").split()
    assert ordered == ["configmap/kube-root-ca.crt", "deployment.apps/web"]
    assert k("get", "pods", "--field-selector=status.phase!=Running") == ""
    assert len(k("get", "pods", "--chunk-size=1", "-o", "name").split()) == 2
    assert k("get", "--raw", f"/api/v1/namespaces/{k.namespace}/pods?limit=1").startswith("{")
    assert "deployment.apps/web" in k("get", "all")
    assert 'deployments.apps "none" not found' in k.refused("get", "deploy", "none")
    assert 'the server doesn\'t have a resource type "ships"' in k.refused("get", "ships")


def test_get_watches(k: Shell) -> None:
    k("create", "configmap", "map", "--from-literal=a=1")
    with k.running(
        "get", "cm", "map", "-w", "--output-watch-events", "-o", "jsonpath={.type} {.object.data}{'\\n'}"
    ) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline() == 'ADDED {"a":"1"}\n'
        k("patch", "cm", "map", "-p", '{"data":{"a":"2"}}')
        assert watch.stdout.readline() == 'MODIFIED {"a":"2"}\n'
        k("delete", "cm", "map")
        assert watch.stdout.readline() == 'DELETED {"a":"2"}\n'


def test_describe(k: Shell) -> None:
    web = container("sleep", "3600", env=[{"name": "A", "value": "1"}], resources={"limits": {"memory": "64Mi"}},
                    readinessProbe={"exec": {"command": ["true"]}})  # fmt: skip
    k.apply(workload("Deployment", "web", web))
    k("expose", "deploy", "web", "--port=80", "--target-port=8080")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    text = k("describe", "deploy", "web")
    assert "1 desired | 1 updated | 1 total | 1 available | 0 unavailable" in text
    assert "Scaled up replica set web-" in text
    text = k("describe", "pods")
    for part in ("Controlled By:  ReplicaSet/web-", "Ready:          True", "memory:  64Mi", "A:  1", "QoS Class:",
                 "exec [true] delay=0s timeout=1s", "Successfully assigned", "Container started"):  # fmt: skip
        assert part in text
    node = k.path("pods", ".items[0].spec.nodeName")
    assert f"Node:             {node}/" in text
    k.until(lambda: ":8080" in k("describe", "service", "web"))
    text = k("describe", "node", node)
    assert f"HolderIdentity:  {node}" in text and "KubeletReady" in text and f"  {k.namespace} " in text
    assert "kubernetes.io/service-account" not in k("describe", "sa", "default")
    assert "Active" in k("describe", "namespace", k.namespace)


def test_explain_and_what_the_server_has(k: Shell) -> None:
    text = k("explain", "deployment.spec.strategy")
    assert text.startswith("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n")
    assert "rollingUpdate\t<RollingUpdateDeployment>" in text
    assert "podAntiAffinity" in k("explain", "pod.spec", "--recursive")
    assert "the server doesn't have a resource type" in k.refused("explain", "nonsense")
    kinds = k("api-resources", "--no-headers")
    assert {"deployments", "customresourcedefinitions", "endpointslices", "leases"} <= {
        line.split()[0] for line in kinds.splitlines()
    }
    assert "apps/v1\n" in k("api-versions")
    version = json.loads(k("version", "-o", "json"))["serverVersion"]
    assert (version["major"], version["minor"]) == ("1", "37")
    assert "is running at" in k("cluster-info")


# -- patch, diff


def test_patch_in_three_ways(k: Shell) -> None:
    k.apply(workload("Deployment", "web", container(name="a"), container(name="b"), replicas=0))
    where = ".spec.template.spec.containers[*]"
    k("patch", "deploy", "web", "-p",
      '{"spec":{"template":{"spec":{"containers":[{"name":"b","env":[{"name":"X","value":"1"}]}]}}}}')  # fmt: skip
    assert k.path("deploy/web", where + "['name']") == "a b"  # strategic: lists merge by key
    k("patch", "deploy", "web", "--type=json", "-p",
      '[{"op":"test","path":"/spec/replicas","value":0},{"op":"remove","path":"/spec/template/spec/containers/0"}]')  # fmt: skip
    assert k.path("deploy/web", where + "['name']") == "b"
    k(
        "patch",
        "deploy",
        "web",
        "--type=merge",
        "-p",
        '{"metadata":{"labels":{"x":"y","app":null}},"spec":{"paused":true}}',
    )
    assert (
        k.path("deploy/web", ".metadata.labels") == '{"x":"y"}'
        and k.path("deploy/web", ".spec.paused") == "true"
    )
    failed = k.refused(
        "patch", "deploy", "web", "--type=json", "-p", '[{"op":"test","path":"/spec/replicas","value":5}]'
    )
    assert "testing value /spec/replicas failed" in failed
    k("patch", "deploy", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":0}}')
    k("set", "env", "deploy/web", "Y=2")
    k("set", "resources", "deploy/web", "--limits=memory=64Mi")
    seen = k.get("deploy", "web")["spec"]["template"]["spec"]["containers"][0]
    assert [e["name"] for e in seen["env"]] == ["X", "Y"] and seen["resources"]["limits"] == {
        "memory": "64Mi"
    }


def test_diff_tells_by_its_exit_code(k: Shell) -> None:
    k.apply(config_map("map", a="1"))
    k("diff", "-f", "-", stdin=json.dumps(config_map("map", a="1")))
    done = k.cluster.kubectl(
        "-n", k.namespace, "diff", "-f", "-", stdin=json.dumps(config_map("map", a="2")), code=1
    )
    assert '-  a: "1"' in done.out and '+  a: "2"' in done.out
    done = k.cluster.kubectl(
        "-n",
        k.namespace,
        "diff",
        "--server-side",
        "-f",
        "-",
        stdin=json.dumps(config_map("new", a="2")),
        code=1,
    )
    assert "+kind: ConfigMap" in done.out
    assert not k.exists("cm/new")


# -- delete


def test_delete_cascades_as_asked(k: Shell) -> None:
    for name in ("fore", "back", "orphan"):
        k.apply(workload("Deployment", name))
    for name in ("fore", "back", "orphan"):
        k("wait", f"deploy/{name}", "--for=condition=Available", "--timeout=60s")
    k("delete", "deploy", "fore", "--cascade=foreground")
    assert k("get", "rs,pods", "-l", "app=fore", "-o", "name") == ""  # foreground: gone before the owner
    k("delete", "deploy", "back")
    k.until(lambda: k("get", "rs,pods", "-l", "app=back", "-o", "name") == "")
    k("delete", "deploy", "orphan", "--cascade=orphan")
    left = k.get("rs", "-l", "app=orphan")["items"]
    assert len(left) == 1 and "ownerReferences" not in left[0]["metadata"]
    k.apply(workload("Deployment", "orphan"))  # and adopted again
    k.until(lambda: k.get("rs", "-l", "app=orphan")["items"][0]["metadata"].get("ownerReferences"))
    assert len(k.get("rs", "-l", "app=orphan")["items"]) == 1


def test_finalizers_hold_an_object(k: Shell) -> None:
    k("create", "configmap", "map")
    k("patch", "cm", "map", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    k("delete", "cm", "map", "--wait=false")
    assert k.path("cm/map", ".metadata.deletionTimestamp")
    assert "Forbidden" in k.refused(
        "patch", "cm", "map", "-p", '{"metadata":{"finalizers":["example.com/more"]}}'
    )
    k("patch", "cm", "map", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert not k.exists("cm/map")


def test_delete_by_selector_and_what_is_not_there(k: Shell) -> None:
    for name in ("a", "b", "c"):
        k("create", "configmap", name)
    k("label", "cm", "a", "b", "go=yes")
    assert k("delete", "cm", "-l", "go=yes").count("deleted") == 2
    assert k("get", "cm", "-o", "name").split() == ["configmap/c", "configmap/kube-root-ca.crt"]
    assert "not found" in k.refused("delete", "cm", "a")
    k("delete", "cm", "a", "--ignore-not-found")
    k("delete", "cm", "--all")
    k.until(lambda: k.exists("cm/kube-root-ca.crt"))  # the controller gives it back


def test_a_namespace_ends_with_all_that_is_in_it(k: Shell) -> None:
    name = f"{k.namespace}-x"
    k("create", "namespace", name)
    inside = Shell(k.cluster, name)
    inside.until(lambda: inside.exists("sa/default"))
    inside.apply(workload("Deployment", "web"), config_map("held"))
    inside("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    inside("patch", "cm", "held", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    k("delete", "namespace", name, "--wait=false")
    inside.until(lambda: not inside.exists("deploy/web"))
    refusal = inside.refused("create", "configmap", "late")
    assert "because it is being terminated" in refusal
    message = k.until(
        lambda: "finalizers" in (t := k("get", "namespace", name, "-o", "yaml")) and "Remaining" in t and t
    )
    assert "example.com/hold" in message
    inside("patch", "cm", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    k("wait", "--for=delete", f"namespace/{name}", "--timeout=60s")
    assert "Forbidden" in k.refused("delete", "namespace", "default", "--wait=false")


# -- who may


def test_auth(k: Shell) -> None:
    assert "system:masters" in k("auth", "whoami")
    k("create", "sa", "master")
    k("create", "role", "reader", "--verb=get,list", "--resource=pods")
    who = f"--as=system:serviceaccount:{k.namespace}:master"
    assert k.refused("get", "pods", who).startswith("Error from server (Forbidden): pods is forbidden: User ")
    assert k("auth", "can-i", "list", "pods", who, code=1) == "no\n"
    k("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={k.namespace}:master")
    eventually(lambda: k("auth", "can-i", "list", "pods", who, code=None) == "yes\n", seconds=5)
    k("get", "pods", who)
    assert "pods " in k("auth", "can-i", "--list", who)
    token = k("create", "token", "master").strip()
    bare = (
        "--kubeconfig=/dev/null",
        f"--server={_server(k)}",
        f"--certificate-authority={_ca(k)}",
        f"--token={token}",
    )
    assert f"system:serviceaccount:{k.namespace}:master" in k("auth", "whoami", *bare)
    assert 'pods "x" is forbidden' in k.refused("delete", "pod", "x", *bare)
    denied = k.refused("get", "pods", *bare[:-1], "--token=nonsense")
    assert "You must be logged in to the server" in denied
    k("auth", "reconcile", "-f", "-", stdin=k("get", "role", "reader", "-o", "json"))


def _server(k: Shell) -> str:
    return k("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")


def _ca(k: Shell) -> str:
    path = k.cluster.home / "ca.crt"
    path.write_text(k("get", "cm", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}"))
    return str(path)
