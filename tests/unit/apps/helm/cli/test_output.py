"""Output: tables, times, JSON as Go writes it, a release for people."""

from __future__ import annotations

import time

import pytest

from sampan.apps.helm.cli import output
from sampan.charts.manifests import Hook
from sampan.charts.release import Info, Release, Run, StoredHook
from unit.apps.helm.fakes import chart


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_tables() -> None:
    assert output.table(("A", "LONG"), [("xyz", ""), ("", "y")]) == "A  \tLONG\nxyz\t    \n   \ty   \n"
    assert output.table(("A", "B"), [("x", "y")], headless=True) == "x\ty\n"
    assert output.table(("A",), [], headless=True) == "\n"


@pytest.mark.parametrize(
    ("stored", "ansi", "text"),
    [
        ("2026-01-02T03:04:05.5Z", "Fri Jan  2 03:04:05 2026", "2026-01-02 03:04:05.5 +0000 UTC"),
        ("2026-01-12T03:04:05.123456789Z", "Mon Jan 12 03:04:05 2026", "2026-01-12 03:04:05.123456789 +0000 UTC"),
        ("2026-01-02T03:04:05.000+02:00", "Fri Jan  2 03:04:05 2026", "2026-01-02 03:04:05 +0200 +0200"),
        ("2026-01-02T03:04:05+01:00", "Fri Jan  2 03:04:05 2026", "2026-01-02 03:04:05 +0100 CET"),
        ("0001-01-01T00:00:00Z", "", "-"),
        ("", "", "-"),
    ],
)  # fmt: skip
def test_times(berlin: object, stored: str, ansi: str, text: str) -> None:
    assert output.ansi_c(stored) == ansi
    assert output.go_string(stored) == text


def test_json_as_go_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    output.structured({"b": 2.0, "a": "<x>", "c": 1e21}, "json")
    output.structured({"b": 2.0, "a": [{"z": 1, "y": None}]}, "json", ordered=True)
    output.structured({"b": 2.0, "a": None}, "yaml")
    out = capsys.readouterr().out
    assert out == '{"a":"\\u003cx\\u003e","b":2,"c":1e+21}\n{"b":2,"a":[{"z":1,"y":null}]}\na: null\nb: 2\n'


def release(*hooks: StoredHook) -> Release:
    info = Info("", "2026-01-02T03:04:05Z", "", "Install complete", "deployed", notes="\nhello\n\n")
    return Release("web", "default", 1, info, chart({}, appVersion='"4"'), {}, "---\nm: 1\n", hooks)


def hook(name: str, run: Run) -> StoredHook:
    return StoredHook(Hook(name, "Pod", f"{name}.yaml", "kind: Pod", ("test",), 0, (), ()), run)


HEAD = (
    "NAME: web\nLAST DEPLOYED: Fri Jan  2 03:04:05 2026\nNAMESPACE: default\nSTATUS: deployed\nREVISION: 1\n"
)


def test_a_release_for_people() -> None:
    assert output.release(release()) == (
        f"{HEAD}DESCRIPTION: Install complete\nTEST SUITE: None\nNOTES:\nhello\n"
    )
    assert output.release(release(), hide_notes=True).endswith("TEST SUITE: None\n")


def test_tests_that_ran() -> None:
    ran = hook("a", Run("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z", "Succeeded"))
    text = output.release(release(ran, hook("b", Run())), hide_notes=True)
    assert text.endswith(
        "DESCRIPTION: Install complete\nTEST SUITE:     a\nLast Started:   Fri Jan  2 03:04:05 2026\n"
        "Last Completed: Fri Jan  2 03:04:06 2026\nPhase:          Succeeded\n"
    )


def test_dry_runs_and_get_all_show_everything() -> None:
    found = release(hook("a", Run()))
    behind = "HOOKS:\n---\n# Source: a.yaml\nkind: Pod\nMANIFEST:\n---\nm: 1\n\nNOTES:\nhello\n"
    assert output.release(found, details=True).endswith(behind)
    everything = output.release(found, everything="VALUES\n", metadata=True)
    assert "CHART: web\nVERSION: 1.0.0\nAPP_VERSION: 4\nDESCRIPTION: " in everything
    assert everything.endswith("VALUES\n" + behind)


def test_resources() -> None:
    text = output.release(release(), resources="==> v1/Pod\nNAME\nx\n\n")
    assert "DESCRIPTION: Install complete\nRESOURCES:\n==> v1/Pod\nNAME\nx\n\n\nTEST SUITE: None\n" in text
