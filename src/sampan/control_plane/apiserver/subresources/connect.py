"""What is carried on: log, exec, attach, port-forward to the node's agent; proxy to a pod, a service, a node.

An upgrade (websocket, SPDY) is spliced: the bytes are the client's and the agent's affair. Everything else is one
request there and its answer back, piece by piece. k8s.io/kubernetes pkg/registry/core/{pod,service,node}/{strategy,rest}.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from sampan.api.status import ApiError, bad_request, internal, not_found, unavailable
from sampan.base.http.channel import Duplex, splice
from sampan.base.http.connection import Pool, Target
from sampan.base.http.connection import Response as Remote
from sampan.base.http.connection import Stream as RemoteStream
from sampan.base.http.model import Answer, Request, Response, Streaming, Upgrade
from sampan.base.http.stream import Stream
from sampan.control_plane.apiserver.admission.model import CONNECT
from sampan.control_plane.apiserver.authn.authenticator import without_token
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer, denial
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.routing import Route
from sampan.control_plane.apiserver.verbs.scope import Scope

Object = dict[str, Any]

AGENT_PORT: Final = 10250
CONNECT_TIMEOUT: Final = 10.0
HEAD_TIMEOUT: Final = 60.0
PIECE: Final = 64 * 1024
# of a connection, not of a request: RFC 9110 section 7.6.1
HOP: Final = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
SECRET: Final = frozenset({"authorization"})
LOG_OPTIONS: Final = (
    "follow",
    "previous",
    "timestamps",
    "sinceSeconds",
    "sinceTime",
    "tailLines",
    "limitBytes",
    "stream",
)
KINDS: Final = {
    "log": "PodLogOptions",
    "exec": "PodExecOptions",
    "attach": "PodAttachOptions",
    "portforward": "PodPortForwardOptions",
}


class Place(NamedTuple):
    """Where a request goes on to."""

    target: Target
    path: str  # with the query


class Connect:
    """`node_tls`: how node agents are spoken to; None where the server has no certificate for that."""

    def __init__(self, scope: Scope, node_tls: ssl.SSLContext | None, authorizer: Authorizer) -> None:
        self._scope = scope
        self._node_tls = node_tls
        self._authorizer = authorizer

    async def pod(self, request: Request, route: Route, served: Served, user: User) -> Answer:
        """pods/NAME/log, exec, attach, portforward."""
        what = route.subresource
        if what != "log" and route.verb != "create":
            self._check_create(route, user)
        pod = self._scope.store.find(served, route.place, route.name).object
        options = {"kind": KINDS[what], "apiVersion": "v1", **_options(request)}
        if what != "log":
            await self._admit(route, served, user, options)
        node = (pod.get("spec") or {}).get("nodeName")
        if not node:
            if what == "log":
                return Response(204)
            raise bad_request(f"pod {route.name} does not have a host assigned")
        container = "" if what == "portforward" else _container(pod, request.argument("container"), what)
        place = self._agent(str(node), _agent_path(what, pod, container, request))
        return await self._carry(request, place)

    def _check_create(self, route: Route, user: User) -> None:
        """A websocket is opened by GET, but who runs commands needs the right to create all the same."""
        question = Attributes(
            user,
            "create",
            route.group,
            route.version,
            route.resource,
            route.subresource,
            route.place,
            route.name,
        )
        decision = self._authorizer.authorize(question)
        if not decision.allowed:
            raise denial(question, decision)

    async def pod_proxy(self, request: Request, route: Route, served: Served, user: User) -> Answer:
        """pods/[SCHEME:]NAME[:PORT]/proxy/PATH."""
        scheme, name, port = _split_target(route.name)
        await self._admit(route, served, user, {"kind": "PodProxyOptions", "apiVersion": "v1"})
        pod = self._scope.store.find(served, route.place, name).object
        address = (pod.get("status") or {}).get("podIP")
        if not address:
            raise bad_request(f"address not allowed: pod {name!r} has no address yet")
        number = _container_port(pod, port)
        return await self._carry(request, _proxied(scheme, str(address), number, route, request))

    async def service_proxy(self, request: Request, route: Route, served: Served, user: User) -> Answer:
        """services/[SCHEME:]NAME[:PORT]/proxy/PATH, to one of its ready endpoints."""
        scheme, name, port = _split_target(route.name)
        await self._admit(route, served, user, {"kind": "ServiceProxyOptions", "apiVersion": "v1"})
        service = self._scope.store.find(served, route.place, name).object
        address, number = self._endpoint(service, route.place, name, port)
        return await self._carry(request, _proxied(scheme, address, number, route, request))

    async def node_proxy(self, request: Request, route: Route, served: Served, user: User) -> Answer:
        """nodes/NAME/proxy/PATH, to the agent."""
        _, name, _ = _split_target(route.name)
        await self._admit(route, served, user, {"kind": "NodeProxyOptions", "apiVersion": "v1"})
        self._scope.store.find(served, "", name)
        path = quote(route.tail or "/", safe="/~!$&'()*+,;=:@%")
        return await self._carry(
            request, self._agent(name, path + (f"?{request.query}" if request.query else ""))
        )

    # -- where to

    def _agent(self, node: str, path: str) -> Place:
        record = self._scope.resources.table_of("", "nodes").get("", node)
        if record is None:
            raise not_found("", "nodes", node)
        status = record.object.get("status") or {}
        by_type = {a.get("type"): a.get("address") for a in reversed(status.get("addresses") or [])}
        address = by_type.get("InternalIP") or by_type.get("ExternalIP") or by_type.get("Hostname")
        if not address:
            raise internal(f'no preferred addresses found for node "{node}"; known addresses: []')
        if self._node_tls is None:
            raise unavailable("this server has no certificate to speak to node agents with")
        port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or AGENT_PORT
        return Place(Target(str(address), int(port), self._node_tls), path)

    def _endpoint(self, service: Mapping[str, Any], namespace: str, name: str, port: str) -> tuple[str, int]:
        ports = (service.get("spec") or {}).get("ports") or []
        wanted = next(
            (
                p
                for p in ports
                if port in (p.get("name", ""), str(p.get("port"))) or (not port and len(ports) == 1)
            ),
            None,
        )
        if wanted is None:
            raise unavailable(f'no service port "{port}" found for service "{name}"')
        table = self._scope.resources.table_of("discovery.k8s.io", "endpointslices")
        for record in table.select(Filter(namespace=namespace)):
            if record.labels.get("kubernetes.io/service-name") != name:
                continue
            found = _ready_endpoint(record.object, wanted.get("name") or "")
            if found is not None:
                return found
        raise unavailable(f'no endpoints available for service "{name}"')

    # -- the way

    async def _admit(self, route: Route, served: Served, user: User, options: Object) -> None:
        call = Call(served, user, route.place, route.name, subresource=route.subresource)
        request = self._scope.store.admission(call, CONNECT, options)
        request.kind = str(options["kind"])
        await self._scope.store.chain.admit(request)
        await self._scope.store.chain.validate(request)

    async def _carry(self, request: Request, place: Place) -> Answer:
        pool = Pool(place.target, connect_timeout=CONNECT_TIMEOUT)
        headers = _forwarded(request)
        try:
            if "upgrade" in request.headers.get("connection", "").lower() and request.headers.get("upgrade"):
                headers["Connection"] = "Upgrade"
                headers["Upgrade"] = request.headers["upgrade"]
                found = await pool.upgrade(request.method, place.path, headers, timeout=HEAD_TIMEOUT)
            else:
                found = await pool.request(
                    request.method, place.path, headers, request.body, timeout=HEAD_TIMEOUT
                )
        except (OSError, TimeoutError) as error:
            await pool.close()
            raise ApiError(
                503, "ServiceUnavailable", f"error trying to reach service: {error or 'timed out'}"
            ) from error
        if isinstance(found, RemoteStream):
            return _upgraded(found, pool)
        return _answered(found, pool)


def _upgraded(remote: RemoteStream, pool: Pool) -> Upgrade:
    headers = [
        (name, value)
        for name, value in remote.headers.items()
        if name not in ("connection", "upgrade", "date", "content-length")
    ]
    headers += [("Connection", "Upgrade"), ("Upgrade", remote.headers.get("upgrade", "websocket"))]

    async def start(channel: Duplex) -> None:
        try:
            await splice(channel, _Far(remote))
        finally:
            await pool.close()

    return Upgrade(start, headers=headers)


class _Far:
    """The agent's end of a spliced connection, as a Duplex."""

    def __init__(self, stream: RemoteStream) -> None:
        self._stream = stream

    async def read(self, limit: int = PIECE) -> bytes:
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    def end(self) -> None:
        # the other side ended: with TLS between, the only way to say so is to close
        self._stream.close()

    def close(self) -> None:
        self._stream.close()


