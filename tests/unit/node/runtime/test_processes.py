"""Who outlives the rest is found by the monitor's socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from sampan.node.runtime.config import Config
from sampan.node.runtime.processes import processes


def test_no_monitor_is_no_process(tmp_path: Path) -> None:
    assert processes(Config(root=tmp_path, run=tmp_path)) == {}


def test_the_process_behind_the_socket_is_the_monitor(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "monitor.sock"))
        listener.listen()
        assert processes(Config(root=tmp_path, run=tmp_path)) == {"monitor": os.getpid()}
