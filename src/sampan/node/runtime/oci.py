"""The OCI runtime configuration (runtime-spec 1.1 config.json) of a container: one pure function, `oci_config`.

Defaults are containerd's (pkg/oci/spec.go, internal/cri/server/container_create_linux.go, v2): capabilities,
mounts, masked and read-only paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sampan.base.linux import capabilities, seccomp
from sampan.node.runtime.users import User
from sampan.spec import cri
from sampan.spec.oci.image import ImageConfig

Json = dict[str, Any]

DEFAULT_CAPABILITIES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)
MASKED_PATHS = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_SHM = "/dev/shm"  # noqa: S108 - the mount point, no file of ours
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROPAGATION = {
    cri.MountPropagation.PROPAGATION_PRIVATE: "rprivate",
    cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER: "rslave",
    cri.MountPropagation.PROPAGATION_BIDIRECTIONAL: "rshared",
}


class HostDevice(NamedTuple):
    """A device node: `kind` is c or b, `access` cgroup's r, w and m."""

    path: str
    kind: str
    major: int
    minor: int
    mode: int
    uid: int
    gid: int
    access: str = "rwm"


class Facts(NamedTuple):
    """What the machine and this process can do; read once."""

    machine: str
    capabilities: tuple[str, ...]
    cgroup_version: int
    oom_score_adj: int
    nofile: tuple[int, int]
    can_lower_oom: bool = True
    apparmor: bool = False


class Place(NamedTuple):
    """Where this container's things are. `namespaces` maps net, ipc, uts and pid to a file to join.

    A kind that is missing there is the host's, but pid: "" makes a new one. `layers` are bind mounts that belong
    to the image.
    """

    rootfs: str
    cgroup: str
    namespaces: Mapping[str, str]
    shm: str
    resolv_conf: str
    hostname_file: str
    hostname: str
    layers: tuple[Json, ...] = ()


def arguments(config: cri.ContainerConfig, image: ImageConfig) -> tuple[str, ...]:
    """Kubernetes' table: command replaces entrypoint and drops cmd, args replaces cmd. May be empty."""
    if config.command:
        return config.command + config.args
    return image.entrypoint + (config.args or image.cmd)


def environment(config: cri.ContainerConfig, image: ImageConfig, hostname: str, home: str) -> list[str]:
    """The image's variables, then the container's; PATH, HOSTNAME, HOME and TERM where nobody set them."""
    found: dict[str, str] = {"PATH": DEFAULT_PATH}
    if config.tty:
        found["TERM"] = "xterm"
    if hostname:
        found["HOSTNAME"] = hostname
    for entry in image.env:
        key, _, value = entry.partition("=")
        found[key] = value
    found.update((entry.key, entry.value) for entry in config.envs)
    found.setdefault("HOME", home)
    return [f"{key}={value}" for key, value in found.items()]


def capability_set(security: cri.LinuxContainerSecurityContext, held: tuple[str, ...]) -> tuple[str, ...]:
    """The bounding set. Raises cri.Error for a name Linux lacks, or one asked for that this process cannot give.

    ALL and privileged mean all that can be given.
    """
    if security.privileged:
        return held
    wanted = security.capabilities or cri.Capability()
    try:
        added = [_capability(name) for name in wanted.add_capabilities]
        dropped = [_capability(name) for name in wanted.drop_capabilities]
    except ValueError as error:
        raise cri.Error("InvalidArgument", str(error)) from error
    kept = set(held) if "ALL" in added else set(DEFAULT_CAPABILITIES) & set(held)
    if "ALL" in dropped:
        kept = set(held) if "ALL" in added else set()
    kept.difference_update(dropped)
    missing = [name for name in added if name != "ALL" and name not in held]
    if missing:
        raise cri.Error(
            "FailedPrecondition",
            f"capabilities {missing} cannot be added: the node agent does not hold them",
        )
    kept.update(name for name in added if name != "ALL")
    return tuple(name for name in capabilities.NAMES if name in kept)


def _capability(name: str) -> str:
    return "ALL" if name.upper() in ("ALL", "CAP_ALL") else capabilities.normalise(name)


def default_mounts(place: Place, facts: Facts, *, privileged: bool, host_ipc: bool) -> list[Json]:
    access = "rw" if privileged else "ro"
    secure = ["nosuid", "noexec", "nodev"]
    pts = [*secure[:2], "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    mounts = [
        _mount("/proc", "proc", "proc", secure),
        _mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount("/dev/pts", "devpts", "devpts", pts),
        _mount(_SHM, "bind", _SHM if host_ipc else place.shm, ["rbind", "rprivate", *secure, "rw"]),
        _mount("/dev/mqueue", "mqueue", "mqueue", secure),
        _mount("/sys", "sysfs", "sysfs", [*secure, access]),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", [*secure, "relatime", access]),
    ]
    files = (("/etc/hostname", place.hostname_file), ("/etc/resolv.conf", place.resolv_conf))
    for target, source in files:
        if source:
            mounts.append(_mount(target, "bind", source, ["rbind", "rprivate", "rw"]))
    return mounts


