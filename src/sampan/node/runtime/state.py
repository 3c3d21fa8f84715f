"""Sandboxes and containers as the runtime keeps them, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import orjson

from sampan.node.runtime import codec
from sampan.node.runtime.config import VERSION, Config
from sampan.spec import cni, cri


class Sandbox(NamedTuple):
    """`boot` is the kernel's boot id: what another boot made is gone. `pause` is the pid that holds the pid namespace."""

    id: str
    config: cri.PodSandboxConfig
    created_at: int
    boot: str
    state: cri.PodSandboxState = cri.PodSandboxState.SANDBOX_READY
    ips: tuple[str, ...] = ()
    runtime_handler: str = ""
    attached: bool = False
    pause: str = ""

    @property
    def network(self) -> cri.NamespaceMode:
        return self.config.linux.security_context.namespace_options.network

    @property
    def name(self) -> str:
        return f"{self.config.metadata.namespace}/{self.config.metadata.name}"


class Exit(NamedTuple):
    """The monitor's exit object."""

    code: int
    signal: int = 0
    oom: bool = False
    at: int = 0
    known: bool = True


class Container(NamedTuple):
    """`stage` is created, running or exited; `error` is why it could not be started."""

    id: str
    sandbox_id: str
    config: cri.ContainerConfig
    image_id: str
    image_ref: str
    log_path: str
    created_at: int
    boot: str
    cgroup: str
    user: cri.LinuxContainerUser
    stage: str = "created"
    pid: int = 0
    started_at: int = 0
    exit: Exit | None = None
    error: str = ""
    resources: cri.LinuxContainerResources | None = None
    stop_signal: str = ""
    hidden: bool = False

    @property
    def state(self) -> cri.ContainerState:
        if self.stage == "created":
            return cri.ContainerState.CONTAINER_CREATED
        if self.stage == "running":
            return cri.ContainerState.CONTAINER_RUNNING
        return cri.ContainerState.CONTAINER_EXITED


def attachment(sandbox: Sandbox, netns: Path) -> cni.Attachment:
    """What the network is asked for; the K8S_ arguments are those that every runtime passes."""
    metadata = sandbox.config.metadata
    return cni.Attachment(
        sandbox.id,
        str(netns),
        args={
            "IgnoreUnknown": "1",
            "K8S_POD_NAMESPACE": metadata.namespace,
            "K8S_POD_NAME": metadata.name,
            "K8S_POD_INFRA_CONTAINER_ID": sandbox.id,
            "K8S_POD_UID": metadata.uid,
        },
        port_mappings=tuple(
            cni.PortMapping(port.host_port, port.container_port, port.protocol.name.lower(), port.host_ip)
            for port in sandbox.config.port_mappings
            if port.host_port
        ),
    )


def save(path: Path, value: Sandbox | Container) -> None:
    """Atomic for other processes; not synced, since what a crash of the machine loses is gone with it anyway."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(codec.to_json(value)))
    fresh.replace(path)


def load_exit(path: Path) -> Exit | None:
    try:
        return codec.from_json(Exit, orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None


def load_sandboxes(config: Config) -> list[Sandbox]:
    files = sorted((config.root / "sandboxes").glob("*.json"))
    return [codec.from_json(Sandbox, orjson.loads(path.read_bytes())) for path in files]


def load_containers(config: Config) -> list[Container]:
    files = sorted((config.root / "containers").glob("*.json"))
    return [codec.from_json(Container, orjson.loads(path.read_bytes())) for path in files]


def check_version(config: Config) -> None:
    """Writes the version into an empty root. Raises cri.Error FailedPrecondition for a layout of another one."""
    path = config.root / "version"
    if not path.exists():
        path.write_text(VERSION + "\n")
    found = path.read_text().strip()
    if found != VERSION:
        raise cri.Error(
            "FailedPrecondition", f"layout version {found!r} in {str(path)!r}: expected {VERSION!r}"
        )


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
