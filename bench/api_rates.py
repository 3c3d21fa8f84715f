"""Requests a second of one API server process over TLS: GET of a 3 KB object, durable create of ConfigMaps.

`python bench/api_rates.py [--seconds 5]`. Starts the server on the first core and a small client of its own on the
second: connections that send a request as soon as the last one is answered. Authentication is by service account token
with RBAC, admission is on, the store is SQLite with synchronous=FULL. Beside the rate stands the server's CPU time for
each request, which says more on a machine that does other things as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from conformance import apiservers  # noqa: E402

CORES = sorted(os.sched_getaffinity(0))
TICK = 1 / os.sysconf("SC_CLK_TCK")


def ask(server: apiservers.ApiServer, method: str, path: str, body: Any = None) -> Any:
    context = ssl.create_default_context(cafile=server.ca)
    context.load_cert_chain(*server.certificate)
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        server.url + path, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        return json.load(answer)


def prepare(server: apiservers.ApiServer) -> str:
    """The objects, and the token of an account that may read and write ConfigMaps."""
    namespace = "/api/v1/namespaces/default"
    ask(server, "POST", f"{namespace}/serviceaccounts", {"metadata": {"name": "bench"}})
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    binding = {
        "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "ServiceAccount", "name": "bench", "namespace": "default"}],
    }
    ask(server, "POST", f"{rbac}/rolebindings", binding)
    big = {"metadata": {"name": "big"}, "data": {"content": "x" * 2700}}
    ask(server, "POST", f"{namespace}/configmaps", big)
    token = ask(server, "POST", f"{namespace}/serviceaccounts/bench/token", {"spec": {}})
    return str(token["status"]["token"])


class Client:
    """Counts whole answers on a number of connections for a number of seconds."""

    def __init__(self, server: apiservers.ApiServer, token: str) -> None:
        self._host, _, port = server.url.removeprefix("https://").rpartition(":")
        self._port = int(port)
        self._context = ssl.create_default_context(cafile=server.ca)
        self._head = f"Host: bench\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
        self._number = 0
        self.done = 0
        self.failed = 0

    def get(self) -> bytes:
        return f"GET /api/v1/namespaces/default/configmaps/big HTTP/1.1\r\n{self._head}\r\n".encode()

    def create(self) -> bytes:
        self._number += 1
        body = json.dumps(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"bench-{time.time_ns()}-{self._number}"},
                "data": {"content": "x" * 900},
            },
            separators=(",", ":"),  # as Go clients send it
        ).encode()
        head = f"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\n{self._head}"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    async def run(self, kind: str, connections: int, seconds: float) -> float:
        """Answers a second."""
        make = getattr(self, kind)
        self.done = self.failed = 0
        stop = time.perf_counter() + seconds
        await asyncio.gather(*(self._connection(make, stop) for _ in range(connections)))
        return self.done / seconds

    async def _connection(self, make: Any, stop: float) -> None:
        reader, writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._context, limit=1 << 20
        )
        while time.perf_counter() < stop:
            writer.write(make())
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.index(b"Content-Length: ") + 16
            await reader.readexactly(int(head[at : head.index(b"\r", at)]))
            if head[9:11] == b"20":
                self.done += 1
            else:
                self.failed += 1
        writer.close()


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def wrk(server: apiservers.ApiServer, token: str, seconds: float) -> tuple[int, float]:
    """GET by wrk where it is installed: a client in C takes less of the second core."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds:g}s", "-H", f"Authorization: Bearer {token}"]
    out = subprocess.run(
        [*command, f"{server.url}/api/v1/namespaces/default/configmaps/big"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    total = int(out.split(" requests in")[0].split()[-1])
    return total, float(out.split("Requests/sec:")[1].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sampan-bench-") as folder:
        server = apiservers.start(Path(folder))
        try:
            os.sched_setaffinity(server.process.pid, {CORES[0]})
            os.sched_setaffinity(0, {CORES[-1]})
            measure(server, given.seconds, given.connections)
        finally:
            apiservers.stop(server)


def measure(server: apiservers.ApiServer, seconds: float, connections: int) -> None:
    token, pid = prepare(server), server.process.pid
    client = Client(server, token)
    asyncio.run(client.run("get", connections, 1.0))
    for title, kind in (("GET of a 3 KB ConfigMap", "get"), ("durable create of a 1 KB ConfigMap", "create")):
        before = cpu_of(pid)
        rate = asyncio.run(client.run(kind, connections, seconds))
        each = (cpu_of(pid) - before) / max(1, client.done) * 1e6
        print(f"{title}: {rate:,.0f}/s, {each:.0f} us CPU each, {client.failed} failed (own client)")
    try:
        before = cpu_of(pid)
        total, rate = wrk(server, token, seconds)
        print(
            f"GET of a 3 KB ConfigMap: {rate:,.0f}/s, {(cpu_of(pid) - before) / total * 1e6:.0f} us CPU each (wrk)"
        )
    except FileNotFoundError:
        print("wrk is not installed, its figure is left out")
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    print("server memory:", next(line for line in lines if line.startswith("VmRSS")).split(":")[1].strip())


if __name__ == "__main__":
    main()
