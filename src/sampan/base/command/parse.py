"""From words to an invocation, as pflag and cobra read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sampan.base.command.model import Command, Flag, UsageError

HELP = Flag("help", "", kind="bool", short="h")
_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_DURATION = r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+"


class Invocation(NamedTuple):
    """What was asked: the path of commands (root first), flag values by name, positional arguments.

    `given` holds the names of the flags that stood on the command line, `rest` what followed `--`.
    """

    path: tuple[Command, ...]
    flags: dict[str, Any]
    args: tuple[str, ...]
    given: frozenset[str]
    rest: tuple[str, ...] = ()
    wants_help: bool = False

    @property
    def command(self) -> Command:
        return self.path[-1]

    @property
    def name(self) -> str:
        """The full path of the command: "sampan helm install"."""
        return " ".join(command.name for command in self.path)

    def flag(self, name: str) -> Any:
        """The value of a flag, given or by default. KeyError for a flag that the command does not declare."""
        return self.flags[name]


def available(path: Sequence[Command]) -> dict[str, Flag]:
    """Every flag that the last command of the path takes, by name."""
    flags = {flag.name: flag for command in path for flag in command.persistent}
    flags.update({flag.name: flag for flag in path[-1].flags})
    flags.setdefault("help", HELP)
    return flags


def _value(flag: Flag, text: str, shown: str) -> Any:
    def refuse(why: str) -> UsageError:
        return UsageError(f'invalid argument "{text}" for "{shown}" flag: {why}')

    if flag.kind == "bool":
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise refuse(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    if flag.kind == "int":
        try:
            return int(text, 0)
        except ValueError:
            raise refuse(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if flag.kind == "duration" and not re.fullmatch(_DURATION, text):
        missing = re.fullmatch(r"[+-]?\d+(\.\d*)?", text)
        raise refuse(f'time: {"missing unit in" if missing else "invalid"} duration "{text}"')
    if flag.choices and text not in flag.choices:
        raise refuse(flag.refusal.format(text) or f"must be one of: {', '.join(flag.choices)}")
    return text


class _Parser:
    def __init__(self, root: Command) -> None:
        self.path = [root]
        self.flags: dict[str, Any] = {}
        self.given: set[str] = set()
        self.args: list[str] = []
        self.rest: tuple[str, ...] = ()
        self._known = available(self.path)
        self._short = {flag.short: flag for flag in self._known.values() if flag.short}

    def run(self, words: Sequence[str]) -> Invocation:
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--":
                self.rest = tuple(queue)
                self.args += queue
                break
            if word.startswith("--"):
                self._long(word, queue)
            elif word.startswith("-") and word != "-":
                self._shorts(word, queue)
            elif not self.args and (child := self.path[-1].find(word)):
                self._enter(child)
                if child.passthrough:
                    self.args = queue
                    break
            else:
                self._positional(word)
        return self._finish()

    def _enter(self, child: Command) -> None:
        self.path.append(child)
        self._known = available(self.path)
        self._short = {flag.short: flag for flag in self._known.values() if flag.short}

    def _positional(self, word: str) -> None:
        command = self.path[-1]
        if command.commands and not command.run:
            raise UsageError(unknown_command(command, word, " ".join(c.name for c in self.path)))
        self.args.append(word)

    def _long(self, word: str, queue: list[str]) -> None:
        name, equals, text = word[2:].partition("=")
        flag = self._known.get(name)
        if flag is None:
            raise UsageError(f"unknown flag: --{name}")
        shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        if equals:
            self._set(flag, text, shown)
        elif flag.kind == "bool":
            self._set(flag, "true", shown)
        elif flag.kind == "optional":
            self._set(flag, flag.implied, shown)
        elif queue:
            self._set(flag, queue.pop(0), shown)
        else:
            raise UsageError(f"flag needs an argument: --{name}")

    def _shorts(self, word: str, queue: list[str]) -> None:
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            flag = self._short.get(letter)
            if flag is None:
                raise UsageError(f"unknown shorthand flag: {letter!r} in {word}")
            shown = f"-{letter}, --{flag.name}"
            if flag.kind == "bool" and not letters.startswith("="):
                self._set(flag, "true", shown)
                continue
            if letters:
                self._set(flag, letters.removeprefix("="), shown)
            elif flag.kind == "optional":
                self._set(flag, flag.implied, shown)
            elif queue:
                self._set(flag, queue.pop(0), shown)
            else:
                raise UsageError(f"flag needs an argument: {letter!r} in {word}")
            return

    def _set(self, flag: Flag, text: str, shown: str) -> None:
        if flag.kind in ("strings", "array"):
            more = tuple(text.split(",")) if flag.kind == "strings" else (text,)
            self.flags[flag.name] = (
                (*self.flags.get(flag.name, ()), *more) if flag.name in self.given else more
            )
        else:
            self.flags[flag.name] = _value(flag, text, shown)
        self.given.add(flag.name)

    def _finish(self) -> Invocation:
        values = {name: flag.initial for name, flag in self._known.items()}
        values.update(self.flags)
        wants_help = bool(values.pop("help", False))
        command = self.path[-1]
        if not wants_help and not command.passthrough and command.run:
            _check_count(command, len(self.args), " ".join(c.name for c in self.path))
            _check_groups(command, self.given)
        return Invocation(
            tuple(self.path), values, tuple(self.args), frozenset(self.given), self.rest, wants_help
        )


def _check_count(command: Command, count: int, name: str) -> None:
    low, high = command.min_args, command.max_args
    if low <= count and (high < 0 or count <= high):
        return
    usage = (
        f"\n\nUsage:  {name}{' ' + command.args if command.args else ''}{' [flags]' if command.flags else ''}"
    )
    if low == high:
        wanted = f"requires {low} argument{'' if low == 1 else 's'}" if low else "accepts no arguments"
    elif count < low:
        wanted = f"requires at least {low} argument{'' if low == 1 else 's'}"
    else:
        wanted = f"accepts at most {high} argument{'' if high == 1 else 's'}"
    raise UsageError(f'"{name}" {wanted}{usage}')


def _check_groups(command: Command, given: set[str]) -> None:
    for group in command.exclusive:
        if len(both := given.intersection(group)) > 1:
            raise UsageError(
                f"if any flags in the group [{' '.join(group)}] are set none of the others can be; "
                f"[{' '.join(sorted(both))}] were all set"
            )


def unknown_command(parent: Command, word: str, name: str) -> str:
    """The text of an unknown command, with what may have been meant: two letters off, or the beginning of a name."""
    names = [command.name for command in parent.commands if not command.hidden]
    near = [n for n in names if _distance(word.lower(), n) <= 2 or n.startswith(word.lower())]
    hint = "\n\nDid you mean this?\n" + "".join(f"\t{n}\n" for n in near) if near else ""
    return f'unknown command "{word}" for "{name}"{hint}'


def _distance(a: str, b: str) -> int:
    """Levenshtein's: letters to insert, delete or replace."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
    return row[-1]


def parse(root: Command, words: Sequence[str]) -> Invocation:
    """Reads `words` (without the program's own name). Raises UsageError with the whole text to show."""
    return _Parser(root).run(words)
