"""What is declared: commands and their flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class UsageError(Exception):
    """A command line that cannot be understood: shown as `Error: ...` with a hint, exit code 1."""


class Flag(NamedTuple):
    """A flag. `kind` decides the value:

    bool (no value), string, int, duration (Go's, kept as text), strings (repeatable, split at commas),
    array (repeatable, not split), optional (a string whose value may be left out: `--wait`, `--wait=watcher`).
    `implied` is what an optional flag means without a value. `metavar` replaces the type's name in help.
    `refusal` is what is said of a value beyond `choices`, with the value as {}; else they are listed.
    """

    name: str
    help: str
    kind: str = "string"
    default: Any = None
    short: str = ""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    implied: str = ""
    hidden: bool = False
    deprecated: str = ""
    refusal: str = ""

    @property
    def initial(self) -> Any:
        """The value when the flag is not given."""
        if self.default is not None:
            return self.default
        return {"bool": False, "int": 0, "strings": (), "array": ()}.get(self.kind, "")


class Command(NamedTuple):
    """A command or a group of commands.

    `run` is called with the Invocation and returns the exit code; it is a `module:function` path, so that only the
    module of the command that is called gets imported, or a callable. `args` is the usage of positional arguments
    ("NAME [CHART]"); `min_args` and `max_args` bound them (-1: no bound). `passthrough` hands everything after the
    command's name over unparsed. Of the flags in one group of `exclusive` at most one may be given.
    """

    name: str
    short: str
    run: str | Callable[..., int] = ""
    long: str = ""
    args: str = ""
    min_args: int = 0
    max_args: int = 0
    flags: tuple[Flag, ...] = ()
    persistent: tuple[Flag, ...] = ()
    commands: tuple[Command, ...] = ()
    aliases: tuple[str, ...] = ()
    example: str = ""
    hidden: bool = False
    passthrough: bool = False
    complete: str | Callable[..., list[str]] = ""
    exclusive: tuple[tuple[str, ...], ...] = ()

    def find(self, word: str) -> Command | None:
        for command in self.commands:
            if word == command.name or word in command.aliases:
                return command
        return None
