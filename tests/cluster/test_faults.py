"""Our processes may be killed at any time: pods go on, nothing acknowledged is lost, and `delete` leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clusters
from clusters import Cluster, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.root]


@pytest.fixture
def own(swept: None) -> Iterator[Cluster]:
    """A cluster with real pods that this test may hurt."""
    if not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("no OCI runtime on this machine (install crun)")
    made = clusters.make("hurt")
    try:
        yield clusters.start(made)
    finally:
        clusters.stop(made)


def components(cluster: Cluster) -> dict[str, dict[str, Any]]:
    done = cluster.sampan("status", "--name", cluster.name, "-o", "json", code=None)
    return {c["name"]: c for c in json.loads(done.out)["components"]}


def containers(cluster: Cluster) -> dict[str, tuple[str, int]]:
    """Container id and restarts of each pod: they change when a container is started anew."""
    return {
        pod["metadata"]["name"]: (s["containerID"], s["restartCount"])
        for pod in cluster.get("pods")["items"]
        for s in pod["status"].get("containerStatuses") or ()
    }


def test_pods_go_on_whichever_of_our_processes_is_killed(own: Cluster) -> None:
    own.kubectl(
        "create", "deployment", "web", "--image=sampan.local/host:1", "--replicas=2", "--", "sleep", "3600"
    )
    own.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = containers(own)
    for victim in ("node", "apiserver", "controllers", "monitor"):
        own.kubectl("create", "configmap", f"acknowledged-before-{victim}")
        pid = components(own)[victim]["pid"]
        os.kill(pid, 9)
        eventually(
            lambda victim=victim, pid=pid: (
                (now := components(own).get(victim))
                and now["state"] == "running"
                and now["pid"] not in (None, pid)
            )
        )
        assert own.get("configmap", f"acknowledged-before-{victim}")["kind"] == "ConfigMap"
    os.kill(
        components(own)["holder"]["pid"], 9
    )  # nobody can stand above a running monitor again; it goes on alone
    os.kill(components(own)["supervisor"]["pid"], 9)
    eventually(lambda: own.sampan("status", "--name", own.name, code=None).code == 3)
    own.up()
    assert containers(own) == before
    name = next(iter(before))
    assert own.kubectl("exec", name, "--", "echo", "alive").out == "alive\n"
    own.kubectl("scale", "deployment", "web", "--replicas=3")
    own.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert before.items() <= containers(own).items()


def test_down_and_up_bring_the_pods_back(own: Cluster) -> None:
    own.kubectl("create", "deployment", "web", "--image=sampan.local/host:1", "--", "sleep", "3600")
    own.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    [(name, (before, _))] = containers(own).items()
    own.sampan("down", "--name", own.name)
    own.up()
    eventually(lambda: containers(own).get(name, (before, 0))[0] != before)
    own.kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=60s")
    assert containers(own)[name][1] == 1


def traces(cluster: Cluster) -> list[str]:
    """What the machine still has of a cluster: mounts, processes, cgroups, links, tables."""
    home = str(cluster.home)
    found = [line for line in Path("/proc/mounts").read_text().splitlines() if home in line]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if home in path.read_text():
                found.append(f"process {path.parent.name}")
        except OSError:
            continue
    for root in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")):
        found += [str(p) for p in root.glob(f"*{cluster.name}*")]
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False).stdout
    found += [line for line in tables.splitlines() if cluster.name in line]
    data = json.loads((cluster.home / "settings.json").read_text())
    routes = subprocess.run(["ip", "route", "show"], capture_output=True, text=True, check=False).stdout
    for cidr in (*data["pod_cidrs"], *data["service_cidrs"]):
        found += [line for line in routes.splitlines() if cidr in line]
    return found


@pytest.mark.parametrize("killed", [False, True])
def test_delete_leaves_nothing(own: Cluster, killed: bool) -> None:
    own.kubectl(
        "create", "deployment", "web", "--image=sampan.local/host:1", "--replicas=2", "--", "sleep", "3600"
    )
    own.kubectl("expose", "deployment", "web", "--port=80", "--type=NodePort")
    own.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    status = json.loads(own.sampan("status", "--name", own.name, "-o", "json").out)
    (own.home / "settings.json").write_text(json.dumps(status["settings"]))
    assert traces(own) != []
    if killed:
        for component in components(own).values():
            try:
                os.kill(component["pid"], 9)
            except ProcessLookupError:
                continue
    own.sampan("delete", "--name", own.name)
    assert eventually(lambda: traces(own) == [] or None, seconds=15)
