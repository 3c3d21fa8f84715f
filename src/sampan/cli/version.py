"""version, completion."""

from __future__ import annotations

import platform

from sampan import __version__
from sampan.base.command.parse import Invocation
from sampan.cli import show


def version(call: Invocation) -> int:
    facts = {
        "version": __version__,
        "kubernetesVersion": "v1.37.0",
        "pythonVersion": platform.python_version(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    if call.flag("output"):
        show.data(facts, call.flag("output"))
    else:
        print(f"sampan {__version__}")
    return 0


def completion(call: Invocation) -> int:
    from sampan.base.command import completion as scripts

    shell = call.args[0]
    if shell not in scripts.SHELLS:
        return show.fail(f"shell {shell!r}: expected one of {', '.join(scripts.SHELLS)}")
    print(scripts.script(shell, "sampan"), end="")
    return 0


def complete(call: Invocation) -> int:
    from sampan.base.command.completion import candidates
    from sampan.cli.commands import ROOT

    for word, text in candidates(ROOT, call.args):
        print(f"{word}\t{text}" if text else word)
    return 0
