"""Helm's actions on a whole API server: ownership of fields, patches, conflicts, custom resources, policies.

The server runs in a process of its own, without controllers: what matters here is what is written.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import apiservers

ROOT = Path(__file__).parents[3]

CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
{{- range $key, $value := .Values.data }}
  {{ $key }}: {{ $value | quote }}
{{- end }}
"""
CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


class Tool:
    """kubectl and our helm on one server, in a namespace of their own."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.folder = folder
        self.namespace = f"ns-{os.urandom(3).hex()}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "KUBE"))}
        self.environ = {**kept, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(ROOT / "src")}
        self.kubectl("create", "namespace", self.namespace)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env=self.environ, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def kubectl(self, *words: str) -> str:
        done = self._run(str(apiservers.KUBECTL), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", "-n", self.namespace, *words, "-o", "json"))

    def helm(self, *words: str, code: int = 0) -> str:
        """What it prints, or with a code its errors."""
        module = ("-m", "sampan.apps.helm.cli.main")
        done = self._run(sys.executable, *module, *words, "-n", self.namespace)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    def chart(self, files: dict[str, str]) -> None:
        folder = self.folder / "chart"
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in {"Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n", **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def owners(self, *words: str) -> dict[str, str]:
        """Who owns fields of an object, and by which operation."""
        shown = json.loads(
            self.kubectl("get", "-n", self.namespace, *words, "-o", "json", "--show-managed-fields")
        )
        return {entry["manager"]: entry["operation"] for entry in shown["metadata"]["managedFields"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiservers.ApiServer]:
    started = apiservers.start(tmp_path_factory.mktemp("api"))
    yield started
    apiservers.stop(started)


@pytest.fixture
def tool(server: apiservers.ApiServer, tmp_path: Path) -> Tool:
    made = Tool(server.kubeconfig, tmp_path)
    made.chart({"templates/c.yaml": CONFIG_MAP})
    return made


def test_a_release_through_its_life(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--set", "data.a=1")
    assert tool.get("configmap", "web")["data"] == {"a": "1"}
    assert tool.owners("configmap", "web") == {"helm": "Apply"}
    tool.helm("upgrade", "web", "chart", "--set", "data.b=2")
    assert tool.get("configmap", "web")["data"] == {"b": "2"}
    tool.helm("rollback", "web")
    assert tool.get("configmap", "web")["data"] == {"a": "1"}
    secrets = tool.get("secrets", "-l", "owner=helm")["items"]
    assert {one["metadata"]["labels"]["status"] for one in secrets} == {"superseded", "deployed"}
    tool.helm("uninstall", "web")
    assert [one["metadata"]["name"] for one in tool.get("configmaps,secrets")["items"]] == []


def test_client_side_upgrades_keep_what_users_changed(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--server-side=false", "--set", "data.a=1,data.b=1")
    tool.kubectl("patch", "-n", tool.namespace, "configmap", "web", "-p", '{"data":{"mine":"x"}}')
    tool.helm("upgrade", "web", "chart", "--set", "data.a=2")
    assert tool.get("configmap", "web")["data"] == {"a": "2", "mine": "x"}
    assert tool.owners("configmap", "web")["helm"] == "Update"


def test_from_client_to_server_side_no_field_is_left_behind(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--server-side=false", "--set", "data.a=1,data.b=1")
    tool.helm("upgrade", "web", "chart", "--server-side=true", "--set", "data.a=2")
    assert tool.get("configmap", "web")["data"] == {"a": "2"}
    assert tool.owners("configmap", "web") == {"helm": "Apply"}


def test_conflicts_are_told_and_forced(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--set", "data.a=1")
    tool.kubectl("patch", "-n", tool.namespace, "configmap", "web", "-p", '{"data":{"a":"theirs"}}')
    told = tool.helm("upgrade", "web", "chart", "--set", "data.a=2", code=1)
    where = f"{tool.namespace}/web /v1, Kind=ConfigMap"
    assert (
        f"Error: UPGRADE FAILED: conflict occurred while applying object {where}: Apply failed with 1 conflict"
        in told
    )
    assert 'conflict with "kubectl-patch" using v1: .data.a' in told
    tool.helm("upgrade", "web", "chart", "--set", "data.a=2", "--force-conflicts")
    assert tool.get("configmap", "web")["data"] == {"a": "2"}


def test_replacing_whole_objects(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--server-side=false", "--set", "data.a=1")
    tool.kubectl("patch", "-n", tool.namespace, "configmap", "web", "-p", '{"data":{"mine":"x"}}')
    tool.helm("upgrade", "web", "chart", "--force-replace", "--set", "data.a=2")
    assert tool.get("configmap", "web")["data"] == {"a": "2"}


def test_crds_and_their_resources_in_one_installation(tool: Tool) -> None:
    gadget = (
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: {{ .Values.size }}}\n"
    )
    tool.chart({"crds/gadget.yaml": CRD, "templates/g.yaml": gadget, "values.yaml": "size: 1\n"})
    try:
        tool.helm("install", "web", "chart", "--server-side=false")
        tool.kubectl(
            "patch", "-n", tool.namespace, "gadget", "g", "--type=merge", "-p", '{"spec":{"mine":1}}'
        )
        tool.helm("upgrade", "web", "chart", "--set", "size=2")
        assert tool.get("gadget", "g")["spec"] == {"size": 2, "mine": 1}
        tool.helm("uninstall", "web")
        assert tool.get("gadgets")["items"] == []
        assert "gadgets.example.com" in tool.kubectl("get", "crd", "-o", "name")
    finally:
        tool.kubectl("delete", "crd", "gadgets.example.com", "--ignore-not-found")


def test_foreign_objects(tool: Tool) -> None:
    tool.kubectl("create", "-n", tool.namespace, "configmap", "web", "--from-literal=a=theirs")
    told = tool.helm("install", "web", "chart", "--set", "data.a=1", code=1)
    assert (
        f'unable to continue with install: ConfigMap "web" in namespace "{tool.namespace}" exists and cannot be imported '
        "into the current release: invalid ownership metadata; label validation error: missing key"
    ) in told
    tool.helm("install", "web", "chart", "--set", "data.a=1", "--take-ownership", "--server-side=false")
    assert tool.get("configmap", "web")["data"] == {"a": "1"}


def test_what_asks_to_stay(tool: Tool) -> None:
    kept = CONFIG_MAP.replace("metadata:\n", 'metadata:\n  annotations: {"helm.sh/resource-policy": keep}\n')
    tool.chart({"templates/c.yaml": kept})
    tool.helm("install", "web", "chart")
    assert tool.helm("uninstall", "web") == (
        'These resources were kept due to the resource policy:\n[ConfigMap] web\n\nrelease "web" uninstalled\n'
    )
    assert tool.get("configmap", "web")["metadata"]["name"] == "web"


def test_objects_of_no_namespace_and_lists(tool: Tool) -> None:
    name = f"role-{tool.namespace}"
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n"
        f"- {{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}}}}}\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: inside}}\n"
    )
    tool.chart({"templates/l.yaml": listed})
    tool.helm("install", "web", "chart")
    role = json.loads(tool.kubectl("get", "clusterrole", name, "-o", "json"))
    assert role["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == tool.namespace
    tool.helm("uninstall", "web")
    assert name not in tool.kubectl("get", "clusterroles", "-o", "name")


def test_namespaces_are_made_on_request(tool: Tool) -> None:
    tool.namespace += "-new"
    assert "namespaces" in tool.helm("install", "web", "chart", code=1)
    tool.helm("install", "web", "chart", "--create-namespace")
    assert tool.get("namespace", tool.namespace)["metadata"]["labels"]["name"] == tool.namespace


def test_dry_runs_on_the_server_use_it_and_change_nothing(tool: Tool) -> None:
    looked = 'x: {{ ((lookup "v1" "Namespace" "" .Release.Namespace).metadata).name }}'
    tool.chart({"templates/c.yaml": f"{CONFIG_MAP}  {looked}\n"})
    shown = tool.helm("install", "web", "chart", "--dry-run=server")
    assert "STATUS: pending-install" in shown
    assert f"x: {tool.namespace}" in shown
    assert f"x: {tool.namespace}" in tool.helm("template", "web", "chart", "--dry-run=server")
    assert f"x: {tool.namespace}" not in tool.helm("template", "web", "chart").replace("\n", "")
    assert tool.get("secrets,configmaps")["items"] == []


def test_fields_that_are_none(tool: Tool) -> None:
    tool.chart({"templates/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nnonsense: 1\n"})
    told = tool.helm("install", "web", "chart", code=1)
    assert "server-side apply failed for object" in told
    assert "nonsense" in told
    assert "failed" in tool.helm("status", "web")


def test_waiting_in_vain_names_what_is_late(tool: Tool) -> None:
    text = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n"
    )
    tool.chart({"templates/d.yaml": text})
    told = tool.helm("install", "web", "chart", "--wait", "--timeout", "1s", code=1)
    assert (
        f"Error: INSTALLATION FAILED: resource Deployment/{tool.namespace}/d not ready. status: InProgress, "
        "message: Replicas: 0/1\ncontext deadline exceeded\n"
    ) in told
    assert "STATUS: failed" in tool.helm("status", "web")
    assert "deployed" in tool.helm("upgrade", "web", "chart")


def test_the_record_in_a_config_map(tool: Tool) -> None:
    tool.environ["HELM_DRIVER"] = "configmap"
    tool.helm("install", "web", "chart")
    assert [one["name"] for one in json.loads(tool.helm("list", "-o", "json"))] == ["web"]
    names = [one["metadata"]["name"] for one in tool.get("configmaps", "-l", "owner=helm")["items"]]
    assert names == ["sh.helm.release.v1.web.v1"]


def test_releases_of_all_namespaces_by_label(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--labels", f"team={tool.namespace}")
    found = json.loads(tool.helm("list", "-A", "-l", f"team={tool.namespace}", "-o", "json"))
    assert [(one["name"], one["namespace"]) for one in found] == [("web", tool.namespace)]


def test_the_status_with_its_resources(tool: Tool) -> None:
    tool.helm("install", "web", "chart")
    assert "RESOURCES:\n==> v1/ConfigMap\nNAME   DATA   AGE\nweb    0      " in tool.helm("status", "web")
    shown = json.loads(tool.helm("status", "web", "-o", "json"))
    assert shown["info"]["resources"]["v1/ConfigMap"][0]["metadata"]["name"] == "web"
    assert "chart" not in shown


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}
"""


