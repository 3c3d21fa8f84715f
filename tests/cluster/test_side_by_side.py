"""Several clusters on one machine, and one cluster under two builds of ours: none disturbs the other's pods."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

import clusters
from clusters import ROOT, Cluster, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.root]

SERVE = "import os,http.server as h;open('/tmp/index.html','w').write(os.environ['WHO']);os.chdir('/tmp');h.test(h.SimpleHTTPRequestHandler,port=8080)"  # fmt: skip
ASK = "import urllib.request as u;print(u.urlopen('http://web.default.svc.cluster.local/',timeout=5).read().decode())"


@pytest.fixture
def pair(swept: None) -> Iterator[list[Cluster]]:
    if not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("no OCI runtime on this machine (install crun)")
    made = [clusters.make("side"), clusters.make("side")]
    try:
        yield [clusters.start(one) for one in made]
    finally:
        for one in made:
            clusters.stop(one)


def serve(cluster: Cluster) -> None:
    """A service `web` that answers with the cluster's name."""
    env = [{"name": "WHO", "value": cluster.name}]
    main = {"name": "main", "image": "sampan.local/host", "command": ["python3", "-c", SERVE], "env": env}
    ready = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [main | ready]},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    cluster.apply(pod, service)
    cluster.kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s")


def asked(cluster: Cluster) -> str:
    """Who answers to the name `web` in a pod of this cluster."""
    return cluster.kubectl("exec", "web", "--", "python3", "-c", ASK, code=None).out.strip()


def test_two_clusters_with_the_same_names_do_not_meet(pair: list[Cluster]) -> None:
    for one in pair:
        serve(one)
    for one in pair:
        eventually(lambda one=one: asked(one) == one.name, seconds=20)
    first, second = pair
    addresses = {one.get("pod", "web")["status"]["podIP"] for one in pair}
    ranges = {one.get("service", "kubernetes")["spec"]["clusterIP"] for one in pair}
    assert len(addresses) == len(ranges) == 2
    before = second.get("pod", "web")["status"]["containerStatuses"][0]["containerID"]
    first.delete()
    assert asked(second) == second.name
    seen = second.get("pod", "web")["status"]["containerStatuses"][0]
    assert (seen["containerID"], seen["restartCount"]) == (before, 0)


def test_another_build_replaces_our_processes_and_keeps_the_pods(pair: list[Cluster]) -> None:
    cluster = pair[0]
    serve(cluster)
    before = cluster.get("pod", "web")["status"]["containerStatuses"]
    assert "is up already" in cluster.up().out
    other = cluster.home / "build"
    shutil.copytree(ROOT / "src", other, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "sampan" / "cluster" / "newer.py").write_text('"""What makes this another build."""\n')
    old = cluster.sampan("status", "--name", cluster.name).out
    cluster.environ["PYTHONPATH"] = str(other)
    cluster.up()
    assert cluster.sampan("status", "--name", cluster.name).out.splitlines()[0] != old.splitlines()[0]
    eventually(lambda: asked(cluster) == cluster.name, seconds=20)
    after = cluster.get("pod", "web")["status"]["containerStatuses"]
    assert after == before
