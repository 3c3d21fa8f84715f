"""The process above the monitor: it starts it, starts it again after a crash, and keeps exit statuses meanwhile."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import time

from sampan.base.linux import syscalls
from sampan.node.runtime.monitor import main

_PAUSE_MIN = 0.02
_PAUSE_MAX = 5.0
# A monitor that lived this long did not crash because it was started.
_STEADY = 10.0


def run(run_dir: str, hide: str) -> None:
    """Never returns before the monitor ended on purpose. The caller has detached us already."""
    # Held by the monitor too, so that it counts even when this process is gone.
    lock = os.open(f"{run_dir}/monitor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    syscalls.set_name("sampan-holder")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    pause = _PAUSE_MIN
    while True:
        born = time.monotonic()
        monitor = os.fork()
        if monitor == 0:
            ours.close()
            main.serve(run_dir, hide, theirs)
            os._exit(0)
        # While the lock is held these two are who holds it: for a cleanup that gets no answer from the socket.
        os.pwrite(lock, b"%-10d %-10d\n" % (os.getpid(), monitor), 0)
        status = _hold(monitor, ours)
        if status == 0:
            return
        pause = _PAUSE_MIN if time.monotonic() - born > _STEADY else min(pause * 2, _PAUSE_MAX)
        print(f"the monitor ended with status {status}, starting it again in {pause:.2f} s", file=sys.stderr)
        time.sleep(pause)


def _hold(monitor: int, sock: socket.socket) -> int:
    """Reaps until the monitor is gone. Statuses of others wait in the socket for the monitor, this or the next."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == monitor:
            return status
        try:
            sock.send(b"%d %d %d" % (pid, status, time.time_ns()))
        except OSError:
            print(f"the exit status {status} of process {pid} is lost: nobody read it", file=sys.stderr)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2])
