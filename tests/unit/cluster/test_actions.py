"""What up, down and status ask of the machine."""

from __future__ import annotations

import os
import subprocess
import sys

from sampan.cluster import actions


def test_a_process_that_has_ended_is_not_alive_even_before_anybody_waits_for_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, still in the table
    assert not actions._alive(process.pid)
    process.wait()
    assert not actions._alive(process.pid)
    assert actions._alive(os.getpid())
