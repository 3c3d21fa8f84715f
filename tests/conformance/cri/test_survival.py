"""Restarts and crashes: of the runtime object, of the monitor, of the holder above it; and leaving nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.cri.field import Ours, Pods
from sampan.node import runtime
from sampan.spec import cri

pytestmark = pytest.mark.root
COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done"


def status_field(pid: int, name: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split()[1]
    raise AssertionError(name)


async def until(true: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def kill(pid: int) -> None:
    """Returns when it is gone, so that what comes next is about the time after."""
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{pid}").exists() or status_field(pid, "State") == "Z")


def lines(path: str) -> list[str]:
    return [line.split(" ", 3)[3] for line in Path(path).read_text().splitlines()]


def test_containers_outlive_the_runtime_object(ours: Ours) -> None:
    kept: dict[str, str] = {}

    async def first(pods: Pods) -> None:
        pod = await pods.pod("kept", labels={"a": "b"})
        kept["pod"] = pod[0]
        kept["running"] = await pods.start(pod, "sh", "-c", COUNTING, name="running")
        kept["ends"] = await pods.start(pod, "sh", "-c", "sleep 0.4; exit 23", name="ends")
        kept["created"] = await pods.create(pod, "sleep", "1000", name="created")

    async def second(pods: Pods) -> None:
        rt = pods.rt
        states = {c.metadata.name: c.state for c in await rt.list_containers()}
        assert states["running"] == cri.ContainerState.CONTAINER_RUNNING
        assert states["created"] == cri.ContainerState.CONTAINER_CREATED
        assert (await pods.ended(kept["ends"])).exit_code == 23
        status = await rt.pod_sandbox_status(kept["pod"])
        assert status.state == cri.PodSandboxState.SANDBOX_READY and status.labels == {"a": "b"}
        assert status.network.ip == "10.99.0.2"
        assert (await rt.exec_sync(kept["running"], ("echo", "hi"))).stdout == b"hi\n"
        await rt.start_container(kept["created"])
        path = (await rt.container_status(kept["running"])).log_path
        before = len(lines(path))
        await until(lambda: len(lines(path)) > before)
        await rt.stop_container(kept["running"], 0)
        said = lines(path)
        assert said == [f"line {number + 1}" for number in range(len(said))]

    ours.run(first)
    time.sleep(0.6)  # "ends" ends while nobody is there
    ours.run(second)


def test_a_crash_of_the_monitor_costs_nothing_but_time(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod()
        running = await pods.start(pod, "sh", "-c", COUNTING, name="running")
        ends = await pods.start(pod, "sh", "-c", "sleep 0.5; exit 24", name="ends")
        path = (await rt.container_status(running)).log_path
        await until(lambda: len(lines(path)) > 3)
        monitor = rt.books.link.pid
        holder = int(status_field(monitor, "PPid"))
        await kill(monitor)
        assert (await pods.ended(ends)).exit_code == 24
        await until(lambda: rt.books.link.pid not in (0, monitor))
        assert int(status_field(rt.books.link.pid, "PPid")) == holder
        before = len(lines(path))
        await until(lambda: len(lines(path)) > before + 3)
        assert (await rt.exec_sync(running, ("echo", "hi"))).stdout == b"hi\n"
        await rt.stop_container(running, 0)
        said = lines(path)
        assert said == [f"line {number + 1}" for number in range(len(said))]
        assert (await rt.container_status(running)).exit_code == 137

    ours.run(scenario)


def test_without_holder_and_monitor_an_end_is_reported_as_unknown(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod()
        running = await pods.start(pod, "sh", "-c", COUNTING, name="running")
        pid = rt.books.containers[running].pid
        ends = await pods.start(pod, "sh", "-c", "sleep 1; exit 25", name="ends")
        monitor = rt.books.link.pid
        holder = int(status_field(monitor, "PPid"))
        os.kill(holder, signal.SIGKILL)
        os.kill(monitor, signal.SIGKILL)
        status = await pods.ended(ends)
        assert (status.exit_code, status.reason) == (255, "ContainerStatusUnknown")
        assert Path(f"/proc/{pid}").exists()
        assert (await rt.container_status(running)).state == cri.ContainerState.CONTAINER_RUNNING
        path = (await rt.container_status(running)).log_path
        before = len(lines(path))
        await until(lambda: len(lines(path)) > before + 3)
        await rt.stop_container(running, 0)

    ours.run(scenario)


def test_a_lost_holder_is_no_loss_to_running_containers(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        monitor = rt.books.link.pid
        await kill(int(status_field(monitor, "PPid")))
        status, _ = await pods.run("sh", "-c", "exit 26")
        assert status.exit_code == 26 and rt.books.link.pid == monitor

    ours.run(scenario)


def test_only_one_monitor_is_started(ours: Ours) -> None:
    async def scenario() -> None:
        first = await runtime.open(ours.config, None)
        second = await runtime.open(ours.config, None)
        assert first.books.link.pid == second.books.link.pid
        await first.close()
        await second.close()

    asyncio.run(scenario())


def test_what_a_machine_boot_ago_left_is_told_as_it_is(ours: Ours) -> None:
    kept: dict[str, str] = {}

    async def first(pods: Pods) -> None:
        pod = await pods.pod("old")
        kept["pod"], kept["running"] = pod[0], await pods.start(pod, "sleep", "1000")

    async def second(pods: Pods) -> None:
        status = await pods.ended(kept["running"])
        assert (status.exit_code, status.reason) == (255, "ContainerStatusUnknown")
        assert (await pods.rt.pod_sandbox_status(kept["pod"])).state == cri.PodSandboxState.SANDBOX_NOTREADY
        await pods.rt.remove_pod_sandbox(kept["pod"])
        assert ours.network.attached == {}

    ours.run(first)
    # The machine goes down: processes, run folder and boot id are gone, the state files stay.
    for path in ours.config.root.glob("*/*.json"):
        path.write_bytes(path.read_bytes().replace(b'"boot":"', b'"boot":"old-'))
    ours.run(second)


def test_clusters_live_side_by_side(ours: Ours, tmp_path: Path) -> None:
    other = Ours(tmp_path / "other")

    async def stays(pods: Pods) -> None:
        await pods.start(await pods.pod("same"), "sleep", "1000")

    try:
        other.run(stays)
        ours.run(stays)
        ours.clean()

        async def still(pods: Pods) -> None:
            assert [c.state for c in await pods.rt.list_containers()] == [
                cri.ContainerState.CONTAINER_RUNNING
            ]

        other.run(still)
    finally:
        other.clean()


def test_cleanup_does_not_need_readable_state(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        await pods.start(await pods.pod(pid=0), "sleep", "1000")
        await pods.start(await pods.pod(network=2, pid=2), "sh", "-c", "sleep 1000 & sleep 1000")

    ours.run(scenario)
    for path in ours.config.root.glob("*/*.json"):
        path.write_text("{broken")
    ours.clean()


def test_cleanup_ends_a_monitor_that_hangs(ours: Ours, monkeypatch: pytest.MonkeyPatch) -> None:
    from sampan.node.runtime import assemble, link

    pids: list[int] = []

    async def scenario(pods: Pods) -> None:
        await pods.start(await pods.pod(network=2), "sleep", "1000")
        pids.append(pods.rt.books.link.pid)

    ours.run(scenario)
    monkeypatch.setattr(assemble, "_GRACE", 0.2)
    monkeypatch.setattr(link, "_ANSWER_TIMEOUT", 0.2)
    os.kill(pids[0], signal.SIGSTOP)
    ours.clean()  # and that looks for processes itself


def test_removal_leaves_nothing_of_a_pod(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        before = sorted(str(path) for path in ours.config.run.rglob("*") if "/seccomp/" not in str(path))
        pod = await pods.pod("gone", pid=0)
        await pods.start(pod, "sleep", "4715", tty=True)
        await pods.start(pod, "sh", "-c", "sleep 4715 & sleep 4715", name="b", stdin=True)
        await pods.rt.remove_pod_sandbox(pod[0])
        after = sorted(str(path) for path in ours.config.run.rglob("*") if "/seccomp/" not in str(path))
        assert after == before
        assert list((ours.config.root / "containers").iterdir()) == []
        assert list((ours.config.root / "sandboxes").iterdir()) == []
        mounts = Path("/proc/self/mountinfo").read_text()
        assert pod[0] not in mounts
        groups = list(Path("/sys/fs/cgroup").rglob("podgone"))
        assert groups == []
        commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not any(b"4715" in command for command in commands)

    ours.run(scenario)


def test_another_layout_version_is_refused(ours: Ours) -> None:
    ours.config.root.mkdir(parents=True)
    (ours.config.root / "version").write_text("99\n")
    with pytest.raises(cri.Error, match="99") as caught:
        asyncio.run(runtime.open(ours.config, None))
    assert caught.value.code == "FailedPrecondition"


def test_a_missing_oci_runtime_is_named(ours: Ours) -> None:
    with pytest.raises(cri.Error, match="/no/crun"):
        asyncio.run(runtime.open(ours.config._replace(oci_runtime=Path("/no/crun")), None))
