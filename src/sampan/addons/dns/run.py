"""Cluster DNS as a component over a client."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Iterable

from sampan.addons.dns import publish, upstream
from sampan.addons.dns.forward import Forwarder
from sampan.addons.dns.metrics import Metrics
from sampan.addons.dns.model import Config
from sampan.addons.dns.records import Zone
from sampan.addons.dns.resolver import Resolver
from sampan.addons.dns.server import Server
from sampan.addons.dns.view import Cluster
from sampan.api.status import ApiError
from sampan.base.aio import Backoff, Tasks
from sampan.base.http.model import Request, Response
from sampan.base.http.server import Listener
from sampan.base.http.server import Server as WebServer
from sampan.client.cache import Informers
from sampan.client.rest import Client
from sampan.spec.dns import wire

log = logging.getLogger(__name__)


async def run(client: Client, config: Config, started: Callable[[], None]) -> None:
    """Serves DNS; `started()` once the cluster's names are known, the sockets answer and the Service leads to them.

    Raises ValueError for a configuration that cannot be used and OSError for an address that cannot be listened on.
    """
    zone = Zone(wire.lower(wire.name(config.domain)), config.service_address, config.ttl, config.pods)
    ours = {*config.listen, (config.service_address, upstream.PORT)}
    upstreams = upstream.choose(config.upstreams, config.resolv_conf, ours, upstream.read)
    if not upstreams:
        log.warning("no upstream resolver is known: names outside of %s are refused", config.domain)
    metrics = Metrics()
    forwarder = Forwarder(upstreams, netns=config.netns, entries=config.cache_entries)
    async with Informers(client) as informers, Tasks("dns") as tasks:
        changed: list[Callable[[Iterable[str]], None]] = []
        view = Cluster(informers, lambda what: [drop(what) for drop in changed])
        resolver = Resolver(view, zone, forwarder, metrics, config.cache_entries)
        changed.append(resolver.answers.drop)
        informers.start()
        await informers.wait_synced()
        server = Server(resolver, metrics, config.netns)
        web = WebServer(lambda request: _status(request, resolver))
        try:
            for host, port in config.listen:
                await _open(server, host, port, published=bool(config.service_address))
            if config.http:
                await web.listen(Listener(*config.http))
            tasks.spawn("probe", forwarder.probe())
            if config.service_address:
                await _publish(client, config.service_address, server.listening[0])
            started()
            await tasks.wait()
        finally:
            await web.close(0.0)
            await server.close()
            await forwarder.close()


async def _open(server: Server, host: str, port: int, *, published: bool) -> None:
    """Where the Service leads is ours to say, so another port does when somebody else has ours."""
    try:
        await server.open(host, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not published:
            raise
        await server.open(host, 0)
        log.warning("%s; Service %s leads to port %d instead", error, publish.NAME, server.listening[-1][1])


def _status(request: Request, resolver: Resolver) -> Response:
    """Alive and ready are one here: nothing listens before the cluster's names are known."""
    match request.path:
        case "/health" | "/ready":
            return Response(200, b"OK", "text/plain")
        case "/metrics":
            return Response(200, resolver.counted().encode(), "text/plain; version=0.0.4")
    return Response(404, b"not found: expected /health, /ready or /metrics", "text/plain")


async def _publish(client: Client, address: str, listening: tuple[str, int]) -> None:
    """Until it is done: the namespace may come a moment later than we do."""
    backoff = Backoff(first=0.05)
    while True:
        try:
            return await publish.publish(client, address, listening)
        except ApiError as error:
            delay = backoff.next()
            log.info("Service %s cannot be published yet (%s); again in %.1f s", publish.NAME, error, delay)
            await asyncio.sleep(delay)
