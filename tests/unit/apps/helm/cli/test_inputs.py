"""Charts and values from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sampan.apps.helm.cli import inputs
from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.errors import HelmError
from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation, parse
from unit.apps.helm.fakes import chart


def call(*words: str, verb: str = "template") -> Invocation:
    return parse(ROOT, [verb, "name", "./web", *words])


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("HELM_NAMESPACE", raising=False)
    return tmp_path


def test_where_a_chart_is(folder: Path) -> None:
    (folder / "web").mkdir()
    assert inputs.locate("./web/../web") == folder / "web"
    with pytest.raises(
        HelmError, match=r"unable to detect chart at .*/web/Chart\.yaml: open .*: no such file"
    ):
        inputs.load_chart("web")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("./none", 'path "./none" not found'),
        ("none", "non-absolute URLs should be in form of repo_name/path_to_chart, got: none"),
        ("stable/web", "repo stable not found"),
        ("oci://host/web", "chart 'oci://host/web': repositories and registries are not supported yet"),
    ],
)
def test_charts_that_are_not_there(path: str, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        inputs.locate(path)


def test_values_from_everywhere(folder: Path) -> None:
    (folder / "a.yaml").write_text("a: 1\nb: 1\n")
    (folder / "t.txt").write_text("text")
    words = (
        "-f",
        "a.yaml",
        "--set",
        "b=2",
        "--set-string",
        "c=3",
        "--set-json",
        "d=[4]",
        "--set-file",
        "e=t.txt",
    )
    assert inputs.values(call(*words)) == {"a": 1.0, "b": 2, "c": "3", "d": [4.0], "e": "text"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-f", "none.yaml"), "^open none.yaml: no such file or directory$"),
        (("-f", "."), "^read .: is a directory$"),
        (("--set-file", "a=none"), "^failed parsing --set-file data: open none: no such file or directory$"),
        (("-f", "https://x/values.yaml"), "values 'https://x/values.yaml': addresses are not supported yet"),
    ],
)
def test_values_that_cannot_be_read(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(HelmError, match=message):
        inputs.values(call(*words))


@pytest.mark.parametrize(
    ("given", "way"),
    [((), "none"), (("--dry-run",), "client"), (("--dry-run=server",), "server"), (("--dry-run=true",), "client"), (("--dry-run=0",), "none")],
)  # fmt: skip
def test_dry_runs(capsys: pytest.CaptureFixture[str], given: tuple[str, ...], way: str) -> None:
    assert inputs.dry_run(call(*given, verb="install")) == way
    warned = "level=WARN" in capsys.readouterr().err
    assert warned == (given in [("--dry-run",), ("--dry-run=true",), ("--dry-run=0",)])


@pytest.mark.parametrize("given", ["none", "false", "maybe"])
def test_a_template_is_always_a_dry_run(given: str) -> None:
    with pytest.raises(UsageError, match="invalid dry-run value"):
        inputs.dry_run(call(f"--dry-run={given}"), template=True)


def test_versions() -> None:
    found = inputs.versions(call("--kube-version", "1.30"), ("x/v1",))
    assert (found.kube_version, found.api_versions[-1]) == ("1.30", "x/v1")
    with pytest.raises(HelmError, match="invalid kube version 'x': could not parse"):
        inputs.versions(call("--kube-version", "x"))


def test_charts_that_cannot_be_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HelmError, match="library charts are not installable"):
        inputs.installable(call(), chart({}, type="library"))
    with pytest.raises(
        HelmError, match=r"You may need to run 'helm dependency build'.* charts/ directory: gone"
    ):
        inputs.installable(call(), chart({}, dependencies="[{name: gone, version: 1.0.0}]"))
    inputs.installable(call(), chart({}, deprecated="true"))
    assert capsys.readouterr().err.startswith('level=WARN msg="this chart is deprecated"')


def test_the_namespace_of_a_kubeconfig(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert inputs.namespace(call()) == "default"
    path = folder / "config"
    path.write_text("current-context: c\ncontexts: [{name: c, context: {cluster: c, namespace: space}}]\n")
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert inputs.namespace(call()) == "space"
    assert inputs.namespace(call("--kube-context", "other")) == "default"
    path.write_text("words")
    assert inputs.namespace(call()) == "default"
    monkeypatch.setenv("HELM_NAMESPACE", "env")
    assert inputs.namespace(call()) == "env"
    assert inputs.namespace(call("-n", "flag")) == "flag"
