from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.allocation.pool import Exhausted, Pool
from sampan.control_plane.apiserver.allocation.services import Services
from sampan.control_plane.apiserver.cache.cache import Cache, key_of
from sampan.control_plane.apiserver.cache.record import encode
from sampan.control_plane.apiserver.storage.memory import MemoryStorage

Object = dict[str, Any]


def test_a_pool_hands_out_each_number_once_and_takes_it_back() -> None:
    pool = Pool(1, 5)
    taken = [pool.next() for _ in range(5)]
    assert sorted(taken) == [1, 2, 3, 4, 5]
    with pytest.raises(Exhausted):
        pool.next()
    pool.release(3)
    assert pool.next() == 3
    assert 6 not in pool


def test_the_reserved_part_comes_last() -> None:
    pool = Pool(1, 6, reserved=3)
    assert sorted(pool.next() for _ in range(3)) == [4, 5, 6]
    assert [pool.next() for _ in range(3)] == [1, 2, 3]


def test_a_number_that_is_held_twice_is_free_after_both_let_go() -> None:
    pool = Pool(1, 5)
    pool.hold(2)
    pool.hold(2)
    pool.release(2)
    assert not pool.is_free(2)
    pool.release(2)
    assert pool.is_free(2)


class Desk:
    """Services and the store that they follow."""

    def __init__(self, storage: MemoryStorage, services: Services) -> None:
        self.storage, self.services = storage, services

    async def create(self, name: str, **spec: Any) -> Object:
        obj = {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "a"},
            "spec": spec,
        }
        release = self.services.begin(obj, None)
        try:
            await self.storage.put(key_of("", "services", "a", name), encode(obj), expected=0)
        finally:
            release()
        return obj["spec"]  # type: ignore[return-value]

    async def update(self, name: str, old: Object, **spec: Any) -> Object:
        meta = {"name": name, "namespace": "a"}
        obj = {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": spec}
        release = self.services.begin(obj, {"metadata": meta, "spec": old})
        try:
            await self.storage.put(key_of("", "services", "a", name), encode(obj))
        finally:
            release()
        return obj["spec"]  # type: ignore[return-value]

    async def delete(self, name: str) -> None:
        await self.storage.delete(key_of("", "services", "a", name))


def drive(check: Callable[[Desk], Awaitable[None]], *cidrs: str) -> None:
    async def main() -> None:
        storage = MemoryStorage()
        await storage.start()
        cache = Cache(storage)
        await cache.start()
        try:
            await check(Desk(storage, Services(cidrs or ("10.0.0.0/28",), (30000, 30003), cache)))
        finally:
            cache.close()
            await storage.close()

    asyncio.run(main())


def ports(*numbers: int) -> list[Object]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def test_addresses_until_the_range_is_full_and_again() -> None:
    async def check(desk: Desk) -> None:
        given = [(await desk.create(f"s{number}"))["clusterIP"] for number in range(14)]
        assert len(set(given)) == 14
        assert {ip.rpartition(".")[2] for ip in given} == {str(n) for n in range(1, 15)}
        with pytest.raises(ApiError, match="range is full"):
            await desk.create("one-more")
        await desk.delete("s3")
        assert (await desk.create("again"))["clusterIP"] == given[3]

    drive(check)


def test_what_is_asked_for_is_given_unless_it_is_taken() -> None:
    async def check(desk: Desk) -> None:
        spec = await desk.create("a", clusterIP="10.0.0.5")
        assert (spec["clusterIP"], spec["clusterIPs"], spec["ipFamilies"]) == (
            "10.0.0.5",
            ["10.0.0.5"],
            ["IPv4"],
        )
        for wrong, says in (
            ("10.0.0.5", "provided IP is already allocated"),
            ("10.9.9.9", "the provided network does not match the current range"),
            ("10.0.0.15", "does not match"),
            ("nope", "must be a valid IP address"),
        ):
            with pytest.raises(ApiError, match=says):
                await desk.create("b", clusterIP=wrong)
        # a failed create holds nothing
        assert (await desk.create("b", clusterIP="10.0.0.6"))["clusterIP"] == "10.0.0.6"

    drive(check)


def test_node_ports() -> None:
    async def check(desk: Desk) -> None:
        spec = await desk.create("a", type="NodePort", ports=ports(80, 443))
        given = [port["nodePort"] for port in spec["ports"]]
        assert len(set(given)) == 2
        fixed = [{"port": 1, "protocol": "TCP", "nodePort": given[0]}]
        with pytest.raises(ApiError, match="provided port is already allocated"):
            await desk.create("b", type="NodePort", ports=fixed)
        outside = [{"port": 1, "protocol": "TCP", "nodePort": 80}]
        with pytest.raises(ApiError, match="The range of valid ports is 30000-30003"):
            await desk.create("b", type="NodePort", ports=outside)
        # another protocol has its own
        udp = [{"port": 1, "protocol": "UDP", "nodePort": given[0]}]
        assert (await desk.create("c", type="NodePort", ports=udp))["ports"][0]["nodePort"] == given[0]

    drive(check)


def test_one_port_of_two_protocols_gets_one_node_port() -> None:
    async def check(desk: Desk) -> None:
        both = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
        spec = await desk.create("dns", type="LoadBalancer", ports=both)
        assert spec["ports"][0]["nodePort"] == spec["ports"][1]["nodePort"]
        none = await desk.create(
            "lb", type="LoadBalancer", ports=ports(1), allocateLoadBalancerNodePorts=False
        )
        assert "nodePort" not in none["ports"][0]

    drive(check)


def test_an_update_keeps_changes_and_gives_back() -> None:
    async def check(desk: Desk) -> None:
        old = await desk.create("a", type="NodePort", ports=ports(80))
        new = await desk.update("a", old, **{**old, "ports": [*old["ports"], *ports(81)]})
        assert new["ports"][0] == old["ports"][0]
        assert new["ports"][1]["nodePort"] != old["ports"][0]["nodePort"]
        plain = {key: value for key, value in new.items() if key != "type"}
        plain["ports"] = ports(80)
        await desk.update("a", new, **plain, type="ClusterIP")
        for number in range(4):
            await desk.create(f"np{number}", type="NodePort", ports=ports(80))
        with pytest.raises(ApiError, match="range is full"):
            await desk.create("np9", type="NodePort", ports=ports(80))

    drive(check)


def test_without_an_address() -> None:
    async def check(desk: Desk) -> None:
        headless = await desk.create("h", clusterIP="None", selector={"a": "b"})
        assert (headless["clusterIPs"], headless["ipFamilies"]) == (["None"], ["IPv4"])
        bare = await desk.create("b", clusterIP="None")
        assert (bare["ipFamilies"], bare["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
        external = await desk.create("e", type="ExternalName", externalName="x.dev")
        assert "clusterIP" not in external

    drive(check)


def test_two_families() -> None:
    async def check(desk: Desk) -> None:
        single = await desk.create("s")
        assert single["ipFamilies"] == ["IPv4"]
        dual = await desk.create("d", ipFamilyPolicy="RequireDualStack")
        assert dual["ipFamilies"] == ["IPv4", "IPv6"]
        assert dual["clusterIPs"][1].startswith("fd00:")
        six = await desk.create("six", ipFamilies=["IPv6"])
        assert six["clusterIP"].startswith("fd00:")

    drive(check, "10.0.0.0/24", "fd00::/112")


def test_a_family_that_the_cluster_lacks() -> None:
    async def check(desk: Desk) -> None:
        with pytest.raises(ApiError, match="not configured on this cluster"):
            await desk.create("six", ipFamilies=["IPv6"])
        with pytest.raises(ApiError, match="not configured for dual-stack services"):
            await desk.create("d", ipFamilyPolicy="RequireDualStack")
        assert (await desk.create("p", ipFamilyPolicy="PreferDualStack"))["ipFamilies"] == ["IPv4"]

    drive(check)


def test_a_local_load_balancer_gets_a_health_port() -> None:
    async def check(desk: Desk) -> None:
        spec = await desk.create("lb", type="LoadBalancer", ports=ports(80), externalTrafficPolicy="Local")
        assert spec["healthCheckNodePort"] != spec["ports"][0]["nodePort"]

    drive(check)
