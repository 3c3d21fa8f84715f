"""What this machine offers the runtime: the OCI runtime, rights, control groups, device nodes."""

from __future__ import annotations

import os
import resource
import shutil
import stat
from pathlib import Path

from sampan.base.linux import capabilities, cgroups, mounts
from sampan.base.linux.cgroups import detect
from sampan.node.runtime.oci import Facts, HostDevice
from sampan.spec import cri

_KNOWN = ("crun", "runc")
# Folders below /dev that are file systems of their own in each container, or not devices.
_NOT_DEVICES = frozenset({"pts", "shm", "fd", "mqueue", "lxc", "lxd-hosts", ".lxc", ".lxd-mounts", ".udev"})
_NOFILE_MAX = 1 << 20


def find_oci_runtime(wanted: Path | None) -> Path:
    """Raises cri.Error that names what to install."""
    if wanted is not None:
        if os.access(wanted, os.X_OK):
            return wanted
        raise cri.Error("FailedPrecondition", f"OCI runtime {str(wanted)!r} is not there or not executable")
    search = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
    for name in _KNOWN:
        if found := shutil.which(name, path=search):
            return Path(found)
    raise cri.Error(
        "FailedPrecondition",
        "no OCI runtime found: install crun (or runc) from the distribution's packages, for example `apt install crun`",
    )


def hidden_mount(oci_runtime: Path) -> str:
    """The mount that has to be taken away for the OCI runtime: crun refuses machines with v1 and v2 controllers."""
    return detect.hybrid(mounts.table()) if "crun" in oci_runtime.name else ""


def facts(hierarchy: cgroups.Hierarchy) -> Facts:
    held = capabilities.held()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = min(hard, _NOFILE_MAX) if hard != resource.RLIM_INFINITY else _NOFILE_MAX
    return Facts(
        machine=os.uname().machine,
        capabilities=held,
        cgroup_version=hierarchy.version,
        oom_score_adj=int(Path("/proc/self/oom_score_adj").read_text()),
        nofile=(limit, limit),
        can_lower_oom="CAP_SYS_RESOURCE" in held,
        apparmor=_apparmor(),
    )


def _apparmor() -> bool:
    try:
        return Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False


def device(host_path: str, container_path: str, access: str) -> list[HostDevice]:
    """One device node, or all below a folder. Raises cri.Error when there is none."""
    path = Path(os.path.realpath(host_path))
    if path.is_dir():
        return [
            found
            for child in sorted(path.iterdir())
            for found in device(str(child), f"{container_path}/{child.name}", access)
            if child.is_dir() or _is_device(child)
        ]
    if not _is_device(path):
        raise cri.Error("InvalidArgument", f"device {host_path!r}: expected a device node")
    return [_describe(path, container_path, access)]


def all_devices() -> list[HostDevice]:
    """Every device node of the host, for a privileged container."""
    found = []
    for folder, names, files in os.walk("/dev"):
        names[:] = [name for name in names if name not in _NOT_DEVICES]
        for name in files:
            path = Path(folder) / name
            if name != "console" and not path.is_symlink() and _is_device(path):
                found.append(_describe(path, str(path), "rwm"))
    return found


def _is_device(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _describe(path: Path, container_path: str, access: str) -> HostDevice:
    info = path.stat()
    kind = "c" if stat.S_ISCHR(info.st_mode) else "b"
    major, minor = os.major(info.st_rdev), os.minor(info.st_rdev)
    mode = stat.S_IMODE(info.st_mode)
    return HostDevice(container_path, kind, major, minor, mode, info.st_uid, info.st_gid, access)