def _answered(remote: Remote, pool: Pool) -> Streaming:
    kind = remote.headers.get("content-type", "application/octet-stream")
    headers = [
        (name, value)
        for name, value in remote.headers.items()
        if name not in HOP and name not in ("content-type", "content-length", "date")
    ]

    async def send(stream: Stream) -> None:
        stream.on_close(remote.close)
        try:
            async for piece in remote.chunks():
                stream.write(piece)
                await stream.drain()
                if stream.closed:
                    return
        finally:
            await pool.close()

    return Streaming(remote.status, send, kind, headers, patient=True)


def _forwarded(request: Request) -> dict[str, str]:
    """The client's headers without those of its connection and its secrets."""
    headers = {
        name.title(): value
        for name, value in request.headers.items()
        if name not in HOP and name not in SECRET and name not in ("host", "content-length", "expect")
        if not name.startswith("impersonate-")
    }
    if "Sec-Websocket-Protocol" in headers:
        headers["Sec-Websocket-Protocol"] = without_token(headers["Sec-Websocket-Protocol"])
    if request.connection.remote:
        headers["X-Forwarded-For"] = request.connection.remote.rpartition(":")[0].strip("[]")
    return headers


# -- reading requests


def _options(request: Request) -> Object:
    return {name: values if name == "command" else values[0] for name, values in request.arguments.items()}


