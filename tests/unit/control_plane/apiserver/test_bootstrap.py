from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from sampan.control_plane.apiserver import bootstrap, custom
from sampan.control_plane.apiserver.__main__ import main
from unit.control_plane.apiserver.running import Running, serve


def test_what_is_there_when_the_server_is_ready() -> None:
    async def check(server: Running) -> None:
        spaces = await server.ok("GET", "/api/v1/namespaces")
        assert [item["metadata"]["name"] for item in spaces["items"]] == sorted(bootstrap.NAMESPACES)
        roles = await server.ok("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles")
        assert {"admin", "cluster-admin", "edit", "view"} <= {
            item["metadata"]["name"] for item in roles["items"]
        }
        classes = await server.ok("GET", "/apis/scheduling.k8s.io/v1/priorityclasses")
        assert {item["metadata"]["name"]: item["value"] for item in classes["items"]} == bootstrap.PRIORITIES
        service = await server.ok("GET", "/api/v1/namespaces/default/services/kubernetes")
        assert service["spec"]["clusterIP"] == "10.7.0.1"
        endpoints = await server.ok("GET", "/api/v1/namespaces/default/endpoints/kubernetes")
        assert endpoints["subsets"] == [
            {
                "addresses": [{"ip": "192.0.2.7"}],
                "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
            }
        ]
        slices = await server.ok(
            "GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
        )
        assert slices["endpoints"][0]["addresses"] == ["192.0.2.7"]

    serve(check, advertise_host="192.0.2.7", advertise_port=6443, service_cidrs=("10.7.0.0/24",))


def test_a_restart_keeps_what_is_there_and_mends_what_is_not(tmp_path: Path) -> None:
    settings = {"database": tmp_path / "state.db", "service_cidrs": ("10.7.0.0/24",)}
    uid = ""

    async def first(server: Running) -> None:
        nonlocal uid
        uid = (await server.ok("GET", "/api/v1/namespaces/kube-system"))["metadata"]["uid"]
        await server.ok("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view")
        await server.ok("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "mine"}})
        taken = {"metadata": {"name": "s"}, "spec": {"clusterIP": "10.7.0.9", "ports": [{"port": 80}]}}
        await server.ok("POST", "/api/v1/namespaces/default/services", taken)

    async def second(server: Running) -> None:
        assert (await server.ok("GET", "/api/v1/namespaces/kube-system"))["metadata"]["uid"] == uid
        await server.ok("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view")
        await server.ok("GET", "/api/v1/namespaces/default/configmaps/mine")
        again = {"metadata": {"name": "t"}, "spec": {"clusterIP": "10.7.0.9", "ports": [{"port": 80}]}}
        refused = await server.ask("POST", "/api/v1/namespaces/default/services", again)
        assert "already allocated" in refused.json["message"]

    serve(first, **settings)
    serve(second, **settings)


def test_custom_resources_after_a_restart_and_to_their_end(tmp_path: Path) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = {"plural": "boats", "kind": "Boat"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    spec = {"group": "example.dev", "scope": "Cluster", "names": names, "versions": [version]}
    boats = "/apis/example.dev/v1/boats"

    async def first(server: Running) -> None:
        await server.ok("POST", crds, {"metadata": {"name": "boats.example.dev"}, "spec": spec})
        while (await server.ask("GET", boats)).status != 200:
            await asyncio.sleep(0.01)
        held = {"kind": "Boat", "metadata": {"name": "held", "finalizers": ["example.dev/hold"]}}
        await server.ok("POST", boats, held)

    async def second(server: Running) -> None:
        assert (await server.ok("GET", f"{boats}/held"))["metadata"]["finalizers"] == ["example.dev/hold"]
        await server.ok("DELETE", f"{crds}/boats.example.dev")
        while "deletionTimestamp" not in (await server.ok("GET", f"{boats}/held"))["metadata"]:
            await asyncio.sleep(0.01)
        # the definition waits for its last object
        crd = await server.ok("GET", f"{crds}/boats.example.dev")
        assert "Terminating" in [condition["type"] for condition in crd["status"]["conditions"]]
        merge = {"metadata": {"finalizers": None}}
        await server.ok("PATCH", f"{boats}/held", merge, content_type="application/merge-patch+json")
        while (await server.ask("GET", f"{crds}/boats.example.dev")).status != 404:
            await asyncio.sleep(0.01)
        assert (await server.ask("GET", boats)).status == 404

    serve(first, database=tmp_path / "state.db")
    serve(second, database=tmp_path / "state.db")
    assert custom.MANAGER == "kube-apiserver"


def test_a_start_that_fails_says_why_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state.db").write_text("this is no database " * 20)
    assert main(["--dir", str(tmp_path)]) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("error: database ")
    assert complaint.count("\n") == 1


def test_the_kubeconfig_is_json_for_its_owner_alone(tmp_path: Path) -> None:
    from sampan.base.pki import layout
    from sampan.control_plane.apiserver.__main__ import _write_kubeconfig

    paths = layout.ensure(tmp_path / "pki", ["localhost"], 1_800_000_000.0)
    path = tmp_path / "kubeconfig"
    _write_kubeconfig(path, "https://localhost:1", paths)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["clusters"][0]["cluster"]["server"] == "https://localhost:1"
