"""The two services of CRI v1 as Protocols, and the sessions that stand for its streaming URLs.

Every call may raise `errors.Error`. As in the proto, stopping or removing what is already stopped or gone
succeeds, and asking for the status of what does not exist is NotFound.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from sampan.spec.cri.config import (
    AuthConfig,
    ContainerConfig,
    ImageSpec,
    LinuxContainerResources,
    PodSandboxConfig,
)
from sampan.spec.cri.status import (
    Container,
    ContainerEventResponse,
    ContainerFilter,
    ContainerStats,
    ContainerStatsFilter,
    ContainerStatus,
    ExecSyncResponse,
    Image,
    ImageFilter,
    ImageFsInfoResponse,
    PodSandbox,
    PodSandboxFilter,
    PodSandboxStats,
    PodSandboxStatsFilter,
    PodSandboxStatus,
    RuntimeConfigResponse,
    StatusResponse,
    VersionResponse,
)

STDOUT = 1
STDERR = 2


class Chunk(NamedTuple):
    """Bytes of a session's output; `channel` is STDOUT or STDERR (a terminal has STDOUT only)."""

    channel: int
    data: bytes


class ExecSession(Protocol):
    """A process in a container (exec) or the container's own stdio (attach), with back-pressure both ways."""

    async def write_stdin(self, data: bytes) -> None:
        """Raises Error FailedPrecondition when the session was opened without stdin; a reader that left is ignored."""

    async def close_stdin(self) -> None:
        """Half-close: the process reads end of file, output goes on."""

    def output(self) -> AsyncIterator[Chunk]:
        """Ends when the process closed its output (exec) or exited (attach). To be iterated once."""

    async def resize(self, width: int, height: int) -> None:
        """Columns and rows of the terminal; without a terminal nothing happens."""

    async def wait(self) -> int:
        """The exit code (128 plus the signal's number when killed)."""

    async def close(self) -> None:
        """Ends the session: an exec'd process that still runs is killed, an attached container is left alone."""


class ByteStream(Protocol):
    """A TCP connection to a port inside a sandbox."""

    async def read(self, limit: int = 65536) -> bytes:
        """At least one byte, or b"" at the end."""

    async def write(self, data: bytes) -> None: ...

    async def close_write(self) -> None:
        """Half-close."""

    async def close(self) -> None: ...


class Runtime(Protocol):
    """RuntimeService."""

    async def version(self) -> VersionResponse: ...

    async def status(self) -> StatusResponse: ...

    async def runtime_config(self) -> RuntimeConfigResponse: ...

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str:
        """Returns the sandbox's id once its namespaces and its network exist.

        AlreadyExists when a sandbox with the same metadata exists; nothing is left behind by a failure.
        """

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        """Kills what runs in it and takes its network away."""

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        """Removes its containers too, by force."""

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus: ...

    async def list_pod_sandbox(self, filter: PodSandboxFilter | None = None) -> list[PodSandbox]: ...

    async def create_container(
        self, pod_sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
    ) -> str:
        """Returns the container's id. NotFound when the image is not present."""

    async def start_container(self, container_id: str) -> None: ...

    async def stop_container(self, container_id: str, timeout: float = 0) -> None:
        """The stop signal, then SIGKILL after `timeout` seconds; returns when it is gone."""

    async def remove_container(self, container_id: str) -> None:
        """A running container is killed first."""

    async def list_containers(self, filter: ContainerFilter | None = None) -> list[Container]: ...

    async def container_status(self, container_id: str) -> ContainerStatus: ...

    async def update_container_resources(self, container_id: str, linux: LinuxContainerResources) -> None:
        """Unset (zero) fields keep what they have."""

    async def reopen_container_log(self, container_id: str) -> None:
        """After the caller renamed the file. FailedPrecondition when the container does not run."""

    async def exec_sync(
        self, container_id: str, cmd: tuple[str, ...], timeout: float = 0
    ) -> ExecSyncResponse:
        """`timeout` in seconds, 0 for none; then the process is killed and DeadlineExceeded raised.

        Each output is cut at 16 MiB, as containerd does.
        """

    async def exec(
        self,
        container_id: str,
        cmd: tuple[str, ...],
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> ExecSession: ...

    async def attach(
        self,
        container_id: str,
        *,
        tty: bool = False,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
    ) -> ExecSession: ...

    async def port_forward(self, pod_sandbox_id: str, port: int) -> ByteStream:
        """Connects to localhost:`port` inside the sandbox; Unavailable when nobody listens."""

    async def container_stats(self, container_id: str) -> ContainerStats: ...

    async def list_container_stats(
        self, filter: ContainerStatsFilter | None = None
    ) -> list[ContainerStats]: ...

    async def pod_sandbox_stats(self, pod_sandbox_id: str) -> PodSandboxStats: ...

    async def list_pod_sandbox_stats(
        self, filter: PodSandboxStatsFilter | None = None
    ) -> list[PodSandboxStats]: ...

    def events(self) -> AsyncIterator[ContainerEventResponse]:
        """GetContainerEvents: everything from this call on; several callers may listen.

        A listener that falls far behind ends with Error ResourceExhausted and has to list again.
        """


class Images(Protocol):
    """ImageService."""

    async def list_images(self, filter: ImageFilter | None = None) -> list[Image]: ...

    async def image_status(self, image: ImageSpec) -> Image | None:
        """None when it is not present; `image` may be a reference, an id or a unique prefix of an id."""

    async def pull_image(
        self,
        image: ImageSpec,
        auth: AuthConfig | None = None,
        sandbox_config: PodSandboxConfig | None = None,
    ) -> str:
        """Returns the image's reference to be put into ContainerConfig (its id)."""

    async def remove_image(self, image: ImageSpec) -> None:
        """What is not present is removed already."""

    async def image_fs_info(self) -> ImageFsInfoResponse: ...
