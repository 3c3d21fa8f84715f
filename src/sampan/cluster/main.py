"""The supervisor's own program: `python -m sampan.cluster.main DATA_FOLDER READY_FD API_FD...`. `up` starts it."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

from sampan.cluster import actions, build, components, settings, supervisor


def main() -> int:
    found = settings.load(Path(sys.argv[1]))
    ready = int(sys.argv[2])
    if found is None:
        print(f"{sys.argv[1]}: there is no cluster", file=sys.stderr)
        return 1
    ctypes.CDLL(None).prctl(15, b"sampan")  # PR_SET_NAME
    os.umask(0o077)
    from sampan.base.pki import layout

    pki = layout.ensure(
        found.data_path / "pki",
        components.names(found),
        time.time(),
        nodes={found.node_name: (found.node_name, "127.0.0.1", components.node_address())},
    )
    settings.make_private(found.run_path / "api")
    sockets = _open(found, [socket.socket(fileno=int(number)) for number in sys.argv[3:]])
    control = supervisor.listen_unix(actions.control_path(found.run_path))
    supervisor.share(components.SHARED)
    parent = supervisor.Supervisor(
        found, build.identifier(), components.children(found, sockets, pki), control
    )

    def listening() -> None:
        os.write(ready, b"1")
        os.close(ready)

    parent.run(listening)
    actions.control_path(found.run_path).unlink(missing_ok=True)
    return 0


def _open(found: settings.Settings, api: list[socket.socket]) -> components.Sockets:
    """Every listening socket of ours, opened once and kept over restarts of the processes that serve them."""
    identities = {
        name: supervisor.listen_unix(components.socket_path(found, name)) for name in components.IDENTITIES
    }
    node = None
    if found.on("node"):
        node = supervisor.listen_tcp(components.node_address(), 0)
    return components.Sockets(tuple(api), identities, node)


if __name__ == "__main__":
    sys.exit(main())
