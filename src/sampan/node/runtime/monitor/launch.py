"""Starts the holder and the monitor as a session of their own, from any process that has the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sampan

# The packages on the way are entered as empty shells: their own __init__ may import what is not light.
_BOOT = """
import sys
kind = type(sys)
root = sys.argv[1]
for name in ("sampan", "sampan.base", "sampan.base.linux", "sampan.node", "sampan.node.runtime"):
    shell = kind(name)
    shell.__path__ = [root + "/" + name.replace(".", "/")]
    sys.modules[name] = shell
import os
if os.fork():
    os._exit(0)
os.setsid()
from sampan.node.runtime.monitor import holder
holder.run(sys.argv[2], sys.argv[3])
"""


def start(run_dir: Path, hide: str) -> None:
    """Returns once the holder is detached; the monitor's socket comes a few milliseconds later.

    What the two print goes to monitor.log in `run_dir`. They get the environment's PATH and nothing else of it.
    """
    root = Path(sampan.__file__).resolve().parent.parent
    with (run_dir / "monitor.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _BOOT, str(root), str(run_dir), hide],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")},
            check=True,
            timeout=30,
        )
