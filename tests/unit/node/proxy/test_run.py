"""The proxy over an API in memory: it follows, mends and leaves its table behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import netlab
from fake_api import FakeApi
from netlab import NODE, Lab
from sampan.api import kinds
from sampan.node import proxy

pytestmark = pytest.mark.root

SERVICES, SLICES = kinds.of("v1", "Service"), kinds.of("discovery.k8s.io/v1", "EndpointSlice")
VIP = "10.43.0.80"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path / "state") as made:
        yield made


def config(lab: Lab) -> proxy.Config:
    return proxy.Config(
        "lab",
        "n1",
        (netlab.POD_CIDR,),
        (netlab.SERVICE_CIDR,),
        (NODE,),
        bridge=lab.config.bridge,
        netns=lab.node,
    )


def service(ip: str = VIP, name: str = "web", **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": ip, "ports": ports, **spec},
    }


def endpoints(*addresses: str, name: str = "web") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": name}
        },
        "addressType": "IPv4",
        "ports": [{"port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": [a], "nodeName": "n1"} for a in addresses],
    }  # fmt: skip


def driven(api: FakeApi, lab: Lab, steps: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(proxy.run(api, config(lab), started.set))  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(20):
                await started.wait()
                await steps()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


async def meets(lab: Lab, who: str, host: str, answer: str) -> None:
    async with asyncio.timeout(10):
        while (await asyncio.to_thread(lab.ask, who, host, 80, seconds=0.5)).split()[0] != answer:
            await asyncio.sleep(0.02)


def test_the_table_follows_the_api_and_stays_when_the_proxy_stops(lab: Lab) -> None:
    api = FakeApi()
    a, b = lab.pod("a"), lab.pod("b")
    api.put(SERVICES, service())
    api.put(SLICES, endpoints(a))

    async def steps() -> None:
        assert (await asyncio.to_thread(lab.ask, "b", VIP, 80)).split()[0] == "a"
        api.put(SLICES, endpoints(b))
        await meets(lab, "a", VIP, "b")
        api.put(SLICES, endpoints())
        await meets(lab, "a", VIP, "refused")
        api.put(SLICES, endpoints(a))
        await meets(lab, "b", VIP, "a")
        for i in range(1, 120):
            api.put(SERVICES, service(f"10.43.1.{i}", f"s{i}"))
            api.put(SLICES, endpoints(b, name=f"s{i}"))
        await meets(lab, "a", "10.43.1.119", "b")
        api.remove(SERVICES, "s5", "default")
        await meets(lab, "a", "10.43.1.5", "refused")

    driven(api, lab, steps)
    assert lab.ask("b", VIP, 80).split()[0] == "a"
    proxy.cleanup(config(lab))
    proxy.cleanup(config(lab))
    assert lab.ask("node", VIP, 80, seconds=0.3) in ("silence", "unreachable")


def test_a_table_that_somebody_flushed_comes_back(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    # the package names the function after its module
    monkeypatch.setattr(sys.modules["sampan.node.proxy.run"], "LOOK_SECONDS", 0.1)
    api = FakeApi()
    a = lab.pod("a")
    api.put(SERVICES, service())
    api.put(SLICES, endpoints(a))

    async def steps() -> None:
        proxy.cleanup(config(lab))
        await meets(lab, "node", VIP, "a")

    driven(api, lab, steps)


def test_a_change_to_a_table_that_is_gone_mends_it(lab: Lab) -> None:
    api = FakeApi()
    a, b = lab.pod("a"), lab.pod("b")
    api.put(SERVICES, service())
    api.put(SLICES, endpoints(a))

    async def steps() -> None:
        proxy.cleanup(config(lab))
        api.put(SLICES, endpoints(b))
        await meets(lab, "a", VIP, "b")

    driven(api, lab, steps)


def test_a_service_that_cannot_be_read_hurts_no_other(lab: Lab) -> None:
    api = FakeApi()
    a = lab.pod("a")
    api.put(SERVICES, service())
    api.put(SLICES, endpoints(a))
    api.put(
        SERVICES,
        {
            "metadata": {"name": "odd", "namespace": "default"},
            "spec": {"clusterIP": "10.43.0.9", "ports": [{}]},
        },
    )

    async def steps() -> None:
        await meets(lab, "node", VIP, "a")

    driven(api, lab, steps)
