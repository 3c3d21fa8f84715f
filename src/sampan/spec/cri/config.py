"""What a caller asks of a runtime: the request messages of CRI v1, as values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Protocol(IntEnum):
    """Transport of a port mapping."""

    TCP = 0
    UDP = 1
    SCTP = 2


class MountPropagation(IntEnum):
    PROPAGATION_PRIVATE = 0
    PROPAGATION_HOST_TO_CONTAINER = 1
    PROPAGATION_BIDIRECTIONAL = 2


class NamespaceMode(IntEnum):
    POD = 0
    CONTAINER = 1
    NODE = 2
    TARGET = 3


class SupplementalGroupsPolicy(IntEnum):
    Merge = 0
    Strict = 1


class ProfileType(IntEnum):
    """SecurityProfile.ProfileType."""

    RuntimeDefault = 0
    Unconfined = 1
    Localhost = 2


class SecurityProfile(NamedTuple):
    """A seccomp or AppArmor choice; `localhost_ref` is an absolute path for seccomp, a profile's name for AppArmor."""

    profile_type: ProfileType = ProfileType.RuntimeDefault
    localhost_ref: str = ""


class DNSConfig(NamedTuple):
    """Lines of the resolv.conf that the runtime writes for the sandbox."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class PortMapping(NamedTuple):
    protocol: Protocol = Protocol.TCP
    container_port: int = 0
    host_port: int = 0
    host_ip: str = ""


class NamespaceOption(NamedTuple):
    """Which namespaces are the pod's, the container's own, the node's or a target container's.

    `pid` CONTAINER is Kubernetes' default; POD means shareProcessNamespace.
    """

    network: NamespaceMode = NamespaceMode.POD
    pid: NamespaceMode = NamespaceMode.CONTAINER
    ipc: NamespaceMode = NamespaceMode.POD
    target_id: str = ""


class PodSandboxMetadata(NamedTuple):
    name: str
    uid: str
    namespace: str
    attempt: int = 0


class LinuxContainerResources(NamedTuple):
    """Zero or "" means unset. cpu_period and cpu_quota are microseconds, cpu_shares is cgroup v1's weight (2-262144).

    memory_swap_limit_in_bytes counts memory plus swap; `unified` holds cgroup v2 files by name.
    """

    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_shares: int = 0
    memory_limit_in_bytes: int = 0
    oom_score_adj: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    hugepage_limits: tuple[tuple[str, int], ...] = ()
    unified: Mapping[str, str] = {}
    memory_swap_limit_in_bytes: int = 0


class LinuxSandboxSecurityContext(NamedTuple):
    namespace_options: NamespaceOption = NamespaceOption()
    run_as_user: int | None = None
    run_as_group: int | None = None
    readonly_rootfs: bool = False
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: SupplementalGroupsPolicy = SupplementalGroupsPolicy.Merge
    privileged: bool = False
    seccomp: SecurityProfile | None = None
    apparmor: SecurityProfile | None = None


class LinuxPodSandboxConfig(NamedTuple):
    """`cgroup_parent` is the pod's cgroup below each hierarchy's root, such as /kubepods/burstable/podUID."""

    cgroup_parent: str = ""
    security_context: LinuxSandboxSecurityContext = LinuxSandboxSecurityContext()
    sysctls: Mapping[str, str] = {}
    overhead: LinuxContainerResources | None = None
    resources: LinuxContainerResources | None = None


class PodSandboxConfig(NamedTuple):
    """`dns_config` None leaves the node's own resolv.conf; `log_directory` is absolute."""

    metadata: PodSandboxMetadata
    hostname: str = ""
    log_directory: str = ""
    dns_config: DNSConfig | None = None
    port_mappings: tuple[PortMapping, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    linux: LinuxPodSandboxConfig = LinuxPodSandboxConfig()


class KeyValue(NamedTuple):
    key: str
    value: str


class ImageSpec(NamedTuple):
    """`image` is a reference or an id as image_status returned it; `user_specified_image` is what the pod said."""

    image: str
    annotations: Mapping[str, str] = {}
    user_specified_image: str = ""
    runtime_handler: str = ""


class Mount(NamedTuple):
    """A bind mount of `host_path`, or of `image` (read-only, from `image_sub_path`) when that is set.

    `recursive_read_only` needs `readonly` and PROPAGATION_PRIVATE, as in the proto.
    """

    container_path: str
    host_path: str = ""
    readonly: bool = False
    propagation: MountPropagation = MountPropagation.PROPAGATION_PRIVATE
    recursive_read_only: bool = False
    image: ImageSpec | None = None
    image_sub_path: str = ""


class Device(NamedTuple):
    """`permissions` is cgroup's: some of r, w and m."""

    container_path: str
    host_path: str
    permissions: str = "rwm"


class Capability(NamedTuple):
    """Names with or without CAP_, in any case; ALL stands for every one."""

    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    add_ambient_capabilities: tuple[str, ...] = ()


class LinuxContainerSecurityContext(NamedTuple):
    """`masked_paths` and `readonly_paths` None take the runtime's defaults, () masks nothing (procMount Unmasked)."""

    capabilities: Capability | None = None
    privileged: bool = False
    namespace_options: NamespaceOption = NamespaceOption()
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_username: str = ""
    readonly_rootfs: bool = False
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: SupplementalGroupsPolicy = SupplementalGroupsPolicy.Merge
    no_new_privs: bool = False
    masked_paths: tuple[str, ...] | None = None
    readonly_paths: tuple[str, ...] | None = None
    seccomp: SecurityProfile | None = None
    apparmor: SecurityProfile | None = None


class LinuxContainerConfig(NamedTuple):
    resources: LinuxContainerResources = LinuxContainerResources()
    security_context: LinuxContainerSecurityContext = LinuxContainerSecurityContext()


class ContainerMetadata(NamedTuple):
    name: str
    attempt: int = 0


class ContainerConfig(NamedTuple):
    """`command` replaces the image's entrypoint, `args` its cmd; `log_path` is relative to the log_directory."""

    metadata: ContainerMetadata
    image: ImageSpec
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    envs: tuple[KeyValue, ...] = ()
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    log_path: str = ""
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    linux: LinuxContainerConfig = LinuxContainerConfig()
    stop_signal: str = ""


class AuthConfig(NamedTuple):
    """Credentials of one pull; `auth` is base64 of user:password, `registry_token` a ready bearer token."""

    username: str = ""
    password: str = ""
    auth: str = ""
    server_address: str = ""
    identity_token: str = ""
    registry_token: str = ""

    def __repr__(self) -> str:
        return f"AuthConfig(server_address={self.server_address!r}, ...)"
