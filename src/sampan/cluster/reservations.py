"""Address ranges that running clusters hold on this machine.

A range is held by a bound socket in the abstract namespace (unix(7)), which belongs to the network namespace as routes and
nft tables do: nobody else can bind the same name, and it goes with the processes that keep it open. Nothing is left on disk.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from pathlib import Path

PREFIX = "sampan/range/"


def hold(cidrs: Iterable[str]) -> list[socket.socket] | None:
    """Sockets that hold the ranges while they are open; None when somebody else holds one of them."""
    held: list[socket.socket] = []
    for cidr in cidrs:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            one.bind(f"\0{PREFIX}{cidr}")
        except OSError as error:
            for other in (*held, one):
                other.close()
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        held.append(one)
    return held


def held() -> list[str]:
    """The ranges that anybody holds."""
    try:
        lines = Path("/proc/net/unix").read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [line.partition(f"@{PREFIX}")[2] for line in lines if f"@{PREFIX}" in line]
