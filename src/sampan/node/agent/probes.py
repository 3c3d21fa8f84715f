"""Probes of containers: exec, HTTP and TCP; start-up before liveness and readiness.

Rules: pkg/kubelet/prober (worker.go, prober.go), pkg/probe/http. gRPC probes are refused by name when a pod asks for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sampan.base.aio import Clock, Tasks
from sampan.base.http import connection as http
from sampan.node.agent.environment import ConfigError
from sampan.spec import cri

Object = Mapping[str, Any]

KINDS = ("startup", "liveness", "readiness")
BODY_LIMIT = 10 * 1024
MESSAGE_LIMIT = 1024
REDIRECTS = 10


class Outcome(NamedTuple):
    ok: bool
    message: str = ""


class Target(NamedTuple):
    """What a probe is aimed at."""

    container_id: str
    pod_ip: str
    ports: Mapping[str, int]
    """Named ports of the container."""


def named_ports(container: Object) -> dict[str, int]:
    return {p["name"]: int(p["containerPort"]) for p in container.get("ports") or () if p.get("name")}


def port_number(port: Any, ports: Mapping[str, int]) -> int:
    """A port by number or name. Raises ConfigError for a name that the container does not have."""
    if isinstance(port, str) and not port.isdigit():
        if port not in ports:
            raise ConfigError(f"port {port!r}: the container has no port of that name")
        return ports[port]
    return int(port)


def check_supported(container: Object) -> None:
    """Raises ConfigError for a probe that this node does not know."""
    for kind in KINDS:
        probe = container.get(f"{kind}Probe") or {}
        if probe.get("grpc"):
            raise ConfigError(
                f"container {container['name']!r}: {kind}Probe grpc is not supported by this node"
            )


class Prober:
    """Runs single probes. `runtime` is for exec probes."""

    def __init__(self, runtime: cri.Runtime) -> None:
        self._runtime = runtime

    async def probe(self, probe: Object, target: Target) -> Outcome:
        """One try within the probe's time-out. Any failure to try counts as a failure of the probe."""
        timeout = float(probe.get("timeoutSeconds") or 1)
        try:
            if action := probe.get("exec"):
                return await self._exec(action, target, timeout)
            async with asyncio.timeout(timeout):
                if action := probe.get("httpGet"):
                    return await http_get(action, target)
                return await _tcp(probe["tcpSocket"], target)
        except TimeoutError:
            return Outcome(
                False,
                f"command timed out after {timeout:g}s" if probe.get("exec") else "context deadline exceeded",
            )
        except (OSError, ConfigError) as error:
            return Outcome(False, str(error))

    async def _exec(self, action: Object, target: Target, timeout: float) -> Outcome:
        try:
            result = await self._runtime.exec_sync(
                target.container_id, tuple(action.get("command") or ()), timeout
            )
        except cri.Error as error:
            return Outcome(False, error.message)
        text = (result.stdout + result.stderr)[:BODY_LIMIT].decode(errors="replace")
        return Outcome(result.exit_code == 0, text)


async def _tcp(action: Object, target: Target) -> Outcome:
    host = action.get("host") or target.pod_ip
    _, writer = await asyncio.open_connection(host, port_number(action["port"], target.ports))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Outcome(True)


