from __future__ import annotations

import asyncio
import json

import pytest

from sampan.control_plane.apiserver import handler, openapi
from sampan.control_plane.apiserver.metrics import Registry
from sampan.control_plane.apiserver.storage import StorageError
from sampan.control_plane.apiserver.storage.memory import MemoryStorage
from unit.control_plane.apiserver.running import Running, configmap, serve

PATH = "/api/v1/namespaces/default/configmaps"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def test_the_constants_are_upstreams() -> None:
    assert openapi.ROOT == "/openapi/v3"
    assert handler.TOKEN_SECONDS <= 10


def test_who_opens_a_socket_is_its_user() -> None:
    async def check(server: Running) -> None:
        connection = await server.connect("nobody")
        review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
        seen = await connection.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        assert seen.json["status"]["userInfo"]["username"] == "nobody"

    serve(check)


def test_rights_come_and_go_on_an_open_connection() -> None:
    async def check(server: Running) -> None:
        await server.ok("POST", PATH, configmap("a"))
        connection = await server.connect("nobody")
        for _ in range(2):
            denied = await connection.ask("GET", f"{PATH}/a")
            assert denied.status == 403
            assert denied.json["message"] == (
                'configmaps "a" is forbidden: User "nobody" cannot get resource "configmaps" in API group "" '
                'in the namespace "default"'
            )
        role = {
            "metadata": {"name": "r"},
            "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}],
        }
        await server.ok("POST", f"{RBAC}/namespaces/default/roles", role)
        binding = {
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "nobody"}],
        }
        await server.ok("POST", f"{RBAC}/namespaces/default/rolebindings", binding)
        for _ in range(2):
            assert (await connection.ask("GET", f"{PATH}/a")).status == 200
        assert (await connection.ask("DELETE", f"{PATH}/a")).status == 403
        assert (await connection.ask("GET", PATH)).status == 403
        await server.ok("DELETE", f"{RBAC}/namespaces/default/rolebindings/r")
        assert (await connection.ask("GET", f"{PATH}/a")).status == 403

    serve(check)


def test_a_right_to_one_name_covers_a_list_of_that_name() -> None:
    async def check(server: Running) -> None:
        rule = {
            "verbs": ["list", "watch"],
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["a"],
        }
        await server.ok(
            "POST", f"{RBAC}/namespaces/default/roles", {"metadata": {"name": "r"}, "rules": [rule]}
        )
        binding = {
            "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "nobody"}],
        }
        await server.ok("POST", f"{RBAC}/namespaces/default/rolebindings", binding)
        connection = await server.connect("nobody")
        assert (await connection.ask("GET", f"{PATH}?fieldSelector=metadata.name%3Da")).status == 200
        assert (await connection.ask("GET", f"{PATH}?fieldSelector=metadata.name%3Db")).status == 403
        assert (await connection.ask("GET", PATH)).status == 403

    serve(check)


def test_impersonation() -> None:
    async def check(server: Running) -> None:
        found = await server.ask("GET", PATH, impersonate_user="jane")
        assert found.status == 403
        assert 'User "jane" cannot list' in found.json["message"]
        assert (await server.ask("GET", PATH)).status == 200
        other = await server.connect("nobody")
        refused = await other.ask("GET", PATH, impersonate_user="jane")
        assert 'cannot impersonate resource "users"' in refused.json["message"]

    serve(check)


