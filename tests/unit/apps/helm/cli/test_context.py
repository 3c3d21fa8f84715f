"""Where the cluster is: flags over the environment over the kubeconfig; and work that is cancelled."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.cli import context
from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation, parse

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c1, cluster: {server: "https://one:6443", certificate-authority-data: Q0E=}}
- {name: c2, cluster: {server: "https://two:6443"}}
users: [{name: u, user: {token: secret}}]
contexts:
- {name: one, context: {cluster: c1, user: u, namespace: space}}
- {name: two, context: {cluster: c2, user: u}}
"""


def call(*words: str) -> Invocation:
    return parse(ROOT, ["list", *words])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith(("HELM_", "KUBE")):
            monkeypatch.delenv(name)
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def test_the_kubeconfig() -> None:
    found = context.config(call())
    assert (found.server, found.token, found.ca) == ("https://one:6443", "secret", b"CA")
    assert context.namespace(call(), found) == "space"


def test_another_context_by_flag_and_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert context.config(call("--kube-context", "two")).server == "https://two:6443"
    monkeypatch.setenv("HELM_KUBECONTEXT", "two")
    assert context.config(call()).server == "https://two:6443"
    assert context.config(call("--kube-context", "one")).server == "https://one:6443"


@pytest.mark.parametrize(
    ("flag", "variable", "field"),
    [
        ("--kube-apiserver", "HELM_KUBEAPISERVER", "server"),
        ("--kube-token", "HELM_KUBETOKEN", "token"),
        ("--kube-ca-file", "HELM_KUBECAFILE", "ca_file"),
        ("--kube-tls-server-name", "HELM_KUBETLS_SERVER_NAME", "server_name"),
        ("--kube-as-user", "HELM_KUBEASUSER", "impersonate_user"),
    ],
)
def test_flags_win_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, flag: str, variable: str, field: str
) -> None:
    monkeypatch.setenv(variable, "from-environment")
    assert getattr(context.config(call()), field) == "from-environment"
    assert getattr(context.config(call(flag, "from-flag")), field) == "from-flag"


def test_groups_and_insecure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_KUBEASGROUPS", "a,b")
    assert context.config(call()).impersonate_groups == ("a", "b")
    assert context.config(call("--kube-as-group", "c")).impersonate_groups == ("c",)
    assert context.config(call("--kube-insecure-skip-tls-verify")).insecure
    monkeypatch.setenv("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true")
    found = context.config(call())
    assert (found.insecure, found.ca) == (True, b"")


def test_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    found = context.config(call())
    monkeypatch.setenv("HELM_NAMESPACE", "env")
    assert context.namespace(call(), found) == "env"
    assert context.namespace(call("-n", "flag"), found) == "flag"


def test_without_a_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    found = context.config(call())
    assert (found.server, context.namespace(call(), found)) == ("http://localhost:8080", "default")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kube-context", "three"), 'context "three" does not exist'),
        (("--kubeconfig", "/none"), "stat /none: no such file or directory"),
    ],
)
def test_what_is_not_there(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(HelmError, match=f"kubernetes cluster unreachable: {message}"):
        context.config(call(*words))


def test_a_kubeconfig_that_is_none(environment: Path) -> None:
    environment.write_text("just words\n")
    with pytest.raises(HelmError, match="kubernetes cluster unreachable: kubeconfig "):
        context.config(call())


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0), ("0", 0.0), ("-2s", -2.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert context.seconds(text) == seconds


def test_history_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert context.history_max() == 10
    monkeypatch.setenv("HELM_MAX_HISTORY", "3")
    assert context.history_max() == 3
    monkeypatch.setenv("HELM_MAX_HISTORY", "many")
    assert context.history_max() == 10


def test_work_over_records_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DRIVER", "memory")

    async def work(session: Session) -> tuple[str, bool, int]:
        await session.reach()  # there is no cluster to reach
        return session.namespace, session.records_only, session.storage.history_max

    assert context.run(call(), work, most=4) == ("space", True, 4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_the_work_may_tidy_up(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    tidied = []

    async def work(_: Session) -> Any:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            tidied.append(True)
            raise asyncio.CancelledError("context canceled") from None

    with pytest.raises(HelmError, match="context canceled"):
        context.run(call(), work, cancelled="Release web has been cancelled.")
    assert tidied == [True]
    assert capsys.readouterr().out == "Release web has been cancelled.\n"