def _unverified() -> ssl.SSLContext:
    """Upstream's probes do not verify: they ask whether the container answers, not who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def http_get(action: Object, target: Target) -> Outcome:
    """A GET; 200 to 399 is a success. Redirects are followed on the same host only, as upstream does."""
    host = action.get("host") or target.pod_ip
    port = port_number(action["port"], target.ports)
    tls = _unverified() if str(action.get("scheme") or "HTTP").upper() == "HTTPS" else None
    path = action.get("path") or "/"
    headers = {"User-Agent": "kube-probe/1.37", "Accept": "*/*", "Connection": "close"}
    for header in action.get("httpHeaders") or ():
        headers[header["name"]] = header["value"]
    for _ in range(REDIRECTS):
        status, location, body = await _fetch(
            http.Target(host, port, tls), path if path.startswith("/") else f"/{path}", headers
        )
        if status in (301, 302, 303, 307, 308) and location.startswith("/"):
            path = location
            continue
        if 200 <= status < 400:
            return Outcome(True, body)
        return Outcome(False, f"HTTP probe failed with statuscode: {status}")
    return Outcome(False, f"stopped after {REDIRECTS} redirects")


async def _fetch(target: http.Target, path: str, headers: Mapping[str, str]) -> tuple[int, str, str]:
    pool = http.Pool(target)
    try:
        response = await pool.request("GET", path, headers)
        body = bytearray()
        async for chunk in response.chunks():
            body += chunk
            if len(body) > BODY_LIMIT:
                break
        return (
            response.status,
            response.headers.get("location", ""),
            bytes(body[:BODY_LIMIT]).decode(errors="replace"),
        )
    finally:
        await pool.close()


class Watched:
    """The probes of one running container: tasks that keep its results, and call `changed` when one turns.

    `failed` names the probe (liveness, startup) that says the container must be restarted.
    """

    def __init__(
        self,
        container: Object,
        target: Target,
        run: Callable[[Object, Target], Awaitable[Outcome]],
        *,
        clock: Clock,
        tasks: Tasks,
        changed: Callable[[], None],
        event: Callable[[str, str, str], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._container = container
        self._target = target
        self._run = run
        self._clock = clock
        self._changed = changed
        self._event = event
        self._jitter = jitter
        self._specs = {kind: container.get(f"{kind}Probe") for kind in KINDS}
        self.started = self._specs["startup"] is None
        self.ready = self._specs["readiness"] is None
        self.failed = ""
        self._begun = asyncio.Event()
        if self.started:
            self._begun.set()
        self._born = clock.monotonic()
        self._tasks = [
            tasks.spawn(f"{kind}-probe/{container['name']}", self._keep(kind, spec))
            for kind, spec in self._specs.items()
            if spec
        ]

    @property
    def container_id(self) -> str:
        return self._target.container_id

    def resume(self, *, started: bool, ready: bool) -> None:
        """Takes up what was known of the container before this watch began; probes go on from there."""
        self._turn(started=started or self.started, ready=ready or self.ready)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep(self, kind: str, spec: Object) -> None:
        period = float(spec.get("periodSeconds") or 10)
        delay = float(spec.get("initialDelaySeconds") or 0)
        good = bad = 0
        await self._clock.sleep(max(0.0, self._born + delay - self._clock.monotonic()))
        while True:
            if kind != "startup":
                await self._begun.wait()
            outcome = await self._run(spec, self._target)
            good, bad = (good + 1, 0) if outcome.ok else (0, bad + 1)
            if not outcome.ok:
                self._event(
                    "Warning",
                    "Unhealthy",
                    f"{kind.capitalize()} probe failed: {outcome.message[:MESSAGE_LIMIT]}",
                )
            if self._settle(kind, spec, good, bad):
                return
            await self._clock.sleep(period)

    def _settle(self, kind: str, spec: Object, good: int, bad: int) -> bool:
        """Draws the conclusion of a row of equal results; True when this probe has done its work."""
        if good >= int(spec.get("successThreshold") or 1):
            if kind == "startup":
                self._turn(started=True)
                return True
            if kind == "readiness":
                self._turn(ready=True)
        elif bad >= int(spec.get("failureThreshold") or 3):
            if kind == "readiness":
                self._turn(ready=False)
            else:
                self.failed = kind
                self._changed()
                return True
        return False

    def _turn(self, *, started: bool | None = None, ready: bool | None = None) -> None:
        before = (self.started, self.ready)
        self.started = self.started if started is None else started
        self.ready = self.ready if ready is None else ready
        if self.started:
            self._begun.set()
        if before != (self.started, self.ready):
            self._changed()
