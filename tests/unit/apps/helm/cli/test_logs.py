"""Log lines of the command and of what it calls."""

from __future__ import annotations

import logging

import pytest

from sampan.apps.helm import slog
from sampan.apps.helm.cli import logs
from sampan.apps.helm.cli.commands import ROOT
from sampan.base.command.parse import parse


@pytest.mark.parametrize(("words", "shown"), [((), False), (("--debug",), True)])
def test_debug_lines(words: tuple[str, ...], shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.logger(parse(ROOT, ["list", *words]))
    log(slog.DEBUG, "quiet")
    log(slog.WARN, "loud", name="x")
    assert (
        capsys.readouterr().err
        == ("level=DEBUG msg=quiet\n" if shown else "") + "level=WARN msg=loud name=x\n"
    )


def test_debug_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DEBUG", "true")
    assert logs.is_debug(parse(ROOT, ["list"]))


def test_what_charts_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.listen()
    logs.listen()  # once is enough
    log = logging.getLogger("sampan.charts.x")
    log.warning("missing value message=%s", "give a name")
    log.info("just %d words", 2)
    assert capsys.readouterr().err == (
        'level=WARN msg="missing value" message="give a name"\nlevel=INFO msg="just 2 words"\n'
    )
