"""log, exec and the proxies, against a node agent and a web server made up here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from sampan.base.http.channel import Duplex
from sampan.base.http.model import Answer, Request, Response, Streaming, Upgrade
from sampan.base.http.server import Listener, Server
from sampan.base.http.stream import Stream
from sampan.control_plane.apiserver.subresources import connect
from unit.control_plane.apiserver.running import Running, serve

PODS = "/api/v1/namespaces/default/pods"


class Agent:
    """Notes what it is asked and answers."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Answer | Awaitable[Answer]:
        self.asked.append(request)
        if "upgrade" in request.headers:
            headers = (("Upgrade", request.headers["upgrade"]), ("Connection", "Upgrade"), ("X-Agent", "yes"))
            return Upgrade(self._echo, headers=headers)
        if request.path.startswith("/containerLogs"):
            return Streaming(200, self._lines, "text/plain")
        if request.path == "/teapot":
            return Response(418, b"short and stout", "text/plain")
        return Response(200, f"{request.method} {request.target} ".encode() + request.body, "text/plain")

    @staticmethod
    async def _echo(channel: Duplex) -> None:
        while data := await channel.read():
            await channel.write(b"<" + data + b">")

    @staticmethod
    async def _lines(stream: Stream) -> None:
        for number in range(3):
            stream.write(b"line %d\n" % number)
            await stream.drain()
            await asyncio.sleep(0)


async def prepare(server: Running, port: int, **spec: Any) -> None:
    """A node whose agent listens on the port, and a pod on it."""
    await server.ok("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    await server.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    status = {
        "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    merge = "application/merge-patch+json"
    await server.ok("PATCH", "/api/v1/nodes/n1/status", {"status": status}, content_type=merge)
    containers = spec.pop(
        "containers", [{"name": "c", "image": "i", "ports": [{"name": "web", "containerPort": port}]}]
    )
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n1", "containers": containers, **spec}}
    await server.ok("POST", PODS, pod)
    await server.ok(
        "PATCH",
        f"{PODS}/p/status",
        {"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}},
        content_type=merge,
    )


def drive(check: Any, monkeypatch: pytest.MonkeyPatch, **spec: Any) -> None:
    """The agent speaks plain HTTP here: who it is, TLS would tell elsewhere."""
    original = connect.Connect._agent

    def plain(self: connect.Connect, node: str, path: str) -> connect.Place:
        place = original(self, node, path)
        return place._replace(target=place.target._replace(tls=None))

    monkeypatch.setattr(connect.Connect, "_agent", plain)
    created = connect.Connect.__init__
    monkeypatch.setattr(
        connect.Connect,
        "__init__",
        lambda self, scope, tls, authorizer: created(self, scope, object(), authorizer),  # type: ignore[arg-type]
    )

    async def whole(server: Running) -> None:
        agent = Agent()
        listening = Server(agent)
        _, port = await listening.listen(Listener())
        try:
            await prepare(server, port, **spec)
            await check(server, agent, port)
        finally:
            await listening.close(grace=0.1)

    serve(whole)


def test_logs_are_carried_with_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running, agent: Agent, port: int) -> None:
        found = await server.ask(
            "GET",
            f"{PODS}/p/log?container=c&follow=true&tailLines=5&nonsense=1",
            authorization="Basic c2VjcmV0",
        )
        assert (found.status, found.body) == (200, b"line 0\nline 1\nline 2\n")
        assert found.headers["content-type"] == "text/plain"
        asked = agent.asked[-1]
        assert asked.target == "/containerLogs/default/p/c?follow=true&tailLines=5"
        assert "authorization" not in asked.headers

    drive(check, monkeypatch)


def test_exec_is_spliced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running, agent: Agent, port: int) -> None:
        connection = await server.connect()
        await connection.send(
            "GET",
            f"{PODS}/p/exec?command=sh&command=-c&command=a%20b&stdin=true&stdout=true&tty=true",
            connection="Upgrade",
            upgrade="websocket",
            sec_websocket_key="abc=",
            sec_websocket_protocol="v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0",
        )
        status, headers = await connection.head()
        assert (status, headers["upgrade"], headers["x-agent"]) == (101, "websocket", "yes")
        assert (
            agent.asked[-1].target
            == "/exec/default/p/c?input=1&output=1&tty=1&command=sh&command=-c&command=a+b"
        )
        assert agent.asked[-1].headers["sec-websocket-protocol"] == "v5.channel.k8s.io"
        connection.writer.write(b"hello")
        assert await connection.reader.readexactly(7) == b"<hello>"
        connection.close()

    drive(check, monkeypatch)


