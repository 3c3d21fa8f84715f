"""The API server: `await run(config, started)`. Everything is constructed here, in order, and closed in reverse."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sampan.base.aio import Tasks
from sampan.base.http.model import Answer, Limits, Request, Response
from sampan.base.http.server import Listener, Server
from sampan.base.pki import contexts, jwt
from sampan.control_plane.apiserver import metrics as metrics_module
from sampan.control_plane.apiserver import version, virtual
from sampan.control_plane.apiserver.admission import standard as standard_admission
from sampan.control_plane.apiserver.allocation.services import Services
from sampan.control_plane.apiserver.authn import openid
from sampan.control_plane.apiserver.authn.authenticator import Authenticator
from sampan.control_plane.apiserver.authn.issuing import Issuer
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authn.service_accounts import ServiceAccountTokens
from sampan.control_plane.apiserver.authn.static_tokens import StaticTokens
from sampan.control_plane.apiserver.authn.tokens import TokenAuthenticator
from sampan.control_plane.apiserver.authz import authorizer as standard_authorizer
from sampan.control_plane.apiserver.authz import escalation
from sampan.control_plane.apiserver.authz.model import Authorizer
from sampan.control_plane.apiserver.bootstrap import Bootstrap
from sampan.control_plane.apiserver.cache.cache import Cache, CacheView
from sampan.control_plane.apiserver.config import Config, ServiceAccounts, TcpListener
from sampan.control_plane.apiserver.custom import CustomResources
from sampan.control_plane.apiserver.discovery import Discovery
from sampan.control_plane.apiserver.handler import Handler, PathHandler, SubresourceHandler
from sampan.control_plane.apiserver.health import Health
from sampan.control_plane.apiserver.openapi import OpenApi
from sampan.control_plane.apiserver.registry import fields, metadata
from sampan.control_plane.apiserver.registry.removal import Removal
from sampan.control_plane.apiserver.registry.resources import Resources
from sampan.control_plane.apiserver.registry.rules import Rules
from sampan.control_plane.apiserver.registry.store import Store
from sampan.control_plane.apiserver.storage import Storage
from sampan.control_plane.apiserver.storage.memory import MemoryStorage
from sampan.control_plane.apiserver.storage.sqlite import SqliteStorage
from sampan.control_plane.apiserver.subresources import accounts, connect, objects, pods, scale
from sampan.control_plane.apiserver.verbs import watch
from sampan.control_plane.apiserver.verbs.scope import Scope
from sampan.control_plane.apiserver.view import View
from sampan.control_plane.apiserver.wire import answer

log = logging.getLogger(__name__)


class Bound(NamedTuple):
    """Where the server listens, as bound: (host, port) of each TCP listener."""

    tcp: tuple[tuple[str, int], ...]


async def run(
    config: Config, started: Callable[[], None], bound: Callable[[Bound], None] | None = None
) -> None:
    """Serves until cancelled. `started` is called once when it answers; `bound` before, with the ports taken.

    Raises StorageError, PkiError or OSError where it cannot start.
    """
    storage: Storage = SqliteStorage(config.database) if config.database is not None else MemoryStorage()
    await storage.start()
    try:
        cache = Cache(storage, indexes={("", "pods"): fields.pod_node})
        await cache.start()
        try:
            await _serve(config, storage, cache, started, bound)
        finally:
            cache.close()
    finally:
        await storage.close()


async def _serve(
    config: Config,
    storage: Storage,
    cache: Cache,
    started: Callable[[], None],
    bound: Callable[[Bound], None] | None,
) -> None:
    view = CacheView(cache)
    resources = Resources(cache)
    authorizer, rbac = standard_authorizer.standard(view)
    authenticator, issuer = _authentication(config, view)
    addresses = Services(config.service_cidrs, config.node_ports, cache)
    chain = standard_admission.standard(
        view, authorizer, suffix=lambda: metadata.generated_name(""), pause=asyncio.sleep
    )
    rules = Rules(time.time, functools.partial(escalation.check, authorizer, rbac))
    store = Store(storage, cache, rules, chain, clock=time.time, hooks={("", "services"): addresses})
    removal = Removal(store)
    scope = Scope(storage, cache, resources, store, removal, time.time)
    custom = CustomResources(scope, cache, view)
    custom.refresh()
    registry = metrics_module.Registry()
    metrics_module.process_gauges(registry)
    _storage_gauges(registry, storage, cache)
    ready = False

    def bootstrapped() -> str:
        return "" if ready else "the first objects are not written yet"

    health = Health(
        {
            "healthz": {"ping": _well, "log": _well, "etcd": _well},
            "livez": {"ping": _well, "log": _well, "etcd": _well},
            "readyz": {"ping": _well, "log": _well, "etcd": _well, "poststarthook/bootstrap": bootstrapped},
        }
    )
    address = config.advertise_host
    discovery = Discovery(resources, address)
    documents = OpenApi(resources)
    handler = Handler(
        scope,
        authenticator,
        authorizer,
        metrics=registry,
        request_timeout=config.request_timeout,
        paths=_paths(config, discovery, documents, health, registry),
        subresources=_subresources(scope, issuer, config, authorizer),
        virtual={
            **virtual.handlers(scope, authenticator, authorizer, rbac),
            ("", "bindings"): pods.Binding(scope),
        },
    )
    server = Server(handler, limits=Limits(), error=answer.below_handler)
    first = Bootstrap(resources, store, removal, view)
    cluster_ip = str(ipaddress.ip_network(config.service_cidrs[0])[1])
    async with Tasks("apiserver") as tasks:
        try:
            # What knocks before the first objects are there would be refused for want of roles, and come again later
            # than need be; so where the port is known already, nobody is let in before.
            port = _known_port(config)
            if port:
                await first.run(config.advertise_host, port, cluster_ip, config.service_name_port)
            ports = await _listen(server, config)
            if bound is not None:
                bound(Bound(tuple(ports)))
            if not port:
                port = next((p for _, p in ports), 443)
                await first.run(config.advertise_host, port, cluster_ip, config.service_name_port)
            ready = True
            tasks.spawn("bookmarks", watch.bookmarks(scope))
            tasks.spawn("custom-resources", custom.run(), vital=True)
            started()
            await tasks.wait()
        finally:
            cache.close()
            await server.close(config.grace)


def _well() -> str:
    return ""


def _known_port(config: Config) -> int:
    """Where the API is reached, as far as that can be told before anything is bound; 0 where it cannot."""
    ports = (tcp.sock.getsockname()[1] if tcp.sock is not None else tcp.port for tcp in config.tcp)
    return config.advertise_port or next((int(port) for port in ports), 0)


async def _listen(server: Server, config: Config) -> list[tuple[str, int]]:
    for unix in config.unix:
        if unix.sock is not None:
            await server.serve(unix.sock.dup(), Listener(identity=unix.user))
        else:
            await server.listen(Listener(path=str(unix.path), identity=unix.user))
    ports = []
    for tcp in config.tcp:
        if tcp.sock is not None:
            await server.serve(tcp.sock.dup(), _tcp(tcp))
            host, port = tcp.sock.getsockname()[:2]
            ports.append((str(host), int(port)))
        else:
            ports.append(await server.listen(_tcp(tcp)))
    return ports


def _tcp(tcp: TcpListener) -> Listener:
    context = None
    if tcp.tls is not None:
        context = contexts.server(tcp.tls.certificate, tcp.tls.key, tcp.tls.client_ca)
    return Listener(host=tcp.host, port=tcp.port, tls=context)


def _authentication(config: Config, view: View) -> tuple[Authenticator, Issuer | None]:
    accounts: ServiceAccounts = config.service_accounts
    audiences = accounts.audiences or (accounts.issuer,)
    tokens: list[TokenAuthenticator] = []
    issuer = None
    if accounts.public_keys:
        verifier = jwt.Verifier([path.read_bytes() for path in accounts.public_keys], time.time)
        tokens.append(ServiceAccountTokens([accounts.issuer], verifier, view, audiences, time.time))
    if accounts.signing_key is not None:
        signer = jwt.Signer(accounts.signing_key.read_bytes())
        issuer = Issuer(accounts.issuer, signer, view, audiences, clock=time.time, new_id=metadata.new_uid)
    if config.tokens:
        tokens.append(StaticTokens.parse(config.tokens))
    return Authenticator(tokens, audiences, anonymous=config.anonymous), issuer


def _subresources(
    scope: Scope, issuer: Issuer | None, config: Config, authorizer: Authorizer
) -> Mapping[tuple[str, str, str], SubresourceHandler]:
    node_tls = None
    if config.node_tls is not None:
        node_tls = contexts.client(config.node_tls.ca, config.node_tls.certificate, config.node_tls.key)
        # agents are known by address, which their certificates need not carry
        node_tls.check_hostname = False
    carried = connect.Connect(scope, node_tls, authorizer)
    found: dict[tuple[str, str, str], SubresourceHandler] = {
        ("*", "*", name): objects.Objects(scope) for name in objects.NAMES
    }
    found["*", "*", "scale"] = scale.Scale(scope)
    found["", "pods", "binding"] = pods.Binding(scope)
    found["", "pods", "eviction"] = pods.Eviction(scope)
    found["", "serviceaccounts", "token"] = accounts.Token(scope, issuer)
    for name in connect.KINDS:
        found["", "pods", name] = carried.pod
    found["", "pods", "proxy"] = carried.pod_proxy
    found["", "services", "proxy"] = carried.service_proxy
    found["", "nodes", "proxy"] = carried.node_proxy
    return found


def _paths(
    config: Config,
    discovery: Discovery,
    documents: OpenApi,
    health: Health,
    registry: metrics_module.Registry,
) -> tuple[PathHandler, ...]:
    fixed: dict[str, Callable[[], Answer]] = {
        "/version": lambda: answer.json(version.document()),
        "/metrics": lambda: _metrics(registry),
    }
    fixed |= _openid(config)
    listed = [
        "/api",
        "/apis",
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ]
    fixed[""] = lambda: answer.json({"paths": listed})

    def exact(request: Request, user: User) -> Answer | None:
        make = fixed.get(request.path.rstrip("/"))
        return make() if make is not None else None

    return (
        exact,
        lambda request, user: health.answer(request),
        lambda request, user: discovery.answer(request),
        lambda request, user: documents.answer(request),
    )


def _openid(config: Config) -> dict[str, Callable[[], Answer]]:
    """The issuer's public documents, where it has keys."""
    accounts = config.service_accounts
    if not accounts.public_keys:
        return {}
    made = openid.documents(
        accounts.issuer,
        accounts.issuer.rstrip("/") + openid.JWKS_PATH,
        [path.read_bytes() for path in accounts.public_keys],
    )
    public = (("Cache-Control", f"public, max-age={openid.MAX_AGE}"),)
    return {
        openid.CONFIGURATION_PATH: lambda: Response(
            200, made.configuration, openid.CONFIGURATION_TYPE, public
        ),
        openid.JWKS_PATH: lambda: Response(200, made.key_set, openid.JWKS_TYPE, public),
    }


def _metrics(registry: metrics_module.Registry) -> Answer:
    response = answer.text(registry.text())
    response.headers = (("Content-Type", metrics_module.CONTENT_TYPE), *response.headers[1:])
    return response


def _storage_gauges(registry: metrics_module.Registry, storage: Storage, cache: Cache) -> None:
    registry.gauge(
        "apiserver_storage_objects",
        "Number of stored objects, by resource.",
        ("group", "resource"),
        lambda: [((table.group, table.plural), float(len(table))) for table in cache.tables()],
    )
    registry.gauge(
        "apiserver_registered_watchers",
        "Number of watches, by resource.",
        ("group", "resource"),
        lambda: [
            ((table.group, table.plural), float(sum(1 for _ in table.watchers()))) for table in cache.tables()
        ],
    )
    registry.gauge(
        "etcd_debugging_mvcc_current_revision",
        "The current revision of the store.",
        (),
        lambda: [((), float(storage.revision))],
    )
