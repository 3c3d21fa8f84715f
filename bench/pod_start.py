"""How long a pod takes from nothing to its first line of output, image present (runtime part: no API, no network).

    sudo python bench/pod_start.py [--pods 30] [--parallel 10] [--host-network] [--plain]

`--plain` leaves the seccomp filter away. Each phase is one CRI call; "first line" is when the log has it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

from sampan.node import runtime
from sampan.node.runtime.config import Config
from sampan.spec import cni, cri

IMAGE = "sampan.local/host"


class NoNetwork:
    """The pod gets its namespace and loopback; what a plug-in costs is measured elsewhere."""

    async def add(self, attachment: cni.Attachment) -> cni.Result:
        return cni.Result(ips=(cni.Address("10.99.0.2/24"),))

    async def delete(self, attachment: cni.Attachment) -> None: ...

    async def check(self, attachment: cni.Attachment) -> None: ...

    async def status(self) -> None: ...

    async def gc(self, valid: frozenset[tuple[str, str]]) -> None: ...


async def pod(rt: runtime.Local, name: str, logs: Path, options: argparse.Namespace) -> dict[str, float]:
    network = cri.NamespaceMode.NODE if options.host_network else cri.NamespaceMode.POD
    security = cri.LinuxSandboxSecurityContext(cri.NamespaceOption(network=network))
    config = cri.PodSandboxConfig(
        cri.PodSandboxMetadata(name, name, "bench"),
        hostname=name,
        log_directory=str(logs / name),
        linux=cri.LinuxPodSandboxConfig(f"/kubepods/{name}", security),
    )
    seccomp = None if options.plain else cri.SecurityProfile()
    container = cri.ContainerConfig(
        cri.ContainerMetadata("main"),
        cri.ImageSpec(IMAGE),
        command=("sh", "-c", "echo up; exec sleep 1000"),
        log_path="main.log",
        linux=cri.LinuxContainerConfig(
            security_context=cri.LinuxContainerSecurityContext(
                namespace_options=security.namespace_options, seccomp=seccomp
            )
        ),
    )
    marks = [time.perf_counter()]
    sandbox = await rt.run_pod_sandbox(config)
    marks.append(time.perf_counter())
    created = await rt.create_container(sandbox, container, config)
    marks.append(time.perf_counter())
    await rt.start_container(created)
    marks.append(time.perf_counter())
    log = logs / name / "main.log"
    while not log.stat().st_size:
        await asyncio.sleep(0.0005)
    marks.append(time.perf_counter())
    await rt.exec_sync(created, ("true",))
    marks.append(time.perf_counter())
    spans = [1000 * (after - before) for before, after in itertools.pairwise(marks)]
    names = ("run_pod_sandbox", "create_container", "start_container", "first line", "exec_sync")
    return dict(zip(names, spans, strict=True)) | {"total to first line": 1000 * (marks[4] - marks[0])}


async def remove(rt: runtime.Local) -> dict[str, float]:
    spans: dict[str, list[float]] = {"stop_pod_sandbox": [], "remove_pod_sandbox": []}
    for sandbox in await rt.list_pod_sandbox():
        for name, call in (
            ("stop_pod_sandbox", rt.stop_pod_sandbox),
            ("remove_pod_sandbox", rt.remove_pod_sandbox),
        ):
            before = time.perf_counter()
            await call(sandbox.id)
            spans[name].append(1000 * (time.perf_counter() - before))
    return {name: statistics.median(values) for name, values in spans.items()}


def memory(pid: int) -> str:
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0])
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return f"RSS {fields['Rss']} kB, PSS {fields['Pss']} kB, private {private} kB"


async def measure(options: argparse.Namespace, folder: Path) -> None:
    config = Config(folder / "root", Path(f"/run/sampan-bench-{os.getpid()}"), cluster=f"bench-{os.getpid()}")
    before = time.perf_counter()
    rt = await runtime.open(config, NoNetwork())
    print(f"open {1000 * (time.perf_counter() - before):.1f} ms, over {rt.books.oci}")
    try:
        rows = [await pod(rt, f"one-{number}", folder / "logs", options) for number in range(options.pods)]
        for name in rows[0]:
            values = sorted(row[name] for row in rows)
            p90 = values[int(len(values) * 0.9)]
            print(f"{name:22} p50 {statistics.median(values):7.1f}  min {values[0]:7.1f}  p90 {p90:7.1f} ms")
        for name, value in (await remove(rt)).items():
            print(f"{name:22} p50 {value:7.1f} ms")
        before = time.perf_counter()
        await asyncio.gather(
            *(pod(rt, f"many-{number}", folder / "logs", options) for number in range(options.parallel))
        )
        spent = time.perf_counter() - before
        print(f"{options.parallel} at once: {1000 * spent:.0f} ms = {options.parallel / spent:.1f} pods/s")
        monitor = rt.books.link.pid
        holder = next(
            int(line.split()[1])
            for line in Path(f"/proc/{monitor}/status").read_text().splitlines()
            if line.startswith("PPid")
        )
        print(f"monitor: {memory(monitor)}; holder: {memory(holder)}")
    finally:
        await rt.close()
        await runtime.cleanup(config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=30)
    parser.add_argument("--parallel", type=int, default=10)
    parser.add_argument("--host-network", action="store_true")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sampan-bench-") as folder:
        asyncio.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
