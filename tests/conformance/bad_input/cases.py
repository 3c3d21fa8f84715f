"""The requests: first what must be there, then what is wrong, each on its own."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

NS = "bad-input"
CORE = f"/api/v1/namespaces/{NS}"
MAPS = f"{CORE}/configmaps"
PODS = f"{CORE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NS}/deployments"
SERVICES = f"{CORE}/services"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BOATS = f"/apis/bad.example.dev/v1/namespaces/{NS}/boats"
TOKENS = f"{CORE}/serviceaccounts/default/token"

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
LIMIT = 3 << 20  # bytes of a body


class Case(NamedTuple):
    """`body`: an object is sent as JSON. `credentials`: "admin", "none", "nonsense" or "audience"."""

    name: str
    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    credentials: str = "admin"

    def encoded(self) -> bytes | None:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **fields}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    kept = {"containers": [{"name": "c", "image": "i"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {**kept, **spec}}


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    kept = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {**kept, **spec},
    }


def service(name: str, **spec: Any) -> dict[str, Any]:
    kept = {"ports": [{"port": 80}], "clusterIP": "None"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {**kept, **spec}}


def boat(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "bad.example.dev/v1", "kind": "Boat", "metadata": {"name": name}, **fields}


def eviction(**fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p", "namespace": NS},
        **fields,
    }


def token_request(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.bad.example.dev"},
    "spec": {
        "group": "bad.example.dev",
        "scope": "Namespaced",
        "names": {"plural": "boats", "singular": "boat", "kind": "Boat"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"n": {"type": "integer"}}},
                            "status": {"type": "object", "properties": {"n": {"type": "integer"}}},
                        },
                    }
                },
            }
        ],
    },
}

# What the cases meet. None of them may change it.
PRELUDE = (
    ("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}}),
    (CRDS, CRD),
    (f"{CORE}/serviceaccounts", {"metadata": {"name": "default"}}),
    (MAPS, config_map("a", data={"k": "v"})),
    (MAPS, config_map("fixed", data={"k": "v"}, immutable=True)),
    (PODS, pod("p")),
    (DEPLOYMENTS, deployment("web")),
    (SERVICES, service("s")),
    (f"{CORE}/secrets", {"metadata": {"name": "x"}, "type": "Opaque"}),
    (BOATS, boat("b", spec={"n": 1})),
)
KEPT = (MAPS, PODS, DEPLOYMENTS, SERVICES, f"{CORE}/secrets", BOATS, f"{CORE}/serviceaccounts", CRDS)


def _nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
MALFORMED = {
    "truncated": '{"apiVersion":"v1",',
    "not json": "hello",
    "trailing comma": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z"},}',
    "single quotes": "{'kind': 'ConfigMap'}",
    "comment": '{"kind":"ConfigMap"} // no',
    "two objects": '{"kind":"ConfigMap","metadata":{"name":"z"}}{"kind":"ConfigMap"}',
    "array": "[]",
    "string": '"x"',
    "number": "7",
    "null": "null",
    "NaN": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z","generation":NaN}}',
    "leading zero": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z","generation":01}}',
    "bad escape": '{"kind":"ConfigMap","metadata":{"name":"\\q"}}',
    "control character": '{"kind":"ConfigMap","metadata":{"name":"a\tb"}}',
    "nul byte": b'{"kind":"ConfigMap\x00"}',
    "byte order mark": b'\xef\xbb\xbf{"kind":"ConfigMap"}',
    "utf-16": '{"kind":"ConfigMap"}'.encode("utf-16"),
    "deep objects": _nested(10001),
    "deep arrays": '{"apiVersion":"v1","kind":"ConfigMap","data":' + "[" * 20000 + "]" * 20000 + "}",
    "unclosed arrays": "[" * 100000,
    "kind is a number": '{"apiVersion":"v1","kind":5,"metadata":{"name":"z"}}',
    "apiVersion is a list": '{"apiVersion":[],"kind":"ConfigMap"}',
    "apiVersion with slashes": '{"apiVersion":"a/b/c","kind":"ConfigMap","metadata":{"name":"z"}}',
}
YAMLS = {
    "tab": "apiVersion: v1\n\tkind: ConfigMap\n",
    "unclosed": 'apiVersion: v1\nkind: "ConfigMap\n',
    "bomb": BOMB,
    "unknown anchor": "apiVersion: v1\nkind: ConfigMap\nmetadata: *nowhere\n",
    "self anchor": "apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  labels: *m\n",
    "list": "- a\n- b\n",
    "scalar": "hello",
    "tag": "!!python/object/apply:os.system ['true']\n",
    "data of numbers": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\ndata: {a: 1}\n",
    "nul byte": b"kind: Config\x00Map\n",
    "not utf-8": b"kind: \xff\xfe\n",
    "deep": "[" * 20000,
    "complex key": "? [a, b]\n: c\n",
    "two documents": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\n---\nkind: Secret\n",
}
MAGIC = b"k8s\x00"
PROTOBUFS = {
    "wrong magic": b"k9s\x00\x0a\x00",
    "short": b"k8",
    "magic alone": MAGIC,
    "truncated": MAGIC + b"\x0a\x0f\x0a\x02v1\x12\x09Conf",
    "no type": MAGIC + b"\x12\x03\x0a\x01a",
    "random": MAGIC + bytes(range(255, 1, -3)),
    "long length": MAGIC + b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    "endless varint": MAGIC + b"\x0a" + b"\xff" * 40,
    "unknown kind": MAGIC + b"\x0a\x0a\x0a\x02v1\x12\x04Boat\x12\x00",
    "raw truncated": MAGIC + b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x05\x0a\x50ab",
    "json": b'{"kind":"ConfigMap"}',
}
# what is not what the kind's fields are
WRONG_TYPES = {
    "data number": config_map("z", data={"a": 1}),
    "data list": config_map("z", data=["a"]),
    "data string": config_map("z", data="a"),
    "immutable string": config_map("z", immutable="yes"),
    "binary data": config_map("z", binaryData={"a": "%%%"}),
    "metadata list": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": []},
    "metadata string": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": "a"},
    "name number": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": 5}},
    "labels list": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "labels": ["a"]}},
    "label number": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "labels": {"a": 1}}},
    "finalizers string": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "z", "finalizers": "a"},
    },
    "time": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "creationTimestamp": "soon"}},
    "generation": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "generation": "1"}},
}
POD_TYPES = {
    "containers object": pod("z", containers={"name": "c"}),
    "container string": pod("z", containers=["c"]),
    "port string": pod("z", containers=[{"name": "c", "image": "i", "ports": [{"containerPort": "x"}]}]),
    "port float": pod("z", containers=[{"name": "c", "image": "i", "ports": [{"containerPort": 1.5}]}]),
    "port huge": pod("z", containers=[{"name": "c", "image": "i", "ports": [{"containerPort": 1 << 40}]}]),
    "env value number": pod(
        "z", containers=[{"name": "c", "image": "i", "env": [{"name": "A", "value": 1}]}]
    ),
    "quantity": pod("z", containers=[{"name": "c", "image": "i", "resources": {"limits": {"cpu": "lots"}}}]),
    "quantity list": pod("z", containers=[{"name": "c", "image": "i", "resources": {"limits": {"cpu": []}}}]),
    "grace huge": json.dumps(pod("z", terminationGracePeriodSeconds=-1)).replace("-1", "9" * 400),
    "grace exponent": json.dumps(pod("z", terminationGracePeriodSeconds=-1)).replace("-1", "1e999"),
    "bool string": pod("z", hostNetwork="true"),
}
INVALID = {
    "no containers": (PODS, pod("z", containers=[])),
    "many faults": (
        PODS,
        pod(
            "Z_",
            restartPolicy="Sometimes",
            containers=[{"name": "C!", "ports": [{"containerPort": 0}]}, {"name": "C!", "image": "i"}],
            volumes=[{"name": "v"}, {"name": "v", "emptyDir": {}}],
        ),
    ),
    "mount of nothing": (
        PODS,
        pod(
            "z", containers=[{"name": "c", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]
        ),
    ),
    "no selector": (
        DEPLOYMENTS,
        {**deployment("z"), "spec": {"template": deployment("z")["spec"]["template"]}},
    ),
    "empty deployment": (
        DEPLOYMENTS,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "z"}},
    ),
    "negative replicas": (DEPLOYMENTS, deployment("z", replicas=-1)),
    "service port": (SERVICES, service("z", ports=[{"port": 0}])),
    "service ports": (SERVICES, service("z", ports=[{"port": 80}, {"port": 80}])),
    "service name": (SERVICES, service("9z")),
    "service type": (SERVICES, service("z", type="Sometimes")),
    "map key": (MAPS, config_map("z", data={"a b": "c"})),
    "map name": (MAPS, config_map("A_b")),
    "map long name": (MAPS, config_map("a" * 254)),
    "map name slash": (MAPS, config_map("a/b")),
    "map no name": (MAPS, {"apiVersion": "v1", "kind": "ConfigMap"}),
    "label key": (
        MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "labels": {"a b": "c"}}},
    ),
    "label value": (
        MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "labels": {"a": "-"}}},
    ),
    "finalizer": (
        MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "finalizers": ["x"]}},
    ),
    "owner": (
        MAPS,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "z", "ownerReferences": [{"kind": "Pod"}]},
        },
    ),
    "too large map": (MAPS, config_map("z", data={"a": "x" * ((1 << 20) + 1)})),
    "annotations": (
        MAPS,
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "z", "annotations": {"a": "x" * (257 << 10)}},
        },
    ),
    "namespace name": ("/api/v1/namespaces", {"metadata": {"name": "kube.system"}}),
    "boat type": (BOATS, boat("z", spec={"n": "x"})),
    "boat spec": (BOATS, boat("z", spec=[])),
    "crd name": (CRDS, {**CRD, "metadata": {"name": "nope"}}),
}


def _create(group: str, path: str, bodies: dict[str, Any], kind: str = JSON) -> list[Case]:
    return [Case(f"{group}: {name}", "POST", path, body, kind) for name, body in bodies.items()]


FIELD_VALIDATION = {
    "unknown": {**config_map("z"), "foo": 1},
    "nested": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "foo": {"a": 1}}},
    "duplicate": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z","name":"z"},"data":{"a":"1","a":"2"}}',
    "both": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z"},"foo":1,"data":{"a":"1","a":"2"}}',
    "case": {**config_map("z"), "Data": {"a": "b"}},
}
FIELD_MODES = ("Ignore", "Warn", "Strict")


def _field_validation() -> list[Case]:
    found = []
    for mode in FIELD_MODES:
        query = f"?dryRun=All&fieldValidation={mode}"
        for name, body in FIELD_VALIDATION.items():
            found.append(Case(f"fields {mode}: {name}", "POST", MAPS + query, body))
        unknown = pod("z", foo=1, containers=[{"name": "c", "image": "i", "bar": 2}])
        found += [
            Case(f"fields {mode}: pod", "POST", PODS + query, unknown),
            Case(f"fields {mode}: boat", "POST", BOATS + query, boat("z", spec={"n": 1, "m": 2}, foo=3)),
            Case(f"fields {mode}: put", "PUT", f"{MAPS}/a{query}", {**config_map("a"), "foo": 1}),
            Case(f"fields {mode}: merge", "PATCH", f"{MAPS}/a{query}", {"foo": 1, "metadata": {"bar": 2}}, MERGE),
            Case(f"fields {mode}: strategic", "PATCH", f"{MAPS}/a{query}", {"foo": 1}, STRATEGIC),
            Case(f"fields {mode}: json patch", "PATCH", f"{MAPS}/a{query}",
                 [{"op": "add", "path": "/foo", "value": 1}], JSON_PATCH),
            Case(f"fields {mode}: apply", "PATCH", f"{MAPS}/z{query}&fieldManager=m", {**config_map("z"), "foo": 1},
                 APPLY),
            Case(f"fields {mode}: yaml", "POST", MAPS + query,
                 "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z}\nfoo: 1\ndata: {a: b, a: c}\n", YAML),
        ]  # fmt: skip
    return [*found, Case("fields Sometimes", "POST", f"{MAPS}?fieldValidation=Sometimes", config_map("z"))]


IDENTITY = [
    Case("identity: other namespace", "POST", f"{MAPS}?dryRun=All",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "namespace": "other"}}),
    Case("identity: namespace on cluster kind", "POST", "/api/v1/nodes?dryRun=All",
         {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "z", "namespace": "other"}}),
    Case("identity: no namespace in path", "POST", "/api/v1/configmaps?dryRun=All", config_map("z")),
    Case("identity: missing namespace", "POST", "/api/v1/namespaces/nowhere/configmaps?dryRun=All", config_map("z")),
    Case("identity: other kind", "POST", f"{MAPS}?dryRun=All", {**config_map("z"), "kind": "Secret"}),
    Case("identity: unknown kind", "POST", f"{MAPS}?dryRun=All", {**config_map("z"), "kind": "Boat"}),
    Case("identity: other version", "POST", f"{MAPS}?dryRun=All", {**config_map("z"), "apiVersion": "v2"}),
    Case("identity: other group", "POST", f"{MAPS}?dryRun=All", {**config_map("z"), "apiVersion": "apps/v1"}),
    Case("identity: deployment of old", "POST", f"{DEPLOYMENTS}?dryRun=All", {**deployment("z"), "apiVersion": "apps/v1beta1"}),
    Case("identity: deployment of extensions", "POST", f"{DEPLOYMENTS}?dryRun=All",
         {**deployment("z"), "apiVersion": "extensions/v1beta1"}),
    Case("identity: put other kind", "PUT", f"{MAPS}/a?dryRun=All", {**config_map("a"), "kind": "Secret"}),
    Case("identity: list", "POST", f"{MAPS}?dryRun=All", {"apiVersion": "v1", "kind": "ConfigMapList", "items": []}),
    Case("identity: put name", "PUT", f"{MAPS}/a?dryRun=All", config_map("b")),
    Case("identity: put no name", "PUT", f"{MAPS}/a?dryRun=All", {"apiVersion": "v1", "kind": "ConfigMap"}),
    Case("identity: put missing", "PUT", f"{MAPS}/nowhere?dryRun=All", config_map("nowhere")),
    Case("identity: put namespace", "PUT", f"{MAPS}/a?dryRun=All",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "other"}}),
    Case("identity: put uid", "PUT", f"{MAPS}/a?dryRun=All",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "1"}}),
    Case("identity: put revision", "PUT", f"{MAPS}/a?dryRun=All",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "1"}}),
    Case("identity: put bad revision", "PUT", f"{MAPS}/a?dryRun=All",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "abc"}}),
    Case("identity: boat other kind", "POST", f"{BOATS}?dryRun=All", {**boat("z"), "kind": "Ship"}),
    Case("identity: boat other version", "POST", f"{BOATS}?dryRun=All", {**boat("z"), "apiVersion": "bad.example.dev/v2"}),
    Case("identity: boat no kind", "POST", f"{BOATS}?dryRun=All", {"metadata": {"name": "z"}}),
    Case("identity: boat put no revision", "PUT", f"{BOATS}/b?dryRun=All", boat("b")),
    Case("identity: boat put name", "PUT", f"{BOATS}/b?dryRun=All", boat("c")),
    Case("identity: exists", "POST", f"{MAPS}?dryRun=All", config_map("a")),
    Case("identity: create with revision", "POST", MAPS,
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z", "resourceVersion": "1"}}),
]  # fmt: skip

IMMUTABLE = [
    Case("immutable: map", "PATCH", f"{MAPS}/fixed", {"data": {"k": "w"}}, MERGE),
    Case("immutable: map again mutable", "PATCH", f"{MAPS}/fixed", {"immutable": False}, MERGE),
    Case("immutable: selector", "PATCH", f"{DEPLOYMENTS}/web",
         {"spec": {"selector": {"matchLabels": {"app": "web", "x": "y"}},
                   "template": {"metadata": {"labels": {"x": "y"}}}}}, MERGE),
    Case("immutable: pod", "PATCH", f"{PODS}/p", {"spec": {"hostname": "h"}}, MERGE),
    Case("immutable: pod node", "PATCH", f"{PODS}/p", {"spec": {"nodeName": "n"}}, MERGE),
    Case("immutable: secret type", "PATCH", f"{CORE}/secrets/x", {"type": "other"}, MERGE),
    Case("immutable: cluster ip", "PATCH", f"{SERVICES}/s", {"spec": {"clusterIP": "10.96.0.99"}}, MERGE),
    Case("immutable: name", "PATCH", f"{MAPS}/a", {"metadata": {"name": "b"}}, MERGE),
    Case("immutable: namespace", "PATCH", f"{MAPS}/a", {"metadata": {"namespace": "b"}}, MERGE),
    Case("immutable: uid", "PATCH", f"{MAPS}/a", {"metadata": {"uid": "b"}}, MERGE),
    Case("immutable: kind", "PATCH", f"{MAPS}/a", {"kind": "Secret"}, MERGE),
    Case("immutable: apiVersion", "PATCH", f"{MAPS}/a", {"apiVersion": "v2"}, MERGE),
    Case("immutable: crd scope", "PATCH", f"{CRDS}/boats.bad.example.dev", {"spec": {"scope": "Cluster"}}, MERGE),
    Case("immutable: crd group", "PATCH", f"{CRDS}/boats.bad.example.dev", {"spec": {"group": "x.dev"}}, MERGE),
]  # fmt: skip

QUERIES = {
    "selector operator": "labelSelector=a%3D%3D%3Db",
    "selector set": "labelSelector=a+in+b",
    "selector open": "labelSelector=a+in+(b",
    "selector key": "labelSelector=-a%3Db",
    "selector value": "labelSelector=a%3D-b",
    "selector comma": "labelSelector=,",
    "field": "fieldSelector=data.k%3Db",
    "field operator": "fieldSelector=metadata.name",
    "field alone": "fieldSelector=%3Da",
    "field escape": "fieldSelector=metadata.name%3Da%5Cb",
    "revision word": "resourceVersion=abc",
    "revision negative": "resourceVersion=-1",
    "revision float": "resourceVersion=1.5",
    "revision huge": "resourceVersion=99999999999999999999",
    "revision future": "resourceVersion=99999999",
    "revision future exact": "resourceVersion=99999999&resourceVersionMatch=Exact",
    "match alone": "resourceVersionMatch=Exact",
    "match word": "resourceVersion=5&resourceVersionMatch=Perhaps",
    "match exact zero": "resourceVersion=0&resourceVersionMatch=Exact",
    "match with continue": "resourceVersionMatch=Exact&resourceVersion=5&continue=abc",
    "continue": "continue=abc",
    "continue base64": "continue=e30",
    "continue version": "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjIifQ",
    "continue start": "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi8uLi8ifQ",
    "continue no start": "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0",
    "continue with revision": "continue=abc&resourceVersion=1",
    "limit": "limit=abc",
    "limit huge": "limit=99999999999999999999",
    "limit negative": "limit=-1",
    "timeout": "timeoutSeconds=abc",
    "initial events": "sendInitialEvents=true",
    "watch initial events": "watch=1&sendInitialEvents=true",
    "watch initial events match": "watch=1&sendInitialEvents=true&resourceVersionMatch=Exact",
    "watch match": "watch=1&resourceVersion=1&resourceVersionMatch=NotOlderThan",
    "watch revision": "watch=1&resourceVersion=abc",
    "watch limit": "watch=1&limit=abc",
    "watch field": "watch=1&fieldSelector=data.k%3Db",
    "watch selector": "watch=1&labelSelector=a%3D%3D%3Db",
    "percent": "labelSelector=%zz",
    "semicolon": "limit=1;watch=abc",
}
READS = [
    *(Case(f"query: {name}", "GET", f"{MAPS}?{query}") for name, query in QUERIES.items()),
    Case("query: get revision", "GET", f"{MAPS}/a?resourceVersion=abc"),
    Case("query: get future", "GET", f"{MAPS}/a?resourceVersion=99999999"),
    Case("query: get missing", "GET", f"{MAPS}/nowhere"),
    Case("query: boats field", "GET", f"{BOATS}?fieldSelector=spec.n%3D1"),
    Case("query: pods field", "GET", f"{PODS}?fieldSelector=spec.hostname%3D1"),
    Case("query: old watch", "GET", f"/api/v1/watch/namespaces/{NS}/configmaps?resourceVersion=abc"),
    Case("query: accept", "GET", f"{MAPS}/a", headers=(("Accept", "text/html"),)),
    Case("query: accept table of html", "GET", MAPS, headers=(("Accept", "text/html;as=Table"),)),
    Case("query: accept another", "GET", MAPS, headers=(("Accept", "application/json;as=Ship;v=v1;g=meta.k8s.io"),)),
    Case("query: include", "GET", f"{MAPS}?includeObject=Ship",
         headers=(("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),)),
]  # fmt: skip

CONTENT = [
    Case("content: text", "POST", f"{MAPS}?dryRun=All", config_map("z"), "text/plain"),
    Case("content: form", "POST", f"{MAPS}?dryRun=All", config_map("z"), "application/x-www-form-urlencoded"),
    Case("content: nonsense", "POST", f"{MAPS}?dryRun=All", config_map("z"), ";;;"),
    Case("content: cbor", "POST", f"{MAPS}?dryRun=All", b"\xa1aa\x01", "application/cbor"),
    Case("content: patch type", "POST", f"{MAPS}?dryRun=All", config_map("z"), MERGE),
    Case("content: put", "PUT", f"{MAPS}/a?dryRun=All", config_map("a"), "text/plain"),
    Case("content: boat protobuf", "POST", f"{BOATS}?dryRun=All", PROTOBUFS["magic alone"], PROTOBUF),
    Case(
        "content: gzip",
        "POST",
        f"{MAPS}?dryRun=All",
        config_map("z"),
        headers=(("Content-Encoding", "gzip"),),
    ),
    Case("content: empty", "POST", f"{MAPS}?dryRun=All", ""),
    Case("content: put empty", "PUT", f"{MAPS}/a?dryRun=All", ""),
    Case("content: too large", "POST", f"{MAPS}?dryRun=All", b" " * (LIMIT + 1)),
    Case("content: too large patch", "PATCH", f"{MAPS}/a", b" " * (LIMIT + 1), MERGE),
    Case("content: too large delete", "DELETE", f"{MAPS}/a", b" " * (LIMIT + 1)),
    Case("content: too large yaml", "POST", f"{MAPS}?dryRun=All", b"#" * (LIMIT + 1), YAML),
]

PATCHES = [
    Case("patch: json", "PATCH", f"{MAPS}/a", "{", MERGE),
    Case("patch: strategic json", "PATCH", f"{MAPS}/a", "{", STRATEGIC),
    Case("patch: merge list", "PATCH", f"{MAPS}/a", [], MERGE),
    Case("patch: merge string", "PATCH", f"{MAPS}/a", '"x"', MERGE),
    Case("patch: merge null", "PATCH", f"{MAPS}/a", "null", MERGE),
    Case("patch: strategic list", "PATCH", f"{MAPS}/a", [], STRATEGIC),
    Case("patch: empty", "PATCH", f"{MAPS}/a", "", MERGE),
    Case("patch: strategic empty", "PATCH", f"{MAPS}/a", "", STRATEGIC),
    Case("patch: media type", "PATCH", f"{MAPS}/a", {}, JSON),
    Case("patch: no media type", "PATCH", f"{MAPS}/a", {}, ""),
    Case("patch: unknown media type", "PATCH", f"{MAPS}/a", {}, "application/ship-patch"),
    Case("patch: type", "PATCH", f"{MAPS}/a", {"data": {"a": 1}}, MERGE),
    Case("patch: strategic type", "PATCH", f"{MAPS}/a", {"data": [1]}, STRATEGIC),
    Case("patch: metadata null", "PATCH", f"{MAPS}/a", {"metadata": None}, MERGE),
    Case("patch: metadata list", "PATCH", f"{MAPS}/a", {"metadata": []}, MERGE),
    Case("patch: directive", "PATCH", f"{DEPLOYMENTS}/web", {"spec": {"$patch": "sometimes"}}, STRATEGIC),
    Case("patch: no merge key", "PATCH", f"{DEPLOYMENTS}/web",
         {"spec": {"template": {"spec": {"containers": [{"image": "j"}]}}}}, STRATEGIC),
    Case("patch: boat strategic", "PATCH", f"{BOATS}/b", {"spec": {"n": 2}}, STRATEGIC),
    Case("patch: revision", "PATCH", f"{MAPS}/a", {"metadata": {"resourceVersion": "1"}}, MERGE),
    Case("patch: bad revision", "PATCH", f"{MAPS}/a", {"metadata": {"resourceVersion": "abc"}}, MERGE),
    Case("patch: missing", "PATCH", f"{MAPS}/nowhere", {"data": {}}, MERGE),
    Case("patch: operations object", "PATCH", f"{MAPS}/a", {"op": "add"}, JSON_PATCH),
    Case("patch: operations json", "PATCH", f"{MAPS}/a", "[", JSON_PATCH),
    Case("patch: operation", "PATCH", f"{MAPS}/a", [{"op": "sing", "path": "/data"}], JSON_PATCH),
    Case("patch: no path", "PATCH", f"{MAPS}/a", [{"op": "add", "value": 1}], JSON_PATCH),
    Case("patch: no value", "PATCH", f"{MAPS}/a?dryRun=All", [{"op": "add", "path": "/data/x"}], JSON_PATCH),
    Case("patch: test", "PATCH", f"{MAPS}/a", [{"op": "test", "path": "/data/k", "value": "w"}], JSON_PATCH),
    Case("patch: remove missing", "PATCH", f"{MAPS}/a", [{"op": "remove", "path": "/data/w"}], JSON_PATCH),
    Case("patch: add below missing", "PATCH", f"{MAPS}/a", [{"op": "add", "path": "/x/y/z", "value": 1}], JSON_PATCH),
    Case("patch: replace all", "PATCH", f"{MAPS}/a", [{"op": "replace", "path": "", "value": 1}], JSON_PATCH),
    Case("patch: many operations", "PATCH", f"{MAPS}/a",
         [{"op": "add", "path": "/data/x", "value": "1"}] * 10001, JSON_PATCH),
    Case("patch: index", "PATCH", f"{DEPLOYMENTS}/web",
         [{"op": "remove", "path": "/spec/template/spec/containers/7"}], JSON_PATCH),
    Case("patch: dry run", "PATCH", f"{MAPS}/a?dryRun=Some", {}, MERGE),
    Case("patch: force", "PATCH", f"{MAPS}/a?force=true", {}, MERGE),
    Case("patch: manager", "PATCH", f"{MAPS}/a?fieldManager={'m' * 129}", {}, MERGE),
    Case("patch: manager newline", "PATCH", f"{MAPS}/a?fieldManager=a%0Ab", {}, MERGE),
    Case("patch: deep", "PATCH", f"{MAPS}/a", _nested(10001), MERGE),
    Case("apply: no manager", "PATCH", f"{MAPS}/a", config_map("a"), APPLY),
    Case("apply: managed fields", "PATCH", f"{MAPS}/a?fieldManager=m",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [{"manager": "x"}]}},
         APPLY),
    Case("apply: name", "PATCH", f"{MAPS}/a?fieldManager=m", config_map("b"), APPLY),
    Case("apply: kind", "PATCH", f"{MAPS}/a?fieldManager=m", {**config_map("a"), "kind": "Secret"}, APPLY),
    Case("apply: version", "PATCH", f"{MAPS}/a?fieldManager=m", {**config_map("a"), "apiVersion": "v2"}, APPLY),
    Case("apply: no kind", "PATCH", f"{MAPS}/a?fieldManager=m", {"metadata": {"name": "a"}}, APPLY),
    Case("apply: yaml", "PATCH", f"{MAPS}/a?fieldManager=m", "a: [", APPLY),
    Case("apply: list", "PATCH", f"{MAPS}/a?fieldManager=m", [], APPLY),
    Case("apply: empty", "PATCH", f"{MAPS}/a?fieldManager=m", "", APPLY),
    Case("apply: bomb", "PATCH", f"{MAPS}/a?fieldManager=m", BOMB, APPLY),
    Case("apply: type", "PATCH", f"{MAPS}/a?fieldManager=m", config_map("a", data={"a": 1}), APPLY),
    Case("apply: type of data", "PATCH", f"{MAPS}/a?fieldManager=m", config_map("a", data=["a"]), APPLY),
    Case("apply: conflict", "PATCH", f"{MAPS}/a?fieldManager=m", config_map("a", data={"k": "w"}), APPLY),
    Case("apply: duplicate in list", "PATCH", f"{DEPLOYMENTS}/web?fieldManager=m&force=true",
         deployment("web", template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
             {"name": "c", "image": "i"}, {"name": "c", "image": "j"}]}}), APPLY),
    Case("apply: revision", "PATCH", f"{MAPS}/a?fieldManager=m&force=true",
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "1"}}, APPLY),
    Case("apply: boat type", "PATCH", f"{BOATS}/b?fieldManager=m&force=true", boat("b", spec={"n": "x"}), APPLY),
]  # fmt: skip

PATHS = [
    *(
        Case(f"path: {path}", "GET", path)
        for path in (
            "/nope", "/api/v2", "/api/v1/ships", "/api/v1/namespaces/x/ships", f"{MAPS}/a/status", f"{MAPS}/a/ship",
            f"{MAPS}/nowhere/ship", f"{PODS}/p/ship", f"{DEPLOYMENTS}/web/ship", f"{BOATS}/b/ship", f"{BOATS}/b/status",
            "/apis/nope.dev", "/apis/nope.dev/v1", "/apis/nope.dev/v1/ships", "/apis/apps/v7", "/apis/apps/v7/deployments",
            "/apis/apps/v1/ships", "/apis/bad.example.dev/v7", "/apis/bad.example.dev/v1/ships", "/openapi/v7",
            "/openapi/v3/apis/nope.dev/v1", "/healthz/nope", "/livez/nope", "/api/v1/namespaces/x/y/z/a/b/c",
            "//api//v1", "/api/v1/nodes/x/../../..", "/api/v1/%2e%2e/version", "/metrics/nope", "/api/v1/", "/apis/apps/",
            "/api/v1/namespaces//configmaps", f"{MAPS}/%2F", f"{MAPS}/a%00b", "/api/v1/namespaces/%zz",
            "/api/v1/watch/ships", "/api/v1/proxy/nodes/x",
        )
    ),
    Case("path: post named", "POST", f"{MAPS}/z", config_map("z")),
    Case("path: put collection", "PUT", MAPS, config_map("z")),
    Case("path: patch collection", "PATCH", MAPS, {}, MERGE),
    Case("path: delete namespaces", "DELETE", "/api/v1/namespaces"),
    Case("path: post version", "POST", "/version", {}),
    Case("path: post nope", "POST", "/nope", {}),
    Case("path: post api", "POST", "/api/v1", {}),
    Case("path: delete group", "DELETE", "/apis/apps"),
    Case("path: put binding", "PUT", f"{PODS}/p/binding", {}),
    Case("path: get binding", "GET", f"{PODS}/p/binding"),
    Case("path: get eviction", "GET", f"{PODS}/p/eviction"),
    Case("path: get token", "GET", TOKENS),
    Case("path: get review", "GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    Case("path: list bindings", "GET", f"{CORE}/bindings"),
    Case("path: post boat status", "POST", f"{BOATS}/b/status", boat("b")),
    Case("path: method", "BREW", f"{MAPS}/a"),
    Case("path: trace", "TRACE", f"{MAPS}/a"),
    Case("path: options", "OPTIONS", f"{MAPS}/a"),
]  # fmt: skip

WRITES = [
    Case("write: dry run", "POST", f"{MAPS}?dryRun=Some", config_map("z")),
    Case("write: dry run put", "PUT", f"{MAPS}/a?dryRun=Some", config_map("a")),
    Case("write: manager", "POST", f"{MAPS}?fieldManager={'m' * 129}", config_map("z")),
    Case("delete: dry run", "DELETE", f"{MAPS}/a?dryRun=Some"),
    Case("delete: dry run in body", "DELETE", f"{MAPS}/a", {"dryRun": ["Some"]}),
    Case("delete: policy", "DELETE", f"{MAPS}/a?propagationPolicy=Sometimes"),
    Case("delete: policy in body", "DELETE", f"{MAPS}/a", {"propagationPolicy": "Sometimes"}),
    Case("delete: both", "DELETE", f"{MAPS}/a", {"propagationPolicy": "Orphan", "orphanDependents": True}),
    Case("delete: grace", "DELETE", f"{MAPS}/a", {"gracePeriodSeconds": "x"}),
    Case("delete: grace in query", "DELETE", f"{MAPS}/a?gracePeriodSeconds=x"),
    Case("delete: grace negative", "DELETE", f"{PODS}/nowhere", {"gracePeriodSeconds": -7}),
    Case("delete: uid", "DELETE", f"{MAPS}/a", {"preconditions": {"uid": "nope"}}),
    Case("delete: revision", "DELETE", f"{MAPS}/a", {"preconditions": {"resourceVersion": "1"}}),
    Case("delete: missing", "DELETE", f"{MAPS}/nowhere"),
    Case("delete: kind", "DELETE", f"{MAPS}/a", config_map("a")),
    Case("delete: json", "DELETE", f"{MAPS}/a", "{"),
    Case("delete: media type", "DELETE", f"{MAPS}/a", {}, "text/plain"),
    Case("delete: collection selector", "DELETE", f"{MAPS}?labelSelector=a%3D%3D%3Db"),
    Case("delete: collection policy", "DELETE", f"{MAPS}?propagationPolicy=Sometimes"),
    Case("delete: collection field", "DELETE", f"{MAPS}?fieldSelector=data.k%3Db"),
    Case("delete: boat policy", "DELETE", f"{BOATS}/b?propagationPolicy=Sometimes"),
    Case("evict: name", "POST", f"{PODS}/p/eviction", eviction(metadata={"name": "q"})),
    Case("evict: missing", "POST", f"{PODS}/nowhere/eviction", eviction(metadata={"name": "nowhere"})),
    Case("evict: kind", "POST", f"{PODS}/p/eviction", {**eviction(), "kind": "Ship"}),
    Case("evict: version", "POST", f"{PODS}/p/eviction", {**eviction(), "apiVersion": "policy/v7"}),
    Case("evict: options", "POST", f"{PODS}/p/eviction", eviction(deleteOptions={"propagationPolicy": "Sometimes"})),
    Case("evict: uid", "POST", f"{PODS}/p/eviction", eviction(deleteOptions={"preconditions": {"uid": "nope"}})),
    Case("evict: type", "POST", f"{PODS}/p/eviction", eviction(deleteOptions=[])),
    Case("evict: json", "POST", f"{PODS}/p/eviction", "{"),
    Case("bind: no target", "POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}}),
    Case("bind: target kind", "POST", f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Ship"}}),
    Case("bind: missing", "POST", f"{PODS}/nowhere/binding", {"target": {"kind": "Node", "name": "n"}}),
    Case("token: short", "POST", TOKENS, token_request(expirationSeconds=60)),
    Case("token: long", "POST", TOKENS, token_request(expirationSeconds=1 << 33)),
    Case("token: type", "POST", TOKENS, token_request(expirationSeconds="x")),
    Case("token: audiences", "POST", TOKENS, token_request(audiences="x")),
    Case("token: bound kind", "POST", TOKENS, token_request(boundObjectRef={"kind": "Ship", "name": "x"})),
    Case("token: bound missing", "POST", TOKENS,
         token_request(boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "nowhere"})),
    Case("token: account", "POST", f"{CORE}/serviceaccounts/nobody/token", token_request()),
    Case("scale: negative", "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}}, MERGE),
    Case("scale: type", "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": "x"}}, MERGE),
    Case("scale: missing", "PATCH", f"{DEPLOYMENTS}/nowhere/scale", {"spec": {"replicas": 1}}, MERGE),
    Case("scale: kind", "PUT", f"{DEPLOYMENTS}/web/scale", deployment("web")),
    Case("scale: name", "PUT", f"{DEPLOYMENTS}/web/scale", {"metadata": {"name": "x"}, "spec": {"replicas": 1}}),
    Case("scale: boat negative", "PATCH", f"{BOATS}/b/scale", {"spec": {"replicas": -1}}, MERGE),
    Case("review: empty", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {}}),
    Case("review: both", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
         {"spec": {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"verb": "get"}}}),
    Case("review: token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}}),
]  # fmt: skip

PEOPLE = [
    Case("people: nobody lists", "GET", MAPS, credentials="none"),
    Case("people: nobody creates", "POST", MAPS, config_map("z"), credentials="none"),
    Case("people: nobody looks", "GET", "/api", credentials="none"),
    Case("people: nobody asks nonsense", "GET", "/nope", credentials="none"),
    Case("people: bad token", "GET", MAPS, credentials="nonsense"),
    Case("people: token for others", "GET", MAPS, credentials="audience"),
    Case("people: basic", "GET", MAPS, headers=(("Authorization", "Basic eDp5"),), credentials="none"),
    Case("people: empty token", "GET", MAPS, headers=(("Authorization", "Bearer "),), credentials="none"),
    Case("people: impersonated", "GET", MAPS, headers=(("Impersonate-User", "someone"),)),
    Case("people: impersonated group", "GET", MAPS, headers=(("Impersonate-Group", "g"),)),
]

CASES = [
    *_create("json", f"{MAPS}?dryRun=All", MALFORMED),
    *_create("yaml", f"{MAPS}?dryRun=All", YAMLS, YAML),
    *_create("protobuf", f"{MAPS}?dryRun=All", PROTOBUFS, PROTOBUF),
    *_create("type", f"{MAPS}?dryRun=All", WRONG_TYPES),
    *_create("pod type", f"{PODS}?dryRun=All", POD_TYPES),
    *(Case(f"invalid: {name}", "POST", f"{path}?dryRun=All", body) for name, (path, body) in INVALID.items()),
    *_field_validation(),
    *IDENTITY,
    *IMMUTABLE,
    *READS,
    *CONTENT,
    *PATCHES,
    *PATHS,
    *WRITES,
    *PEOPLE,
]
