"""The command: help, flags that are old or refused, where errors go."""

from __future__ import annotations

import pytest

from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.cli.flags import GLOBAL, NOT_YET
from sampan.apps.helm.cli.main import main
from sampan.base.command.model import Command


def failed(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


@pytest.mark.parametrize("flag", [flag.name for flag in GLOBAL if flag.refusal == NOT_YET])
def test_global_flags_that_are_not_there_yet(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["list", f"--{flag}", "x"]
    assert failed(words, capsys) == f"Error: flag --{flag} is not supported yet by this helm\n"


@pytest.mark.parametrize(
    "words",
    [
        ["install", "a", "b", "--repo", "https://x"],
        ["template", "a", "b", "--post-renderer", "x"],
        ["upgrade", "a", "b", "--verify"],
        ["show", "chart", "b", "--version", "1"],
        ["show", "values", "b", "--jsonpath", "{.a}"],
        ["get", "all", "a", "--template", "{{.}}"],
        ["package", "b", "-u"],
        ["package", "b", "--sign"],
        ["version", "--template", "{{.Version}}"],
    ],
)
def test_flags_that_are_not_there_yet(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not supported yet by this helm" in failed(words, capsys)


@pytest.mark.parametrize(
    "name", ["repo", "dependency", "dep", "search", "pull", "push", "plugin", "registry", "env"]
)
def test_commands_that_are_not_there_yet(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed([name, "list"], capsys) == f"Error: helm {name} is not supported yet by this helm\n"


def test_flags_that_are_old(capsys: pytest.CaptureFixture[str]) -> None:
    err = failed(["install", "a", "./none", "--atomic", "--force"], capsys)
    assert err.startswith(
        "Flag --atomic has been deprecated, use --rollback-on-failure instead\n"
        "Flag --force has been deprecated, use --force-replace instead\n"
    )


def test_help_and_unknown_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--help"]) == 0
    assert "Usage:\n  helm install [NAME] [CHART] [flags]" in capsys.readouterr().out
    assert failed(["installl"], capsys).startswith('Error: unknown command "installl" for "helm"')


def commands(command: Command) -> list[Command]:
    return [command, *(c for child in command.commands for c in commands(child))]


@pytest.mark.parametrize(
    "command", [c for c in commands(ROOT) if c.run and not c.passthrough], ids=lambda c: c.name
)
def test_every_command_leads_to_a_function(command: Command) -> None:
    import importlib

    module, _, function = str(command.run).partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("command", commands(ROOT), ids=lambda c: c.name)
def test_flags_are_declared_once(command: Command) -> None:
    names = [flag.name for flag in command.flags]
    assert len(names) == len(set(names))
    shorts = [flag.short for flag in (*command.flags, *GLOBAL) if flag.short]
    assert len(shorts) == len(set(shorts))
