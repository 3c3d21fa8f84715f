"""lint, create, package, show over folders and archives."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sampan.apps.helm.cli import charting
from sampan.apps.helm.cli.main import main


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return tmp_path


def test_what_is_created_lints_and_packs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "web"]) == 0
    assert main(["lint", "web", "--strict"]) == 0
    assert main(["package", "web", "--version", "2.0.0", "-d", "out"]) == 0
    assert capsys.readouterr().out.endswith("saved it to: out/web-2.0.0.tgz\n")
    assert main(["lint", "out/web-2.0.0.tgz"]) == 0
    assert main(["show", "chart", "out/web-2.0.0.tgz"]) == 0
    assert "version: 2.0.0" in capsys.readouterr().out
    assert main(["template", "out/web-2.0.0.tgz"]) == 0


def test_an_archive_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.tgz").write_bytes(b"no")
    assert main(["lint", "x.tgz", "y.tgz"]) == 1
    out = capsys.readouterr().out
    assert "Error unable to extract tarball: " in out
    assert "Error unable to open tarball: open y.tgz: no such file or directory" in out


def test_two_packages_of_one_chart_are_equal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    main(["create", "web"])
    for name in ("one", "two"):
        assert main(["package", "web", "-d", name]) == 0
    one, two = (folder / name / "web-0.1.0.tgz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        assert {member.mtime for member in archive} == {1_700_000_000}


@pytest.mark.parametrize("stamp", ["x", "-1", "1.5"])
def test_a_bad_epoch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stamp: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stamp)
    assert main(["package", "web"]) == 1
    assert "invalid SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_starters_by_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HELM_DATA_HOME", str(folder / "data"))
    starter = folder / "data/starters/mine"
    (starter / "templates").mkdir(parents=True)
    (starter / "charts/leaf").mkdir(parents=True)
    (starter / "Chart.yaml").write_text("apiVersion: v2\nname: mine\nversion: 1.0.0\n")
    (starter / "charts/leaf/Chart.yaml").write_text("apiVersion: v2\nname: leaf\nversion: 1.0.0\n")
    (starter / "values.yaml").write_text("name: <CHARTNAME>\n")
    (starter / "templates/a.yaml").write_text("name: <CHARTNAME>\n")
    assert charting.starters() == folder / "data/starters"
    assert main(["create", "web", "-p", "mine"]) == 0
    assert Path("web/values.yaml").read_text() == "name: web\n"
    assert Path("web/templates/a.yaml").read_text() == "name: web\n"
    assert Path("web/charts/leaf-1.0.0.tgz").exists()
    assert main(["show", "values", "web"]) == 0


def test_where_starters_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELM_DATA_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/x")
    assert charting.starters() == Path("/x/helm/starters")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert charting.starters() == Path("/home/me/.local/share/helm/starters")


def test_charts_inside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["create", "web"])
    main(["create", "web/charts/leaf"])
    capsys.readouterr()
    assert main(["lint", "web", "--with-subcharts"]) == 1
    shown = capsys.readouterr()
    assert "==> Linting web/charts/leaf\n[INFO]" in shown.out
    assert "[ERROR]" in shown.out  # the chart does not name its dependency
    assert shown.err == "Error: 2 chart(s) linted, 1 chart(s) failed\n"
    assert main(["lint", "web/charts/leaf", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
