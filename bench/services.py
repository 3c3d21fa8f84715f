"""Services into the kernel: 10,000 with two endpoints each from nothing, replaced, and one change.

Runs in a network namespace of its own (root). With --nft the same number of services is given to nft as kube-proxy's
nftables mode shapes them (a chain per service and per endpoint), in smaller numbers, since that grows with the square.

    PYTHONPATH=src python bench/services.py [--services 10000] [--nft 1000]
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import time
from typing import Any

from sampan.base.netlink import netns
from sampan.dataplane import services
from sampan.node.proxy.kernel import Kernel, no_collection, remove
from sampan.node.proxy.model import Config

PLACE = f"/run/sampan-bench-{os.getpid()}"


def made(index: int) -> tuple[dict[str, Any], dict[str, Any]]:
    address = f"10.{100 + index // 62500}.{index // 250 % 250}.{index % 250 + 1}"
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    service = {"metadata": {"name": f"s{index}"}, "spec": {"clusterIP": address, "ports": ports}}
    pods = [
        f"10.200.{index // 250 % 250}.{index % 250 + 1}",
        f"10.201.{index // 250 % 250}.{index % 250 + 1}",
    ]
    listed = {
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [p], "conditions": {"ready": True}, "nodeName": "n2"} for p in pods],
    }
    return service, listed


def ours(count: int) -> None:
    config = Config("bench", "n1", ("10.200.0.0/15",), ("10.100.0.0/14",), netns=PLACE)
    known = [made(i) for i in range(count)]
    gc.collect()
    gc.freeze()
    ledger, kernel = services.Ledger(), Kernel(config)
    times = {}
    begun = time.perf_counter()
    with no_collection():
        ledger.fill({f"d/{s['metadata']['name']}": services.claims(s, [e], "n1") for s, e in known})
    times["decided"] = time.perf_counter() - begun
    kernel.replace(ledger)
    times["from nothing into the kernel"] = time.perf_counter() - begun
    begun = time.perf_counter()
    kernel.replace(ledger)
    times["replaced in one transaction"] = time.perf_counter() - begun
    for what, seconds in times.items():
        print(f"{count} services x 2 endpoints, {what}: {seconds:.3f} s")
    changes = []
    service, listed = known[count // 2]
    for i in range(200):
        more = [{"addresses": [f"10.201.255.{i}"]}] if i % 2 else []
        changed = {**listed, "endpoints": listed["endpoints"] + more}
        begun = time.perf_counter()
        difference = ledger.put(
            {f"d/{service['metadata']['name']}": services.claims(service, [changed], "n1")}
        )
        kernel.tidy(kernel.change(difference), ledger)
        changes.append((time.perf_counter() - begun) * 1e6)
        time.sleep(0.002)
    print(f"one endpoint more or less among them: p50 {statistics.median(changes[2:]):.0f} us")
    kernel.close()
    remove(config)


def by_chains(count: int) -> None:
    """kube-proxy's shape, by nft -f."""
    lines = ["table ip bench {"]
    elements = []
    for i in range(count):
        service, listed = made(i)
        first, second = (e["addresses"][0] for e in listed["endpoints"])
        lines += [
            f" chain e{i}a {{ meta l4proto tcp dnat to {first}:8080; }}",
            f" chain e{i}b {{ meta l4proto tcp dnat to {second}:8080; }}",
            f" chain s{i} {{ numgen random mod 2 vmap {{ 0 : goto e{i}a, 1 : goto e{i}b }}; }}",
        ]
        elements.append(f"{service['spec']['clusterIP']} . tcp . 80 : goto s{i}")
    lines += [
        " map services { type ipv4_addr . inet_proto . inet_service : verdict; elements = { "
        + ", ".join(elements)
        + " }; }",
        " chain prerouting { type nat hook prerouting priority -100;",
        "  ip daddr . meta l4proto . th dport vmap @services; }",
        "}",
    ]
    with netns.inside(PLACE):
        begun = time.perf_counter()
        subprocess.run(["nft", "-f", "-"], input="\n".join(lines), text=True, check=True)
        seconds = time.perf_counter() - begun
        subprocess.run(["nft", "delete", "table", "ip", "bench"], check=True)
    print(f"peer, a chain per service and endpoint by nft -f: {count} services x 2: {seconds:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--nft", type=int, default=0)
    given = parser.parse_args()
    netns.create(PLACE)
    try:
        ours(given.services)
        if given.nft:
            by_chains(given.nft)
    finally:
        netns.remove(PLACE)


if __name__ == "__main__":
    main()
