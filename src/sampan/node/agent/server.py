"""What the node serves to the API: logs, exec, attach, pods, statistics. Paths as the kubelet's.

pkg/kubelet/server/server.go. Only certificates of the names in the configuration are let in; health is open.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from typing import TYPE_CHECKING

from sampan.base.http.model import Answer, Request, Response, Streaming, Upgrade
from sampan.base.pki import der as der_names
from sampan.node.agent import logs, stats
from sampan.node.agent.context import Context
from sampan.node.agent.worker import Worker
from sampan.spec import cri

if TYPE_CHECKING:
    from sampan.base.http.stream import Stream
    from sampan.node.agent.agent import Agent

log = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"


class Refused(Exception):
    """An answer other than 200: `status` and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    def __init__(self, agent: Agent, context: Context) -> None:
        self._agent = agent
        self._context = context

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        if request.path == "/healthz":
            return Response(200, b"ok", TEXT)
        if not self._allowed(request):
            return Response(401, b"Unauthorized\n", TEXT)
        return self._route(request)

    def _allowed(self, request: Request) -> bool:
        """By the common name of the client certificate that TLS has verified against the cluster's CA."""
        connection = request.connection
        if self._context.config.tls is None:
            return True  # a socket without TLS is one of ours, made 0600
        der = connection.peer_certificate
        if der is None:
            return False
        if "user" not in connection.memory:
            connection.memory["user"] = der_names.subject(der).common_name
        return connection.memory["user"] in self._context.config.clients

    async def _route(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        try:
            match parts:
                case ["containerLogs", namespace, name, container]:
                    return await self._logs(request, namespace, name, container)
                case ["exec" | "attach" | "run" as verb, namespace, name, container]:
                    return self._stream(verb, request, namespace, name, container)
                case ["portForward", namespace, name]:
                    return self._forward(request, namespace, name)
                case ["pods"]:
                    items = [worker.pod for worker in self._agent.workers]
                    body = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
                    return Response(200, json.dumps(body).encode())
                case ["stats", "summary"]:
                    return Response(200, json.dumps(await stats.summary(self._context, self._agent)).encode())
                case ["metrics", "resource"]:
                    return Response(
                        200, (await stats.resource_metrics(self._context)).encode(), stats.METRICS_TYPE
                    )
        except Refused as refused:
            return Response(refused.status, f"{refused}\n".encode(), TEXT)
        except cri.Error as error:
            return Response(404 if error.code == "NotFound" else 500, f"{error.message}\n".encode(), TEXT)
        return Response(404, b"404 page not found\n", TEXT)

    # -- finding

    def _worker(self, namespace: str, name: str) -> Worker:
        worker = self._agent.worker(namespace, name)
        if worker is None:
            raise Refused(404, f"pod does not exist: {namespace}/{name}")
        return worker

    def _running(self, namespace: str, name: str, container: str) -> tuple[Worker, cri.ContainerStatus]:
        worker = self._worker(namespace, name)
        status = worker.look.newest(container)
        if status is None or status.state != cri.ContainerState.CONTAINER_RUNNING:
            raise Refused(404, f'container not found ("{container}")')
        return worker, status

    # -- logs

    async def _logs(self, request: Request, namespace: str, name: str, container: str) -> Answer:
        worker = self._worker(namespace, name)
        options = _log_options(request)
        history = worker.look.containers.get(container, ())
        previous = request.argument("previous") in ("true", "1")
        if previous and len(history) < 2:
            raise Refused(400, f'previous terminated container "{container}" in pod "{name}" not found')
        if not history:
            raise Refused(
                400, f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
            )
        chosen = history[1] if previous else history[0]
        meta = worker.pod["metadata"]
        folder = self._context.config.log_dir(meta["namespace"], meta["name"], meta["uid"])
        path = folder / container / f"{chosen.metadata.attempt}.log"
        if not path.exists():
            if not options.follow or chosen.state != cri.ContainerState.CONTAINER_RUNNING:
                return Response(200, b"", TEXT)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o640)

        def alive() -> bool:
            newest = worker.look.newest(container)
            running = cri.ContainerState.CONTAINER_RUNNING
            return newest is not None and newest.id == chosen.id and newest.state == running

        return Streaming(200, lambda stream: _pour(stream, logs.read(path, options, alive)), TEXT)

    # -- streams

    def _stream(self, verb: str, request: Request, namespace: str, name: str, container: str) -> Upgrade:
        from sampan.node.agent import streaming

        if verb == "run":
            raise Refused(405, "run is not supported, use exec")
        _, status = self._running(namespace, name, container)
        return streaming.answer(self._context.runtime, status.id, verb, request)

    def _forward(self, request: Request, namespace: str, name: str) -> Upgrade:
        from sampan.node.agent import streaming

        worker = self._worker(namespace, name)
        if worker.look.sandbox is None or not worker.look.ready:
            raise Refused(404, f"pod is not running: {namespace}/{name}")
        return streaming.forward(self._context.runtime, worker.look.sandbox.id, request)


async def _pour(stream: Stream, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        if stream.closed:
            return
        stream.write(piece)
        await stream.drain()


def _log_options(request: Request) -> logs.Options:
    def number(name: str) -> int | None:
        text = request.argument(name)
        if not text:
            return None
        if not text.lstrip("-").isdigit():
            raise Refused(400, f"{name} {text!r}: expected a whole number")
        return int(text)

    since = 0
    if (seconds := number("sinceSeconds")) is not None:
        import time

        since = time.time_ns() - seconds * 1_000_000_000
    elif moment := request.argument("sinceTime"):
        try:
            since = int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1e9)
        except ValueError:
            raise Refused(400, f"sinceTime {moment!r}: expected RFC 3339") from None
    tail = number("tailLines")
    stream = request.argument("stream")
    return logs.Options(
        follow=request.argument("follow") in ("true", "1"),
        tail=-1 if tail is None else tail,
        since=since,
        timestamps=request.argument("timestamps") in ("true", "1"),
        limit=number("limitBytes") or 0,
        stream="" if stream in ("", "All") else stream,
    )
