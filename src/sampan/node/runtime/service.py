"""`Local`: the CRI's Runtime over an OCI runtime, in process. Each method is one RPC; the work is in the modules beside."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import sampan
from sampan.node.runtime import containers, recovery, sandboxes, sessions, stats
from sampan.node.runtime.books import Books
from sampan.node.runtime.image.host import NAME as HOST_IMAGE
from sampan.node.runtime.image.registry import Registries
from sampan.node.runtime.image.service import ImageService
from sampan.node.runtime.sandboxes import limits
from sampan.node.runtime.state import Container, Exit, Sandbox
from sampan.spec import cni, cri

# The pause container of a shared pid namespace: with SIGCHLD ignored the kernel reaps for it, and exec hands that on.
# (dash does not let a script ignore SIGCHLD.)
_IGNORE = "import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp('sleep', ['sleep', 'infinity'])"
_PAUSE = (sys.executable, "-I", "-S", "-c", _IGNORE)
_PAUSE_UID = 65535


class Local(ImageService):
    """Runtime and Images in one object. Made by assemble.open(), let go of by close()."""

    def __init__(
        self, books: Books, registries: Registries, new_id: Callable[[], str] = lambda: secrets.token_hex(32)
    ) -> None:
        super().__init__(books.store, registries, lambda: stats.file_systems(books))
        self.books = books
        self._new_id = new_id
        self._names: set[object] = set()
        self._resync: asyncio.Task[None] | None = None

    @property
    def images(self) -> ImageService:
        return self

    # -- the runtime itself

    async def version(self) -> cri.VersionResponse:
        return cri.VersionResponse("0.1.0", "sampan", sampan.__version__, "v1")

    async def status(self) -> cri.StatusResponse:
        ready = self.books.link.connected
        conditions = [
            cri.RuntimeCondition("RuntimeReady", ready, "" if ready else "ContainerMonitorNotReady"),
            await self._network_condition(),
        ]
        return cri.StatusResponse(tuple(conditions), {"ociRuntime": str(self.books.oci)})

    async def _network_condition(self) -> cri.RuntimeCondition:
        if self.books.network is None:
            return cri.RuntimeCondition(
                "NetworkReady", True, "HostNetworkOnly", "pods can use the host network only"
            )
        try:
            await self.books.network.status()
        except cni.CniError as error:
            return cri.RuntimeCondition("NetworkReady", False, "NetworkPluginNotReady", str(error))
        return cri.RuntimeCondition("NetworkReady", True)

    async def runtime_config(self) -> cri.RuntimeConfigResponse:
        return cri.RuntimeConfigResponse(cri.CgroupDriver.CGROUPFS)

    # -- sandboxes

    async def run_pod_sandbox(self, config: cri.PodSandboxConfig, runtime_handler: str = "") -> str:
        if runtime_handler:
            raise cri.Error(
                "InvalidArgument", f"runtime handler {runtime_handler!r} is not known: expected none"
            )
        books = self.books
        if any(known.config.metadata == config.metadata for known in books.sandboxes.values()):
            raise cri.Error("AlreadyExists", f"sandbox {config.metadata} exists")
        values = sandboxes.sysctls(config)
        with self._reserved(("sandbox", config.metadata)):
            sandbox = Sandbox(self._new_id(), config, books.clock(), books.boot)
            # On disk before anything is made, so that a crash in between leaves no trace unnamed.
            books.put_sandbox(sandbox._replace(state=cri.PodSandboxState.SANDBOX_NOTREADY))
            try:
                await self._set_up(sandbox, values)
            except BaseException:
                await asyncio.shield(self._take_down(sandbox.id))
                raise
        self._event(sandbox.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, sandbox.id)
        self._event(sandbox.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, sandbox.id)
        return sandbox.id

    async def _set_up(self, sandbox: Sandbox, values: Mapping[str, str]) -> None:
        books = self.books
        try:
            await books.in_thread(sandboxes.prepare, books, sandbox, values)
        except (OSError, ValueError) as error:
            raise cri.Error("Unknown", f"sandbox {sandbox.name!r} cannot be made: {error}") from error
        if sandbox.network != cri.NamespaceMode.NODE:
            books.put_sandbox(sandbox._replace(state=cri.PodSandboxState.SANDBOX_NOTREADY, attached=True))
            sandbox = sandbox._replace(attached=True, ips=await sandboxes.attach(books, sandbox))
        options = sandbox.config.linux.security_context.namespace_options
        if options.pid == cri.NamespaceMode.POD:
            sandbox = sandbox._replace(pause=await self._pause(sandbox))
        books.put_sandbox(sandbox)

    async def _pause(self, sandbox: Sandbox) -> str:
        options = cri.NamespaceOption(pid=cri.NamespaceMode.CONTAINER)
        security = cri.LinuxContainerSecurityContext(
            capabilities=cri.Capability(drop_capabilities=("ALL",)),
            namespace_options=options,
            run_as_user=_PAUSE_UID,
            run_as_group=_PAUSE_UID,
            readonly_rootfs=True,
            no_new_privs=True,
            seccomp=cri.SecurityProfile(),
        )
        config = cri.ContainerConfig(
            cri.ContainerMetadata("POD"),
            cri.ImageSpec(HOST_IMAGE),
            command=_PAUSE,
            linux=cri.LinuxContainerConfig(security_context=security),
        )
        container = await self._create(sandbox, config, hidden=True)
        await containers.start(self.books, container)
        return container.id

    async def _take_down(self, sandbox_id: str) -> None:
        """After a failure; what cannot be undone now is undone when the sandbox's name is met again on disk."""
        books = self.books
        sandbox = books.sandboxes[sandbox_id]
        for member in books.members(sandbox_id):
            await self._remove(member)
        with contextlib.suppress(cri.Error):
            sandbox = await sandboxes.stop(books, sandbox)
        books.sandboxes.pop(sandbox_id, None)
        await books.in_thread(sandboxes.erase, books, sandbox)

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        try:
            sandbox = self.books.sandbox(pod_sandbox_id)
        except cri.Error:
            return
        async with self.books.lock(sandbox.id):
            await self._stop_sandbox(sandbox.id)

    async def _stop_sandbox(self, sandbox_id: str) -> None:
        books = self.books
        await asyncio.gather(*(self._stop(member, 0) for member in books.members(sandbox_id)))
        sandbox = books.sandboxes[sandbox_id]
        if sandbox.state == cri.PodSandboxState.SANDBOX_READY or sandbox.attached:
            await sandboxes.stop(books, sandbox)
            self._event(sandbox_id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, sandbox_id)

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        books = self.books
        try:
            sandbox_id = books.sandbox(pod_sandbox_id).id
        except cri.Error:
            return
        async with books.lock(sandbox_id):
            if sandbox_id not in books.sandboxes:
                return
            await self._stop_sandbox(sandbox_id)
            for member in books.members(sandbox_id):
                await self._remove(member)
            sandbox = books.sandboxes.pop(sandbox_id)
            await books.in_thread(sandboxes.erase, books, sandbox)
        books.forget(sandbox_id)
        kind = cri.ContainerEventType.CONTAINER_DELETED_EVENT
        books.broadcast.send(cri.ContainerEventResponse(sandbox_id, kind, books.clock()))

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> cri.PodSandboxStatus:
        return sandboxes.status(self.books.sandbox(pod_sandbox_id))

    async def list_pod_sandbox(self, filter: cri.PodSandboxFilter | None = None) -> list[cri.PodSandbox]:
        wanted = filter or cri.PodSandboxFilter()
        return [
            cri.PodSandbox(
                s.id,
                s.config.metadata,
                s.state,
                s.created_at,
                s.config.labels,
                s.config.annotations,
                s.runtime_handler,
            )
            for s in self.books.sandboxes.values()
            if s.id.startswith(wanted.id)
            and (wanted.state is None or s.state == wanted.state)
            and _labelled(s.config.labels, wanted.label_selector)
        ]

    # -- containers

    async def create_container(
        self, pod_sandbox_id: str, config: cri.ContainerConfig, sandbox_config: cri.PodSandboxConfig
    ) -> str:
        sandbox = self.books.sandbox(pod_sandbox_id)
        if sandbox.state != cri.PodSandboxState.SANDBOX_READY:
            raise cri.Error("FailedPrecondition", f"sandbox {sandbox.name!r} is not ready")
        for member in self.books.members(sandbox.id):
            if member.config.metadata == config.metadata:
                raise cri.Error(
                    "AlreadyExists", f"container {config.metadata} exists in sandbox {sandbox.name!r}"
                )
        with self._reserved((sandbox.id, config.metadata)):
            container = await self._create(sandbox, config)
        self._event(container.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, sandbox.id)
        return container.id

    async def _create(
        self, sandbox: Sandbox, config: cri.ContainerConfig, *, hidden: bool = False
    ) -> Container:
        books = self.books
        stored = containers.find_image(books, config.image)
        directory = sandbox.config.log_directory
        signal = config.stop_signal or stored.config.stop_signal
        containers.signal_number(signal)
        container_id = self._new_id()
        container = Container(
            container_id,
            sandbox.id,
            config,
            stored.id,
            stored.ref,
            f"{directory}/{config.log_path}" if directory and config.log_path else "",
            books.clock(),
            books.boot,
            f"{sandboxes.cgroup(books.config, sandbox.config, sandbox.id)}/{container_id}",
            cri.LinuxContainerUser(0, 0),
            stop_signal=signal,
            hidden=hidden,
        )
        # On disk first: what a crash leaves half made is then known by its name.
        books.put_container(container)
        try:
            container = await books.in_thread(containers.prepare, books, container, sandbox, stored)
        except BaseException as error:
            books.containers.pop(container_id, None)
            if isinstance(error, OSError | ValueError):
                raise cri.Error(
                    "Unknown", f"container {config.metadata.name!r} cannot be created: {error}"
                ) from error
            raise
        books.put_container(container)
        return container

    async def start_container(self, container_id: str) -> None:
        container = self.books.container(container_id)
        async with self.books.lock(container.id):
            container = self.books.container(container_id)
            if container.stage != "created":
                raise cri.Error("FailedPrecondition", f"container {container.id[:12]!r} is {container.stage}")
            await containers.start(self.books, container)
        self._event(container.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, container.sandbox_id)
        if self.books.containers[container.id].stage == "exited":
            self._event(container.id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, container.sandbox_id)

    async def stop_container(self, container_id: str, timeout: float = 0) -> None:
        try:
            container = self.books.container(container_id)
        except cri.Error:
            return
        await self._stop(container, timeout)

    async def _stop(self, container: Container, timeout: float) -> None:
        if self.books.containers[container.id].stage == "created":
            async with self.books.lock(container.id):  # a start may be on its way
                pass
        current = self.books.containers.get(container.id)
        if current is not None and current.stage == "running":
            await containers.stop(self.books, current, timeout)

    async def remove_container(self, container_id: str) -> None:
        try:
            container = self.books.container(container_id)
        except cri.Error:
            return
        await self._remove(container)

    async def _remove(self, container: Container) -> None:
        books = self.books
        await self._stop(container, 0)
        async with books.lock(container.id):
            if container.id not in books.containers:
                return
            cleanup = books.cleanups.get(container.id)
            if cleanup is not None:
                await asyncio.shield(cleanup)
            await books.in_thread(containers.erase, books, container)
            books.containers.pop(container.id, None)
            books.exits.pop(container.id, None)
        books.forget(container.id)
        if not container.hidden:
            self._event(container.id, cri.ContainerEventType.CONTAINER_DELETED_EVENT, container.sandbox_id)

    async def list_containers(self, filter: cri.ContainerFilter | None = None) -> list[cri.Container]:
        wanted = filter or cri.ContainerFilter()
        return [
            containers.listed(c)
            for c in self.books.containers.values()
            if not c.hidden
            and c.id.startswith(wanted.id)
            and (wanted.state is None or c.state == wanted.state)
            and c.sandbox_id.startswith(wanted.pod_sandbox_id)
            and _labelled(c.config.labels, wanted.label_selector)
        ]

    async def container_status(self, container_id: str) -> cri.ContainerStatus:
        return containers.status(self.books.container(container_id))

    async def update_container_resources(self, container_id: str, linux: cri.LinuxContainerResources) -> None:
        container = self.books.container(container_id)
        if container.stage == "exited":
            raise cri.Error("FailedPrecondition", f"container {container.id[:12]!r} has exited")
        before = container.resources or container.config.linux.resources
        merged = before._replace(**{k: v for k, v in linux._asdict().items() if v})
        if container.stage == "created":
            await self.books.in_thread(containers.rewrite_resources, self.books, container, merged)
        else:
            try:
                await self.books.in_thread(self.books.cgroups.update, container.cgroup, limits(linux))
            except OSError as error:
                raise cri.Error(
                    "Unknown", f"resources of container {container.id[:12]!r}: {error}"
                ) from error
        self.books.put_container(self.books.containers[container.id]._replace(resources=merged))

    async def reopen_container_log(self, container_id: str) -> None:
        container = self._running(container_id)
        await self.books.link.request("reopen", cid=container.id)

    # -- sessions

    async def exec_sync(
        self, container_id: str, cmd: tuple[str, ...], timeout: float = 0
    ) -> cri.ExecSyncResponse:
        return await sessions.exec_sync(self.books, self._running(container_id), cmd, timeout)

    async def exec(
        self,
        container_id: str,
        cmd: tuple[str, ...],
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> cri.ExecSession:
        wanted = sessions.Wanted(tty, stdin, stdout, stderr)
        return await sessions.execute(self.books, self._running(container_id), cmd, wanted)

    async def attach(
        self,
        container_id: str,
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> cri.ExecSession:
        wanted = sessions.Wanted(tty, stdin, stdout, stderr)
        return await sessions.attach(self.books, self._running(container_id), wanted)

    async def port_forward(self, pod_sandbox_id: str, port: int) -> cri.ByteStream:
        return await sessions.port_forward(self.books, self.books.sandbox(pod_sandbox_id), port)

    def _running(self, container_id: str) -> Container:
        container = self.books.container(container_id)
        if container.stage != "running":
            raise cri.Error("FailedPrecondition", f"container {container.id[:12]!r} is not running")
        return container

    # -- statistics and events

    async def container_stats(self, container_id: str) -> cri.ContainerStats:
        found: cri.ContainerStats = await self.books.in_thread(
            stats.container, self.books, self.books.container(container_id)
        )
        return found

    async def list_container_stats(
        self, filter: cri.ContainerStatsFilter | None = None
    ) -> list[cri.ContainerStats]:
        wanted = filter or cri.ContainerStatsFilter()
        chosen = [
            c
            for c in list(self.books.containers.values())
            if not c.hidden
            and c.stage == "running"
            and c.id.startswith(wanted.id)
            and c.sandbox_id.startswith(wanted.pod_sandbox_id)
            and _labelled(c.config.labels, wanted.label_selector)
        ]
        found: list[cri.ContainerStats] = await self.books.in_thread(
            lambda: [stats.container(self.books, c) for c in chosen]
        )
        return found

    async def pod_sandbox_stats(self, pod_sandbox_id: str) -> cri.PodSandboxStats:
        found: cri.PodSandboxStats = await self.books.in_thread(
            stats.sandbox, self.books, self.books.sandbox(pod_sandbox_id)
        )
        return found

    async def list_pod_sandbox_stats(
        self, filter: cri.PodSandboxStatsFilter | None = None
    ) -> list[cri.PodSandboxStats]:
        wanted = filter or cri.PodSandboxStatsFilter()
        chosen = [
            s
            for s in list(self.books.sandboxes.values())
            if s.id.startswith(wanted.id) and _labelled(s.config.labels, wanted.label_selector)
        ]
        found: list[cri.PodSandboxStats] = await self.books.in_thread(
            lambda: [stats.sandbox(self.books, s) for s in chosen]
        )
        return found

    def events(self) -> AsyncIterator[cri.ContainerEventResponse]:
        return self.books.broadcast.listen()

    def _event(self, container_id: str, kind: cri.ContainerEventType, sandbox_id: str) -> None:
        if not self.books.broadcast.heard:
            return
        sandbox = self.books.sandboxes.get(sandbox_id)
        members = self.books.members(sandbox_id, hidden=False)
        self.books.broadcast.send(
            cri.ContainerEventResponse(
                container_id,
                kind,
                self.books.clock(),
                sandboxes.status(sandbox) if sandbox is not None else None,
                tuple(containers.status(member) for member in members),
            )
        )

    # -- the monitor's side

    def on_monitor(self, message: dict[str, Any]) -> None:
        """Events of the monitor."""
        if message["event"] == "exit":
            container = self.books.containers.get(message["cid"])
            if container is not None:
                self.exited(container, Exit(**message["exited"]))
        elif message["event"] == "exec":
            sessions.ended(self.books, message["pid"], message["code"])
        elif message["event"] == "lost":
            sessions.lost(self.books)

    def on_monitor_back(self) -> None:
        """The monitor was started again: it may know of exits that we were not told."""
        self._resync = asyncio.get_running_loop().create_task(
            recovery.resync(self.books, self.exited), name="runtime: resync with the monitor"
        )

    def exited(self, container: Container, exit_: Exit) -> None:
        started = container.stage == "running"
        containers.ended(self.books, container, exit_)
        kind = cri.ContainerEventType.CONTAINER_STOPPED_EVENT
        if started and not container.hidden:
            self._event(container.id, kind, container.sandbox_id)
        sandbox = self.books.sandboxes.get(container.sandbox_id)
        if container.hidden and sandbox is not None and sandbox.state == cri.PodSandboxState.SANDBOX_READY:
            # The shared pid namespace went with its first process, and everything in it.
            self.books.put_sandbox(sandbox._replace(state=cri.PodSandboxState.SANDBOX_NOTREADY))
            self._event(sandbox.id, kind, sandbox.id)

    async def close(self) -> None:
        """Lets go of everything in this process; sandboxes and containers stay."""
        await asyncio.gather(*self.books.cleanups.values(), return_exceptions=True)
        await self.books.link.close()
        self.books.close()

    @contextlib.contextmanager
    def _reserved(self, name: object) -> Iterator[None]:
        """Two calls at the same time may not make the same thing."""
        if name in self._names:
            raise cri.Error("AlreadyExists", f"{name} is being created")
        self._names.add(name)
        try:
            yield
        finally:
            self._names.discard(name)


def _labelled(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())