def test_attach_and_port_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running, agent: Agent, port: int) -> None:
        for path, wanted in (
            ("attach?stdout=true&stderr=true", "/attach/default/p/c?output=1&error=1"),
            ("portforward?ports=80,81", "/portForward/default/p?port=80&port=81"),
        ):
            connection = await server.connect()
            await connection.send("POST", f"{PODS}/p/{path}", connection="Upgrade", upgrade="SPDY/3.1")
            assert (await connection.head())[0] == 101
            assert agent.asked[-1].target == wanted
            connection.close()

    drive(check, monkeypatch)


def test_what_cannot_be_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running, agent: Agent, port: int) -> None:
        for path, code, says in (
            ("p/log?container=zz", 400, "container zz is not valid for pod p"),
            (
                "p/log",
                400,
                "a container name must be specified for pod p, choose one of: [c d] or one of the init containers: [i]",
            ),
            ("p/exec?command=ls&container=c", 400, "you must specify at least 1 of stdin, stdout, stderr"),
            ("missing/log", 404, 'pods "missing" not found'),
        ):
            found = await server.ask("GET", f"{PODS}/{path}")
            assert (found.status, found.json["message"]) == (code, says)

    image = {"image": "i"}
    drive(
        check,
        monkeypatch,
        containers=[{"name": "c", **image}, {"name": "d", **image}],
        initContainers=[{"name": "i", **image}],
    )


def test_an_agent_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(server: Running, agent: Agent, port: int) -> None:
        endpoint = {"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}}
        await server.ok(
            "PATCH", "/api/v1/nodes/n1/status", endpoint, content_type="application/merge-patch+json"
        )
        found = await server.ask("GET", f"{PODS}/p/log")
        assert found.status == 503
        assert "error trying to reach service" in found.json["message"]

    drive(check, monkeypatch)


def test_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied, called = connect._proxied, []

    def here(scheme: str, address: str, *rest: Any) -> connect.Place:
        # endpoints may not be on loopback, the server of this test is
        called.append(address)
        return proxied(scheme, "127.0.0.1", *rest)

    monkeypatch.setattr(connect, "_proxied", here)

    async def check(server: Running, agent: Agent, port: int) -> None:
        for name in ("p", "p:web", f"p:{port}", f"http:p:{port}"):
            found = await server.ask("GET", f"{PODS}/{name}/proxy/a/b?x=1")
            assert found.body == b"GET /a/b?x=1 ", name
        posted = await server.ask("POST", f"{PODS}/p/proxy/", {"a": 1})
        assert posted.body == b'POST / {"a": 1}'
        assert (await server.ask("GET", f"{PODS}/p/proxy/teapot")).status == 418
        assert (await server.ask("GET", f"{PODS}/p:nope/proxy/")).status == 400
        assert (await server.ask("GET", f"{PODS}/gopher:p:1/proxy/")).status == 400
        assert (await server.ask("GET", "/api/v1/nodes/n1/proxy/metrics")).body == b"GET /metrics "
        services = "/api/v1/namespaces/default/services"
        spec = {"ports": [{"name": "http", "port": 80}, {"name": "other", "port": 81}]}
        await server.ok("POST", services, {"metadata": {"name": "s"}, "spec": spec})
        none = await server.ask("GET", f"{services}/s:http/proxy/")
        assert none.json["message"] == 'no endpoints available for service "s"'
        slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        slice_ = {
            "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
            "addressType": "IPv4",
            "endpoints": [
                {"addresses": ["192.0.2.9"], "conditions": {"ready": False}},
                {"addresses": ["192.0.2.1"], "conditions": {"ready": True}},
            ],
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        }
        await server.ok("POST", slices, slice_)
        assert (await server.ask("GET", f"{services}/s:http/proxy/z")).body == b"GET /z "
        assert (await server.ask("GET", f"{services}/s:80/proxy/z")).body == b"GET /z "
        assert called[-1] == "192.0.2.1"
        assert 'no service port "9"' in (await server.ask("GET", f"{services}/s:9/proxy/z")).json["message"]

    drive(check, monkeypatch)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("n", ("http", "n", "")),
        ("n:80", ("http", "n", "80")),
        ("https:n:web", ("https", "n", "web")),
        ("https:n:", ("https", "n", "")),
    ],
)
def test_names_of_proxied_things(text: str, parts: tuple[str, str, str]) -> None:
    assert connect._split_target(text) == parts
