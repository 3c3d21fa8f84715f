"""What an idle cluster takes: memory (PSS) and CPU of all our processes, container monitor included.

    sudo python bench/idle_memory.py [--seconds 20] [--pods 0]

PSS divides a shared page among the processes that map it, so the sum is what the machine really gives.
"""

from __future__ import annotations

import argparse
import json
import time

import machine  # puts src and tests on the path

# isort: split
import clusters


def name(cluster: clusters.Cluster, pid: int, words: str) -> str:
    status = json.loads(cluster.sampan("status", "--name", cluster.name, "-o", "json").out)
    found = {component["process"] for component in status["components"] if component["pid"] == pid}
    return "+".join(sorted(found)) or words[:40]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pods", type=int, default=0, help="with that many sleeping pods")
    options = parser.parse_args()
    print(machine.facts())
    cluster = clusters.make("bench")
    port = machine.reserve(cluster)
    try:
        cluster.up(port)
        if options.pods:
            words = ("--image=sampan.local/host", f"--replicas={options.pods}", "--", "sleep", "86400")
            cluster.kubectl("create", "deployment", "idle", *words)
            cluster.kubectl("rollout", "status", "deploy/idle", "--timeout=120s")
        time.sleep(5)
        status = json.loads(cluster.sampan("status", "--name", cluster.name, "-o", "json").out)
        roots = {component["pid"] for component in status["components"] if component["pid"]}
        pods = {pid for pid, words in machine.below(roots).items() if words.startswith("sleep")}
        processes = {pid: words for pid, words in machine.below(roots).items() if pid not in pods}
        before = {pid: machine.cpu(pid) for pid in processes}
        time.sleep(options.seconds)
        total = busy = 0.0
        for pid, words in sorted(processes.items()):
            memory, spent = machine.pss(pid), machine.cpu(pid) - before[pid]
            total, busy = total + memory, busy + spent
            share = 100 * spent / options.seconds
            print(f"    {name(cluster, pid, words):40} {memory:7.1f} MB  {share:5.2f} % CPU")
        machine.report(f"idle with {options.pods} pods: PSS of all our processes", total, "MB", 150)
        machine.report(f"idle with {options.pods} pods: CPU of one core", 100 * busy / options.seconds, "%")
    finally:
        clusters.stop(cluster)


if __name__ == "__main__":
    main()
