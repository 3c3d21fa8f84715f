"""Requests a second of one API server process over TLS: GET of a 3 KB object, durable create of ConfigMaps.

`python bench/api_rates.py [--seconds 5]`. Starts the server on the first core and a small client of its own on the
second: connections that send a request as soon as the last one is answered. Authentication is by service account token
with RBAC, admission is on, the store is SQLite with synchronous=FULL. Beside the rate stands the server's CPU time for
each request, which says more on a machine that does other things as well.

Beside it: what the machine can give at most (a bare uvloop protocol that answers 3 KB over TLS, whatever it is asked),
and, where KUBE_APISERVER or PATH gives one, a real kube-apiserver over etcd with fsync, pinned to the same core.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import machine  # puts src and tests on the path

# isort: split
import kube_apiserver
from conformance import apiservers

CORES = sorted(os.sched_getaffinity(0))
Server = apiservers.ApiServer | kube_apiserver.Peer


def ask(server: Server, method: str, path: str, body: Any = None) -> Any:
    context = ssl.create_default_context(cafile=server.ca)
    context.load_cert_chain(*server.certificate)
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        server.url + path, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        return json.load(answer)


def prepare(server: Server) -> str:
    """The objects, and the token of an account that may read and write ConfigMaps."""
    namespace = "/api/v1/namespaces/default"
    ask(server, "POST", f"{namespace}/serviceaccounts", {"metadata": {"name": "bench"}})
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create"]}
    ask(server, "POST", f"{rbac}/roles", {"metadata": {"name": "bench"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "bench"},
        "subjects": [{"kind": "ServiceAccount", "name": "bench", "namespace": "default"}],
    }
    ask(server, "POST", f"{rbac}/rolebindings", binding)
    big = {"metadata": {"name": "big"}, "data": {"content": "x" * 2700}}
    ask(server, "POST", f"{namespace}/configmaps", big)
    token = ask(server, "POST", f"{namespace}/serviceaccounts/bench/token", {"spec": {}})
    return str(token["status"]["token"])


class Client:
    """Counts whole answers on a number of connections for a number of seconds."""

    def __init__(self, server: Server, token: str) -> None:
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
            at = head.find(b"Content-Length: ") + 16
            if at < 16:  # kube-apiserver sends what is over 2 KB in chunks
                await reader.readuntil(b"\r\n0\r\n\r\n")
            else:
                await reader.readexactly(int(head[at : head.index(b"\r", at)]))
            if head[9:11] == b"20":
                self.done += 1
            else:
                self.failed += 1
        writer.close()


def wrk(url: str, token: str, seconds: float, connections: int) -> tuple[int, float]:
    """GET by wrk where it is installed: a client in C takes less of the second core."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:g}s",
        "-H",
        f"Authorization: Bearer {token}",
        url,
    ]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise RuntimeError(out)
    total = int(out.split(" requests in")[0].split()[-1])
    return total, float(out.split("Requests/sec:")[1].split()[0])


class Round(NamedTuple):
    """Answers a second, and microseconds of CPU for each."""

    rate: float
    each: float


def by_own_client(server: Server, pids: list[int], client: Client, kind: str, options: Any) -> Round:
    before = sum(map(machine.cpu, pids))
    rate = asyncio.run(client.run(kind, options.connections, options.seconds))
    if client.failed:
        raise RuntimeError(f"{client.failed} requests failed")
    return Round(rate, (sum(map(machine.cpu, pids)) - before) / max(1, client.done) * 1e6)


def by_wrk(url: str, pids: list[int], token: str, options: Any) -> Round:
    before = sum(map(machine.cpu, pids))
    total, rate = wrk(url, token, options.seconds, options.connections)
    return Round(rate, (sum(map(machine.cpu, pids)) - before) / total * 1e6)


def show(what: str, rounds: list[Round]) -> Round:
    """Prints all rounds; the best counts: others use this machine too, and they can only slow it down."""
    best = max(rounds)
    rates = ", ".join(f"{one.rate:,.0f}" for one in rounds)
    cpu = f"; the best takes {best.each:.0f} us CPU each" if best.each else ""
    print(f"    {what}: {rates} /s{cpu}", flush=True)
    return best


def measure(server: Server, pids: list[int], options: Any, most: str = "") -> dict[str, Round]:
    """The best rounds by kind; `most` is the address of a bare protocol that is asked in turns with the server."""
    token = prepare(server)
    client = Client(server, token)
    asyncio.run(client.run("get", options.connections, 1.0))
    big = f"{server.url}/api/v1/namespaces/default/configmaps/big"
    seen: dict[str, list[Round]] = {}
    for _ in range(options.rounds):
        if shutil.which("wrk"):
            seen.setdefault("get", []).append(by_wrk(big, pids, token, options))
            if most:
                seen.setdefault("bare", []).append(by_wrk(most, [], token, options))
        else:
            seen.setdefault("get", []).append(by_own_client(server, pids, client, "get", options))
        seen.setdefault("create", []).append(by_own_client(server, pids, client, "create", options))
    for pid in pids:
        print(f"    {Path(f'/proc/{pid}/comm').read_text().strip()}: {machine.pss(pid):.0f} MB")
    return {kind: show(kind, rounds) for kind, rounds in seen.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    print(machine.facts())
    os.sched_setaffinity(0, {CORES[-1]})
    with tempfile.TemporaryDirectory(prefix="sampan-bench-") as folder:
        server = apiservers.start(Path(folder))
        try:
            os.sched_setaffinity(server.process.pid, {CORES[0]})
            with bare_protocol(server) as most:
                best = measure(server, [server.process.pid], options, most)
        finally:
            apiservers.stop(server)
    machine.report("GET of a 3 KB ConfigMap", best["get"].rate, "/s", 20_000, most=False)
    machine.report("durable create of a 1 KB ConfigMap", best["create"].rate, "/s", 2_000, most=False)
    if "bare" in best:
        part = 100 * best["get"].rate / best["bare"].rate
        machine.report("GET: part of what a bare protocol gives here", part, "%")
    if found := kube_apiserver.binaries():
        beside(found, best, options)


def beside(found: tuple[str, str], best: dict[str, Round], options: Any) -> None:
    """A real kube-apiserver under the same client on the same core."""
    with (
        tempfile.TemporaryDirectory(prefix="sampan-bench-") as folder,
        kube_apiserver.started(Path(folder), *found) as peer,
    ):
        pids = [peer.process.pid, peer.etcd.pid]
        for pid in pids:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {CORES[0]})
        print("kube-apiserver over etcd:")
        theirs = measure(peer, pids, options)
    for kind, what in (("get", "GET"), ("create", "durable create")):
        machine.report(f"{what}: times kube-apiserver's rate", best[kind].rate / theirs[kind].rate, "x")


@contextlib.contextmanager
def bare_protocol(server: apiservers.ApiServer) -> Iterator[str]:
    """The address of a protocol that does nothing but answer 3 KB over TLS, on the same core."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    pki = Path(server.ca).parent
    process = context.Process(
        target=bare, args=(str(pki / "apiserver.crt"), str(pki / "apiserver.key"), ready), daemon=True
    )
    process.start()
    try:
        yield f"https://127.0.0.1:{ready.get(timeout=20)}/"
    finally:
        process.terminate()
        process.join()


def bare(certificate: str, key: str, ready: Any) -> None:
    import uvloop

    os.sched_setaffinity(0, {CORES[0]})
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000
    )

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(answer)

    async def serve() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listening = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, ssl=context)
        ready.put(listening.sockets[0].getsockname()[1])
        await listening.serve_forever()

    uvloop.run(serve())


if __name__ == "__main__":
    main()
