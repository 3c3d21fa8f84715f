"""Real kubectl against our documents: it explains from them, validates with them, and its protobuf bodies are read.

The server here is a stub: discovery, OpenAPI, and a sink that keeps what was sent. Only documents and codecs are ours.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.codec import protobuf
from sampan.api.schema import openapi

pytestmark = pytest.mark.peer

GOLDEN = Path(__file__).parents[2] / "golden"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
WIDGETS = kinds.Resource("example.com", "v1", "Widget", "widgets", "widget", True, short_names=("wd",))
WIDGET = {
    "type": "object",
    "description": "what a shop sells",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {"size": {"type": "integer", "description": "how large it is"}},
        }
    },
}


def discovery() -> dict[str, Any]:
    found = json.loads((GOLDEN / "discovery-1.37.json").read_text())
    widgets = {
        "resource": "widgets",
        "responseKind": {"group": "example.com", "version": "v1", "kind": "Widget"},
        "scope": "Namespaced",
        "singularResource": "widget",
        "verbs": list(WIDGETS.verbs),
        "shortNames": ["wd"],
    }
    found["apis"].append(
        {
            "metadata": {"name": "example.com"},
            "versions": [{"version": "v1", "resources": [widgets], "freshness": "Current"}],
        }
    )
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    groups = discovery()
    posted: list[tuple[str, str, bytes]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in ("/api", "/apis"):
            listed = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
            self.answer(200, {**listed, "items": self.groups[path[1:]]}, AGGREGATED)
        elif path == "/openapi/v3":
            versions = [*kinds.group_versions(), WIDGETS.group_version]
            self.answer(200, openapi.index(dict.fromkeys(versions, "X")))
        elif path.startswith("/openapi/v3/"):
            name = path.removeprefix("/openapi/v3/").removeprefix("apis/").removeprefix("api/")
            where = kinds.GroupVersion.parse(name)
            if where == WIDGETS.group_version:
                self.answer(200, openapi.document(where, [WIDGETS], {"Widget": WIDGET}))
            else:
                served = [one for one in kinds.BUILT_IN if one.group_version == where]
                self.answer(200, openapi.document(where, served))
        else:
            status = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": "NotFound",
                "code": 404,
            }
            self.answer(404, status)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        self.posted.append((self.path, kind, body))
        value = protobuf.decode(body) if kind == protobuf.MEDIA_TYPE else json.loads(body)
        if value["kind"] == "TokenRequest":  # kubectl wants to see a token
            value["status"] = {"token": "t", "expirationTimestamp": None}
        self.answer(201, value)

    def answer(self, code: int, value: Any, kind: str = "application/json") -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


class Kubectl:
    def __init__(self, url: str, folder: Path) -> None:
        found = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            pytest.skip("kubectl is not installed")
        self.command = [
            found,
            "--server",
            url,
            "--cache-dir",
            str(folder / "cache"),
            "--request-timeout",
            "20s",
        ]
        self.environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment,
        )

    def ok(self, *words: str, stdin: str = "") -> str:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sent(self, *words: str) -> dict[str, Any]:
        """The protobuf body that a command posts, decoded."""
        Handler.posted.clear()
        self.ok(*words)
        (_, kind, body) = Handler.posted[-1]
        assert kind == protobuf.MEDIA_TYPE
        value = protobuf.decode(body)
        # and what we write, we read
        assert without_nulls(protobuf.decode(protobuf.encode(value))) == without_nulls(value)
        return value


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Kubectl(f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("kubectl"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_explain_a_built_in_kind(kubectl: Kubectl) -> None:
    shown = kubectl.ok("explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "KIND:       Deployment" in shown
    assert "FIELD: maxSurge <IntOrString>" in shown
    shown = kubectl.ok("explain", "pods", "--recursive")
    assert "initContainers\t<[]Container>" in shown


def test_explain_a_custom_resource(kubectl: Kubectl) -> None:
    shown = kubectl.ok("explain", "wd.spec")
    assert "how large it is" in shown
    assert "size\t<integer> -required-" in shown


def test_strict_validation_is_asked_of_the_server(kubectl: Kubectl) -> None:
    Handler.posted.clear()
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x"}, "spec": {"size": 1}}
    kubectl.ok("create", "-f", "-", stdin=json.dumps(body))
    path, _, _ = Handler.posted[-1]
    assert "fieldValidation=Strict" in path


def test_namespace(kubectl: Kubectl) -> None:
    assert kubectl.sent("create", "namespace", "team") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "team"},
        "spec": {},
        "status": {},
    }


def test_deployment(kubectl: Kubectl) -> None:
    found = kubectl.sent(
        "create", "deployment", "web", "--image=registry.example/a:1", "--replicas=2", "--port=80"
    )
    assert found["spec"] == {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "name": "a",
                        "image": "registry.example/a:1",
                        "ports": [{"containerPort": 80}],
                        "resources": {},
                    }
                ]
            },
        },
    }


def test_config_map_and_secret(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\xff\x00")
    found = kubectl.sent("create", "configmap", "c", "--from-literal=a=é", f"--from-file={tmp_path / 'raw'}")
    assert (found["data"], found["binaryData"]) == ({"a": "é"}, {"raw": "/wA="})
    found = kubectl.sent("create", "secret", "generic", "s", "--from-literal=a=b")
    assert found["data"] == {"a": "Yg=="}


def test_token_request(kubectl: Kubectl) -> None:
    found = kubectl.sent("create", "token", "bot", "--duration=10m", "--audience=me")
    assert found["kind"] == "TokenRequest"
    assert found["spec"] == {"audiences": ["me"], "expirationSeconds": 600}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("role", "r", "--verb=get,list", "--resource=pods"), "Role"),
        (("clusterrole", "r", "--verb=get", "--resource=nodes"), "ClusterRole"),
        (("rolebinding", "b", "--role=r", "--user=ann", "--serviceaccount=default:bot"), "RoleBinding"),
        (("clusterrolebinding", "b", "--clusterrole=r", "--group=g"), "ClusterRoleBinding"),
        (("serviceaccount", "bot"), "ServiceAccount"),
        (("service", "clusterip", "s", "--tcp=80:8080"), "Service"),
        (("service", "nodeport", "s", "--tcp=80:http", "--node-port=30080"), "Service"),
        (("service", "externalname", "s", "--external-name=db.example"), "Service"),
        (("job", "j", "--image=i", "--", "true", "x"), "Job"),
        (("cronjob", "j", "--image=i", "--schedule=* * * * *"), "CronJob"),
        (("ingress", "i", "--rule=a.example/*=web:80,tls=t", "--class=nginx"), "Ingress"),
        (("quota", "q", "--hard=cpu=1,pods=2"), "ResourceQuota"),
        (("poddisruptionbudget", "p", "--selector=a=b", "--min-available=50%"), "PodDisruptionBudget"),
        (("priorityclass", "p", "--value=5"), "PriorityClass"),
        (("secret", "tls", "t", "--cert=@cert", "--key=@key"), "Secret"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else words,
)
def test_what_kubectl_creates_is_what_it_prints(
    kubectl: Kubectl, tmp_path: Path, words: tuple[str, ...], kind: str
) -> None:
    if "tls" in words:
        certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
        files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
        subprocess.run([*certificate, *files], check=True, capture_output=True)
        words = tuple(word.replace("@", f"{tmp_path}/") for word in words)
    at = words.index("--") if "--" in words else len(words)
    printed = kubectl.ok("create", *words[:at], "--dry-run=client", "-o", "json", *words[at:])
    found = kubectl.sent("create", *words)
    assert found["kind"] == kind
    assert found == without_nulls(json.loads(printed))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return [without_nulls(child) for child in value] if isinstance(value, list) else value
