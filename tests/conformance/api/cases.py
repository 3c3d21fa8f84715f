"""The requests, in order; each works on what those before it left. `NS` is the namespace of the run."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

NS = "exchange"
CORE = f"/api/v1/namespaces/{NS}"
APPS = f"/apis/apps/v1/namespaces/{NS}"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSONPATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


class Case(NamedTuple):
    """`body` is an object or text; `wait` names a path that must answer 200 before the case is sent."""

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    accept: str = ""
    wait: str = ""


def cm(name: str, data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    if data is not None:
        found["data"] = data
    return found


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "containers": [{"name": "c", "image": "nginx"}],
            "automountServiceAccountToken": False,
            **spec,
        },
    }


def deployment(name: str, replicas: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}]},
            },
        },
    }


def service(name: str, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": ports, **spec},
    }


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.example.dev"},
    "spec": {
        "group": "example.dev",
        "scope": "Namespaced",
        "names": {"plural": "boats", "singular": "boat", "kind": "Boat", "shortNames": ["bt"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
                "additionalPrinterColumns": [
                    {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["color"],
                                "properties": {
                                    "color": {"type": "string", "enum": ["red", "blue"]},
                                    "size": {"type": "integer", "minimum": 1, "default": 3},
                                    "replicas": {"type": "integer"},
                                },
                            },
                            "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
}
BOATS = f"/apis/example.dev/v1/namespaces/{NS}/boats"


def boat(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.dev/v1", "kind": "Boat", "metadata": {"name": name}, "spec": spec}


CASES = [
    Case("namespace create", "POST", "/api/v1/namespaces", {"metadata": {"name": NS}}),
    Case("namespace again", "POST", "/api/v1/namespaces", {"metadata": {"name": NS}}),
    Case("namespace bad name", "POST", "/api/v1/namespaces", {"metadata": {"name": "Bad_Name"}}),
    Case("default account", "POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "default"}}),
    Case("cm create", "POST", f"{CORE}/configmaps?fieldManager=test", cm("a", {"k": "v"})),
    Case("cm exists", "POST", f"{CORE}/configmaps", cm("a", {"k": "v"})),
    Case("cm no name", "POST", f"{CORE}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap"}),
    Case("cm bad name", "POST", f"{CORE}/configmaps", cm("A B")),
    Case("cm other namespace", "POST", f"{CORE}/configmaps", cm("x", None, namespace="other")),
    Case("cm missing namespace", "POST", "/api/v1/namespaces/nowhere/configmaps", cm("x")),
    Case("cm wrong kind", "POST", f"{CORE}/configmaps", {**cm("x"), "kind": "Secret"}),
    Case("cm wrong version", "POST", f"{CORE}/configmaps", {**cm("x"), "apiVersion": "v2"}),
    Case("cm wrong type", "POST", f"{CORE}/configmaps", {**cm("x"), "data": {"k": 1}}),
    Case("cm unknown warn", "POST", f"{CORE}/configmaps?dryRun=All", {**cm("x"), "foo": 1}),
    Case(
        "cm unknown strict",
        "POST",
        f"{CORE}/configmaps?fieldValidation=Strict",
        {**cm("x"), "foo": 1, "metadata": {"name": "x", "bar": 2}},
    ),
    Case(
        "cm duplicate strict",
        "POST",
        f"{CORE}/configmaps?fieldValidation=Strict",
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
    ),
    Case("cm with revision", "POST", f"{CORE}/configmaps", cm("rv", None, resourceVersion="5")),
    Case("cm bad json", "POST", f"{CORE}/configmaps", '{"apiVersion":"v1",'),
    Case("cm array", "POST", f"{CORE}/configmaps", "[]"),
    Case("cm bad media type", "POST", f"{CORE}/configmaps", cm("x"), "text/plain"),
    Case("cm bad dry run", "POST", f"{CORE}/configmaps?dryRun=Some", cm("x")),
    Case("cm bad validation", "POST", f"{CORE}/configmaps?fieldValidation=Maybe", cm("x")),
    Case(
        "cm yaml",
        "POST",
        f"{CORE}/configmaps",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n",
        "application/yaml",
    ),
    Case("cm dry run", "POST", f"{CORE}/configmaps?dryRun=All", cm("dry")),
    Case("cm dry run is gone", "GET", f"{CORE}/configmaps/dry"),
    Case("cm get", "GET", f"{CORE}/configmaps/a"),
    Case("cm get table", "GET", f"{CORE}/configmaps/a", accept=TABLE),
    Case("cm get partial", "GET", f"{CORE}/configmaps/a", accept=PARTIAL),
    Case("cm list partial", "GET", f"{CORE}/configmaps?labelSelector=nope", accept=PARTIAL_LIST),
    Case("cm accept nothing", "GET", f"{CORE}/configmaps/a", accept="text/html"),
    Case("cm put", "PUT", f"{CORE}/configmaps/a?fieldManager=test", cm("a", {"k": "w", "l": "m"})),
    Case("cm put other name", "PUT", f"{CORE}/configmaps/a", cm("b")),
    Case("cm put no name", "PUT", f"{CORE}/configmaps/a", {"apiVersion": "v1", "kind": "ConfigMap"}),
    Case("cm put old revision", "PUT", f"{CORE}/configmaps/a", cm("a", {"k": "w"}, resourceVersion="1")),
    Case("cm put wrong uid", "PUT", f"{CORE}/configmaps/a", cm("a", {"k": "w"}, uid="nope")),
    Case("cm put missing", "PUT", f"{CORE}/configmaps/missing", cm("missing")),
    Case("cm merge", "PATCH", f"{CORE}/configmaps/a", {"data": {"l": None, "n": "o"}}, MERGE),
    Case("cm strategic", "PATCH", f"{CORE}/configmaps/a", {"metadata": {"labels": {"x": "y"}}}, STRATEGIC),
    Case(
        "cm json patch",
        "PATCH",
        f"{CORE}/configmaps/a",
        [{"op": "add", "path": "/data/z", "value": "1"}],
        JSONPATCH,
    ),
    Case(
        "cm json patch test",
        "PATCH",
        f"{CORE}/configmaps/a",
        [{"op": "test", "path": "/data/z", "value": "2"}],
        JSONPATCH,
    ),
    Case(
        "cm json patch missing",
        "PATCH",
        f"{CORE}/configmaps/a",
        [{"op": "remove", "path": "/data/zz"}],
        JSONPATCH,
    ),
    Case("cm patch bad type", "PATCH", f"{CORE}/configmaps/a", {"data": {"a": 1}}, MERGE),
    Case(
        "cm patch unknown strict", "PATCH", f"{CORE}/configmaps/a?fieldValidation=Strict", {"foo": 1}, MERGE
    ),
    Case("cm patch bad json", "PATCH", f"{CORE}/configmaps/a", "{", MERGE),
    Case("cm patch media type", "PATCH", f"{CORE}/configmaps/a", {}, "application/json"),
    Case("cm patch missing", "PATCH", f"{CORE}/configmaps/missing", {"data": {}}, MERGE),
    Case("cm patch name", "PATCH", f"{CORE}/configmaps/a", {"metadata": {"name": "b"}}, MERGE),
    Case("cm patch revision", "PATCH", f"{CORE}/configmaps/a", {"metadata": {"resourceVersion": "1"}}, MERGE),
    Case("cm patch nothing", "PATCH", f"{CORE}/configmaps/a", {}, MERGE),
    Case(
        "cm apply yaml",
        "PATCH",
        f"{CORE}/configmaps/yaml?fieldManager=y",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {on: 'yes'}\n",
        APPLY,
    ),
    Case(
        "cm apply unknown strict",
        "PATCH",
        f"{CORE}/configmaps/yaml?fieldManager=y&fieldValidation=Strict",
        {**cm("yaml"), "foo": 1},
        APPLY,
    ),
    Case("cm apply other name", "PATCH", f"{CORE}/configmaps/yaml?fieldManager=y", cm("other"), APPLY),
    Case(
        "cm apply no version",
        "PATCH",
        f"{CORE}/configmaps/yaml?fieldManager=y",
        {"metadata": {"name": "yaml"}},
        APPLY,
    ),
    Case("cm apply no manager", "PATCH", f"{CORE}/configmaps/a", cm("a", {"k": "q"}), APPLY),
    Case("cm apply conflict", "PATCH", f"{CORE}/configmaps/a?fieldManager=other", cm("a", {"k": "q"}), APPLY),
    Case(
        "cm apply force",
        "PATCH",
        f"{CORE}/configmaps/a?fieldManager=other&force=true",
        cm("a", {"k": "q"}),
        APPLY,
    ),
    Case(
        "cm apply new",
        "PATCH",
        f"{CORE}/configmaps/applied?fieldManager=other",
        cm("applied", {"k": "q"}),
        APPLY,
    ),
    Case(
        "cm apply same",
        "PATCH",
        f"{CORE}/configmaps/applied?fieldManager=other",
        cm("applied", {"k": "q"}),
        APPLY,
    ),
    Case("cm merge force", "PATCH", f"{CORE}/configmaps/a?force=true", {}, MERGE),
    Case("cm list selector", "GET", f"{CORE}/configmaps?labelSelector=x%3Dy"),
    Case("cm list bad selector", "GET", f"{CORE}/configmaps?labelSelector=x%3D%3D%3Dy"),
    Case("cm list field", "GET", f"{CORE}/configmaps?fieldSelector=metadata.name%3Da"),
    Case("cm list bad field", "GET", f"{CORE}/configmaps?fieldSelector=data.k%3Da"),
    Case("cm list bad revision", "GET", f"{CORE}/configmaps?resourceVersion=abc"),
    Case("cm list match alone", "GET", f"{CORE}/configmaps?resourceVersionMatch=Exact"),
    Case("cm list match bad", "GET", f"{CORE}/configmaps?resourceVersion=5&resourceVersionMatch=Foo"),
    Case("cm list initial events", "GET", f"{CORE}/configmaps?sendInitialEvents=true"),
    Case("cm list bad continue", "GET", f"{CORE}/configmaps?continue=abc"),
    Case("cm list bad limit", "GET", f"{CORE}/configmaps?limit=abc"),
    Case("cm watch initial alone", "GET", f"{CORE}/configmaps?watch=true&sendInitialEvents=true"),
    Case("cm table list", "GET", f"{CORE}/configmaps?fieldSelector=metadata.name%3Da", accept=TABLE),
    Case(
        "cm table objects",
        "GET",
        f"{CORE}/configmaps?fieldSelector=metadata.name%3Da&includeObject=Object",
        accept=TABLE,
    ),
    Case("cm table bad include", "GET", f"{CORE}/configmaps?includeObject=Foo", accept=TABLE),
    Case("cm generate", "POST", f"{CORE}/configmaps", {"metadata": {"generateName": "gen-"}}),
    Case("cm immutable", "POST", f"{CORE}/configmaps", {**cm("imm", {"a": "b"}), "immutable": True}),
    Case("cm immutable change", "PATCH", f"{CORE}/configmaps/imm", {"data": {"a": "c"}}, MERGE),
    Case("cm finalizer", "POST", f"{CORE}/configmaps", cm("fin", None, finalizers=["example.dev/hold"])),
    Case("cm delete held", "DELETE", f"{CORE}/configmaps/fin"),
    Case("cm held", "GET", f"{CORE}/configmaps/fin"),
    Case("cm held create", "POST", f"{CORE}/configmaps", cm("fin")),
    Case(
        "cm held more",
        "PATCH",
        f"{CORE}/configmaps/fin",
        {"metadata": {"finalizers": ["example.dev/hold", "example.dev/more"]}},
        MERGE,
    ),
    Case("cm release", "PATCH", f"{CORE}/configmaps/fin", {"metadata": {"finalizers": None}}, MERGE),
    Case("cm released", "GET", f"{CORE}/configmaps/fin"),
    Case("cm delete precondition", "DELETE", f"{CORE}/configmaps/y", {"preconditions": {"uid": "nope"}}),
    Case("cm delete bad policy", "DELETE", f"{CORE}/configmaps/y", {"propagationPolicy": "Sometimes"}),
    Case(
        "cm delete both",
        "DELETE",
        f"{CORE}/configmaps/y",
        {"propagationPolicy": "Orphan", "orphanDependents": True},
    ),
    Case("cm delete dry", "DELETE", f"{CORE}/configmaps/y?dryRun=All"),
    Case("cm delete foreground", "DELETE", f"{CORE}/configmaps/imm", {"propagationPolicy": "Foreground"}),
    Case("cm delete", "DELETE", f"{CORE}/configmaps/y"),
    Case("cm delete missing", "DELETE", f"{CORE}/configmaps/y"),
    Case("cm method", "PUT", f"{CORE}/configmaps", cm("x")),
    Case("cm post named", "POST", f"{CORE}/configmaps/x", cm("x")),
    Case("unknown resource", "GET", f"{CORE}/boats"),
    Case("unknown group", "GET", "/apis/nope.dev/v1"),
    Case("unknown path", "GET", "/nope"),
    Case("unknown subresource", "GET", f"{CORE}/configmaps/a/status"),
    Case("pod create", "POST", f"{CORE}/pods?fieldManager=test", pod("p")),
    Case(
        "pod bad",
        "POST",
        f"{CORE}/pods",
        {**pod("q"), "spec": {"containers": [{"name": "c", "image": ""}, {"name": "c"}]}},
    ),
    Case(
        "pod no spec", "POST", f"{CORE}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}}
    ),
    Case(
        "pod bad field",
        "POST",
        f"{CORE}/pods",
        pod("q", containers=[{"name": "c", "image": "i", "ports": [{"containerPort": "x"}]}]),
    ),
    Case("pod list field", "GET", f"{CORE}/pods?fieldSelector=spec.nodeName%3D,status.phase%3DPending"),
    Case("pod list table", "GET", f"{CORE}/pods", accept=TABLE),
    Case("pod immutable", "PATCH", f"{CORE}/pods/p", {"spec": {"restartPolicy": "Never"}}, STRATEGIC),
    Case(
        "pod strategic",
        "PATCH",
        f"{CORE}/pods/p",
        {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}},
        STRATEGIC,
    ),
    Case(
        "pod status",
        "PATCH",
        f"{CORE}/pods/p/status",
        {
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
            "spec": {"nodeName": "no"},
        },
        STRATEGIC,
    ),
    Case("pod log unscheduled", "GET", f"{CORE}/pods/p/log"),
    Case("pod exec unscheduled", "GET", f"{CORE}/pods/p/exec?command=ls&stdout=true"),
    Case("pod bind nowhere", "POST", f"{CORE}/pods/p/binding", {"target": {"kind": "Node"}}),
    Case(
        "pod bind",
        "POST",
        f"{CORE}/pods/p/binding",
        {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "p"},
            "target": {"kind": "Node", "name": "n1"},
        },
    ),
    Case(
        "pod bind again",
        "POST",
        f"{CORE}/pods/p/binding",
        {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n2"}},
    ),
    Case("pod bound", "GET", f"{CORE}/pods/p"),
    Case("pod log no node", "GET", f"{CORE}/pods/p/log"),
    Case("pod log bad container", "GET", f"{CORE}/pods/p/log?container=zz"),
    Case("pod delete graceful", "DELETE", f"{CORE}/pods/p", {"gracePeriodSeconds": 20}),
    Case("pod delete longer", "DELETE", f"{CORE}/pods/p", {"gracePeriodSeconds": 40}),
    Case("pod delete shorter", "DELETE", f"{CORE}/pods/p", {"gracePeriodSeconds": 10}),
    Case("pod delete now", "DELETE", f"{CORE}/pods/p", {"gracePeriodSeconds": 0}),
    Case("pod deleted", "GET", f"{CORE}/pods/p"),
    Case("pod unscheduled", "POST", f"{CORE}/pods", pod("u")),
    Case(
        "pod evict",
        "POST",
        f"{CORE}/pods/u/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "u"}},
    ),
    Case("pod evicted", "GET", f"{CORE}/pods/u"),
    Case(
        "pod evict missing",
        "POST",
        f"{CORE}/pods/u/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "u"}},
    ),
    Case("deploy create", "POST", f"{APPS}/deployments?fieldManager=test", deployment("web")),
    Case(
        "deploy bad selector",
        "POST",
        f"{APPS}/deployments",
        {
            **deployment("bad"),
            "spec": {**deployment("bad")["spec"], "selector": {"matchLabels": {"app": "other"}}},
        },
    ),
    Case(
        "deploy immutable",
        "PATCH",
        f"{APPS}/deployments/web",
        {"spec": {"selector": {"matchLabels": {"x": "y"}}}},
        MERGE,
    ),
    Case("deploy negative", "PATCH", f"{APPS}/deployments/web", {"spec": {"replicas": -1}}, MERGE),
    Case("deploy scale get", "GET", f"{APPS}/deployments/web/scale"),
    Case(
        "deploy scale patch",
        "PATCH",
        f"{APPS}/deployments/web/scale?fieldManager=scaler",
        {"spec": {"replicas": 4}},
        MERGE,
    ),
    Case(
        "deploy scale negative", "PATCH", f"{APPS}/deployments/web/scale", {"spec": {"replicas": -4}}, MERGE
    ),
    Case(
        "deploy scale put",
        "PUT",
        f"{APPS}/deployments/web/scale",
        {"metadata": {"name": "web", "namespace": NS}, "spec": {"replicas": 2}},
    ),
    Case(
        "deploy scale conflict",
        "PUT",
        f"{APPS}/deployments/web/scale",
        {"metadata": {"name": "web", "namespace": NS, "resourceVersion": "1"}, "spec": {"replicas": 2}},
    ),
    Case(
        "deploy status",
        "PATCH",
        f"{APPS}/deployments/web/status?fieldManager=ctl",
        {"status": {"replicas": 2, "observedGeneration": 1}},
        MERGE,
    ),
    Case("deploy after", "GET", f"{APPS}/deployments/web"),
    Case("deploy table", "GET", f"{APPS}/deployments/web", accept=TABLE),
    Case(
        "deploy status put",
        "PUT",
        f"{APPS}/deployments/web/status",
        {**deployment("web", 9), "status": {"replicas": 1}},
    ),
    Case(
        "deploy apply", "PATCH", f"{APPS}/deployments/applied?fieldManager=ssa", deployment("applied"), APPLY
    ),
    Case(
        "deploy apply less",
        "PATCH",
        f"{APPS}/deployments/applied?fieldManager=ssa",
        {
            **deployment("applied"),
            "spec": {key: value for key, value in deployment("applied")["spec"].items() if key != "replicas"},
        },
        APPLY,
    ),
    Case("deploy delete", "DELETE", f"{APPS}/deployments/web", {"propagationPolicy": "Background"}),
    Case(
        "service create",
        "POST",
        f"{CORE}/services?fieldManager=test",
        service("s", clusterIP="10.96.7.7", selector={"a": "b"}),
    ),
    Case("service taken", "POST", f"{CORE}/services", service("t", clusterIP="10.96.7.7")),
    Case("service outside", "POST", f"{CORE}/services", service("t", clusterIP="10.1.7.7")),
    Case("service bad ip", "POST", f"{CORE}/services", service("t", clusterIP="nope")),
    Case(
        "service node port",
        "POST",
        f"{CORE}/services",
        service("np", type="NodePort", clusterIP="10.96.7.8", ports=[{"port": 80, "nodePort": 30123}]),
    ),
    Case(
        "service node port taken",
        "POST",
        f"{CORE}/services",
        service("np2", type="NodePort", ports=[{"port": 80, "nodePort": 30123}]),
    ),
    Case(
        "service node port range",
        "POST",
        f"{CORE}/services",
        service("np2", type="NodePort", ports=[{"port": 80, "nodePort": 123}]),
    ),
    Case("service headless", "POST", f"{CORE}/services", service("hl", clusterIP="None")),
    Case(
        "service external",
        "POST",
        f"{CORE}/services",
        service("ex", type="ExternalName", externalName="example.dev", ports=[]),
    ),
    Case(
        "service change ip",
        "PATCH",
        f"{CORE}/services/s",
        {"spec": {"clusterIP": "10.96.7.9", "clusterIPs": ["10.96.7.9"]}},
        MERGE,
    ),
    Case(
        "service to external",
        "PATCH",
        f"{CORE}/services/np",
        {"spec": {"type": "ExternalName", "externalName": "x.dev", "clusterIP": "", "clusterIPs": None}},
        MERGE,
    ),
    Case(
        "service reuse",
        "POST",
        f"{CORE}/services",
        service("np2", type="NodePort", clusterIP="10.96.7.8", ports=[{"port": 80, "nodePort": 30123}]),
    ),
    Case("service dual", "POST", f"{CORE}/services", service("ds", ipFamilyPolicy="RequireDualStack")),
    Case(
        "service prefer dual",
        "POST",
        f"{CORE}/services",
        service("pd", ipFamilyPolicy="PreferDualStack", clusterIP="10.96.7.20"),
    ),
    Case("service table", "GET", f"{CORE}/services/s", accept=TABLE),
    Case("service delete", "DELETE", f"{CORE}/services/s"),
    Case("secret create", "POST", f"{CORE}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}}),
    Case("secret type", "PATCH", f"{CORE}/secrets/s", {"type": "other"}, MERGE),
    Case("sa create", "POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "bot"}}),
    Case("pod without account", "POST", f"{CORE}/pods", pod("x", serviceAccountName="nobody")),
    Case(
        "event create",
        "POST",
        f"{CORE}/events",
        {
            "metadata": {"name": "e.1"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": NS},
            "reason": "Test",
            "message": "hello",
            "type": "Normal",
        },
    ),
    Case("event as v1", "GET", f"/apis/events.k8s.io/v1/namespaces/{NS}/events/e.1"),
    Case("event field", "GET", f"{CORE}/events?fieldSelector=involvedObject.name%3Dp,reason%3DTest"),
    Case(
        "hpa v1 create",
        "POST",
        f"/apis/autoscaling/v1/namespaces/{NS}/horizontalpodautoscalers",
        {
            "metadata": {"name": "h"},
            "spec": {
                "maxReplicas": 3,
                "minReplicas": 2,
                "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
                "targetCPUUtilizationPercentage": 50,
            },
        },
    ),
    Case("hpa as v2", "GET", f"/apis/autoscaling/v2/namespaces/{NS}/horizontalpodautoscalers/h"),
    Case(
        "lease put creates",
        "PUT",
        f"/apis/coordination.k8s.io/v1/namespaces/{NS}/leases/l",
        {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}},
    ),
    Case(
        "lease put creates whatever the revision",
        "PUT",
        f"/apis/coordination.k8s.io/v1/namespaces/{NS}/leases/stale",
        {"metadata": {"name": "stale", "resourceVersion": "5"}},
    ),
    Case(
        "lease unconditional",
        "PUT",
        f"/apis/coordination.k8s.io/v1/namespaces/{NS}/leases/l",
        {"metadata": {"name": "l"}, "spec": {"holderIdentity": "you"}},
    ),
    Case(
        "job create",
        "POST",
        f"/apis/batch/v1/namespaces/{NS}/jobs",
        {
            "metadata": {"name": "j"},
            "spec": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
            },
        },
    ),
    Case("job delete default", "DELETE", f"/apis/batch/v1/namespaces/{NS}/jobs/j"),
    Case(
        "pdb create",
        "POST",
        f"/apis/policy/v1/namespaces/{NS}/poddisruptionbudgets",
        {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "g"}}}},
    ),
    Case("crd create", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD),
    Case(
        "crd bad",
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        {**CRD, "metadata": {"name": "wrong.example.dev"}},
    ),
    Case("boat create", "POST", f"{BOATS}?fieldManager=test", boat("b", color="red"), wait=BOATS),
    Case("boat bad enum", "POST", BOATS, boat("c", color="green")),
    Case("boat bad type", "POST", BOATS, boat("c", color="red", size="big")),
    Case("boat required", "POST", BOATS, boat("c")),
    Case("boat minimum", "POST", BOATS, boat("c", color="red", size=0)),
    Case("boat unknown strict", "POST", f"{BOATS}?fieldValidation=Strict", boat("c", color="red", mast=1)),
    Case("boat unknown warn", "POST", f"{BOATS}?dryRun=All", boat("c", color="red", mast=1)),
    Case("boat no revision", "PUT", f"{BOATS}/b", boat("b", color="blue")),
    Case("boat merge", "PATCH", f"{BOATS}/b", {"spec": {"color": "blue"}}, MERGE),
    Case("boat strategic", "PATCH", f"{BOATS}/b", {"spec": {"color": "blue"}}, STRATEGIC),
    Case(
        "boat status",
        "PATCH",
        f"{BOATS}/b/status",
        {"status": {"replicas": 2}, "spec": {"color": "red"}},
        MERGE,
    ),
    Case("boat scale", "PATCH", f"{BOATS}/b/scale", {"spec": {"replicas": 5}}, MERGE),
    Case("boat scale get", "GET", f"{BOATS}/b/scale"),
    Case("boat list table", "GET", BOATS, accept=TABLE),
    Case("boat field", "GET", f"{BOATS}?fieldSelector=spec.color%3Dblue"),
    Case("boat apply", "PATCH", f"{BOATS}/b?fieldManager=ssa", boat("b", color="red"), APPLY),
    Case("boat discovery", "GET", "/apis/example.dev/v1"),
    Case("group discovery", "GET", "/apis/example.dev"),
    Case(
        "sar",
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": NS}}},
    ),
    Case("sar empty", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}}),
    Case("ns delete", "DELETE", f"/api/v1/namespaces/{NS}"),
    Case("ns terminating", "GET", f"/api/v1/namespaces/{NS}"),
    Case("ns terminating create", "POST", f"{CORE}/configmaps", cm("late")),
    Case("delete collection", "DELETE", f"{CORE}/configmaps?labelSelector=x%3Dy"),
    Case(
        "ns finalize",
        "PUT",
        f"/api/v1/namespaces/{NS}/finalize",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}, "spec": {"finalizers": []}},
    ),
    Case("ns gone", "GET", f"/api/v1/namespaces/{NS}"),
    Case("crd delete", "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boats.example.dev"),
]


def encoded(case: Case) -> bytes | None:
    if case.body is None:
        return None
    return case.body.encode() if isinstance(case.body, str) else json.dumps(case.body).encode()
