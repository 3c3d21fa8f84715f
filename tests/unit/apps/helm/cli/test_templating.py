"""template: what is shown and written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sampan.apps.helm.cli import templating
from sampan.apps.helm.cli.main import main
from sampan.apps.helm.errors import HelmError
from unit.apps.helm.fakes import config_map, hook

TEXT = "---\n# Source: web/templates/a.yaml\na: 1\n---\n# Source: web/templates/sub/b.yaml\nb: 1\n---\n# Source: web/templates/a.yaml\na: 2\n"


@pytest.fixture(autouse=True)
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "none")
    monkeypatch.delenv("HELM_NAMESPACE", raising=False)
    files = {
        "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "templates/a.yaml": config_map("{{ .Release.Name }}-a"),
        "templates/t.yaml": hook("t", "test"),
        "templates/h.yaml": hook("h", "pre-install"),
        "crds/c.yaml": "kind: CRD\n",
    }
    for name, text in files.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("patterns", "values"),
    [
        (["templates/a.yaml"], ["a: 1", "a: 2"]),
        (["templates/sub/b.yaml", "templates/a.yaml"], ["b: 1", "a: 1", "a: 2"]),
        (["templates/*.yaml"], ["a: 1", "a: 2"]),
        (["templates/*/*.yaml"], ["b: 1"]),
    ],
)
def test_only_some(patterns: list[str], values: list[str]) -> None:
    shown = templating.only(patterns, TEXT)
    assert [line for line in shown.splitlines() if line[:1] in ("a", "b")] == values


def test_only_what_is_not_there() -> None:
    with pytest.raises(HelmError, match=r"could not find template web/templates/a\.yaml in chart"):
        templating.only(["web/templates/a.yaml"], TEXT)


def sources(text: str) -> list[str]:
    return [line.removeprefix("# Source: web/") for line in text.splitlines() if line.startswith("# Source")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["templates/a.yaml", "templates/h.yaml", "templates/t.yaml"]),
        (("--skip-tests",), ["templates/a.yaml", "templates/h.yaml"]),
        (("--no-hooks",), ["templates/a.yaml"]),
        (("--no-hooks", "--include-crds"), ["crds/c.yaml", "templates/a.yaml"]),
    ],
)
def test_what_is_shown(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], found: list[str]) -> None:
    assert main(["template", "r", "web", *words]) == 0
    assert sources(capsys.readouterr().out) == found


def test_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "r", "web", "--output-dir", "out", "--release-name", "--include-crds"]) == 0
    wrote = [line.removeprefix("wrote ") for line in capsys.readouterr().out.splitlines() if line]
    assert wrote == [
        "out/web/crds/c.yaml",
        "out/r/web/templates/a.yaml",
        "out/r/web/templates/h.yaml",
        "out/r/web/templates/t.yaml",
    ]
    assert "name: r-a" in Path("out/r/web/templates/a.yaml").read_text()
    assert main(["template", "r", "web", "--output-dir", "out", "--release-name"]) == 0
    assert Path("out/r/web/templates/h.yaml").read_text().count("# Source") == 1


def test_debug_shows_what_is_no_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    Path("web/templates/a.yaml").write_text("a: 1\n b: : 2\n")
    assert main(["template", "r", "web"]) == 1
    assert "Use --debug flag to render out invalid YAML" in capsys.readouterr().err
    assert main(["template", "r", "web", "--debug"]) == 1
    shown = capsys.readouterr()
    assert "# Source: web/templates/a.yaml\na: 1\n b: : 2" in shown.out
    assert "Use --debug" not in shown.err
