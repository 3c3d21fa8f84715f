"""How long `sampan up` takes until the node is Ready and DNS answers: the first run, the next ones, and a running one.

    sudo python bench/up.py [--runs 5]

The clock starts before the command and stops when (a) the command has ended, (b) the node is Ready by the API,
(c) a query for kubernetes.default sent to the DNS service's address has its answer. (b) and (c) are asked by a loop
beside the command from the moment it starts. A run is `up` after `down`; the first makes keys, database and image.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.request

import machine  # puts src and tests on the path

# isort: split
import clusters

QUESTION = b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"


class Seen(threading.Thread):
    """Asks for the node and for a name until both are there; seconds after its start, each."""

    def __init__(self, cluster: clusters.Cluster) -> None:
        super().__init__(daemon=True)
        self._cluster = cluster
        self.began = time.perf_counter()
        self.ready = self.dns = 0.0
        self._context: ssl.SSLContext | None = None

    def run(self) -> None:
        deadline = self.began + 60
        while time.perf_counter() < deadline and not (self.ready and self.dns):
            if not self.ready and self._node_is_ready():
                self.ready = time.perf_counter() - self.began
            if not self.dns and self._dns_answers():
                self.dns = time.perf_counter() - self.began
            time.sleep(0.02)

    def _settings(self) -> dict[str, object]:
        path = self._cluster.home / "data" / self._cluster.name / "cluster.json"
        return dict(json.loads(path.read_text()))

    def _node_is_ready(self) -> bool:
        try:
            settings = self._settings()
            if self._context is None:
                pki = self._cluster.home / "data" / self._cluster.name / "pki"
                context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
                context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
                self._context = context
            url = f"https://127.0.0.1:{settings['port']}/api/v1/nodes"
            with urllib.request.urlopen(url, context=self._context, timeout=1) as answer:
                nodes = json.load(answer)["items"]
        except (OSError, ValueError):
            return False
        return any(
            c["type"] == "Ready" and c["status"] == "True"
            for n in nodes
            for c in n["status"].get("conditions", ())
        )

    def _dns_answers(self) -> bool:
        try:
            cidr = self._settings()["service_cidrs"][0]  # type: ignore[index]
            address = cidr.split("/")[0].rpartition(".")[0] + ".10"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
                asker.settimeout(0.1)
                asker.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + QUESTION, (address, 53))
                answer = asker.recv(512)
        except (OSError, ValueError):
            return False
        _, flags, _, answers, _, _ = struct.unpack(">6H", answer[:12])
        return flags & 0xF == 0 and answers > 0


def run(cluster: clusters.Cluster, *words: str) -> tuple[float, float, float]:
    """Seconds to the end of the command, to Ready, to an answer of DNS."""
    seen = Seen(cluster)
    seen.start()
    cluster.up(*words)
    ended = time.perf_counter() - seen.began
    seen.join()
    if not (seen.ready and seen.dns):
        raise RuntimeError(f"not Ready or no DNS within a minute:\n{cluster.logs()}")
    return ended, seen.ready, seen.dns


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(machine.facts())
    cluster = clusters.make("bench")
    port = machine.reserve(cluster)
    try:
        first = run(cluster, port)
        machine.report("up, first run: command, ms", 1000 * first[0], "ms")
        machine.report("up, first run: node Ready and DNS answers", 1000 * max(first), "ms")
        later, down = [], []
        for _ in range(options.runs):
            before = time.perf_counter()
            cluster.sampan("down", "--name", cluster.name)
            down.append(time.perf_counter() - before)
            later.append(run(cluster))
        for at, what in enumerate(("command", "node Ready", "DNS answers")):
            values = [1000 * each[at] for each in later]
            print(f"    next runs, {what}: {machine.spread(values)} ms")
        machine.report("up, next runs: node Ready and DNS answers, p50",
                       1000 * statistics.median(max(each) for each in later), "ms", 1500)  # fmt: skip
        before = time.perf_counter()
        cluster.up()
        machine.report("up on a running cluster", 1000 * (time.perf_counter() - before), "ms")
        machine.report("down, p50", 1000 * statistics.median(down), "ms")
        versions = []
        for words in (["-m", "sampan.cli", "version"], ["-c", "pass"]):
            spans = []
            for _ in range(10):
                before = time.perf_counter()
                subprocess.run([sys.executable, *words], env=cluster.environ, check=True, capture_output=True)
                spans.append(time.perf_counter() - before)
            versions.append(statistics.median(spans))
        machine.report("sampan version, times `python -c pass`", versions[0] / versions[1], "x", 3)
    finally:
        clusters.stop(cluster)


if __name__ == "__main__":
    main()
