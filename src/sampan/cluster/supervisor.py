"""The parent process: opens the sockets, forks the processes of ours, starts again those that die, answers `status`.

It imports what the children share and freezes it before the fork, so that they share the memory. It runs no event
loop and no threads of its own: a fork of it is safe at any time. The listening sockets belong to it, so a client
that comes while the API process restarts waits in the backlog instead of being refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sampan.cluster import host, journal
from sampan.cluster.settings import Settings

PAUSE_SECONDS = (0.1, 15.0)
HEALTHY_SECONDS = 60.0
STOP_SECONDS = 12.0
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
IP_FREEBIND = 15
"""linux/in.h: an address that the machine does not have (yet) may be bound."""


class Child:
    """One process of ours and what its components last said of themselves."""

    def __init__(self, name: str, units: Sequence[host.Unit]) -> None:
        self.name = name
        self.units = units
        self.pid = 0
        self.restarts = 0
        self.began = 0.0
        self.pause = PAUSE_SECONDS[0]
        self.due: float | None = None
        self.pipe = -1
        self.buffer = b""
        self.states: dict[str, tuple[str, str]] = {unit.name: ("waiting", "") for unit in units}


class Supervisor:
    """`children` in start order; stopped in reverse."""

    def __init__(
        self, settings: Settings, build: str, children: Sequence[Child], control: socket.socket
    ) -> None:
        self._settings = settings
        self._build = build
        self._children = children
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._watchers: list[socket.socket] = []
        self._stopping = False
        self._began = time.time()

    def run(self, on_listening: Callable[[], None]) -> None:
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._control.setblocking(False)
        self._selector.register(self._control, selectors.EVENT_READ, self._accept)
        self._selector.register(wake_read, selectors.EVENT_READ, lambda: os.read(wake_read, 512))
        for child in self._children:
            self._start(child)
        on_listening()
        while not self._stopping:
            for key, _ in self._selector.select(self._timeout()):
                key.data()
            self._reap()
            self._start_due()
        self._end()

    # -- processes

    def _start(self, child: Child) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reader, False)
        pid = os.fork()
        if pid == 0:
            self._become(child, writer)
        os.close(writer)
        child.pid, child.pipe, child.buffer, child.due = pid, reader, b"", None
        child.began = time.monotonic()
        self._selector.register(reader, selectors.EVENT_READ, lambda: self._read(child))

    def _become(self, child: Child, writer: int) -> None:
        """The child's side of the fork; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            libc = ctypes.CDLL(None, use_errno=True)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            libc.prctl(_PR_SET_NAME, f"sampan-{child.name}".encode()[:15])
            self._selector.close()
            journal.start(self._settings.data_path / "log", child.name)
            host.run(child.units, writer)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _read(self, child: Child) -> None:
        try:
            data = os.read(child.pipe, 65536)
        except BlockingIOError:
            return
        child.buffer += data
        *lines, child.buffer = child.buffer.split(b"\n")
        for line in lines:
            said = json.loads(line)
            child.states[said["component"]] = (said["state"], said["reason"])
        if lines:
            self._tell()
        if not data:
            self._close_pipe(child)

    def _close_pipe(self, child: Child) -> None:
        if child.pipe >= 0:
            self._selector.unregister(child.pipe)
            os.close(child.pipe)
            child.pipe = -1

    def _reap(self) -> None:
        for child in self._children:
            if not child.pid:
                continue
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid == 0:
                    continue
                self._died(child, status)

    def _died(self, child: Child, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        self._close_pipe(child)
        reason = f"process {child.pid} ended with {how}"
        child.pid = 0
        child.states = dict.fromkeys(child.states, ("failed", reason))
        if time.monotonic() - child.began > HEALTHY_SECONDS:
            child.pause = PAUSE_SECONDS[0]
        child.due = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, PAUSE_SECONDS[1])
        child.restarts += 1
        print(f"{child.name}: {reason}, starts again", file=sys.stderr, flush=True)
        self._tell()

    def _timeout(self) -> float | None:
        due = [child.due for child in self._children if child.due is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start_due(self) -> None:
        for child in self._children:
            if child.due is not None and child.due <= time.monotonic() and not self._stopping:
                self._start(child)

    # -- the control socket: one word in, JSON lines out

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._control.accept()
            connection.settimeout(1.0)
            with contextlib.suppress(OSError):
                self._answer(connection, connection.recv(64).decode(errors="replace").strip())
                return
            connection.close()

    def _answer(self, connection: socket.socket, word: str) -> None:
        if word == "watch":
            self._watchers.append(connection)
            self._tell()
            return
        if word == "stop":
            self._stop()
        connection.sendall(self._state())
        connection.close()

    def _tell(self) -> None:
        state = self._state()
        for watcher in list(self._watchers):
            try:
                watcher.sendall(state)
            except OSError:
                self._watchers.remove(watcher)
                watcher.close()

    def _state(self) -> bytes:
        components = [
            {"name": name, "pid": child.pid or None, "state": state, "reason": reason, "process": child.name}
            for child in self._children
            for name, (state, reason) in child.states.items()
        ]
        state: dict[str, Any] = {
            "name": self._settings.name,
            "pid": os.getpid(),
            "build": self._build,
            "started": self._began,
            "components": [
                {
                    "name": "supervisor",
                    "pid": os.getpid(),
                    "state": "running",
                    "reason": "",
                    "process": "supervisor",
                },
                *components,
            ],
            "restarts": {child.name: child.restarts for child in self._children if child.restarts},
        }
        return json.dumps(state).encode() + b"\n"

    # -- the end

    def _stop(self) -> None:
        self._stopping = True

    def _end(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self._children):
            if not child.pid:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
            while os.waitpid(child.pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(child.pid, signal.SIGKILL)
                    os.waitpid(child.pid, 0)
                    break
                time.sleep(0.005)


def listen_unix(path: Path) -> socket.socket:
    """A listening socket at `path`, 0600 from its first moment."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(512)
    return listener


def listen_tcp(host_name: str, port: int, *, anywhere: bool = False) -> socket.socket:
    """A listening TCP socket. With `anywhere` the address need not be there yet (the pod bridge comes later)."""
    family = socket.AF_INET6 if ":" in host_name else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if anywhere:
        listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    listener.bind((host_name, port))
    listener.listen(4096)
    return listener


def share(modules: Sequence[str]) -> None:
    """Imports what the children have in common and puts it beyond the collector's reach, so that pages stay shared."""
    import importlib

    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


def ask(path: Path, word: str, *, seconds: float = 5.0) -> Mapping[str, Any] | None:
    """One answer of a supervisor's control socket; None where none listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(str(path))
        connection.sendall(word.encode() + b"\n")
        with connection.makefile("rb") as reader:
            line = reader.readline()
    except (FileNotFoundError, ConnectionError):
        return None
    finally:
        connection.close()
    answer: Mapping[str, Any] = json.loads(line)
    return answer
