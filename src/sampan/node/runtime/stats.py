"""Usage of containers, sandboxes and file systems, read from control groups and /proc at the moment of the call."""

from __future__ import annotations

import os
from pathlib import Path

from sampan.base.linux import namespaces
from sampan.node.runtime import sandboxes
from sampan.node.runtime.books import Books
from sampan.node.runtime.state import Container, Sandbox
from sampan.spec import cri

_BLOCK = 512  # st_blocks' unit, whatever the file system's


def usage(folder: Path) -> tuple[int, int]:
    """Bytes on disk and inodes below `folder`."""
    size = inodes = 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    info = entry.stat(follow_symlinks=False)
                    size += info.st_blocks * _BLOCK
                    inodes += 1
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError:
            continue
    return size, inodes


def cpu_and_memory(books: Books, cgroup: str) -> tuple[cri.CpuUsage | None, cri.MemoryUsage | None]:
    now = books.clock()
    try:
        spent = books.cgroups.cpu(cgroup)
        memory = books.cgroups.memory(cgroup)
    except (OSError, KeyError):
        return None, None
    working = max(0, memory.usage - memory.inactive_file)
    return cri.CpuUsage(now, spent), cri.MemoryUsage(
        now,
        working_set_bytes=working,
        available_bytes=None if memory.limit < 0 else max(0, memory.limit - working),
        usage_bytes=memory.usage,
        rss_bytes=memory.rss,
        page_faults=memory.page_faults,
        major_page_faults=memory.major_page_faults,
    )


def container(books: Books, found: Container) -> cri.ContainerStats:
    cpu = memory = None
    if found.stage == "running":
        cpu, memory = cpu_and_memory(books, found.cgroup)
    upper = books.config.container_dir(found.id) / "upper"
    size, inodes = usage(upper)
    config = found.config
    return cri.ContainerStats(
        cri.ContainerAttributes(found.id, config.metadata, config.labels, config.annotations),
        cpu,
        memory,
        cri.FilesystemUsage(books.clock(), str(books.config.root), size, inodes),
    )


def sandbox(books: Books, found: Sandbox) -> cri.PodSandboxStats:
    cgroup = sandboxes.cgroup(books.config, found.config, found.id)
    ready = found.state == cri.PodSandboxState.SANDBOX_READY
    cpu, memory = cpu_and_memory(books, cgroup) if ready else (None, None)
    members = [c for c in books.members(found.id, hidden=False) if c.stage == "running"]
    config = found.config
    return cri.PodSandboxStats(
        cri.PodSandboxAttributes(found.id, config.metadata, config.labels, config.annotations),
        cpu,
        memory,
        network(books, found) if ready else None,
        len(books.cgroups.procs(cgroup)) if ready else None,
        tuple(container(books, member) for member in members),
    )


def network(books: Books, found: Sandbox) -> cri.NetworkUsage | None:
    if found.network == cri.NamespaceMode.NODE:
        return None
    path = books.config.namespace("net", found.id)
    try:
        text = namespaces.run_in(str(path), "net", Path("/proc/thread-self/net/dev").read_text)
    except OSError:
        return None
    interfaces = tuple(entry for entry in interfaces_of(text) if entry.name != "lo")
    default = next((entry for entry in interfaces if entry.name == "eth0"), None)
    return cri.NetworkUsage(books.clock(), default, interfaces)


def interfaces_of(text: str) -> list[cri.NetworkInterfaceUsage]:
    """/proc/net/dev: eight columns received, eight sent; bytes first, errors third."""
    found = []
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        columns = [int(column) for column in rest.split()]
        found.append(cri.NetworkInterfaceUsage(name.strip(), columns[0], columns[2], columns[8], columns[10]))
    return found


def file_systems(books: Books) -> cri.ImageFsInfoResponse:
    """The images' own count, and the writable layers walked."""
    now = books.clock()
    size, inodes = books.store.usage()
    written, files = usage(books.config.root / "containers")
    return cri.ImageFsInfoResponse(
        (cri.FilesystemUsage(now, str(books.config.images), size, inodes),),
        (cri.FilesystemUsage(now, str(books.config.root / "containers"), written, files),),
    )
