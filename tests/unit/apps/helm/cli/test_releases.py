"""Flags of the release verbs become options; words of old flags are told."""

from __future__ import annotations

import pytest

from sampan.apps.helm.cli import releases
from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.cli.main import main
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation, parse


def call(*words: str) -> Invocation:
    return parse(ROOT, list(words))


def test_common_options() -> None:
    words = (
        "--wait --wait-for-jobs --timeout 90s --no-hooks --force-conflicts --take-ownership --description x"
    )
    found = releases.common(call("upgrade", "a", "b", *words.split()), "server")
    assert (found.wait, found.wait_for_jobs, found.timeout, found.no_hooks) == ("watcher", True, 90.0, True)
    assert (found.force_conflicts, found.take_ownership, found.dry_run) == (True, True, "server")
    assert found.description == "x"


@pytest.mark.parametrize(
    ("given", "strategy"), [("true", "watcher"), ("false", "hookOnly"), ("legacy", "legacy")]
)
def test_wait_strategies(given: str, strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert releases.wait(call("rollback", "a", f"--wait={given}")) == strategy
    assert ("is deprecated" in capsys.readouterr().err) == (given != strategy)


def test_errors_are_introduced() -> None:
    assert str(releases.prefixed("UPGRADE FAILED", HelmError("boom"))) == "UPGRADE FAILED: boom"
    error = FileNotFoundError(2, "No such file or directory", "x")
    assert str(releases.prefixed("INSTALLATION FAILED", error)) == (
        "INSTALLATION FAILED: open x: no such file or directory"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["rollback", "a", "1", "--server-side", "maybe"],
            "invalid/unknown release server-side apply method: maybe",
        ),
        (
            ["rollback", "a", "--description", "x" * 300],
            "description must be 256 characters or less, got 300",
        ),
        (
            ["install", "a", "b", "-l", "x"],
            'invalid argument "x" for "-l, --labels" flag: x must be formatted as',
        ),
        (["test", "a", "--filter", "x=y"], "filter 'x=y': expected name=NAME or !name=NAME"),
        (["uninstall", "a", "--cascade", "x"], "invalid cascade value (x)"),
    ],
)
def test_bad_words(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert message in capsys.readouterr().err