def _flag(request: Request, name: str) -> bool:
    return request.argument(name).lower() in ("true", "1")


def _agent_path(what: str, pod: Mapping[str, Any], container: str, request: Request) -> str:
    meta = pod["metadata"]
    namespace, name = quote(meta["namespace"], safe=""), quote(meta["name"], safe="")
    if what == "log":
        query: list[tuple[str, str]] = [
            (option, request.argument(option)) for option in LOG_OPTIONS if request.argument(option)
        ]
        path = f"/containerLogs/{namespace}/{name}/{quote(container, safe='')}"
    elif what == "portforward":
        query = [("port", port) for value in request.arguments.get("ports", []) for port in value.split(",")]
        path = f"/portForward/{namespace}/{name}"
    else:
        query = [
            (short, "1")
            for short, option in (
                ("input", "stdin"),
                ("output", "stdout"),
                ("error", "stderr"),
                ("tty", "tty"),
            )
            if _flag(request, option)
        ]
        if not query or query == [("tty", "1")]:
            raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
        query += [("command", word) for word in request.arguments.get("command", [])]
        path = f"/{what}/{namespace}/{name}/{quote(container, safe='')}"
    return path + (f"?{urlencode(query)}" if query else "")


def _names(pod: Mapping[str, Any], field: str) -> list[str]:
    return [str(one.get("name")) for one in (pod.get("spec") or {}).get(field) or []]


def _container(pod: Mapping[str, Any], wanted: str, what: str) -> str:
    """The container that is meant. Raises ApiError 400 where that is not clear, as upstream words it."""
    name = pod["metadata"]["name"]
    plain, init = _names(pod, "containers"), _names(pod, "initContainers")
    ephemeral = _names(pod, "ephemeralContainers")
    if wanted:
        if wanted not in (*plain, *init, *ephemeral):
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(plain) == 1:
        return plain[0]
    default = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if default in plain and what != "log":
        return str(default)
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(plain)}]"
    if init:
        text += f" or one of the init containers: [{' '.join(init)}]"
    if ephemeral:
        text += f" or one of the ephemeral containers: [{' '.join(ephemeral)}]"
    raise bad_request(text)


def _split_target(text: str) -> tuple[str, str, str]:
    """[SCHEME:]NAME[:PORT]. Raises ApiError 400."""
    parts = text.split(":")
    if len(parts) == 1:
        return "http", parts[0], ""
    if len(parts) == 2:
        return "http", parts[0], parts[1]
    if len(parts) == 3 and parts[0] in ("", "http", "https"):
        return parts[0] or "http", parts[1], parts[2]
    raise bad_request(f"invalid request of a proxy {text!r}, expected [SCHEME:]NAME[:PORT]")


def _container_port(pod: Mapping[str, Any], port: str) -> int:
    if port.isdigit():
        return int(port)
    for container in (pod.get("spec") or {}).get("containers") or []:
        for declared in container.get("ports") or []:
            if (not port or declared.get("name") == port) and declared.get("containerPort"):
                return int(declared["containerPort"])
    if port:
        raise bad_request(f"pod {pod['metadata']['name']!r} has no port named {port!r}")
    return 80


def _proxied(scheme: str, address: str, port: int, route: Route, request: Request) -> Place:
    context = None
    if scheme == "https":
        # as upstream: whatever certificate a pod shows is taken, nobody could know its authority
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    path = quote(route.tail or "/", safe="/~!$&'()*+,;=:@%")
    return Place(Target(address, port, context), path + (f"?{request.query}" if request.query else ""))


def _ready_endpoint(endpoint_slice: Mapping[str, Any], port_name: str) -> tuple[str, int] | None:
    port: Any = next(
        (p.get("port") for p in endpoint_slice.get("ports") or [] if (p.get("name") or "") == port_name), None
    )
    if port is None:
        return None
    for endpoint in endpoint_slice.get("endpoints") or []:
        ready = (endpoint.get("conditions") or {}).get("ready")
        addresses: Iterable[str] = endpoint.get("addresses") or []
        for address in addresses:
            if ready is not False:
                return str(address), int(port)
    return None
