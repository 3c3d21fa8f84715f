"""Where the runtime keeps things and what it was told; every path of the on-disk layout is named here.

`root` outlives a reboot, `run` does not. Layout version 1:

    root/version                      "1"
    root/images/...                   see images
    root/sandboxes/ID.json            a sandbox
    root/containers/ID.json           a container
    root/containers/ID/{upper,work}   its writable layer
    root/containers/ID/exit           how it ended, written by the monitor
    run/monitor.sock, run/monitor/    the monitor's
    run/netns/ID, run/ipc/ID, run/uts/ID  a sandbox's namespaces, bind-mounted
    run/sandboxes/ID/{shm,resolv.conf,hostname}
    run/containers/ID/                the OCI bundle: config.json, process.json, rootfs; FIFOs stdout, stderr, stdin
    run/seccomp/                      compiled seccomp filters
    run/oci/                          the OCI runtime's own state
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

VERSION = "1"


class Config(NamedTuple):
    """`cluster` is part of every name that the machine shares with other clusters (cgroups, processes).

    `oci_runtime` None looks for crun, then runc, on PATH. `cgroup_root` is put before every cgroup_parent that a
    caller gives; "" means /sampan-CLUSTER. `registries` is the file described in docs/images.md, or None.
    `pod_pids_limit` -1 is no limit. Construction does no I/O.
    """

    root: Path
    run: Path
    cluster: str = "default"
    oci_runtime: Path | None = None
    cgroup_root: str = ""
    registries: Path | None = None
    pod_pids_limit: int = -1
    node_resolv_conf: Path = Path("/etc/resolv.conf")

    @property
    def cgroups(self) -> str:
        return self.cgroup_root or f"/sampan-{self.cluster}"

    @property
    def images(self) -> Path:
        return self.root / "images"

    def sandbox_file(self, sandbox_id: str) -> Path:
        return self.root / "sandboxes" / f"{sandbox_id}.json"

    def container_file(self, container_id: str) -> Path:
        return self.root / "containers" / f"{container_id}.json"

    def container_dir(self, container_id: str) -> Path:
        return self.root / "containers" / container_id

    def namespace(self, kind: str, sandbox_id: str) -> Path:
        return self.run / ("netns" if kind == "net" else kind) / sandbox_id

    def sandbox_run(self, sandbox_id: str) -> Path:
        return self.run / "sandboxes" / sandbox_id

    def container_run(self, container_id: str) -> Path:
        return self.run / "containers" / container_id

    def folders(self) -> tuple[Path, ...]:
        """All that have to exist before anything else."""
        in_root = ("sandboxes", "containers", "images")
        in_run = ("netns", "ipc", "uts", "sandboxes", "containers", "oci", "monitor", "seccomp", "tmp")
        return tuple(self.root / name for name in in_root) + tuple(self.run / name for name in in_run)
