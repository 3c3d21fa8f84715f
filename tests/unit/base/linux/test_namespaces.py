from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sampan.base.linux import namespaces

pytestmark = pytest.mark.root


def test_namespaces_are_made_kept_entered_and_let_go(tmp_path: Path) -> None:
    paths = {kind: str(tmp_path / kind) for kind in namespaces.KINDS}
    before = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in paths}
    namespaces.create(paths, hostname="inside", sysctls={"net.ipv4.ip_default_ttl": "7"})
    try:
        assert {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in paths} == before

        def look() -> tuple[str, list[str], str]:
            names = [name for _, name in socket.if_nameindex()]
            return (
                os.readlink("/proc/thread-self/ns/net"),
                names,
                Path("/proc/sys/net/ipv4/ip_default_ttl").read_text(),
            )

        inside, names, ttl = namespaces.run_in(paths["net"], "net", look)
        assert inside != before["net"] and names == ["lo"] and ttl == "7\n"
        assert namespaces.run_in(paths["uts"], "uts", socket.gethostname) == "inside"
        assert socket.gethostname() != "inside"
    finally:
        for path in paths.values():
            namespaces.remove(path)
    assert list(tmp_path.iterdir()) == []
    namespaces.remove(paths["net"])  # again is fine


def test_a_failure_leaves_nothing_mounted(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no/such"):
        namespaces.create({"net": str(tmp_path / "net")}, sysctls={"net.no.such": "1"})
    assert list(tmp_path.iterdir()) == []


def test_loopback_is_up(tmp_path: Path) -> None:
    path = str(tmp_path / "net")
    namespaces.create({"net": path})
    try:

        def talk() -> bytes:
            with (
                socket.create_server(("127.0.0.1", 0)) as server,
                socket.create_connection(server.getsockname()),
            ):
                connection, _ = server.accept()
                connection.close()
                return b"up"

        assert namespaces.run_in(path, "net", talk) == b"up"
    finally:
        namespaces.remove(path)
