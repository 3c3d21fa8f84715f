"""helm and kubectl: commands with a command line of their own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from sampan.base.command.parse import Invocation
from sampan.cli import show


def helm(call: Invocation) -> int:
    from sampan.apps.helm.cli import main as helm_main

    return helm_main.main(list(call.args))


def kubectl(call: Invocation) -> int:  # noqa: RET503 (execv does not return)
    """Becomes kubectl: the one beside this Python (the extra sampan[kubectl]) or the one on PATH."""
    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.exists() else shutil.which("kubectl")
    if program is None:
        return show.fail("no kubectl on PATH: install it, or pip install 'sampan[kubectl]'")
    sys.stdout.flush()
    os.execv(program, [program, *call.args])  # noqa: S606 (the words are the user's own)
