"""Pod sandboxes without a pause process: namespaces kept by bind mounts, shared memory, files, network, cgroup."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from sampan.base.linux import mounts, namespaces, syscalls
from sampan.base.linux.cgroups import Limits
from sampan.node.runtime import state
from sampan.node.runtime.books import Books
from sampan.node.runtime.config import Config
from sampan.node.runtime.state import Sandbox
from sampan.spec import cni, cri

_SHM_SIZE = 64 << 20  # containerd's default
# containerd 2 sets both unless told otherwise: ports below 1024 and ping need no right inside a pod.
_DEFAULT_SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
_HOSTNAME_MAX = 64


def kinds(config: cri.PodSandboxConfig) -> tuple[str, ...]:
    """Which namespaces the sandbox has of its own."""
    options = config.linux.security_context.namespace_options
    found: tuple[str, ...] = ()
    if options.network != cri.NamespaceMode.NODE:
        found += ("net", "uts")
    if options.ipc != cri.NamespaceMode.NODE:
        found += ("ipc",)
    return found


def sysctls(config: cri.PodSandboxConfig) -> dict[str, str]:
    """Defaults and the pod's own. Raises cri.Error for one whose namespace is the node's."""
    own = kinds(config)
    found = dict(_DEFAULT_SYSCTLS) if "net" in own else {}
    for name, value in config.linux.sysctls.items():
        plain = name.replace("/", ".")
        if plain.startswith("net."):
            needed = "net"
        elif plain.startswith(_IPC_SYSCTLS):
            needed = "ipc"
        else:
            raise cri.Error(
                "InvalidArgument",
                f"sysctl {name!r} is not namespaced: expected net.*, kernel.shm* and the like",
            )
        if needed not in own:
            raise cri.Error(
                "InvalidArgument", f"sysctl {name!r} needs a {needed} namespace: the pod uses the node's"
            )
        found[name] = value
    return found


def resolv_conf(dns: cri.DNSConfig) -> str:
    lines = [f"search {' '.join(dns.searches)}"] if dns.searches else []
    lines += [f"nameserver {server}" for server in dns.servers]
    if dns.options:
        lines.append(f"options {' '.join(dns.options)}")
    return "\n".join(lines) + "\n"


def cgroup(config: Config, sandbox: cri.PodSandboxConfig, sandbox_id: str) -> str:
    """The pod's cgroup below the roots of the hierarchies."""
    parent = sandbox.linux.cgroup_parent.strip("/") or f"pods/{sandbox_id}"
    if ".." in parent.split("/"):
        raise cri.Error("InvalidArgument", f"cgroup_parent {sandbox.linux.cgroup_parent!r} has '..' in it")
    return f"{config.cgroups}/{parent}"


def limits(wanted: cri.LinuxContainerResources | None, pids: int = -1) -> Limits:
    """As control groups take them; zero is unset in the CRI."""
    if wanted is None:
        return Limits(pids=pids if pids > 0 else None)
    return Limits(
        cpu_shares=wanted.cpu_shares or None,
        cpu_quota=wanted.cpu_quota or None,
        cpu_period=wanted.cpu_period or None,
        memory=wanted.memory_limit_in_bytes or None,
        memory_swap=wanted.memory_swap_limit_in_bytes or None,
        pids=pids if pids > 0 else None,
        cpuset_cpus=wanted.cpuset_cpus or None,
        cpuset_mems=wanted.cpuset_mems or None,
        unified=wanted.unified,
    )


def namespace_paths(config: Config, sandbox: Sandbox) -> dict[str, str]:
    return {kind: str(config.namespace(kind, sandbox.id)) for kind in kinds(sandbox.config)}


