"""DNS queries per second of one server process on loopback: 10,000 services, four in five names exist.

The asker is a process of its own on another core, with a window of queries in flight. dnsmasq (with the same names as
hosts) is the peer where it is installed; dnsperf asks instead of us where that is.

    PYTHONPATH=src python bench/dns_rate.py [--services 10000] [--seconds 3] [--edns]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fake_api import FakeApi
from sampan.addons import dns
from sampan.api import kinds
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Question

WINDOW = 1000
SERVICES, NAMESPACES = kinds.of("v1", "Service"), kinds.of("v1", "Namespace")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def address(index: int) -> str:
    return f"10.43.{index // 250}.{index % 250 + 1}"


def serve(port: int, count: int, ready: int) -> None:
    """The body of the server process."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {0})
    api = FakeApi()
    api.put(NAMESPACES, {"metadata": {"name": "default"}})
    for i in range(count):
        spec = {"clusterIP": address(i), "ports": [{"port": 80, "protocol": "TCP"}]}
        api.put(SERVICES, {"metadata": {"name": f"svc{i}", "namespace": "default"}, "spec": spec})
    config = dns.Config((("127.0.0.1", port),), resolv_conf="/dev/null", cache_entries=4 * count)
    asyncio.run(dns.run(api, config, lambda: os.write(ready, b"x") and None))  # type: ignore[arg-type]


def questions(count: int, edns: bool) -> list[bytes]:
    chance = random.Random(1)
    made = []
    for _ in range(20_000):
        name = f"svc{chance.randrange(count)}" if chance.random() < 0.8 else f"none{chance.randrange(count)}"
        question = Question(wire.name(f"{name}.default.svc.cluster.local"), wire.A)
        made.append(wire.pack(Message(0, wire.RD, (question,), additional=(wire.edns(),) if edns else ())))
    return made


def ask(port: int, packets: list[bytes], seconds: float, at_least: int = 0) -> tuple[float, int]:
    """(answers per second, lost); goes on until `at_least` were sent. Sleeps and then drains, so that the server's sends need not wake us one by one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        sent = got = lost = 0
        begun = last = time.perf_counter()
        while (now := time.perf_counter()) - begun < seconds or sent < at_least:
            while sent - got - lost < WINDOW:
                sock.send(packets[sent % len(packets)])
                sent += 1
            time.sleep(0.0002)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.recv(2048)
                    got += 1
                    last = now
            if now - last > 0.5:
                lost, last = sent - got, now
        return got / (time.perf_counter() - begun), lost


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str, pid: int, port: int, packets: list[bytes], seconds: float) -> None:
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ask(port, packets, 1.0, len(packets))
    before = cpu_seconds(pid)
    rate, lost = ask(port, packets, seconds)
    spent = cpu_seconds(pid) - before
    per_query = spent / (rate * seconds) * 1e6 if rate else 0.0
    capacity = 1e6 / per_query if per_query else 0.0
    print(
        f"{name}: {rate:,.0f} answers/s, {per_query:.2f} us of CPU each ({capacity:,.0f} per core), {lost} lost"
    )


def dnsmasq(count: int, packets: list[bytes], seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder) / "hosts"
        hosts.write_text("".join(f"{address(i)} svc{i}.default.svc.cluster.local\n" for i in range(count)))
        port = free_port()
        process = subprocess.Popen(
            ["dnsmasq", "-k", "-C", "/dev/null", "-p", str(port), "-a", "127.0.0.1", "-H", str(hosts), "-R", "-h",
             "--bind-interfaces", "--local=/cluster.local/", "-u", "root"]
        )  # fmt: skip
        try:
            time.sleep(1.0)
            measure("dnsmasq", process.pid, port, packets, seconds)
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--edns", action="store_true")
    given = parser.parse_args()
    packets = questions(given.services, given.edns)
    port = free_port()
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        serve(port, given.services, tell)
        os._exit(0)
    try:
        os.read(ready, 1)
        measure("sampan", child, port, packets, given.seconds)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    if shutil.which("dnsmasq"):
        dnsmasq(given.services, packets, given.seconds)


if __name__ == "__main__":
    main()
