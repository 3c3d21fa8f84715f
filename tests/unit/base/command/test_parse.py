"""The command line is read as pflag and cobra read it."""

from __future__ import annotations

import pytest

from sampan.base.command import Command, Flag, UsageError, parse
from sampan.base.command.completion import candidates, script
from sampan.base.command.help import page

TREE = Command(
    "boat",
    "a boat",
    persistent=(Flag("name", "name of the boat", short="n", default="sampan"),),
    commands=(
        Command(
            "sail",
            "sail somewhere",
            run=lambda _: 0,
            args="PORT",
            min_args=1,
            max_args=2,
            flags=(
                Flag("fast", "go fast", kind="bool", short="f"),
                Flag("crew", "how many", kind="int", default=2),
                Flag("set", "values", kind="array"),
                Flag("stops", "ports", kind="strings"),
                Flag("wait", "wait for it", kind="optional", implied="watcher"),
                Flag("timeout", "how long", kind="duration", default="5m0s"),
                Flag("output", "form", short="o", choices=("json", "yaml")),
            ),
        ),
        Command("sink", "hand over", run=lambda _: 0, passthrough=True),
        Command("dock", "docks", commands=(Command("list", "list docks", run=lambda _: 0, aliases=("ls",)),)),
    ),
)


def test_flags_may_stand_anywhere() -> None:
    call = parse(TREE, ["-n", "junk", "sail", "--fast", "macau", "-ojson", "--crew=7"])
    assert call.name == "boat sail"
    assert call.args == ("macau",)
    assert (call.flag("name"), call.flag("fast"), call.flag("crew"), call.flag("output")) == (
        "junk",
        True,
        7,
        "json",
    )
    assert call.given == {"name", "fast", "crew", "output"}


def test_repeatable_flags() -> None:
    call = parse(TREE, ["sail", "x", "--set", "a=1,b=2", "--set", "c=3", "--stops", "a,b", "--stops=c"])
    assert call.flag("set") == ("a=1,b=2", "c=3")
    assert call.flag("stops") == ("a", "b", "c")


def test_optional_value_and_negated_bool() -> None:
    assert parse(TREE, ["sail", "x", "--wait"]).flag("wait") == "watcher"
    assert parse(TREE, ["sail", "x", "--wait=legacy"]).flag("wait") == "legacy"
    assert parse(TREE, ["sail", "x", "--fast=false"]).flag("fast") is False


def test_rest_after_two_dashes_and_passthrough() -> None:
    assert parse(TREE, ["sail", "x", "--", "--fast"]).args == ("x", "--fast")
    assert parse(TREE, ["sink", "get", "-o", "x", "--", "y"]).args == ("get", "-o", "x", "--", "y")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sail", "--nope"], "unknown flag: --nope"),
        (["sail", "-z"], "unknown shorthand flag: 'z' in -z"),
        (["sail", "--crew"], "flag needs an argument: --crew"),
        (["sail", "x", "--crew", "many"], 'invalid argument "many" for "--crew" flag'),
        (["sail", "x", "-o", "xml"], "must be one of: json, yaml"),
        (["sail", "x", "--timeout", "5"], 'time: missing unit in duration "5"'),
        (["sail"], '"boat sail" requires at least 1 argument'),
        (["sail", "a", "b", "c"], "accepts at most 2 arguments"),
        (["sale"], 'unknown command "sale" for "boat"\n\nDid you mean this?\n\tsail'),
        (["dock", "lust"], 'unknown command "lust" for "boat dock"'),
    ],
)
def test_usage_errors(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(TREE, words)
    assert message in str(caught.value)


def test_aliases_lead_to_the_same_command() -> None:
    assert parse(TREE, ["dock", "ls"]).command.name == "list"


def test_help_page_lists_flags_in_columns() -> None:
    text = page(parse(TREE, ["sail", "--help"]).path)
    assert "Usage:\n  boat sail PORT [flags]" in text
    assert "      --crew int" in text
    assert "how many (default 2)" in text
    assert '--wait string[="watcher"]' in text
    assert "Global Flags:\n  -n, --name string" in text


def test_completion_offers_commands_flags_and_choices() -> None:
    assert [word for word, _ in candidates(TREE, ["sa"])] == ["sail"]
    assert ("--fast", "go fast") in candidates(TREE, ["sail", "--fa"])
    assert [word for word, _ in candidates(TREE, ["sail", "--output", ""])] == ["json", "yaml"]
    assert "complete -o default" in script("bash", "boat")
