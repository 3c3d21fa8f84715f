"""The small processes that outlive the rest: who they are, for `status`. Found by the monitor's socket, not by files."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from sampan.node.runtime.config import Config


def processes(config: Config) -> dict[str, int]:
    """Process ids by name: `monitor`, and `holder` above it. Empty when no monitor runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(str(config.run / "monitor.sock"))
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return {}
    pid = struct.unpack("3i", raw)[0]
    found = {"monitor": pid}
    parent = _parent(pid)
    if parent > 1 and str(config.run).encode() in Path(f"/proc/{parent}/cmdline").read_bytes():
        found["holder"] = parent
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
