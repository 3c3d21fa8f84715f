"""A pod's user: logs, exec, cp, wait, and calls by address, by name and by node port."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from conformance.cluster.shell import IMAGE, Shell, container, pod, workload

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]

SERVE = "import os,http.server as h\nclass P(h.BaseHTTPRequestHandler):\n def do_GET(s):\n  b=os.environ['HOSTNAME'].encode();s.send_response(200);s.send_header('Content-Length',str(len(b)));s.end_headers();s.wfile.write(b)\nh.ThreadingHTTPServer(('',8080),P).serve_forever()"  # fmt: skip


def server(name: str, replicas: int = 1) -> dict[str, Any]:
    """A Deployment whose pods answer with their names on port 8080."""
    ready = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    main = container(
        "python3", "-c", SERVE, readinessProbe=ready, ports=[{"containerPort": 8080, "name": "http"}]
    )
    return workload("Deployment", name, main, replicas=replicas)


def ask(k: Shell, name: str, url: str) -> str:
    """What a GET from inside a pod answers; a time-out or refusal fails the test."""
    script = f"import urllib.request as u;print(u.urlopen({url!r},timeout=5).read().decode(),end='')"
    return k("exec", name, "--", "python3", "-c", script)


# -- one pod


def test_run_with_stdin_and_an_exit_code(k: Shell) -> None:
    said = k(
        "run",
        "once",
        f"--image={IMAGE}",
        "--restart=Never",
        "--rm",
        "-i",
        "--quiet",
        "--",
        "cat",
        stdin="a\nb\n",
    )
    assert said == "a\nb\n"
    k(
        "run",
        "code",
        f"--image={IMAGE}",
        "--restart=Never",
        "--rm",
        "-i",
        "--quiet",
        "--",
        "sh",
        "-c",
        "exit 3",
        code=3,
    )
    assert not k.exists("pod/code")


def test_exec_streams_codes_and_containers(k: Shell) -> None:
    k.apply(
        pod("boat", container(name="bow"), container(name="stern", env=[{"name": "AT", "value": "stern"}]))
    )
    k("wait", "pod/boat", "--for=condition=Ready", "--timeout=60s")
    done = k.cluster.kubectl("-n", k.namespace, "exec", "boat", "-c", "stern", "--", "sh", "-c", "echo $AT; echo err >&2; exit 9", code=9)  # fmt: skip
    assert done.out == "stern\n" and done.err.startswith("err\n") and "exit code 9" in done.err
    big = "x" * 1_000_000
    assert k("exec", "-i", "boat", "-c", "bow", "--", "cat", stdin=big) == big
    assert "container none is not valid for pod boat" in k.refused("exec", "boat", "-c", "none", "--", "true")
    assert "Defaulted container" in k.warned("exec", "boat", "--", "true")
    with k.running("attach", "boat", "-c", "bow") as attached:
        assert attached.poll() is None


def test_logs_of_many_and_followed(k: Shell) -> None:
    k.apply(workload("Deployment", "talk", container("sh", "-c", "echo up; sleep 3600"), replicas=2))
    k("rollout", "status", "deploy/talk", "--timeout=60s")
    k.until(lambda: k("logs", "-l", "app=talk") == "up\nup\n")
    k.apply(
        pod(
            "slow",
            container("sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done"),
            restartPolicy="Never",
        )
    )
    k("wait", "pod/slow", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
    assert k("logs", "-f", "slow") == "1\n2\n3\n"
    assert k("logs", "slow", "--tail=1") == "3\n" and k("logs", "slow", "--limit-bytes=2") == "1\n"
    assert len(k("logs", "slow", "--since=1h", "--timestamps").splitlines()[0].split()) == 2
    assert "not found" in k.refused("logs", "none")


def test_cp_both_ways(k: Shell, tmp_path: Path) -> None:
    k.apply(pod("boat"))
    k("wait", "pod/boat", "--for=condition=Ready", "--timeout=60s")
    cargo = tmp_path / "cargo"
    (cargo / "hold").mkdir(parents=True)
    (cargo / "hold" / "tea").write_text("oolong" * 10_000)
    k("cp", str(cargo), "boat:/tmp/cargo")
    assert k("exec", "boat", "--", "wc", "-c", "/tmp/cargo/hold/tea").split()[0] == "60000"
    k("cp", "boat:/tmp/cargo/hold/tea", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "oolong" * 10_000


def test_wait_in_its_forms(k: Shell) -> None:
    k.apply(pod("boat"))
    k("wait", "pod/boat", "--for=condition=Ready", "--timeout=60s")
    k("wait", "pod", "-l", "app=boat", "--for=jsonpath={.status.phase}=Running")
    assert "timed out" in k.refused("wait", "pod/boat", "--for=condition=Ready=false", "--timeout=1s")
    with k.running("wait", "pod/boat", "--for=delete", "--timeout=60s") as waiting:
        k("delete", "pod", "boat")
        assert waiting.wait(timeout=30) == 0
    assert "no matching resources found" in k.refused(
        "wait", "pod", "-l", "app=none", "--for=condition=Ready"
    )


def test_a_debug_container_joins_a_pod(k: Shell) -> None:
    k.apply(pod("boat"))
    k("wait", "pod/boat", "--for=condition=Ready", "--timeout=60s")
    k(
        "debug",
        "boat",
        f"--image={IMAGE}",
        "--container=look",
        "--profile=general",
        "--attach=false",
        "--",
        "sleep",
        "60",
    )
    k.until(lambda: "running" in k.path("pod/boat", ".status.ephemeralContainerStatuses[0].state"))
    assert k("exec", "boat", "-c", "look", "--", "hostname") == "boat\n"


# -- services


def test_a_service_by_address_name_and_node_port(k: Shell) -> None:
    k.apply(server("web", replicas=2), pod("caller"))
    k("expose", "deploy/web", "--port=80", "--target-port=http", "--type=NodePort")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    k("wait", "pod/caller", "--for=condition=Ready", "--timeout=60s")
    service = k.get("service", "web")["spec"]
    names = {name.removeprefix("pod/") for name in k("get", "pods", "-l", "app=web", "-o", "name").split()}
    k.until(lambda: len(k.path("endpointslices", ".items[*].endpoints[*].addresses[0]").split()) == 2)
    for host in (service["clusterIP"], "web", f"web.{k.namespace}", f"web.{k.namespace}.svc.cluster.local"):
        assert k.until(lambda host=host: ask(k, "caller", f"http://{host}/")) in names
    address = k.path("nodes", ".items[0].status.addresses[?(@.type=='InternalIP')].address")
    url = f"http://{address}:{service['ports'][0]['nodePort']}/"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read().decode() in names
    assert ask(k, "caller", url) in names
    seen = {ask(k, "caller", f"http://{service['clusterIP']}/") for _ in range(20)}
    assert seen == names
    k("scale", "deploy/web", "--replicas=0")
    k.until(lambda: "refused" in k.cluster.kubectl("-n", k.namespace, "exec", "caller", "--", "python3", "-c",
            f"import urllib.request as u;u.urlopen('http://{service['clusterIP']}/',timeout=5)", code=None).err)  # fmt: skip


def test_a_pod_reaches_itself_through_its_service(k: Shell) -> None:
    k.apply(server("web"))
    k("expose", "deploy/web", "--port=80", "--target-port=8080")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    name = k.path("pods", ".items[0].metadata.name")
    assert k.until(lambda: ask(k, name, "http://web/")) == name


def test_session_affinity_sticks(k: Shell) -> None:
    k.apply(server("web", replicas=3), pod("caller"))
    k("expose", "deploy/web", "--port=80", "--target-port=8080", "--session-affinity=ClientIP")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    k("wait", "pod/caller", "--for=condition=Ready", "--timeout=60s")
    k.until(lambda: len(k.path("endpointslices", ".items[*].endpoints[*].addresses[0]").split()) == 3)
    k.until(lambda: ask(k, "caller", "http://web/"))
    assert len({ask(k, "caller", "http://web/") for _ in range(10)}) == 1


def test_headless_external_and_unready(k: Shell) -> None:
    never = container("sleep", "3600", readinessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1})
    k.apply(pod("up"), pod("late", never), pod("caller"))
    k("label", "pod", "up", "late", "set=x")
    for name, extra in (("ready", {}), ("all", {"publishNotReadyAddresses": True})):
        spec = {"clusterIP": "None", "selector": {"set": "x"}, **extra}
        k.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
    k("create", "service", "externalname", "far", f"--external-name=ready.{k.namespace}.svc.cluster.local")
    k("wait", "pod/up", "pod/caller", "--for=condition=Ready", "--timeout=60s")
    k.until(lambda: k.path("pod/late", ".status.podIP"))
    addresses = {name: k.path(f"pod/{name}", ".status.podIP") for name in ("up", "late")}

    def resolved(name: str) -> list[str]:
        script = f"import socket,json;print(json.dumps(sorted({{a[4][0] for a in socket.getaddrinfo({name!r},80,socket.AF_INET)}})))"  # fmt: skip
        said = k("exec", "caller", "--", "python3", "-c", script, code=None)
        return list(json.loads(said)) if said else []

    k.until(lambda: resolved("ready") == [addresses["up"]])
    k.until(lambda: resolved("all") == sorted(addresses.values()))
    assert resolved("far") == [addresses["up"]]


def test_a_load_balancer_gets_an_address(k: Shell) -> None:
    k.apply(server("web"))
    k("expose", "deploy/web", "--port=18080", "--target-port=8080", "--type=LoadBalancer")
    k("wait", "deploy/web", "--for=condition=Available", "--timeout=60s")
    address = k.until(lambda: k.path("service/web", ".status.loadBalancer.ingress[0].ip"))
    assert address == k.path("nodes", ".items[0].status.addresses[?(@.type=='InternalIP')].address")

    def answered() -> str:
        try:
            with urllib.request.urlopen(f"http://{address}:18080/", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    assert k.until(answered).startswith("web-")
