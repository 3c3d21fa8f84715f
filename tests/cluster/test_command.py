"""The command on a cluster without root: up, status, down, delete, and what goes wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import clusters
from clusters import Cluster

pytestmark = pytest.mark.cluster

SIMULATED = ("--runtime", "simulated")


@pytest.fixture
def own(swept: None) -> Iterator[Cluster]:
    """A cluster of this test's own, not started."""
    made = clusters.make("cmd")
    (made.home / "owner").write_text(str(os.getpid()))
    yield made
    clusters.stop(made)


def runs(pid: int) -> bool:
    """Whether the process does anything: one that has ended and waits to be collected by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_up_twice_says_so_and_status_names_every_process(own: Cluster) -> None:
    first = own.up(*SIMULATED)
    assert f"cluster {own.name!r} is up in" in first.out
    again = own.up()
    assert again.out.startswith(f"cluster {own.name!r} is up already")
    status = json.loads(own.sampan("status", "--name", own.name, "-o", "json").out)
    assert status["state"] == "running"
    for component in status["components"]:
        assert component["state"] == "running"
        assert Path(f"/proc/{component['pid']}").exists()
    assert {"supervisor", "apiserver", "controllers", "scheduler", "node"} <= {
        c["name"] for c in status["components"]
    }


def test_the_kubeconfig_keeps_what_was_there(own: Cluster) -> None:
    own.kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: mine\n  cluster: {server: https://example.invalid}\n"
        "contexts:\n- name: mine\n  context: {cluster: mine, user: me, namespace: deck}\ncurrent-context: mine\n"
        "users:\n- name: me\n  user: {token: abc}\n"
    )
    own.up(*SIMULATED)
    assert own.kubeconfig.stat().st_mode & 0o777 == 0o600
    names = own.kubectl("config", "get-contexts", "-o", "name").out.split()
    assert set(names) == {"mine", f"sampan-{own.name}"}
    assert own.kubectl("config", "current-context").out.strip() == f"sampan-{own.name}"
    own.sampan("delete", "--name", own.name)
    assert own.kubectl("config", "get-contexts", "-o", "name").out.split() == ["mine"]


def test_down_keeps_data_and_delete_leaves_nothing(own: Cluster) -> None:
    own.up(*SIMULATED)
    own.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    pids = [
        c["pid"] for c in json.loads(own.sampan("status", "--name", own.name, "-o", "json").out)["components"]
    ]
    own.sampan("down", "--name", own.name)
    assert [pid for pid in pids if runs(pid)] == []
    assert own.sampan("status", "--name", own.name, code=3).out.startswith(
        f"cluster {own.name!r} does not run"
    )
    own.up()
    assert own.get("configmap", "kept")["data"] == {"a": "b"}
    own.sampan("delete", "--name", own.name)
    assert list((own.home / "data").iterdir()) == [] and list((own.home / "run").iterdir()) == []


def test_a_process_that_is_killed_comes_back(own: Cluster) -> None:
    own.up(*SIMULATED)
    own.kubectl("create", "configmap", "kept", "--from-literal=a=b")

    def pid() -> int:
        status = json.loads(own.sampan("status", "--name", own.name, "-o", "json", code=None).out)
        return next(c["pid"] or 0 for c in status["components"] if c["name"] == "apiserver")

    before = pid()
    os.kill(before, 9)
    clusters.eventually(lambda: pid() not in (0, before))
    assert own.get("configmap", "kept")["data"] == {"a": "b"}


def refused(own: Cluster, *words: str) -> str:
    """What `up` says when it refuses: one error on stderr, exit code 1, no traceback."""
    done = own.up(*words, code=1)
    assert "Traceback" not in done.err, done
    message = done.err[done.err.index("Error: ") :]
    assert message.count("Error: ") == 1, done
    return message


def test_bad_requests_are_refused_by_name(own: Cluster) -> None:
    assert "--pod-cidr 'x'" in refused(own, *SIMULATED, "--pod-cidr", "x")
    assert "too small" in refused(own, *SIMULATED, "--service-cidr", "10.99.0.0/28")
    assert "overlaps" in refused(
        own, *SIMULATED, "--pod-cidr", "10.99.0.0/16", "--service-cidr", "10.99.1.0/24"
    )
    assert "IPv6" in refused(own, *SIMULATED, "--pod-cidr", "fd00::/48")
    assert "--disable 'rudder'" in refused(own, *SIMULATED, "--disable", "rudder")
    assert "must be one of: oci, simulated" in refused(own, "--runtime", "docker")
    assert "cluster name 'Über'" in own.sampan("up", "--name", "Über", *SIMULATED, code=1).err


def test_a_taken_port_is_named(own: Cluster) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is taken" in refused(own, *SIMULATED, "--api-port", str(port))


def test_a_kubeconfig_that_cannot_be_written(own: Cluster) -> None:
    blocked = own.home / "file"
    blocked.write_text("")
    message = refused(own, *SIMULATED, "--kubeconfig", str(blocked / "config"))
    assert "the cluster is up, but" in message and str(blocked) in message


def test_a_folder_of_another_layout_is_refused_and_kept(own: Cluster) -> None:
    data = own.home / "data" / own.name
    data.mkdir(parents=True)
    (data / "cluster.json").write_text('{"layout": 99, "precious": true}')
    assert "layout 99" in refused(own, *SIMULATED)
    assert json.loads((data / "cluster.json").read_text())["precious"] is True


def test_two_at_once_on_one_folder(own: Cluster) -> None:
    words = [sys.executable, "-m", "sampan.cli", "up", "--name", own.name, *SIMULATED]
    both = [subprocess.Popen(words, env=own.environ, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    results = [(p.communicate(timeout=120), p.returncode) for p in both]
    codes = sorted(code for _, code in results)
    assert codes[0] == 0
    for (_, err), code in results:
        if code != 0:
            assert "another sampan command is at work" in err
    status = json.loads(own.sampan("status", "--name", own.name, "-o", "json").out)
    assert status["state"] == "running"


def test_commands_without_a_cluster(own: Cluster) -> None:
    for words in (("status",), ("down",), ("delete",), ("kubeconfig",), ("logs",)):
        done = own.sampan(*words, "--name", own.name, code=1)
        assert "there is no cluster" in done.err


def test_completion_help_and_version(own: Cluster) -> None:
    assert own.sampan("version").out == "sampan 0.1.0\n"
    assert json.loads(own.sampan("version", "-o", "json").out)["version"] == "0.1.0"
    assert "complete -o default" in own.sampan("completion", "bash").out
    assert own.sampan("__complete", "sta").out.startswith("status\t")
    assert "Examples:" in own.sampan("up", "--help").out
    assert 'unknown command "upp" for "sampan"' in own.sampan("upp", code=1).err
