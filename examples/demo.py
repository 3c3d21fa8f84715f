"""The main job, end to end: a cluster, a chart on it, calls by Service name and by NodePort. `make demo` runs it.

Uses the commands as a user would, prints what it did and how long each step took, and leaves the cluster running.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
SAMPAN = str(Path(sys.executable).with_name("sampan"))
CHART = str(HERE / "charts" / "harbour")
RELEASE = "demo"


def sampan(*words: str) -> str:
    """Runs `sampan WORDS`; what it prints. Ends the demo with its error when it fails."""
    done = subprocess.run([SAMPAN, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"demo: 'sampan {' '.join(words)}' failed with exit code {done.returncode}", file=sys.stderr)
        sys.exit(1)
    return done.stdout


def step(what: str, work: Callable[[], str]) -> str:
    """Does a step and prints how long it took."""
    began = time.monotonic()
    answer = work()
    print(f"  {time.monotonic() - began:6.2f} s  {what}", flush=True)
    return answer


def install() -> str:
    """Installs the release, or upgrades the one that an earlier demo left."""
    return sampan("helm", "upgrade", "--install", RELEASE, CHART, "--wait", "--timeout", "2m")


def api(path: str) -> dict:
    """One GET of the API by the kubeconfig that `up` wrote, with the product's own client."""
    import asyncio

    from sampan import client
    from sampan.client import kubeconfig

    async def get() -> bytes:
        async with client.connect(kubeconfig.load(context="sampan")) as server:
            return await server.raw("GET", path)

    return json.loads(asyncio.run(get()))


def by_node_port() -> str:
    """Calls the page from this machine through its NodePort."""
    service = api(f"/api/v1/namespaces/default/services/{RELEASE}-harbour")
    node = api("/api/v1/nodes")["items"][0]
    address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    port = service["spec"]["ports"][0]["nodePort"]
    with urllib.request.urlopen(f"http://{address}:{port}/api", timeout=10) as answer:
        body = answer.read().decode().strip()
    return f"http://{address}:{port}/api says {body}"


def main() -> int:
    if os.geteuid() != 0:
        print("demo: real pods need root: run 'sudo make demo'", file=sys.stderr)
        return 1
    began = time.monotonic()
    print("Sampan demo\n")
    step("sampan up: API, controllers, scheduler, DNS, service proxy, node", lambda: sampan("up"))
    step("sampan helm upgrade --install demo examples/charts/harbour --wait", install)
    test = step(
        "sampan helm test demo: a pod calls the page by its Service name, the page asks the quay by DNS",
        lambda: sampan("helm", "test", RELEASE, "--logs"),
    )
    answer = step("a call from this machine through the NodePort", by_node_port)
    print(f"\nall in {time.monotonic() - began:.2f} s\n")
    for line in test.splitlines():
        if line.startswith("ships:"):
            print(f"the pod said: {line}")
    print(answer)
    print(
        "\nThe cluster goes on running. Next:\n"
        f"  {SAMPAN} status\n"
        "  kubectl get pods -A                 (context sampan; or: sampan kubectl get pods -A)\n"
        f"  {SAMPAN} helm list\n"
        f"  {SAMPAN} helm uninstall {RELEASE}\n"
        f"  {SAMPAN} delete"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