def _mount(target: str, kind: str, source: str, options: list[str]) -> Json:
    return {"destination": target, "type": kind, "source": source, "options": options}


def bind_mount(mount: cri.Mount) -> Json:
    """Raises cri.Error for combinations that the CRI forbids."""
    options = ["rbind", _PROPAGATION[mount.propagation]]
    if mount.recursive_read_only:
        if not mount.readonly or mount.propagation != cri.MountPropagation.PROPAGATION_PRIVATE:
            raise cri.Error(
                "InvalidArgument",
                f"mount {mount.container_path!r} is recursive read-only: expected readonly and private propagation",
            )
        options.append("rro")
    options.append("ro" if mount.readonly else "rw")
    return _mount(mount.container_path, "bind", mount.host_path, options)


def merge_mounts(defaults: list[Json], own: list[Json]) -> list[Json]:
    """A container's own mount replaces the default on the same path; parents come before children."""
    targets = {_clean(mount["destination"]) for mount in own}
    kept = [mount for mount in defaults if mount["destination"] not in targets]
    return kept + sorted(own, key=lambda mount: _clean(mount["destination"]).count("/"))


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def seccomp_config(kept: tuple[str, ...], machine: str) -> Json:
    """RuntimeDefault in the OCI's form."""
    calls = []
    for rule in seccomp.rules(kept, machine):
        call: Json = {
            "names": list(rule.names),
            "action": "SCMP_ACT_ERRNO" if rule.errno else "SCMP_ACT_ALLOW",
        }
        if rule.errno:
            call["errnoRet"] = rule.errno
        if rule.args:
            call["args"] = [
                {"index": a.position, "value": a.value, "valueTwo": a.value2, "op": f"SCMP_CMP_{a.op}"}
                for a in rule.args
            ]
        calls.append(call)
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": [f"SCMP_ARCH_{name}" for name in seccomp.ARCHITECTURES[machine]],
        "syscalls": calls,
    }


def resources(wanted: cri.LinuxContainerResources) -> Json:
    """The OCI's linux.resources without devices."""
    cpu: Json = {}
    for key, value in (
        ("shares", wanted.cpu_shares),
        ("quota", wanted.cpu_quota),
        ("period", wanted.cpu_period),
    ):
        if value:
            cpu[key] = value
    if wanted.cpuset_cpus:
        cpu["cpus"] = wanted.cpuset_cpus
    if wanted.cpuset_mems:
        cpu["mems"] = wanted.cpuset_mems
    memory: Json = {}
    if wanted.memory_limit_in_bytes:
        memory["limit"] = wanted.memory_limit_in_bytes
    if wanted.memory_swap_limit_in_bytes:
        memory["swap"] = wanted.memory_swap_limit_in_bytes
    found: Json = {}
    if cpu:
        found["cpu"] = cpu
    if memory:
        found["memory"] = memory
    if wanted.hugepage_limits:
        found["hugepageLimits"] = [
            {"pageSize": size, "limit": limit} for size, limit in wanted.hugepage_limits
        ]
    if wanted.unified:
        found["unified"] = dict(wanted.unified)
    return found


def oom_score(wanted: int, facts: Facts) -> int:
    """Without CAP_SYS_RESOURCE the kernel refuses to lower the score, and the whole start with it."""
    return wanted if facts.can_lower_oom else max(wanted, facts.oom_score_adj)