def cancelled(tool: Tool, *words: str) -> tuple[int, str, str]:
    """Exit code and output of a command that gets SIGINT while it waits for the Deployment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sampan.apps.helm.cli.main", *words, "-n", tool.namespace],
        env=tool.environ,
        cwd=tool.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 30
        while "deployment" not in tool.kubectl("get", "deployments", "-n", tool.namespace, "-o", "name"):
            assert time.monotonic() < until, "the Deployment was never made"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, out, err


def test_an_interrupted_installation_is_honest(tool: Tool) -> None:
    tool.chart({"templates/d.yaml": DEPLOYMENT})
    found = cancelled(tool, "install", "web", "chart", "--wait")
    assert found == (1, "Release web has been cancelled.\n", "Error: INSTALLATION FAILED: context canceled\n")
    shown = tool.helm("status", "web")
    assert 'STATUS: failed\nREVISION: 1\nDESCRIPTION: Release "web" failed: context canceled\n' in shown


def test_an_interrupted_upgrade_rolls_back_on_request(tool: Tool) -> None:
    tool.helm("install", "web", "chart")
    tool.chart({"templates/d.yaml": DEPLOYMENT})
    code, out, err = cancelled(tool, "upgrade", "web", "chart", "--rollback-on-failure")
    assert (code, out) == (1, "Release web has been cancelled.\n")
    assert (
        "Error: UPGRADE FAILED: release web failed, and has been rolled back due to rollback-on-failure being set: "
        "context canceled\n"
    ) in err
    states = [
        (one["revision"], one["status"]) for one in json.loads(tool.helm("history", "web", "-o", "json"))
    ]
    assert states == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert tool.get("deployments")["items"] == []


def test_a_release_that_stayed_pending_is_freed_by_a_rollback(tool: Tool) -> None:
    tool.helm("install", "web", "chart", "--set", "data.a=1")
    tool.chart({"templates/c.yaml": CONFIG_MAP, "templates/d.yaml": DEPLOYMENT})
    process = subprocess.Popen(
        [sys.executable, "-m", "sampan.apps.helm.cli.main", "upgrade", "web", "chart", "--wait", "-n", tool.namespace],
        env=tool.environ, cwd=tool.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 30
    while not tool.get("deployments")["items"] and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert "STATUS: pending-upgrade" in tool.helm("status", "web")
    told = tool.helm("upgrade", "web", "chart", code=1)
    assert "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress" in told
    tool.helm("rollback", "web", "1")
    assert "STATUS: deployed" in tool.helm("status", "web")
    assert tool.get("deployments")["items"] == []


def test_one_of_two_at_once_wins(tool: Tool) -> None:
    words = [
        sys.executable,
        "-m",
        "sampan.apps.helm.cli.main",
        "install",
        "web",
        "chart",
        "-n",
        tool.namespace,
    ]
    both = [
        subprocess.Popen(words, env=tool.environ, cwd=tool.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    ended = [process.communicate(timeout=60) for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 1]
    told = ended[codes.index(1)][1]
    assert "cannot reuse a name that is still in use" in told or "release: already exists" in told