def test_health_metrics_version_and_openapi() -> None:
    async def check(server: Running) -> None:
        for path in ("/healthz", "/livez", "/readyz", "/readyz/ping"):
            assert (await server.ask("GET", path)).body == b"ok"
        verbose = (await server.ask("GET", "/readyz?verbose&exclude=etcd&exclude=nope")).body.decode()
        assert "[+]ping ok" in verbose
        assert "[+]etcd excluded: ok" in verbose
        assert 'warn: some health checks cannot be excluded: no matches for "nope"' in verbose
        assert (await server.ask("GET", "/readyz/nope")).status == 404
        assert (await server.ok("GET", "/version"))["minor"] == "37"
        await server.ok("GET", PATH)
        metrics = (await server.ask("GET", "/metrics")).body.decode()
        assert 'apiserver_request_total{verb="LIST",group="",version="v1",resource="configmaps"' in metrics
        assert 'le="+Inf"' in metrics
        index = await server.ok("GET", "/openapi/v3")
        url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
        document = await server.ask("GET", url)
        assert document.headers["cache-control"] == "public, immutable"
        assert "io.k8s.api.apps.v1.Deployment" in document.json["components"]["schemas"]
        again = await server.ask("GET", url, if_none_match=document.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert (await server.ok("GET", "/openapi/v2"))["paths"] == {}
        assert (await server.ask("GET", "/openapi/v3/apis/nope/v1")).status == 404

    serve(check)


def test_two_writers_of_one_object_lose_nothing() -> None:
    async def check(server: Running) -> None:
        await server.ok("POST", PATH, configmap("a"))

        async def writer(number: int) -> None:
            connection = await server.connect()
            for step in range(10):
                patch = {"data": {f"k{number}-{step}": "x"}}
                done = await connection.ask(
                    "PATCH", f"{PATH}/a", patch, content_type="application/merge-patch+json"
                )
                assert done.status == 200, done.body

        await asyncio.gather(*(writer(number) for number in range(8)))
        assert len((await server.ok("GET", f"{PATH}/a"))["data"]) == 80

    serve(check)


def test_optimistic_writers_conflict() -> None:
    async def check(server: Running) -> None:
        made = await server.ok("POST", PATH, configmap("a"))
        connections = [await server.connect() for _ in range(6)]
        answers = await asyncio.gather(
            *(
                connection.ask("PUT", f"{PATH}/a", {**made, "data": {"by": str(number)}})
                for number, connection in enumerate(connections)
            )
        )
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409, 409]

    serve(check)


def test_a_request_that_takes_too_long_is_told() -> None:
    async def check(server: Running) -> None:
        late = await server.ask("GET", f"{PATH}?resourceVersion=99999")
        assert late.status == 504
        assert late.json["reason"] == "Timeout"

    serve(check, request_timeout=0.05)


def test_every_error_is_a_status() -> None:
    async def check(server: Running) -> None:
        for method, path, body, code in (
            ("GET", f"{PATH}/missing", None, 404),
            ("POST", PATH, b"{", 400),
            ("POST", PATH, b"x" * (3 * 1024 * 1024 + 1), 413),
            ("PATCH", PATH, {}, 405),
        ):
            connection = await server.connect()
            answer = await connection.ask(method, path, body)
            status = json.loads(answer.body)
            assert (answer.status, status["kind"], status["code"]) == (code, "Status", code)

    serve(check)


def test_names_of_metrics_have_one_owner() -> None:
    registry = Registry()
    counter = registry.counter("c_total", "What it counts.", ("a",))
    counter.add(('x"y\n',))
    histogram = registry.histogram("h_seconds", "How long.")
    histogram.observe((), 0.03)
    histogram.observe((), 99)
    text = registry.text()
    assert 'c_total{a="x\\"y\\n"} 1' in text
    assert 'h_seconds_bucket{le="0.05"} 1' in text
    assert 'h_seconds_bucket{le="+Inf"} 2' in text
    assert "h_seconds_count 2" in text
    try:
        registry.gauge("c_total", "", (), list)
    except ValueError as error:
        assert "c_total" in str(error)
    else:
        raise AssertionError("two owners")


def test_a_store_that_cannot_write_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running) -> None:
        await server.ok("POST", PATH, configmap("a"))

        def full(*args: object, **options: object) -> None:
            raise StorageError("the disk is full")

        monkeypatch.setattr(MemoryStorage, "put", full)
        refused = await server.ask("POST", PATH, configmap("b"))
        assert (refused.status, refused.json["reason"]) == (500, "InternalError")
        assert "the disk is full" in refused.json["message"]
        assert (await server.ask("GET", f"{PATH}/a")).status == 200

    serve(check)