def oci_config(
    config: cri.ContainerConfig,
    image: ImageConfig,
    user: User,
    place: Place,
    facts: Facts,
    *,
    mounts: list[Json],
    devices: tuple[HostDevice, ...] = (),
    localhost_seccomp: Json | None = None,
) -> Json:
    """config.json. `mounts` are the container's own; `devices` its devices, for privileged all of the host's.

    Raises cri.Error for what cannot be given.
    """
    security = config.linux.security_context
    argv = arguments(config, image)
    if not argv:
        raise cri.Error(
            "InvalidArgument", f"container {config.metadata.name!r} has no command, nor has its image"
        )
    kept = capability_set(security, facts.capabilities)
    host_ipc = security.namespace_options.ipc == cri.NamespaceMode.NODE
    defaults = default_mounts(place, facts, privileged=security.privileged, host_ipc=host_ipc)
    all_mounts = merge_mounts([*place.layers, *defaults], mounts)
    linux: Json = {
        "namespaces": _namespaces(place, facts),
        "cgroupsPath": place.cgroup,
        "resources": {
            **resources(config.linux.resources),
            "devices": _device_rules(security.privileged, devices),
        },
    }
    propagation = {option for mount in all_mounts for option in mount["options"]} & {"rshared", "rslave"}
    if propagation:
        linux["rootfsPropagation"] = "rshared" if "rshared" in propagation else "rslave"
    if devices:
        linux["devices"] = [
            {
                "path": d.path,
                "type": d.kind,
                "major": d.major,
                "minor": d.minor,
                "fileMode": d.mode,
                "uid": d.uid,
                "gid": d.gid,
            }
            for d in devices
        ]
    if not security.privileged:
        masked = MASKED_PATHS if security.masked_paths is None else security.masked_paths
        readonly = READONLY_PATHS if security.readonly_paths is None else security.readonly_paths
        linux["maskedPaths"], linux["readonlyPaths"] = list(masked), list(readonly)
        if filter_ := _seccomp(security, kept, facts, localhost_seccomp):
            linux["seccomp"] = filter_
    return {
        "ociVersion": "1.0.2",
        "process": _process(config, image, user, place, facts, argv, kept),
        "root": {"path": place.rootfs, "readonly": security.readonly_rootfs},
        "mounts": all_mounts,
        "linux": linux,
    }


def _process(
    config: cri.ContainerConfig,
    image: ImageConfig,
    user: User,
    place: Place,
    facts: Facts,
    argv: tuple[str, ...],
    kept: tuple[str, ...],
) -> Json:
    security = config.linux.security_context
    sets: Json = {"bounding": list(kept), "effective": list(kept), "permitted": list(kept)}
    if security.capabilities is not None and security.capabilities.add_ambient_capabilities:
        ambient = [_capability(name) for name in security.capabilities.add_ambient_capabilities]
        sets["ambient"] = sets["inheritable"] = [name for name in kept if name in ambient or "ALL" in ambient]
    process: Json = {
        "terminal": config.tty,
        "user": {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups)},
        "args": list(argv),
        "env": environment(config, image, place.hostname, user.home),
        "cwd": config.working_dir or image.working_dir or "/",
        "capabilities": sets,
        "noNewPrivileges": security.no_new_privs,
        "oomScoreAdj": oom_score(config.linux.resources.oom_score_adj, facts),
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": facts.nofile[0], "hard": facts.nofile[1]}],
    }
    if profile := _apparmor(security, facts):
        process["apparmorProfile"] = profile
    return process


def _apparmor(security: cri.LinuxContainerSecurityContext, facts: Facts) -> str:
    wanted = security.apparmor
    if wanted is None or security.privileged or wanted.profile_type != cri.ProfileType.Localhost:
        # RuntimeDefault: we ship no AppArmor profile, seccomp and the masked paths stand for it.
        return ""
    if not facts.apparmor:
        raise cri.Error(
            "FailedPrecondition",
            f"AppArmor profile {wanted.localhost_ref!r} is asked for: the kernel has no AppArmor",
        )
    return wanted.localhost_ref


def _seccomp(
    security: cri.LinuxContainerSecurityContext, kept: tuple[str, ...], facts: Facts, localhost: Json | None
) -> Json | None:
    wanted = security.seccomp
    if wanted is None or wanted.profile_type == cri.ProfileType.Unconfined:
        return None
    if wanted.profile_type == cri.ProfileType.Localhost:
        if localhost is None:
            raise cri.Error("InvalidArgument", f"seccomp profile {wanted.localhost_ref!r} was not read")
        return localhost
    if facts.machine not in seccomp.ARCHITECTURES:
        raise cri.Error("Unimplemented", f"seccomp RuntimeDefault on machine {facts.machine!r}")
    return seccomp_config(kept, facts.machine)


def _namespaces(place: Place, facts: Facts) -> list[Json]:
    found: list[Json] = [{"type": "mount"}]
    if facts.cgroup_version == 2:
        found.append({"type": "cgroup"})
    words = {"net": "network", "ipc": "ipc", "uts": "uts", "pid": "pid"}
    for kind, path in place.namespaces.items():
        found.append({"type": words[kind], "path": path} if path else {"type": words[kind]})
    return found


def _device_rules(privileged: bool, devices: tuple[HostDevice, ...]) -> list[Json]:
    if privileged:
        return [{"allow": True, "access": "rwm"}]
    rules: list[Json] = [{"allow": False, "access": "rwm"}]
    rules += [
        {
            "allow": True,
            "type": device.kind,
            "major": device.major,
            "minor": device.minor,
            "access": device.access,
        }
        for device in devices
    ]
    return rules
