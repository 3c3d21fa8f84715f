"""From Helm's command line to a verb. `helm` errors go to stderr as `Error: ...`, exit code 1."""

from __future__ import annotations

import importlib
import os
import sys

from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation, parse


def main(words: list[str] | None = None) -> int:
    from sampan.apps.helm.cli.commands import ROOT

    given = list(sys.argv[1:] if words is None else words)
    try:
        call = parse(ROOT, given)
        if call.wants_help or not call.command.run:
            from sampan.base.command.help import page

            print(page(call.path), end="")
            return 0
        _look_at_flags(call)
        return _run(call)
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        if "unknown command" in str(error):
            print("Run 'helm --help' for usage.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _look_at_flags(call: Invocation) -> None:
    """Names flags that are old, and refuses those that are declared only to be refused. Raises UsageError."""
    from sampan.apps.helm.cli.flags import NOT_YET
    from sampan.base.command.parse import available

    known = available(call.path)
    for name in sorted(call.given & known.keys()):
        flag = known[name]
        if flag.deprecated:
            print(f"Flag --{name} has been deprecated, {flag.deprecated}", file=sys.stderr)
        if flag.refusal == NOT_YET:
            raise UsageError(f"flag --{name} {NOT_YET}")


def _run(call: Invocation) -> int:
    from sampan.api.status import ApiError
    from sampan.apps.helm.errors import HelmError, of_file
    from sampan.charts.errors import ChartError

    module, _, function = str(call.command.run).partition(":")
    try:
        return int(getattr(importlib.import_module(module), function)(call))
    except (HelmError, ChartError) as error:
        print(f"Error: {error}", file=sys.stderr)
    except ApiError as error:
        print(f"Error: {error.message}", file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"Error: {of_file(error)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
