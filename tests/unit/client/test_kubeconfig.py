"""Kubeconfig files: merging, translation to a Config, refusals, and changes that disturb nothing."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from sampan.api.codec import yaml
from sampan.client import kubeconfig
from sampan.client.kubeconfig import KubeconfigError

FIRST = """
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster: {server: "https://first:6443", certificate-authority: pki/ca.crt, tls-server-name: api}
contexts:
- {name: one, context: {cluster: c, user: u, namespace: ns}}
users:
- name: u
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}
"""
SECOND = """
current-context: two
clusters:
- name: c
  cluster: {server: "https://second"}
- name: d
  cluster: {server: "https://d", insecure-skip-tls-verify: true}
contexts:
- {name: two, context: {cluster: d, user: t}}
users:
- {name: t, user: {tokenFile: token, token: ignored}}
preferences: {colors: true}
extensions: [{name: x, extension: {kept: yes}}]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "a" / "first", tmp_path / "second"
    first.parent.mkdir()
    first.write_text(FIRST)
    second.write_text(SECOND)
    return first, second


def test_the_first_file_wins_and_paths_are_relative_to_their_file(files: tuple[Path, Path]) -> None:
    first, second = files
    config = kubeconfig.load([first, second, first.parent / "missing"])
    assert config.server == "https://first:6443"
    assert config.ca_file == str(first.parent / "pki" / "ca.crt")
    assert (config.cert, config.key, config.namespace, config.server_name) == (b"cert", b"key", "ns", "api")
    other = kubeconfig.load([first, second], context="two")
    assert (other.server, other.insecure, other.token, other.namespace) == ("https://d", True, "", "default")
    assert other.token_file == str(second.parent / "token")


def test_where_files_are_looked_for(tmp_path: Path) -> None:
    assert kubeconfig.default_paths({"KUBECONFIG": "/a::/b"}) == (Path("/a"), Path("/b"))
    assert kubeconfig.default_paths({"HOME": "/h"}) == (Path("/h/.kube/config"),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"context": "none"}, "context 'none' does not exist, known contexts: one, two"),
        ({"cluster": "x"}, "names cluster 'x'"),
        ({"user": "x"}, "names user 'x'"),
    ],
)
def test_names_that_are_not_there(files: tuple[Path, Path], change: dict[str, str], words: str) -> None:
    with pytest.raises(KubeconfigError, match=words):
        kubeconfig.load(files, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({}, {}, "no server"),
        ({"server": "https://h", "proxy-url": "http://p"}, {}, "proxy-url is not supported, got 'http://p'"),
        ({"server": "https://h"}, {"auth-provider": {"name": "gcp"}}, "auth-provider 'gcp' is not supported"),
        (
            {"server": "h", "insecure-skip-tls-verify": True, "certificate-authority": "x"},
            {},
            "exclude each other",
        ),
        ({"server": "h", "certificate-authority-data": "%"}, {}, "not base64"),
        ({"server": "h"}, {"exec": {"apiVersion": "v1"}}, "no command"),
    ],
)
def test_what_is_refused(cluster: dict[str, object], user: dict[str, object], words: str) -> None:
    with pytest.raises(KubeconfigError, match=words):
        kubeconfig.to_config(cluster, user)


def test_an_exec_plugin() -> None:
    cluster = {
        "server": "https://h",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}],
    }
    entry = {"command": "aws", "args": ["x"], "env": [{"name": "A", "value": "B"}], "apiVersion": "v"}
    made = kubeconfig.to_config(cluster, {"exec": entry}).exec_plugin
    assert made is not None
    assert (made.command, made.args, made.env, made.cluster_config) == (
        "aws",
        ("x",),
        (("A", "B"),),
        {"a": 1},
    )


def test_inside_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kubeconfig.in_cluster(root=tmp_path) is None
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text("t")
    (tmp_path / "namespace").write_text("mine\n")
    config = kubeconfig.in_cluster(root=tmp_path)
    assert config is not None
    assert (config.server, config.namespace) == ("https://[fd00::1]:443", "mine")


def test_files_that_are_not_kubeconfigs(tmp_path: Path) -> None:
    file = tmp_path / "f"
    for text, words in (
        ("a: [", "not YAML"),
        ("- 1", "expected a mapping"),
        ("clusters: [{}]", "without a name"),
    ):
        file.write_text(text)
        with pytest.raises(KubeconfigError, match=words):
            kubeconfig.load([file])


def add(path: Path, name: str = "sampan") -> None:
    data = base64.b64encode(b"ca").decode()
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority-data": data}
    kubeconfig.merge_context(path, name, cluster=cluster, user={"token": "t"})


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".kube" / "config"
    add(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = kubeconfig.load([path])
    assert (config.server, config.ca, config.token) == ("https://127.0.0.1:6443", b"ca", "t")
    assert os.listdir(path.parent) == ["config"]


def test_everything_else_in_a_file_stays(files: tuple[Path, Path]) -> None:
    _, path = files
    before = yaml.load(path.read_text())
    add(path)
    add(path)  # twice is once
    after = yaml.load(path.read_text())
    assert after["current-context"] == "sampan"
    assert [c["name"] for c in after["clusters"]] == ["c", "d", "sampan"]
    assert after["extensions"] == before["extensions"]
    assert after["preferences"] == before["preferences"]
    kubeconfig.remove_context(path, "sampan")
    left = yaml.load(path.read_text())
    assert left["current-context"] == ""
    assert left["clusters"] == before["clusters"]
    assert left["users"] == before["users"]


def test_a_link_stays_a_link(files: tuple[Path, Path], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(files[1])
    add(link)
    assert link.is_symlink()
    assert "sampan" in files[1].read_text()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(KubeconfigError, match="cannot be written"):
        add(blocked / "config")


def test_a_lock_that_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "LOCK_SECONDS", 0.0)
    (tmp_path / "config.lock").touch()
    with pytest.raises(KubeconfigError, match="locked"):
        add(tmp_path / "config")
    assert not (tmp_path / "config").exists()
