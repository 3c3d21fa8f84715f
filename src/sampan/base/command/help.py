"""The help page of a command, in cobra's layout."""

from __future__ import annotations

from collections.abc import Sequence

from sampan.base.command.model import Command, Flag

_TYPES = {"strings": "strings", "array": "stringArray", "int": "int", "duration": "duration"}


def _type_name(flag: Flag) -> str:
    if flag.kind == "bool":
        return ""
    if flag.metavar:
        return flag.metavar
    return _TYPES.get(flag.kind, "string")


def _default(flag: Flag) -> str:
    value = flag.default
    if value in (None, "", False, 0, (), "0s"):
        return ""
    if flag.kind in ("string", "optional"):
        return f' (default "{value}")'
    if isinstance(value, bool):
        value = "true"
    elif isinstance(value, tuple):
        value = "[" + ",".join(value) + "]"
    return f" (default {value})"


def flag_usages(flags: Sequence[Flag]) -> str:
    """pflag's FlagUsages: sorted, names in one column, help in the next."""
    rows: list[tuple[str, str]] = []
    for flag in sorted(flags, key=lambda f: f.name):
        if flag.hidden or flag.deprecated:
            continue
        left = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        kind = _type_name(flag)
        if kind:
            left += f" {kind}"
        if flag.kind == "optional" and flag.implied:
            left += f'[="{flag.implied}"]'
        rows.append((left, flag.help + _default(flag)))
    width = max((len(left) for left, _ in rows), default=0)
    pad = "\n" + " " * (width + 3)
    return "".join(f"{left:<{width}}   {text.replace(chr(10), pad)}".rstrip() + "\n" for left, text in rows)


def page(path: Sequence[Command]) -> str:
    """The whole page that `--help` prints for the last command of the path."""
    command = path[-1]
    name = " ".join(c.name for c in path)
    own = [
        *command.flags,
        *command.persistent,
        Flag("help", f"help for {command.name}", kind="bool", short="h"),
    ]
    inherited = [flag for parent in path[:-1] for flag in parent.persistent]
    parts = [(command.long or command.short).strip(), "", "Usage:"]
    if command.run:
        line = f"  {name}" + (f" {command.args}" if command.args else "")
        parts.append(line + ("" if command.passthrough else " [flags]"))
    if command.commands:
        parts.append(f"  {name} [command]")
    if command.aliases:
        parts += ["", "Aliases:", "  " + ", ".join((command.name, *command.aliases))]
    if command.example:
        parts += ["", "Examples:", command.example.rstrip("\n")]
    shown = [c for c in command.commands if not c.hidden]
    if shown:
        width = max(11, max(len(c.name) for c in shown))
        parts += ["", "Available Commands:"]
        parts += [f"  {c.name:<{width}} {c.short}" for c in sorted(shown, key=lambda c: c.name)]
    parts += ["", "Flags:", flag_usages(own).rstrip("\n")]
    if inherited:
        parts += ["", "Global Flags:", flag_usages(inherited).rstrip("\n")]
    if shown:
        parts += ["", f'Use "{name} [command] --help" for more information about a command.']
    return "\n".join(parts) + "\n"
