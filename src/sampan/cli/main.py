"""From a command line to the function that does it. `version` alone loads nothing else: scripts call it often."""

from __future__ import annotations

import sys


def main(words: list[str] | None = None) -> int:
    """The exit code: 0 done, 1 an error that was told, 2 and above as the command says, 130 interrupted."""
    given = list(sys.argv[1:] if words is None else words)
    if given in (["version"], ["--version"]):  # the fast path: nothing but the number
        from sampan import __version__

        print(f"sampan {__version__}")
        return 0
    return _call(given)


def _call(given: list[str]) -> int:
    from sampan.base.command.model import UsageError
    from sampan.base.command.parse import parse
    from sampan.cli.commands import ROOT

    try:
        call = parse(ROOT, given)
        if call.wants_help or not call.command.run:
            from sampan.base.command.help import page

            print(page(call.path), end="")
            return 0
        return _run(call.command.run, call)
    except UsageError as error:
        print(f"Error: {error}\nRun 'sampan --help' for usage.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


def _run(target: object, call: object) -> int:
    import importlib

    module, _, function = str(target).partition(":")
    return int(getattr(importlib.import_module(module), function)(call))
