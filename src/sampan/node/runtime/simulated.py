"""A runtime that runs nothing: pods become Running by the clock, without root, on any system.

What a container does is said by annotations of its pod (or of the container):

    simulated.sampan.dev/start-delay   seconds until a container has started (default 0)
    simulated.sampan.dev/exit-after    seconds after which it exits (default: never)
    simulated.sampan.dev/exit-code     with which code (default 0)
    simulated.sampan.dev/start-error   a message with which every start fails

The same calls at the same times give the same answers: ids, addresses and times come from counters and the clock
that is passed in. exec, attach and port-forward are refused by name.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import NoReturn

from sampan.node.runtime.broadcast import Broadcast
from sampan.spec import cri
from sampan.spec.oci import reference as refs

PREFIX = "simulated.sampan.dev/"
_KILLED = 137
_DAY = 86_400.0


class _Pod:
    __slots__ = ("address", "config", "containers", "created_at", "id", "ready")

    def __init__(self, pod_id: str, config: cri.PodSandboxConfig, address: int, now: int) -> None:
        self.id = pod_id
        self.config = config
        self.address = address
        self.created_at = now
        self.ready = True
        self.containers: tuple[_Container, ...] = ()


class _Container:
    __slots__ = (
        "code",
        "config",
        "created_at",
        "error",
        "finished_at",
        "id",
        "pod",
        "resources",
        "started_at",
        "timer",
    )

    def __init__(self, container_id: str, pod: _Pod, config: cri.ContainerConfig, now: int) -> None:
        self.id = container_id
        self.pod = pod
        self.config = config
        self.created_at = now
        self.started_at = 0
        self.finished_at = 0
        self.code = 0
        self.error = ""
        self.resources: cri.LinuxContainerResources | None = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> cri.ContainerState:
        if self.finished_at:
            return cri.ContainerState.CONTAINER_EXITED
        return (
            cri.ContainerState.CONTAINER_RUNNING if self.started_at else cri.ContainerState.CONTAINER_CREATED
        )


class SimulatedImages:
    """Every image exists and is pulled at once; its id is the digest of its name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    async def list_images(self, filter: cri.ImageFilter | None = None) -> list[cri.Image]:
        if filter is not None and filter.image is not None and filter.image.image:
            found = await self.image_status(filter.image)
            return [found] if found is not None else []
        return [self._image(image_id, name) for name, image_id in self._names.items()]

    async def image_status(self, image: cri.ImageSpec) -> cri.Image | None:
        for name, image_id in self._names.items():
            if image.image == image_id:
                return self._image(image_id, name)
        name = _canonical(image.image)
        return self._image(self._names[name], name) if name in self._names else None

    async def pull_image(
        self,
        image: cri.ImageSpec,
        auth: cri.AuthConfig | None = None,
        sandbox_config: cri.PodSandboxConfig | None = None,
    ) -> str:
        name = _canonical(image.image)
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._names.setdefault(name, f"sha256:{digest}")

    async def remove_image(self, image: cri.ImageSpec) -> None:
        found = await self.image_status(image)
        if found is not None:
            self._names = {name: image_id for name, image_id in self._names.items() if image_id != found.id}

    async def image_fs_info(self) -> cri.ImageFsInfoResponse:
        return cri.ImageFsInfoResponse()

    def _image(self, image_id: str, name: str) -> cri.Image:
        plain = name.partition("@")[0]
        tags = (plain,) if ":" in plain.rpartition("/")[2] else ()
        repository = plain.removesuffix(":" + plain.rpartition(":")[2]) if tags else plain
        return cri.Image(image_id, tags, (f"{repository}@{image_id}",), spec=cri.ImageSpec(image_id))


def _canonical(text: str) -> str:
    try:
        return str(refs.parse(text))
    except refs.InvalidReference as error:
        raise cri.Error("InvalidArgument", str(error), reason="InvalidImageName") from error


