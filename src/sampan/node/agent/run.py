"""The component: registers the node, runs its pods, serves their logs.

Start order: the runtime's state and the services are known before the first pod is worked on; the server listens before
the node says where; the node is Ready only when the runtime and its network are.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sampan.api import kinds
from sampan.base.aio import Backoff, SystemClock, Tasks
from sampan.base.http.server import Listener, Server
from sampan.client.cache import Informers
from sampan.client.rest import Client
from sampan.control.events import Recorder
from sampan.node.agent import agent as pods
from sampan.node.agent import node
from sampan.node.agent.config import Config
from sampan.node.agent.context import Context
from sampan.node.agent.images import Puller
from sampan.node.agent.probes import Prober
from sampan.node.agent.references import References
from sampan.node.agent.registration import Registration
from sampan.node.agent.server import Api
from sampan.node.agent.tokens import Tokens
from sampan.spec import cri

log = logging.getLogger(__name__)

IMAGES_SHOWN = 50
"""Most images in a node's status (nodeStatusMaxImages)."""


async def run(
    client: Client, runtime: cri.Runtime, images: cri.Images, config: Config, started: Callable[[], None]
) -> None:
    """Runs until cancelled; pods go on without it."""
    for folder in (config.root, config.root / "pods", config.root / "log" / "pods"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = SystemClock()
    facts = node.machine(config)
    recorder = Recorder(client, clock, "kubelet", config.node_name)
    async with Tasks("node") as tasks, Informers(client, clock=clock) as informers:
        tasks.keep("events", recorder.run, clock=clock)
        waiting: list[Callable[[str], None]] = []
        references = References(client, tasks, lambda uid: waiting[0](uid))
        services = informers.of(kinds.of("v1", "Service"))
        context = Context(
            config=config,
            client=client,
            runtime=runtime,
            puller=Puller(images, clock.now),
            prober=Prober(runtime),
            references=references,
            tokens=Tokens(client, clock.now),
            tasks=tasks,
            clock=clock,
            machine=facts,
            resolv=_resolv(config.resolv_conf),
            services=lambda: services,
            event=lambda pod, kind, reason, message: recorder.emit(dict(pod), kind, reason, message),
            stamp=_stamps(),
        )
        agent = pods.Agent(context)
        waiting.append(agent.wake)
        port = await _serve(config, agent, context, tasks)
        version = await runtime.version()
        registration = Registration(
            client,
            config,
            facts,
            clock,
            port=port,
            runtime=f"{version.runtime_name}://{version.runtime_version}",
            why_not_ready=lambda: pods.why_not_ready(runtime),
            images=lambda: _images(images),
        )
        bound = informers.of(kinds.of("v1", "Pod"), field_selector=f"spec.nodeName={config.node_name}")
        informers.start()
        ready = await registration.register()
        tasks.keep("lease", registration.keep_lease, clock=clock)
        await services.wait_synced()
        bound.on_change(agent.changed)
        await bound.wait_synced()
        await agent.sweep()
        tasks.keep("runtime-events", agent.follow_runtime, clock=clock)
        tasks.keep("logs", agent.rotate_logs, clock=clock)
        backoff = Backoff(first=0.05, cap=5.0)
        while not ready:
            await clock.sleep(backoff.next())
            ready = await registration.report()
        tasks.keep("status", registration.keep_status, clock=clock)
        started()
        await tasks.wait()


async def _serve(config: Config, agent: pods.Agent, context: Context, tasks: Tasks) -> int:
    """Serves logs and exec on the socket given; returns its port, 0 without one."""
    if config.server is None:
        return 0
    server = Server(Api(agent, context).handle)
    await server.serve(config.server.dup(), Listener(tls=config.tls))
    return int(config.server.getsockname()[1])


async def _images(images: cri.Images) -> list[dict[str, Any]]:
    found = sorted(await images.list_images(), key=lambda image: image.size, reverse=True)[:IMAGES_SHOWN]
    return [{"names": [*i.repo_digests, *i.repo_tags][:5], "sizeBytes": i.size} for i in found]


def _resolv(path: str) -> cri.DNSConfig:
    """The node's own resolv.conf; with systemd-resolved's stub in it, the one that names the real servers."""
    try:
        text = Path(path).read_text()
        if "127.0.0.53" in text and Path("/run/systemd/resolve/resolv.conf").exists():
            text = Path("/run/systemd/resolve/resolv.conf").read_text()
    except OSError:
        text = ""
    return pods.resolv_conf(text)


def _stamps() -> Callable[[], str]:
    """Texts that are unique on this node, over restarts of the agent too."""
    count = itertools.count()
    base = f"{os.getpid()}_{os.urandom(4).hex()}"
    return lambda: f"{base}_{next(count)}"
