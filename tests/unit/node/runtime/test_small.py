"""Pure parts of the modules that do the work."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from sampan.base.linux.cgroups import Limits
from sampan.node.runtime import containers, machine, sandboxes, stats
from sampan.node.runtime.broadcast import Broadcast
from sampan.node.runtime.config import Config
from sampan.node.runtime.filters import ANNOTATION, Filters
from sampan.spec import cri


def pod(network: int = 0, **linux: Any) -> cri.PodSandboxConfig:
    security = cri.LinuxSandboxSecurityContext(cri.NamespaceOption(cri.NamespaceMode(network)))
    return cri.PodSandboxConfig(
        cri.PodSandboxMetadata("a", "b", "c"),
        linux=cri.LinuxPodSandboxConfig(security_context=security, **linux),
    )


def test_resolv_conf() -> None:
    dns = cri.DNSConfig(("1.1.1.1", "::1"), ("a", "b"), ("ndots:5", "x"))
    assert sandboxes.resolv_conf(dns) == "search a b\nnameserver 1.1.1.1\nnameserver ::1\noptions ndots:5 x\n"
    assert sandboxes.resolv_conf(cri.DNSConfig()) == "\n"


def test_sysctls() -> None:
    assert sandboxes.sysctls(pod())["net.ipv4.ip_unprivileged_port_start"] == "0"
    assert sandboxes.sysctls(pod(2)) == {}
    found = sandboxes.sysctls(pod(sysctls={"net/core/somaxconn": "9", "kernel.sem": "1 2 3 4"}))
    assert found["net/core/somaxconn"] == "9" and found["kernel.sem"] == "1 2 3 4"
    for config, says in (
        (pod(sysctls={"kernel.panic": "1"}), "kernel.panic"),
        (pod(2, sysctls={"net.a": "1"}), "net.a"),
    ):
        with pytest.raises(cri.Error, match=says):
            sandboxes.sysctls(config)


def test_cgroups_lie_below_the_clusters() -> None:
    config = Config(Path("/r"), Path("/x"), "demo")
    assert sandboxes.cgroup(config, pod(cgroup_parent="/kubepods/a"), "id") == "/sampan-demo/kubepods/a"
    assert sandboxes.cgroup(config, pod(), "id") == "/sampan-demo/pods/id"
    with pytest.raises(cri.Error, match=r"has '\.\.'"):
        sandboxes.cgroup(config, pod(cgroup_parent="/../other"), "id")


def test_limits() -> None:
    assert sandboxes.limits(None) == Limits() and sandboxes.limits(None, 9) == Limits(pids=9)
    wanted = cri.LinuxContainerResources(cpu_shares=5, memory_limit_in_bytes=6)
    assert sandboxes.limits(wanted, -1) == Limits(cpu_shares=5, memory=6)


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 15), ("SIGKILL", 9), ("kill", 9), ("HUP", 1), ("10", 10), ("SIGRTMIN+3", 37), ("RTMIN", 34)],
)
def test_stop_signals(text: str, number: int) -> None:
    assert containers.signal_number(text) == number


@pytest.mark.parametrize("text", ["SIGFLY", "RTMIN+x", "-9"])
def test_what_is_no_signal(text: str) -> None:
    with pytest.raises(cri.Error, match="stop signal"):
        containers.signal_number(text)


def test_network_counters() -> None:
    text = "Inter-|\n face |\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  eth0: 100 0 7 0 0 0 0 0 200 0 8 0 0 0 0 0\n"
    assert stats.interfaces_of(text)[1] == cri.NetworkInterfaceUsage("eth0", 100, 7, 200, 8)


def test_disk_usage(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/f").write_bytes(bytes(10000))
    size, inodes = stats.usage(tmp_path)
    assert size >= 10000 and inodes == 3
    assert stats.usage(tmp_path / "none") == (0, 0)


def test_the_oci_runtime_is_found_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "crun"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert machine.find_oci_runtime(tool) == tool
    monkeypatch.setattr(machine.shutil, "which", lambda name, path: None)
    with pytest.raises(cri.Error, match="install crun"):
        machine.find_oci_runtime(None)
    assert machine.hidden_mount(Path("/usr/bin/runc")) == ""


def test_devices() -> None:
    found = machine.device("/dev/null", "/dev/mine", "r")[0]
    assert (found.path, found.kind, found.major, found.minor, found.access) == ("/dev/mine", "c", 1, 3, "r")
    with pytest.raises(cri.Error, match="expected a device"):
        machine.device("/etc/passwd", "/dev/x", "r")
    assert "/dev/null" in {device.path for device in machine.all_devices()}


def test_compiled_filters_are_learnt_once(tmp_path: Path) -> None:
    config = {"linux": {"seccomp": {"defaultAction": "x"}}}
    program = tmp_path / "seccomp.bpf"
    program.write_bytes(b"12345678" * 2)
    folder = tmp_path / "kept"
    folder.mkdir()
    filters = Filters(folder)
    assert not filters.annotate(config)
    filters.learn(config, program)
    assert filters.annotate(config)
    assert base64.b64decode(config["annotations"][ANNOTATION]) == program.read_bytes()  # type: ignore[index]
    other = {"linux": {"seccomp": {"defaultAction": "y"}}}
    assert not filters.annotate(other)
    again: dict[str, Any] = {"linux": {"seccomp": {"defaultAction": "x"}}}
    assert Filters(folder).annotate(again)
    for bad in (b"", b"123", bytes(4097 * 8)):
        program.write_bytes(bad)
        filters.learn(other, program)
        assert not filters.annotate(other)
    filters.learn(other, tmp_path / "none")


def test_a_listener_that_falls_behind_has_to_list_again() -> None:
    async def body() -> None:
        events = Broadcast(2)
        assert not events.heard
        slow, quick = events.listen(), events.listen()
        made = [
            cri.ContainerEventResponse(str(n), cri.ContainerEventType.CONTAINER_CREATED_EVENT, n)
            for n in range(3)
        ]
        for event in made:
            events.send(event)
            assert await anext(quick) == event
        with pytest.raises(cri.Error) as caught:
            await anext(slow)
        assert caught.value.code == "ResourceExhausted"
        await quick.aclose()  # type: ignore[attr-defined]
        assert not events.heard

    asyncio.run(body())
