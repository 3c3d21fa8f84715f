"""What the command prints."""

from __future__ import annotations

import json

import pytest

from sampan.base.command.parse import parse
from sampan.cli import commands, main, show


def test_tables_have_aligned_columns_and_no_trailing_blanks() -> None:
    assert show.table(["NAME", "STATE"], [["apiserver", "running"], ["dns", ""]]) == (
        "NAME        STATE\napiserver   running\ndns\n"
    )


def test_errors_go_to_stderr_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.fail("no boat", ["look again"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == "Error: no boat\n  look again\n"


def test_progress_tells_each_component_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = show.Progress()
    progress([{"name": "dns", "state": "starting", "reason": ""}])
    progress([{"name": "dns", "state": "running", "reason": ""}])
    progress([{"name": "dns", "state": "running", "reason": ""}])
    progress.end()
    assert capsys.readouterr().err == "dns: running\n"


def test_data_forms(capsys: pytest.CaptureFixture[str]) -> None:
    show.data({"a": [1]}, "json")
    assert json.loads(capsys.readouterr().out) == {"a": [1]}
    show.data({"a": [1]}, "yaml")
    assert capsys.readouterr().out == "a:\n- 1\n"


def test_every_command_names_a_function_that_exists() -> None:
    import importlib

    def walk(command: commands.Command) -> list[str]:
        own = [command.run] if isinstance(command.run, str) and command.run else []
        return own + [run for child in command.commands for run in walk(child)]

    for target in walk(commands.ROOT):
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), target


def test_unknown_flags_and_commands_end_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["up", "--sails"]) == 1
    assert capsys.readouterr().err == "Error: unknown flag: --sails\nRun 'sampan --help' for usage.\n"
    assert main.main(["--help"]) == 0
    assert "Available Commands:" in capsys.readouterr().out


def test_helm_and_kubectl_take_every_word() -> None:
    assert parse(commands.ROOT, ["helm", "list", "-A", "--", "x"]).args == ("list", "-A", "--", "x")
