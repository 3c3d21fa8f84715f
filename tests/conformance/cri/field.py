"""The language of these tests: a filling is opened, a scenario runs over it, and nothing may be left behind."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sampan.node import runtime
from sampan.node.runtime.config import Config
from sampan.node.runtime.simulated import Simulated
from sampan.spec import cni, cri

HOST = "sampan.local/host:test"
PREFIX = "sampan-cri-test-"
Scenario = Callable[["Pods"], Awaitable[None]]


class FakeNetwork:
    """Records what it is asked for; the pod keeps its loopback only."""

    def __init__(self) -> None:
        self.attached: dict[str, cni.Attachment] = {}
        self.fail = False
        self._last = 1

    async def add(self, attachment: cni.Attachment) -> cni.Result:
        if self.fail:
            raise cni.CniError(11, "try again later")
        assert os.path.exists(attachment.netns)
        self.attached[attachment.container_id] = attachment
        self._last += 1
        return cni.Result(
            ips=(cni.Address(f"10.99.0.{self._last}/24"), cni.Address(f"fd00::{self._last}/64"))
        )

    async def delete(self, attachment: cni.Attachment) -> None:
        self.attached.pop(attachment.container_id, None)

    async def check(self, attachment: cni.Attachment) -> None: ...

    async def status(self) -> None: ...

    async def gc(self, valid: frozenset[tuple[str, str]]) -> None:
        self.attached = {k: v for k, v in self.attached.items() if (k, "eth0") in valid}


class Pods:
    """Short words for what most scenarios need; `rt` is the filling itself."""

    def __init__(self, rt: Any, logs: Path) -> None:
        self.rt = rt
        self.logs = logs
        self._count = 0

    def sandbox_config(
        self, name: str = "", *, pid: int = 1, network: int = 0, ipc: int = 0, **more: Any
    ) -> cri.PodSandboxConfig:
        self._count += 1
        name = name or f"pod{self._count}"
        options = cri.NamespaceOption(
            network=cri.NamespaceMode(network), pid=cri.NamespaceMode(pid), ipc=cri.NamespaceMode(ipc)
        )
        linux = more.pop("linux", cri.LinuxPodSandboxConfig())
        linux = linux._replace(
            cgroup_parent=f"/kubepods/pod{name}", security_context=cri.LinuxSandboxSecurityContext(options)
        )
        return cri.PodSandboxConfig(
            cri.PodSandboxMetadata(name, f"uid-{name}", "default"),
            hostname=name,
            log_directory=str(self.logs / name),
            linux=linux,
            **more,
        )

    async def pod(self, name: str = "", **more: Any) -> tuple[str, cri.PodSandboxConfig]:
        config = self.sandbox_config(name, **more)
        return await self.rt.run_pod_sandbox(config), config

    async def create(
        self, pod: tuple[str, cri.PodSandboxConfig], *command: str, name: str = "main", **more: Any
    ) -> str:
        security = more.pop("security", cri.LinuxContainerSecurityContext())
        security = security._replace(namespace_options=pod[1].linux.security_context.namespace_options)
        resources = more.pop("resources", cri.LinuxContainerResources())
        image = more.pop("image", HOST)
        await self.rt.images.pull_image(cri.ImageSpec(image)) if image == HOST else None
        config = cri.ContainerConfig(
            cri.ContainerMetadata(name),
            cri.ImageSpec(image),
            command=command,
            log_path=f"{name}.log",
            linux=cri.LinuxContainerConfig(resources, security),
            **more,
        )
        return await self.rt.create_container(pod[0], config, pod[1])

    async def start(self, pod: tuple[str, cri.PodSandboxConfig], *command: str, **more: Any) -> str:
        container = await self.create(pod, *command, **more)
        await self.rt.start_container(container)
        return container

    async def ended(self, container: str, seconds: float = 20) -> cri.ContainerStatus:
        """Waits for the exit."""
        events = self.rt.events()
        async with asyncio.timeout(seconds):
            status = await self.rt.container_status(container)
            while status.state != cri.ContainerState.CONTAINER_EXITED:
                await anext(events)
                status = await self.rt.container_status(container)
        await events.aclose()
        return status

    async def run(self, *command: str, pod: Any = None, **more: Any) -> tuple[cri.ContainerStatus, str]:
        """A container to its end, in a pod on the host network unless given; its status and what it said."""
        pod = pod or await self.pod(network=2)
        container = await self.start(pod, *command, **more)
        status = await self.ended(container)
        return status, self.said(status)

    async def sh(self, script: str, **more: Any) -> str:
        """Output of a script that has to succeed."""
        status, said = await self.run("sh", "-c", script, **more)
        assert status.exit_code == 0, said
        return said

    def said(self, status: cri.ContainerStatus, stream: str = "") -> str:
        """The log without its frame; P lines joined."""
        text = ""
        for line in Path(status.log_path).read_text().splitlines():
            match = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)", line)
            assert match, line
            if stream in ("", match[1]):
                text += match[3] + ("\n" if match[2] == "F" else "")
        return text


class Ours:
    """The runtime over crun or runc. A test may open it several times in a row, as after a crash of the agent."""

    def __init__(self, tmp: Path) -> None:
        name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
        # The same expectations over the other OCI runtime: SAMPAN_TEST_OCI_RUNTIME=/usr/sbin/runc.
        oci = os.environ.get("SAMPAN_TEST_OCI_RUNTIME")
        self.config = Config(tmp / "root", Path("/run") / name, name, Path(oci) if oci else None)
        self.network = FakeNetwork()
        self.logs = tmp / "logs"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Pods]:
        rt = await runtime.open(self.config, self.network)
        try:
            yield Pods(rt, self.logs)
        finally:
            await rt.close()

    def run(self, scenario: Scenario) -> None:
        async def body() -> None:
            async with self.open() as pods:
                await scenario(pods)

        asyncio.run(body())

    def clean(self) -> None:
        asyncio.run(runtime.cleanup(self.config))
        found = self.leftovers()
        assert not found, found

    def leftovers(self) -> list[str]:
        found = [
            line
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if self.config.cluster in line
        ]
        found += [str(path) for path in (self.config.root, self.config.run) if path.exists()]
        found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{self.config.cgroups.strip('/')}")]
        found += [str(path) for path in Path("/sys/fs/cgroup").glob(self.config.cgroups.strip("/"))]
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if self.config.cluster.encode() in entry.read_bytes():
                    found.append(str(entry))
            except OSError:
                continue
        return found


class Imagined:
    """The simulated filling."""

    def __init__(self, tmp: Path) -> None:
        self.logs = tmp / "logs"

    def run(self, scenario: Scenario) -> None:
        async def body() -> None:
            rt = Simulated()
            try:
                await scenario(Pods(rt, self.logs))
            finally:
                await rt.close()

        asyncio.run(body())

    def clean(self) -> None: ...


def have_runtime() -> bool:
    return os.geteuid() == 0 and (shutil.which("crun") or shutil.which("runc")) is not None


def sweep() -> None:
    """What earlier test processes left when they were killed."""
    for folder in Path("/run").glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            asyncio.run(runtime.cleanup(Config(Path("/nonexistent/sampan"), folder, cluster=folder.name)))


needs_root = pytest.mark.root