class Simulated(SimulatedImages):
    """Runtime and Images in one object.

    `pod_cidr` is where addresses come from; `node_name` keeps the ids of several nodes apart; `logs` writes a line
    per start.
    """

    def __init__(
        self,
        pod_cidr: str = "10.244.0.0/16",
        *,
        node_name: str = "",
        clock: Callable[[], int] = time.time_ns,
        logs: bool = True,
    ) -> None:
        network = ipaddress.ip_network(pod_cidr)
        super().__init__()
        self._kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        # The network itself and the first address, which is the gateway by custom, are not given out.
        self._next = int(network.network_address) + 2
        self._end = int(network.broadcast_address)
        self._freed: list[int] = []
        self._clock = clock
        self._logs = logs
        self._count = 0
        self._node = hashlib.sha256(node_name.encode()).hexdigest()[:48]
        self._pods: dict[str, _Pod] = {}
        self._metadata: set[cri.PodSandboxMetadata] = set()
        self._containers: dict[str, _Container] = {}
        self._broadcast = Broadcast()

    @property
    def images(self) -> SimulatedImages:
        return self

    async def version(self) -> cri.VersionResponse:
        return cri.VersionResponse("0.1.0", "simulated", "1", "v1")

    async def status(self) -> cri.StatusResponse:
        kinds = ("RuntimeReady", "NetworkReady")
        return cri.StatusResponse(tuple(cri.RuntimeCondition(kind, True) for kind in kinds))

    async def runtime_config(self) -> cri.RuntimeConfigResponse:
        return cri.RuntimeConfigResponse()

    async def close(self) -> None:
        for container in self._containers.values():
            if container.timer is not None:
                container.timer.cancel()

    # -- sandboxes

    async def run_pod_sandbox(self, config: cri.PodSandboxConfig, runtime_handler: str = "") -> str:
        if runtime_handler:
            raise cri.Error(
                "InvalidArgument", f"runtime handler {runtime_handler!r} is not known: expected none"
            )
        if config.metadata in self._metadata:
            raise cri.Error("AlreadyExists", f"sandbox {config.metadata} exists")
        host = config.linux.security_context.namespace_options.network == cri.NamespaceMode.NODE
        pod = _Pod(self._new_id(), config, 0 if host else self._address(), self._clock())
        self._pods[pod.id] = pod
        self._metadata.add(config.metadata)
        self._event(pod.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, pod)
        self._event(pod.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, pod)
        return pod.id

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        pod = self._pods.get(pod_sandbox_id)
        if pod is None:
            return
        for container in pod.containers:
            self._finish(container, _KILLED)
        if pod.ready:
            pod.ready = False
            if pod.address:
                self._freed.append(pod.address)
            self._event(pod.id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, pod)

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        pod = self._pods.get(pod_sandbox_id)
        if pod is None:
            return
        await self.stop_pod_sandbox(pod_sandbox_id)
        for container in pod.containers:
            await self.remove_container(container.id)
        self._pods.pop(pod_sandbox_id, None)
        self._metadata.discard(pod.config.metadata)
        self._event(pod.id, cri.ContainerEventType.CONTAINER_DELETED_EVENT, None)

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> cri.PodSandboxStatus:
        return self._pod_status(self._pod(pod_sandbox_id))

    async def list_pod_sandbox(self, filter: cri.PodSandboxFilter | None = None) -> list[cri.PodSandbox]:
        wanted = filter or cri.PodSandboxFilter()
        return [
            cri.PodSandbox(
                p.id, p.config.metadata, _pod_state(p), p.created_at, p.config.labels, p.config.annotations
            )
            for p in self._pods.values()
            if p.id.startswith(wanted.id)
            and (wanted.state is None or _pod_state(p) == wanted.state)
            and _labelled(p.config.labels, wanted.label_selector)
        ]

    # -- containers

    async def create_container(
        self, pod_sandbox_id: str, config: cri.ContainerConfig, sandbox_config: cri.PodSandboxConfig
    ) -> str:
        pod = self._pod(pod_sandbox_id)
        if not pod.ready:
            raise cri.Error("FailedPrecondition", f"sandbox {pod.config.metadata.name!r} is not ready")
        if any(container.config.metadata == config.metadata for container in pod.containers):
            raise cri.Error("AlreadyExists", f"container {config.metadata} exists")
        if await self.image_status(config.image) is None:
            raise cri.Error("NotFound", f"image {config.image.image!r} is not present")
        container = _Container(self._new_id(), pod, config, self._clock())
        self._said(container, "start-delay")
        self._said(container, "exit-after")
        pod.containers += (container,)
        self._containers[container.id] = container
        self._event(container.id, cri.ContainerEventType.CONTAINER_CREATED_EVENT, pod)
        return container.id

    async def start_container(self, container_id: str) -> None:
        container = self._container(container_id)
        if container.state != cri.ContainerState.CONTAINER_CREATED:
            raise cri.Error("FailedPrecondition", f"container {container_id!r} was started already")
        if delay := self._said(container, "start-delay"):
            await asyncio.sleep(delay)
        if container.state != cri.ContainerState.CONTAINER_CREATED or container.id not in self._containers:
            raise cri.Error("FailedPrecondition", f"container {container_id!r} was stopped before it started")
        if error := self._annotation(container, "start-error"):
            container.error = error
            self._finish(container, 128)
            raise cri.Error(
                "Unknown", f"failed to start container {container.config.metadata.name!r}: {error}"
            )
        container.started_at = self._clock()
        self._log(container)
        self._event(container.id, cri.ContainerEventType.CONTAINER_STARTED_EVENT, container.pod)
        after = self._said(container, "exit-after")
        if after is not None:
            code = int(self._annotation(container, "exit-code") or 0)
            loop = asyncio.get_running_loop()
            container.timer = loop.call_later(min(after, _DAY), self._finish, container, code)

    async def stop_container(self, container_id: str, timeout: float = 0) -> None:
        container = self._containers.get(container_id)
        if container is not None and container.started_at:
            self._finish(container, _KILLED)

    async def remove_container(self, container_id: str) -> None:
        container = self._containers.get(container_id)
        if container is None:
            return
        self._finish(container, _KILLED)
        del self._containers[container_id]
        pod = container.pod
        pod.containers = tuple(other for other in pod.containers if other is not container)
        self._event(container_id, cri.ContainerEventType.CONTAINER_DELETED_EVENT, pod)

    async def list_containers(self, filter: cri.ContainerFilter | None = None) -> list[cri.Container]:
        wanted = filter or cri.ContainerFilter()
        found = []
        for c in self._containers.values():
            if (
                c.id.startswith(wanted.id)
                and (wanted.state is None or c.state == wanted.state)
                and c.pod.id.startswith(wanted.pod_sandbox_id)
                and _labelled(c.config.labels, wanted.label_selector)
            ):
                image = await self._image_id(c)
                listed = cri.Container(
                    c.id, c.pod.id, c.config.metadata, c.config.image, image, c.state, c.created_at
                )
                found.append(
                    listed._replace(labels=c.config.labels, annotations=c.config.annotations, image_id=image)
                )
        return found

    async def container_status(self, container_id: str) -> cri.ContainerStatus:
        container = self._container(container_id)
        image = await self._image_id(container)
        return self._status(container)._replace(image_ref=image, image_id=image)

    async def update_container_resources(self, container_id: str, linux: cri.LinuxContainerResources) -> None:
        container = self._container(container_id)
        before = container.resources or container.config.linux.resources
        container.resources = before._replace(**{k: v for k, v in linux._asdict().items() if v})

    async def reopen_container_log(self, container_id: str) -> None:
        container = self._container(container_id)
        if container.state != cri.ContainerState.CONTAINER_RUNNING:
            raise cri.Error("FailedPrecondition", f"container {container_id!r} is not running")

    # -- what needs a process

    async def exec_sync(
        self, container_id: str, cmd: tuple[str, ...], timeout: float = 0
    ) -> cri.ExecSyncResponse:
        self._refuse(container_id, "exec")

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
        self._refuse(container_id, "exec")

    async def attach(
        self,
        container_id: str,
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> cri.ExecSession:
        self._refuse(container_id, "attach")

    async def port_forward(self, pod_sandbox_id: str, port: int) -> cri.ByteStream:
        self._pod(pod_sandbox_id)
        raise cri.Error("Unimplemented", f"port-forward to {port}: the pod is simulated, nobody listens")

    def _refuse(self, container_id: str, what: str) -> NoReturn:
        name = self._container(container_id).config.metadata.name
        raise cri.Error(
            "Unimplemented", f"{what} in container {name!r}: it is simulated and has no processes"
        )

    # -- statistics and events

    async def container_stats(self, container_id: str) -> cri.ContainerStats:
        return self._stats(self._container(container_id))

    async def list_container_stats(
        self, filter: cri.ContainerStatsFilter | None = None
    ) -> list[cri.ContainerStats]:
        wanted = filter or cri.ContainerStatsFilter()
        return [
            self._stats(c)
            for c in self._containers.values()
            if c.state == cri.ContainerState.CONTAINER_RUNNING
            and c.id.startswith(wanted.id)
            and c.pod.id.startswith(wanted.pod_sandbox_id)
            and _labelled(c.config.labels, wanted.label_selector)
        ]

    async def pod_sandbox_stats(self, pod_sandbox_id: str) -> cri.PodSandboxStats:
        return self._pod_stats(self._pod(pod_sandbox_id))

    async def list_pod_sandbox_stats(
        self, filter: cri.PodSandboxStatsFilter | None = None
    ) -> list[cri.PodSandboxStats]:
        wanted = filter or cri.PodSandboxStatsFilter()
        return [
            self._pod_stats(pod)
            for pod in self._pods.values()
            if pod.id.startswith(wanted.id) and _labelled(pod.config.labels, wanted.label_selector)
        ]

    def events(self) -> AsyncIterator[cri.ContainerEventResponse]:
        return self._broadcast.listen()

    # -- inside

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._node}{self._count:016x}"

    def _address(self) -> int:
        if self._next < self._end:
            self._next += 1
            return self._next - 1
        if not self._freed:
            raise cri.Error("ResourceExhausted", "no address is left in the pod range")
        return self._freed.pop(0)

    def _pod(self, pod_id: str) -> _Pod:
        if pod_id not in self._pods:
            raise cri.Error("NotFound", f"sandbox {pod_id!r} not found")
        return self._pods[pod_id]

    def _container(self, container_id: str) -> _Container:
        if container_id not in self._containers:
            raise cri.Error("NotFound", f"container {container_id!r} not found")
        return self._containers[container_id]

    async def _image_id(self, container: _Container) -> str:
        found = await self.image_status(container.config.image)
        return found.id if found is not None else ""

    def _annotation(self, container: _Container, name: str) -> str:
        key = PREFIX + name
        return container.config.annotations.get(key) or container.pod.config.annotations.get(key, "")

    def _said(self, container: _Container, name: str) -> float | None:
        """Seconds from an annotation."""
        text = self._annotation(container, name)
        try:
            return float(text) if text else None
        except ValueError:
            raise cri.Error(
                "InvalidArgument", f"annotation {PREFIX + name}={text!r}: expected seconds"
            ) from None

    def _finish(self, container: _Container, code: int) -> None:
        if container.timer is not None:
            container.timer.cancel()
            container.timer = None
        if container.finished_at:
            return
        container.finished_at, container.code = self._clock(), code
        self._event(container.id, cri.ContainerEventType.CONTAINER_STOPPED_EVENT, container.pod)

    def _log(self, container: _Container) -> None:
        directory, name = container.pod.config.log_directory, container.config.log_path
        if not (self._logs and directory and name):
            return
        path = Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds, rest = divmod(container.started_at, 1_000_000_000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"
        with path.open("a") as file:
            file.write(f"{stamp} stdout F simulated container {container.config.metadata.name} has started\n")

    def _status(self, c: _Container) -> cri.ContainerStatus:
        reason = ""
        if c.finished_at:
            reason = "StartError" if c.error else "Completed" if c.code == 0 else "Error"
        return cri.ContainerStatus(
            c.id,
            c.config.metadata,
            c.state,
            c.created_at,
            c.started_at,
            c.finished_at,
            c.code,
            c.config.image,
            reason=reason,
            message=c.error,
            labels=c.config.labels,
            annotations=c.config.annotations,
            mounts=c.config.mounts,
            log_path=f"{c.pod.config.log_directory}/{c.config.log_path}" if c.config.log_path else "",
            resources=c.resources or c.config.linux.resources,
        )

    def _pod_status(self, pod: _Pod) -> cri.PodSandboxStatus:
        ip = str(self._kind(pod.address)) if pod.address else ""
        return cri.PodSandboxStatus(
            pod.id,
            pod.config.metadata,
            _pod_state(pod),
            pod.created_at,
            cri.PodSandboxNetworkStatus(ip),
            pod.config.linux.security_context.namespace_options,
            pod.config.labels,
            pod.config.annotations,
        )

    def _stats(self, c: _Container) -> cri.ContainerStats:
        now = self._clock()
        attributes = cri.ContainerAttributes(c.id, c.config.metadata, c.config.labels, c.config.annotations)
        return cri.ContainerStats(attributes, cri.CpuUsage(now, 0), cri.MemoryUsage(now, 0))

    def _pod_stats(self, pod: _Pod) -> cri.PodSandboxStats:
        now = self._clock()
        config = pod.config
        return cri.PodSandboxStats(
            cri.PodSandboxAttributes(pod.id, config.metadata, config.labels, config.annotations),
            cri.CpuUsage(now, 0),
            cri.MemoryUsage(now, 0),
            containers=tuple(self._stats(container) for container in pod.containers if container.started_at),
        )

    def _event(self, container_id: str, kind: cri.ContainerEventType, pod: _Pod | None) -> None:
        if not self._broadcast.heard:
            return
        status = self._pod_status(pod) if pod is not None else None
        statuses = tuple(self._status(container) for container in pod.containers) if pod is not None else ()
        self._broadcast.send(cri.ContainerEventResponse(container_id, kind, self._clock(), status, statuses))


def _pod_state(pod: _Pod) -> cri.PodSandboxState:
    return cri.PodSandboxState.SANDBOX_READY if pod.ready else cri.PodSandboxState.SANDBOX_NOTREADY


def _labelled(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


async def open(node_name: str = "", pod_cidr: str = "10.244.0.0/16") -> Simulated:
    """Nothing is started and nothing is kept: with the process all its pods are gone."""
    return Simulated(pod_cidr, node_name=node_name)
