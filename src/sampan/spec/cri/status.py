"""What a runtime answers: the response messages and filters of CRI v1, as values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from sampan.spec.cri.config import (
    ContainerMetadata,
    ImageSpec,
    LinuxContainerResources,
    Mount,
    NamespaceOption,
    PodSandboxMetadata,
)


class PodSandboxState(IntEnum):
    SANDBOX_READY = 0
    SANDBOX_NOTREADY = 1


class ContainerState(IntEnum):
    CONTAINER_CREATED = 0
    CONTAINER_RUNNING = 1
    CONTAINER_EXITED = 2
    CONTAINER_UNKNOWN = 3


class ContainerEventType(IntEnum):
    CONTAINER_CREATED_EVENT = 0
    CONTAINER_STARTED_EVENT = 1
    CONTAINER_STOPPED_EVENT = 2
    CONTAINER_DELETED_EVENT = 3


class CgroupDriver(IntEnum):
    SYSTEMD = 0
    CGROUPFS = 1


class VersionResponse(NamedTuple):
    version: str
    runtime_name: str
    runtime_version: str
    runtime_api_version: str


class RuntimeCondition(NamedTuple):
    """`type` is RuntimeReady or NetworkReady."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


class StatusResponse(NamedTuple):
    conditions: tuple[RuntimeCondition, ...]
    info: Mapping[str, str] = {}


class RuntimeConfigResponse(NamedTuple):
    cgroup_driver: CgroupDriver = CgroupDriver.CGROUPFS


class PodSandboxNetworkStatus(NamedTuple):
    """`ip` is "" for a sandbox in the node's network namespace."""

    ip: str = ""
    additional_ips: tuple[str, ...] = ()


class PodSandbox(NamedTuple):
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    runtime_handler: str = ""


class PodSandboxFilter(NamedTuple):
    """Empty fields match all; `id` may be a unique prefix; labels must all be equal."""

    id: str = ""
    state: PodSandboxState | None = None
    label_selector: Mapping[str, str] = {}


class PodSandboxStatus(NamedTuple):
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    network: PodSandboxNetworkStatus = PodSandboxNetworkStatus()
    namespaces: NamespaceOption = NamespaceOption()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    runtime_handler: str = ""


class Container(NamedTuple):
    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    image: ImageSpec
    image_ref: str
    state: ContainerState
    created_at: int
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    image_id: str = ""


class ContainerFilter(NamedTuple):
    id: str = ""
    state: ContainerState | None = None
    pod_sandbox_id: str = ""
    label_selector: Mapping[str, str] = {}


class LinuxContainerUser(NamedTuple):
    uid: int
    gid: int
    supplemental_groups: tuple[int, ...] = ()


class ContainerStatus(NamedTuple):
    """`reason` is Completed, Error, OOMKilled, StartError or ContainerStatusUnknown once the container exited.

    exit_code is 128 plus the signal's number for a killed process, and 255 when it is not known.
    """

    id: str
    metadata: ContainerMetadata
    state: ContainerState
    created_at: int
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    image: ImageSpec = ImageSpec("")
    image_ref: str = ""
    reason: str = ""
    message: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    log_path: str = ""
    resources: LinuxContainerResources | None = None
    image_id: str = ""
    user: LinuxContainerUser | None = None
    stop_signal: str = ""


class ContainerEventResponse(NamedTuple):
    """One event. For an event of a sandbox itself `container_id` is the sandbox's id."""

    container_id: str
    container_event_type: ContainerEventType
    created_at: int
    pod_sandbox_status: PodSandboxStatus | None = None
    containers_statuses: tuple[ContainerStatus, ...] = ()


class ExecSyncResponse(NamedTuple):
    stdout: bytes
    stderr: bytes
    exit_code: int


class CpuUsage(NamedTuple):
    timestamp: int
    usage_core_nano_seconds: int
    usage_nano_cores: int | None = None


class MemoryUsage(NamedTuple):
    """Working set is usage less inactive page cache; available_bytes is None without a limit."""

    timestamp: int
    working_set_bytes: int
    available_bytes: int | None = None
    usage_bytes: int = 0
    rss_bytes: int = 0
    page_faults: int = 0
    major_page_faults: int = 0


class FilesystemUsage(NamedTuple):
    timestamp: int
    mountpoint: str
    used_bytes: int
    inodes_used: int


class ContainerAttributes(NamedTuple):
    id: str
    metadata: ContainerMetadata
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class ContainerStats(NamedTuple):
    """cpu and memory are None for a container that does not run."""

    attributes: ContainerAttributes
    cpu: CpuUsage | None = None
    memory: MemoryUsage | None = None
    writable_layer: FilesystemUsage | None = None


class ContainerStatsFilter(NamedTuple):
    id: str = ""
    pod_sandbox_id: str = ""
    label_selector: Mapping[str, str] = {}


class NetworkInterfaceUsage(NamedTuple):
    name: str
    rx_bytes: int
    rx_errors: int
    tx_bytes: int
    tx_errors: int


class NetworkUsage(NamedTuple):
    timestamp: int
    default_interface: NetworkInterfaceUsage | None = None
    interfaces: tuple[NetworkInterfaceUsage, ...] = ()


class PodSandboxAttributes(NamedTuple):
    id: str
    metadata: PodSandboxMetadata
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class PodSandboxStats(NamedTuple):
    """The proto's `linux` message is flattened into this one."""

    attributes: PodSandboxAttributes
    cpu: CpuUsage | None = None
    memory: MemoryUsage | None = None
    network: NetworkUsage | None = None
    process_count: int | None = None
    containers: tuple[ContainerStats, ...] = ()


class PodSandboxStatsFilter(NamedTuple):
    id: str = ""
    label_selector: Mapping[str, str] = {}


class Image(NamedTuple):
    """`id` is the digest of the image's configuration (sha256:...); uid and username are its USER."""

    id: str
    repo_tags: tuple[str, ...] = ()
    repo_digests: tuple[str, ...] = ()
    size: int = 0
    uid: int | None = None
    username: str = ""
    spec: ImageSpec | None = None
    pinned: bool = False


class ImageFilter(NamedTuple):
    image: ImageSpec | None = None


class ImageFsInfoResponse(NamedTuple):
    image_filesystems: tuple[FilesystemUsage, ...] = ()
    container_filesystems: tuple[FilesystemUsage, ...] = ()
