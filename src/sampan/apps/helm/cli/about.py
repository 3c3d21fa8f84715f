"""version, and the commands that are not there yet: what needs neither a chart nor a cluster."""

from __future__ import annotations

import sys

from sampan.base.command.model import UsageError
from sampan.base.command.parse import Invocation


def not_yet(call: Invocation) -> int:
    raise UsageError(f"helm {call.command.name} is not supported yet by this helm")


def version(call: Invocation) -> int:
    from sampan import __version__
    from sampan.charts.versions import HELM_VERSION

    if call.flag("short"):
        sys.stdout.write(f"{HELM_VERSION}+sampan{__version__}\n")
    else:
        sys.stdout.write(
            f'version.BuildInfo{{Version:"{HELM_VERSION}", GitCommit:"", GitTreeState:"clean", '
            f'GoVersion:"sampan {__version__}", KubeClientVersion:"v1.37"}}\n'
        )
    return 0
