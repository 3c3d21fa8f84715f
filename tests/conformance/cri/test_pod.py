"""What containers of a pod share, and what pods do not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from conformance.cri.field import Ours, Pods
from conformance.cri.test_lifecycle import fails
from sampan.spec import cri

pytestmark = pytest.mark.root


def test_the_network_is_asked_once_and_told_at_the_end(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        ports = (cri.PortMapping(cri.Protocol.UDP, 53, 5353, "127.0.0.1"), cri.PortMapping(container_port=80))
        pod = await pods.pod("net", port_mappings=ports)
        asked = ours.network.attached[pod[0]]
        assert asked.ifname == "eth0" and asked.args["K8S_POD_NAME"] == "net"
        assert asked.args["K8S_POD_NAMESPACE"] == "default" and asked.args["K8S_POD_UID"] == "uid-net"
        assert [tuple(p) for p in asked.port_mappings] == [(5353, 53, "udp", "127.0.0.1")]
        status = await pods.rt.pod_sandbox_status(pod[0])
        assert status.network == cri.PodSandboxNetworkStatus("10.99.0.2", ("fd00::2",))
        await pods.rt.stop_pod_sandbox(pod[0])
        assert ours.network.attached == {} and not os.path.exists(asked.netns)

    ours.run(scenario)


def test_a_network_that_fails_leaves_no_sandbox(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        ours.network.fail = True
        error = await fails("Unknown", pods.rt.run_pod_sandbox(pods.sandbox_config("x")))
        assert "try again later" in error.message
        assert await pods.rt.list_pod_sandbox() == []
        assert list((ours.config.run / "netns").iterdir()) == []
        ours.network.fail = False
        await pods.pod("x")

    ours.run(scenario)


def test_pods_have_networks_of_their_own(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        script = "cat /proc/net/dev | tail -n +3 | cut -d: -f1; readlink /proc/self/ns/net; grep -c 'lo$' /proc/net/if_inet6"
        own = (await pods.sh(script, pod=await pods.pod())).split()
        other = (await pods.sh(script, pod=await pods.pod())).split()
        host = (await pods.sh("readlink /proc/self/ns/net", pod=await pods.pod(network=2))).strip()
        assert own[0] == "lo" and own[2] == "1"
        assert len({own[1], other[1], host}) == 3 and host == os.readlink("/proc/self/ns/net")

    ours.run(scenario)


def test_containers_of_a_pod_share_memory_and_name_but_not_processes(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("twins")
        script = "echo shared > /dev/shm/x; sleep 1000"
        first = await pods.start(pod, "sh", "-c", script, name="a")
        await pods.rt.exec_sync(first, ("sh", "-c", "until [ -e /dev/shm/x ]; do sleep 0.02; done"))
        said = await pods.sh(
            "cat /dev/shm/x; hostname; df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2; ls -d /proc/[0-9]* | wc -l",
            pod=pod,
            name="b",
        )
        assert said.split()[:3] == ["shared", "twins", str(64 * 1024)]
        assert int(said.split()[3]) < 8
        links = [
            (await pods.rt.exec_sync(first, ("readlink", "/proc/self/ns/ipc"))).stdout.decode().strip(),
            (await pods.sh("readlink /proc/self/ns/ipc", pod=pod, name="c")).strip(),
            (await pods.sh("readlink /proc/self/ns/ipc", pod=await pods.pod())).strip(),
        ]
        assert links[0] == links[1] != links[2] != os.readlink("/proc/self/ns/ipc")

    ours.run(scenario)


def test_a_shared_process_namespace(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("shared", pid=0)
        first = await pods.start(pod, "sleep", "4711", name="a")
        second = await pods.start(pod, "sh", "-c", "sleep 4712 & sleep 4713", name="b")
        seen = (
            await pods.rt.exec_sync(first, ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
        ).stdout
        assert b"sleep 4711" in seen and b"sleep infinity" in seen
        # The one that reaps is not the node's: zombies go.
        await pods.rt.exec_sync(second, ("sh", "-c", "(sleep 0.01 &) ; sleep 0.2"))
        states = (
            await pods.rt.exec_sync(first, ("sh", "-c", "cat /proc/[0-9]*/stat | cut -d')' -f2 | cut -c2"))
        ).stdout
        assert b"Z" not in states
        assert [c.metadata.name for c in await pods.rt.list_containers()] == ["a", "b"]
        await pods.rt.stop_container(second, 0)
        async with asyncio.timeout(10):
            while b"4712" in seen:
                seen = (
                    await pods.rt.exec_sync(first, ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
                ).stdout
        await pods.rt.remove_pod_sandbox(pod[0])

    ours.run(scenario)


def test_a_shared_process_namespace_that_loses_its_first_process(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("orphans", pid=0)
        container = await pods.start(pod, "sleep", "4716")
        pause = pods.rt.books.sandboxes[pod[0]].pause
        os.kill(pods.rt.books.containers[pause].pid, 9)
        assert (await pods.ended(container)).exit_code == 137
        async with asyncio.timeout(10):
            while (await pods.rt.pod_sandbox_status(pod[0])).state == cri.PodSandboxState.SANDBOX_READY:
                await asyncio.sleep(0.01)
        await pods.rt.remove_pod_sandbox(pod[0])

    ours.run(scenario)


def test_a_container_that_joins_another_ones_processes(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("debug")
        target = await pods.start(pod, "sleep", "4714", name="app")
        options = cri.NamespaceOption(pid=cri.NamespaceMode.TARGET, target_id=target)
        config = cri.ContainerConfig(
            cri.ContainerMetadata("debugger"),
            cri.ImageSpec("sampan.local/host"),
            command=("sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline"),
            log_path="debugger.log",
            linux=cri.LinuxContainerConfig(
                security_context=cri.LinuxContainerSecurityContext(namespace_options=options)
            ),
        )
        container = await pods.rt.create_container(pod[0], config, pod[1])
        await pods.rt.start_container(container)
        assert pods.said(await pods.ended(container)) == "sleep 4714 "

    ours.run(scenario)


def test_host_namespaces(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("host", pid=2, network=2, ipc=2)
        said = await pods.sh(
            "for k in pid net ipc uts; do readlink /proc/self/ns/$k; done; hostname", pod=pod
        )
        expected = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "net", "ipc", "uts")]
        assert said.split() == [*expected, os.uname().nodename]

    ours.run(scenario)


def test_resolver_and_sysctls(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        dns = cri.DNSConfig(("10.0.0.10",), ("a.svc", "svc"), ("ndots:5",))
        linux = cri.LinuxPodSandboxConfig(
            sysctls={"net.ipv4.ip_local_port_range": "2000 3000", "kernel.shmmax": "12345"}
        )
        pod = await pods.pod(dns_config=dns, linux=linux)
        said = await pods.sh(
            "cat /etc/resolv.conf /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shmmax"
            " /proc/sys/net/ipv4/ip_unprivileged_port_start",
            pod=pod,
        )
        lines = [" ".join(line.split()) for line in said.splitlines()]
        assert lines == [
            "search a.svc svc",
            "nameserver 10.0.0.10",
            "options ndots:5",
            "2000 3000",
            "12345",
            "0",
        ]
        for network, name in ((0, "vm.swappiness"), (2, "net.core.somaxconn")):
            config = pods.sandbox_config(
                network=network, linux=cri.LinuxPodSandboxConfig(sysctls={name: "1"})
            )
            assert name in (await fails("InvalidArgument", pods.rt.run_pod_sandbox(config))).message

    ours.run(scenario)


def test_limits_of_the_whole_pod(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        if not Path("/sys/fs/cgroup/memory").exists():
            pytest.skip("the values of cgroup v2 have other files")
        limit = cri.LinuxContainerResources(memory_limit_in_bytes=48 << 20)
        pod = await pods.pod("capped", network=2, linux=cri.LinuxPodSandboxConfig(resources=limit))
        folder = Path(f"/sys/fs/cgroup/memory{ours.config.cgroups}/kubepods/podcapped")
        assert (folder / "memory.limit_in_bytes").read_text().strip() == str(48 << 20)
        await pods.rt.remove_pod_sandbox(pod[0])
        assert not folder.exists()

    ours.run(scenario)


def test_many_pods_start_at_once(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        async def one(number: int) -> str:
            return await pods.start(await pods.pod(f"p{number}"), "sh", "-c", f"echo {number}; sleep 1000")

        started = await asyncio.gather(*(one(number) for number in range(12)))
        listed = await pods.rt.list_containers(
            cri.ContainerFilter(state=cri.ContainerState.CONTAINER_RUNNING)
        )
        assert {c.id for c in listed} == set(started)
        await asyncio.gather(*(pods.rt.remove_pod_sandbox(s.id) for s in await pods.rt.list_pod_sandbox()))
        assert await pods.rt.list_containers() == []

    ours.run(scenario)
