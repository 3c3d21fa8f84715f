"""What only the simulated runtime does; the rest is in the conformance suite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sampan.node.runtime import simulated
from sampan.node.runtime.simulated import PREFIX, Simulated
from sampan.spec import cri


def pod(name: str, logs: str = "", **annotations: str) -> cri.PodSandboxConfig:
    named = {PREFIX + key.replace("_", "-"): value for key, value in annotations.items()}
    return cri.PodSandboxConfig(
        cri.PodSandboxMetadata(name, name, "d"), log_directory=logs, annotations=named
    )


async def start(rt: Simulated, config: cri.PodSandboxConfig) -> str:
    sandbox = await rt.run_pod_sandbox(config)
    await rt.pull_image(cri.ImageSpec("nginx"))
    container = await rt.create_container(
        sandbox,
        cri.ContainerConfig(cri.ContainerMetadata("c"), cri.ImageSpec("nginx"), log_path="c.log"),
        config,
    )
    await rt.start_container(container)
    return container


def test_it_can_exit_by_itself() -> None:
    async def body() -> None:
        rt = Simulated()
        container = await start(rt, pod("a", exit_after="0.01", exit_code="4"))
        assert (await rt.container_status(container)).state == cri.ContainerState.CONTAINER_RUNNING
        await asyncio.sleep(0.05)
        status = await rt.container_status(container)
        assert (status.state, status.exit_code, status.reason) == (
            cri.ContainerState.CONTAINER_EXITED,
            4,
            "Error",
        )
        await rt.close()

    asyncio.run(body())


def test_a_start_takes_its_time_or_fails() -> None:
    async def body() -> None:
        rt = Simulated()
        loop = asyncio.get_running_loop()
        before = loop.time()
        await start(rt, pod("slow", start_delay="0.03"))
        assert loop.time() - before >= 0.03
        with pytest.raises(cri.Error, match="no luck"):
            await start(rt, pod("bad", start_error="no luck"))
        with pytest.raises(cri.Error, match="expected seconds"):
            await start(rt, pod("odd", start_delay="soon"))
        await rt.close()

    asyncio.run(body())


def test_what_needs_a_process_is_refused_by_name(tmp_path: Path) -> None:
    async def body() -> None:
        rt = Simulated()
        container = await start(rt, pod("a", str(tmp_path / "logs")))
        sandbox = (await rt.list_pod_sandbox())[0].id
        calls: list[Any] = [
            rt.exec_sync(container, ("x",)),
            rt.exec(container, ("x",)),
            rt.attach(container),
            rt.port_forward(sandbox, 80),
        ]
        for call in calls:
            with pytest.raises(cri.Error, match="simulated") as caught:
                await call
            assert caught.value.code == "Unimplemented"
        assert "stdout F simulated container c has started" in (tmp_path / "logs/c.log").read_text()

    asyncio.run(body())


def test_the_same_calls_give_the_same_answers() -> None:
    async def told() -> list[Any]:
        now = iter(range(1000, 2000))
        rt = Simulated("10.1.0.0/29", node_name="n1", clock=lambda: next(now), logs=False)
        seen: list[Any] = []
        for name in ("a", "b"):
            container = await start(rt, pod(name))
            seen += [container, await rt.container_status(container), await rt.list_pod_sandbox()]
        ips = [(await rt.pod_sandbox_status(s.id)).network.ip for s in await rt.list_pod_sandbox()]
        assert ips == ["10.1.0.2", "10.1.0.3"]
        return seen

    assert asyncio.run(told()) == asyncio.run(told())


def test_addresses_end_and_come_back() -> None:
    async def body() -> None:
        rt = await simulated.open("n", "10.1.0.0/29")
        for number in range(5):
            await rt.run_pod_sandbox(pod(str(number)))
        with pytest.raises(cri.Error, match="no address is left"):
            await rt.run_pod_sandbox(pod("more"))
        first = (await rt.list_pod_sandbox())[0].id
        await rt.remove_pod_sandbox(first)
        again = await rt.run_pod_sandbox(pod("more"))
        assert (await rt.pod_sandbox_status(again)).network.ip == "10.1.0.2" and again != first

    asyncio.run(body())


def test_ids_of_nodes_differ() -> None:
    async def body() -> None:
        one, two = await simulated.open("one"), await simulated.open("two")
        assert await one.run_pod_sandbox(pod("a")) != await two.run_pod_sandbox(pod("a"))

    asyncio.run(body())
