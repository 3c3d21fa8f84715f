"""What people do with kubectl 1.37, end to end against the API server alone (no controllers run)."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from conformance.kubectl.conftest import Kubectl

pytestmark = pytest.mark.peer


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
        },
    },
}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "spec": {
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "description": "something that floats",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"size": {"type": "integer", "description": "in metres"}},
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def test_version(kubectl: Kubectl) -> None:
    version = kubectl.json("version")["serverVersion"]
    assert (version["major"], version["minor"]) == ("1", "37")
    assert version["gitVersion"].startswith("v1.37.0+sampan")


def test_create_and_get_in_every_form(kubectl: Kubectl) -> None:
    assert kubectl("create", "configmap", "a", "--from-literal=k=v") == "configmap/a created\n"
    head, row = kubectl("get", "cm", "a").splitlines()
    assert head.split() == ["NAME", "DATA", "AGE"]
    assert row.split()[:2] == ["a", "1"]
    assert kubectl("get", "cm", "a", "-o", "name") == "configmap/a\n"
    assert kubectl.json("get", "cm", "a")["data"] == {"k": "v"}
    assert "k: v" in kubectl("get", "cm", "a", "-o", "yaml")
    assert kubectl("get", "cm", "a", "-o", "jsonpath={.data.k}") == "v"
    assert kubectl("get", "cm", "a", "-o", "go-template={{.data.k}}") == "v"
    assert kubectl("get", "cm", "-o", "custom-columns=N:.metadata.name", "--no-headers") == "a\n"
    assert kubectl("get", "cm", "a", "--show-labels").split()[-1] == "<none>"
    assert "default" in kubectl("get", "ns", "-o", "wide")
    assert kubectl("get", "cm", "-A", "--sort-by=.metadata.name").splitlines()[0].startswith("NAMESPACE")
    assert "managedFields" in kubectl("get", "cm", "a", "-o", "yaml", "--show-managed-fields")


def test_create_by_protobuf(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
    assert kubectl.json("get", "deploy", "web")["spec"]["replicas"] == 2
    kubectl("create", "secret", "generic", "s", "--from-literal=p=q")
    assert kubectl.json("get", "secret", "s")["data"] == {"p": "cQ=="}
    kubectl("create", "job", "j", "--image=busybox")
    kubectl("create", "cronjob", "cj", "--image=busybox", "--schedule=* * * * *")
    kubectl("create", "role", "r", "--verb=get", "--resource=pods")
    kubectl("create", "rolebinding", "rb", "--role=r", "--user=jane")
    kubectl("create", "quota", "q", "--hard=pods=3")
    kubectl("create", "ingress", "i", "--rule=example.dev/*=svc:80")
    kubectl("create", "poddisruptionbudget", "b", "--selector=app=web", "--min-available=1")
    kubectl("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu=80%")
    kubectl("run", "p", "--image=nginx")
    kubectl("expose", "deployment", "web", "--port=80")
    assert kubectl.json("get", "svc", "web")["spec"]["clusterIP"].startswith("10.96.")


def test_apply_diff_and_prune_fields(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web created\n"
    assert kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web unchanged\n"
    assert kubectl("diff", "-f", "-", stdin=DEPLOYMENT) == ""
    changed = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 3}}
    different = kubectl.run("diff", "-f", "-", stdin=changed)
    assert different.returncode == 1
    assert "+  replicas: 3" in different.stdout
    assert kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/web configured\n"
    without = {**changed, "metadata": {"name": "web"}}
    kubectl("apply", "-f", "-", stdin=without)
    found = kubectl.json("get", "deploy", "web")
    assert "app" not in (found["metadata"].get("labels") or {})
    assert found["spec"]["replicas"] == 3
    # of a Deployment, changed annotations count as well
    assert found["metadata"]["generation"] == 3


def test_apply_server_side(kubectl: Kubectl) -> None:
    assert kubectl("apply", "--server-side", "-f", "-", stdin=configmap("a", k="1")) == (
        "configmap/a serverside-applied\n"
    )
    complaint = kubectl.refused(
        "apply", "--server-side", "--field-manager=other", "-f", "-", stdin=configmap("a", k="2")
    )
    assert 'conflict with "kubectl"' in complaint
    assert ".data.k" in complaint
    forced = ["apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-"]
    kubectl(*forced, stdin=configmap("a", k="2"))
    found = kubectl.json("get", "cm", "a", "--show-managed-fields")
    assert found["data"] == {"k": "2"}
    assert "other" in [entry["manager"] for entry in found["metadata"]["managedFields"]]


def test_moving_from_client_side_to_server_side_apply(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=configmap("a", k="1", l="2"))
    kubectl("apply", "--server-side", "-f", "-", stdin=configmap("a", k="1"))
    assert kubectl.json("get", "cm", "a")["data"] == {"k": "1"}


def test_patch_label_annotate_edit_fields(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=DEPLOYMENT)
    kubectl("label", "deploy", "web", "tier=front")
    kubectl("annotate", "deploy", "web", "note=hello")
    kubectl(
        "patch",
        "deploy",
        "web",
        "-p",
        '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx:2"}]}}}}',
    )
    kubectl("patch", "deploy", "web", "--type=merge", "-p", '{"spec":{"paused":true}}')
    kubectl(
        "patch", "deploy", "web", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":4}]'
    )
    kubectl("set", "image", "deploy/web", "c=nginx:3")
    kubectl("set", "env", "deploy/web", "A=B")
    kubectl(
        "patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", '{"status":{"replicas":4}}'
    )
    found = kubectl.json("get", "deploy", "web")
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert found["metadata"]["labels"] == {"app": "web", "tier": "front"}
    assert found["metadata"]["annotations"]["note"] == "hello"
    assert (found["spec"]["replicas"], found["spec"]["paused"]) == (4, True)
    assert (container["image"], container["env"]) == ("nginx:3", [{"name": "A", "value": "B"}])
    assert found["status"]["replicas"] == 4
    kubectl("label", "deploy", "web", "tier-")
    assert "tier" not in kubectl.json("get", "deploy", "web")["metadata"]["labels"]


def test_replace(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=configmap("a", k="1"))
    kubectl("replace", "-f", "-", stdin=configmap("a", k="2"))
    assert kubectl.json("get", "cm", "a")["data"] == {"k": "2"}
    stale = {**configmap("a", k="3"), "metadata": {"name": "a", "resourceVersion": "1"}}
    assert "the object has been modified" in kubectl.refused("replace", "-f", "-", stdin=stale)
    assert "NotFound" in kubectl.refused("replace", "-f", "-", stdin=configmap("missing"))


def test_scale(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=DEPLOYMENT)
    assert kubectl("scale", "deploy", "web", "--replicas=5") == "deployment.apps/web scaled\n"
    assert kubectl.json("get", "deploy", "web")["spec"]["replicas"] == 5
    complaint = kubectl.refused("scale", "deploy", "web", "--replicas=1", "--current-replicas=2")
    assert "Expected replicas to be 2, was 5" in complaint


def test_delete_in_every_form(kubectl: Kubectl) -> None:
    for name in ("a", "b", "c", "d"):
        kubectl("create", "configmap", name)
    kubectl("label", "cm", "a", "b", "x=y")
    assert kubectl("delete", "cm", "-l", "x=y").count("deleted") == 2
    assert "c" in kubectl("delete", "cm", "c", "--dry-run=server")
    kubectl("delete", "cm", "c", "--wait=false")
    assert 'configmaps "c" not found' in kubectl.refused("delete", "cm", "c")
    kubectl("delete", "cm", "c", "--ignore-not-found")
    kubectl("delete", "cm", "--all")
    assert kubectl("get", "cm") == ""


def test_finalizers_hold_an_object(kubectl: Kubectl) -> None:
    held = configmap("a")
    held["metadata"]["finalizers"] = ["example.dev/hold"]
    kubectl("create", "-f", "-", stdin=held)
    waiting = kubectl.popen("delete", "cm", "a")
    for _ in range(100):
        if "deletionTimestamp" in kubectl.json("get", "cm", "a")["metadata"]:
            break
        time.sleep(0.05)
    kubectl("patch", "cm", "a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    out, _ = waiting.communicate(timeout=30)
    assert "deleted" in out
    assert "NotFound" in kubectl.refused("get", "cm", "a")


def test_watch(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "before")
    watching = kubectl.popen("get", "cm", "-w", "--no-headers")
    assert watching.stdout is not None
    try:
        assert watching.stdout.readline().split()[0] == "before"
        kubectl("create", "configmap", "during", "--from-literal=a=b")
        assert watching.stdout.readline().split()[:2] == ["during", "1"]
        kubectl("patch", "cm", "during", "-p", '{"data":{"c":"d"}}')
        assert watching.stdout.readline().split()[:2] == ["during", "2"]
    finally:
        watching.terminate()
        watching.wait()
        watching.stdout.close()


def test_wait(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=POD)
    waiting = kubectl.popen("wait", "pod/p", "--for=jsonpath={.status.phase}=Running", "--timeout=30s")
    time.sleep(0.3)
    kubectl("patch", "pod", "p", "--subresource=status", "-p", '{"status":{"phase":"Running"}}')
    out, _ = waiting.communicate(timeout=40)
    assert waiting.returncode == 0, out
    assert "condition met" in out
    gone = kubectl.popen("wait", "pod/p", "--for=delete", "--timeout=30s")
    time.sleep(0.3)
    kubectl("delete", "pod", "p", "--wait=false")
    out, _ = gone.communicate(timeout=40)
    assert gone.returncode == 0, out


def test_pages_of_a_list(kubectl: Kubectl) -> None:
    for number in range(7):
        kubectl("create", "configmap", f"cm-{number}")
    shown = kubectl("get", "cm", "--chunk-size=3", "--no-headers")
    assert [line.split()[0] for line in shown.splitlines()] == [f"cm-{number}" for number in range(7)]


def test_selectors(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=POD)
    assert kubectl("get", "pods", "-l", "app in (p,q)", "-o", "name") == "pod/p\n"
    assert kubectl("get", "pods", "-l", "app!=p", "-o", "name") == ""
    assert kubectl("get", "pods", "--field-selector=spec.nodeName=", "-o", "name") == "pod/p\n"
    assert kubectl("get", "pods", "--field-selector=metadata.name!=p", "-o", "name") == ""
    assert "field label not supported: spec.nope" in kubectl.refused(
        "get", "pods", "--field-selector=spec.nope=1"
    )


def test_strict_validation(kubectl: Kubectl) -> None:
    wrong = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replica": 3}}
    assert 'unknown field "spec.replica"' in kubectl.refused("create", "-f", "-", stdin=wrong)
    warned = kubectl.run("create", "--validate=warn", "-f", "-", stdin=wrong)
    assert warned.returncode == 0
    assert 'Warning: unknown field "spec.replica"' in warned.stderr


def test_bad_input(kubectl: Kubectl) -> None:
    assert "Invalid value" in kubectl.refused("create", "configmap", "Bad_Name")
    assert "AlreadyExists" in kubectl.refused("create", "namespace", kubectl.namespace)
    assert "NotFound" in kubectl.refused("get", "pod", "nope")
    assert "the server doesn't have a resource type" in kubectl.refused("get", "boats")
    big = configmap("big", data="x" * (3 * 1024 * 1024))
    assert "too large" in kubectl.refused("create", "--validate=false", "-f", "-", stdin=big).lower()
    selector = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "selector": {"matchLabels": {"a": "b"}}}}
    assert "`selector` does not match template `labels`" in kubectl.refused(
        "create", "-f", "-", stdin=selector
    )


def test_explain_and_discovery(kubectl: Kubectl) -> None:
    assert "FIELD: image <string>" in kubectl("explain", "pod.spec.containers.image")
    assert "replicas" in kubectl("explain", "deployment.spec", "--recursive")
    resources = kubectl("api-resources", "--no-headers")
    assert {"pods", "deployments", "roles"} <= {line.split()[0] for line in resources.splitlines()}
    assert "po " in next(line for line in resources.splitlines() if line.startswith("pods "))
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "rbac.authorization.k8s.io/v1"} <= set(versions)


def test_who_am_i_and_may_i(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert "kubernetes-admin" in kubectl("auth", "whoami")
    denied = kubectl.run("auth", "can-i", "create", "pods", "--as=jane")
    assert (denied.returncode, denied.stdout) == (1, "no\n")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "reader", "--role=reader", "--user=jane")
    assert kubectl("auth", "can-i", "list", "pods", "--as=jane") == "yes\n"
    assert "pods" in kubectl("auth", "can-i", "--list", "--as=jane")
    assert 'cannot delete resource "pods"' in kubectl.refused("delete", "pod", "x", "--as=jane")
    assert 'cannot list resource "secrets"' in kubectl.refused("get", "secrets", "--as=jane")


def test_nobody_hands_out_rights_that_they_lack(kubectl: Kubectl) -> None:
    kubectl("create", "role", "maker", "--verb=create", "--resource=roles.rbac.authorization.k8s.io")
    kubectl("create", "rolebinding", "maker", "--role=maker", "--user=jane")
    complaint = kubectl.refused("create", "role", "all", "--verb=*", "--resource=secrets", "--as=jane")
    assert "attempting to grant RBAC permissions not currently held" in complaint


def test_tokens_of_service_accounts(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "bot")
    token = kubectl("create", "token", "bot", "--duration=1h").strip()
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "metadata": {},
        "spec": {"token": token},
    }
    seen = json.loads(kubectl("create", "-o", "json", "-f", "-", stdin=review))
    assert seen["status"]["user"]["username"] == f"system:serviceaccount:{kubectl.namespace}:bot"
    assert 'serviceaccounts "nobody" not found' in kubectl.refused("create", "token", "nobody")


def test_custom_resources(kubectl: Kubectl) -> None:
    group = f"{kubectl.namespace}.dev"
    names = {"plural": "boats", "singular": "boat", "kind": "Boat", "shortNames": ["bt"]}
    crd = {
        **CRD,
        "metadata": {"name": f"boats.{group}"},
        "spec": {**CRD["spec"], "group": group, "names": names},
    }
    kubectl("apply", "-f", "-", stdin=crd)
    kubectl("wait", "--for=condition=Established", f"crd/boats.{group}", "--timeout=10s")
    boat = {"apiVersion": f"{group}/v1", "kind": "Boat", "metadata": {"name": "b"}, "spec": {"size": 7}}
    kubectl("apply", "-f", "-", stdin=boat)
    assert kubectl("get", f"boats.{group}").split() == ["NAME", "SIZE", "b", "7"]
    assert "in metres" in kubectl("explain", "--api-version", f"{group}/v1", "boats.spec.size")
    wrong = {**boat, "spec": {"size": "large"}}
    assert "must be of type integer" in kubectl.refused("apply", "-f", "-", stdin=wrong)
    kubectl(
        "patch",
        f"boats.{group}",
        "b",
        "--type=merge",
        "--subresource=status",
        "-p",
        '{"status":{"afloat":true}}',
    )
    assert kubectl.json("get", f"boats.{group}", "b")["status"] == {"afloat": True}
    kubectl("delete", "crd", f"boats.{group}")
    assert "the server doesn't have a resource type" in kubectl.refused("get", f"boats.{group}")


def test_describe(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=DEPLOYMENT)
    kubectl("create", "-f", "-", stdin=POD)
    assert "nginx:1" in kubectl("describe", "deploy", "web")
    assert "Status:" in kubectl("describe", "pod", "p")
    assert "Active" in kubectl("describe", "ns", kubectl.namespace)
    assert "IP Families" in kubectl("-n", "default", "describe", "svc", "kubernetes")


def test_rollout_and_history_read(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "pause", "deploy/web")
    kubectl("rollout", "resume", "deploy/web")
    kubectl("rollout", "restart", "deploy/web")
    annotations = kubectl.json("get", "deploy", "web")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_nodes_cordon_drain_and_taint(kubectl: Kubectl) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": kubectl.namespace}}
    kubectl("create", "-f", "-", stdin=node)
    pod = {**POD, "spec": {**POD["spec"], "nodeName": kubectl.namespace}}
    kubectl("create", "-f", "-", stdin=pod)
    kubectl("patch", "pod", "p", "--subresource=status", "-p", '{"status":{"phase":"Succeeded"}}')
    kubectl("cordon", kubectl.namespace)
    assert kubectl.json("get", "node", kubectl.namespace)["spec"]["unschedulable"] is True
    kubectl("taint", "node", kubectl.namespace, "a=b:NoSchedule")
    out = kubectl("drain", kubectl.namespace, "--force", "--timeout=20s")
    assert "drained" in out
    assert "NotFound" in kubectl.refused("get", "pod", "p")
    kubectl("uncordon", kubectl.namespace)
    kubectl("delete", "node", kubectl.namespace)


def test_raw_health_and_metrics(kubectl: Kubectl) -> None:
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert "[+]ping ok" in kubectl("get", "--raw", "/livez?verbose")
    metrics = kubectl("get", "--raw", "/metrics")
    assert "apiserver_request_total{" in metrics
    assert 'apiserver_storage_objects{group="",resource="namespaces"}' in metrics
    assert "control plane" in kubectl("cluster-info")


def test_dry_run_on_the_server_writes_nothing(kubectl: Kubectl) -> None:
    assert "created (server dry run)" in kubectl(
        "create", "-f", "-", "--dry-run=server", stdin=configmap("a")
    )
    assert "NotFound" in kubectl.refused("get", "cm", "a")


def test_a_warning_for_kinds_that_are_only_stored(kubectl: Kubectl) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "n"},
        "spec": {"podSelector": {}},
    }
    done = kubectl.run("apply", "-f", "-", stdin=policy)
    assert done.returncode == 0
    assert "Warning: sampan stores NetworkPolicy objects but does not act on them yet" in done.stderr


def test_csr_is_approved(kubectl: Kubectl) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    wanted = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    csr = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": kubectl.namespace},
        "spec": {
            "request": base64.b64encode(wanted.public_bytes(serialization.Encoding.PEM)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
            "username": "somebody-else",
        },
    }
    kubectl("create", "-f", "-", stdin=csr)
    assert kubectl.json("get", "csr", kubectl.namespace)["spec"]["username"] == "kubernetes-admin"
    kubectl("certificate", "approve", kubectl.namespace)
    conditions = kubectl.json("get", "csr", kubectl.namespace)["status"]["conditions"]
    assert [condition["type"] for condition in conditions] == ["Approved"]