def prepare(books: Books, sandbox: Sandbox, values: Mapping[str, str]) -> None:
    """Everything but the network. Blocks for some milliseconds; `values` are sysctls()."""
    config = books.config
    folder = config.sandbox_run(sandbox.id)
    folder.mkdir(mode=0o755)
    hostname = sandbox.config.hostname[:_HOSTNAME_MAX]
    dns = sandbox.config.dns_config
    if dns is not None:
        text = resolv_conf(dns)
    else:
        text = books.config.node_resolv_conf.read_text() if books.config.node_resolv_conf.exists() else ""
    (folder / "resolv.conf").write_text(text)
    if "uts" in kinds(sandbox.config):
        (folder / "hostname").write_text(hostname + "\n")
    if "ipc" in kinds(sandbox.config):
        shm = folder / "shm"
        shm.mkdir()
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        mounts.tmpfs(str(shm), size=_SHM_SIZE, flags=flags)
    paths = namespace_paths(config, sandbox)
    if paths:
        namespaces.create(paths, hostname=hostname, sysctls=values)
    wanted = limits(sandbox.config.linux.resources, config.pod_pids_limit)
    books.cgroups.create(cgroup(config, sandbox.config, sandbox.id), wanted)
    if sandbox.config.log_directory:
        Path(sandbox.config.log_directory).mkdir(parents=True, exist_ok=True, mode=0o755)


def dissolve(books: Books, sandbox: Sandbox) -> None:
    """The opposite of prepare, whatever of it exists."""
    config = books.config
    for kind in namespaces.KINDS:
        namespaces.remove(str(config.namespace(kind, sandbox.id)))
    folder = config.sandbox_run(sandbox.id)
    mounts.unmount(str(folder / "shm"))
    shutil.rmtree(folder, ignore_errors=True)


async def attach(books: Books, sandbox: Sandbox) -> tuple[str, ...]:
    """Gives the sandbox its network; returns its addresses."""
    if sandbox.network == cri.NamespaceMode.NODE:
        return ()
    if books.network is None:
        raise cri.Error(
            "FailedPrecondition", f"sandbox {sandbox.name!r} needs a network: only host network is available"
        )
    netns = books.config.namespace("net", sandbox.id)
    try:
        result = await books.network.add(state.attachment(sandbox, netns))
    except cni.CniError as error:
        raise cri.Error("Unknown", f"network of sandbox {sandbox.name!r}: {error}") from error
    return tuple(ip.address.partition("/")[0] for ip in result.ips)


async def detach(books: Books, sandbox: Sandbox) -> None:
    if books.network is None or sandbox.network == cri.NamespaceMode.NODE or not sandbox.attached:
        return
    netns = books.config.namespace("net", sandbox.id)
    try:
        await books.network.delete(state.attachment(sandbox, netns))
    except cni.CniError as error:
        raise cri.Error(
            "Unknown", f"network of sandbox {sandbox.name!r} cannot be removed: {error}"
        ) from error


async def stop(books: Books, sandbox: Sandbox) -> Sandbox:
    """Takes network and namespaces away. Its containers must have ended; may be repeated."""
    await detach(books, sandbox)
    await books.in_thread(dissolve, books, sandbox)
    stopped = sandbox._replace(state=cri.PodSandboxState.SANDBOX_NOTREADY, attached=False)
    books.put_sandbox(stopped)
    return stopped


def erase(books: Books, sandbox: Sandbox) -> None:
    """Files and cgroup of a stopped sandbox."""
    dissolve(books, sandbox)
    path = cgroup(books.config, sandbox.config, sandbox.id)
    if not books.cgroups.remove(path):
        books.cgroups.kill(path)
        books.cgroups.remove(path)
    with contextlib.suppress(FileNotFoundError):
        books.config.sandbox_file(sandbox.id).unlink()


def status(sandbox: Sandbox) -> cri.PodSandboxStatus:
    return cri.PodSandboxStatus(
        id=sandbox.id,
        metadata=sandbox.config.metadata,
        state=sandbox.state,
        created_at=sandbox.created_at,
        network=cri.PodSandboxNetworkStatus(sandbox.ips[0], sandbox.ips[1:])
        if sandbox.ips
        else cri.PodSandboxNetworkStatus(),
        namespaces=sandbox.config.linux.security_context.namespace_options,
        labels=sandbox.config.labels,
        annotations=sandbox.config.annotations,
        runtime_handler=sandbox.runtime_handler,
    )
