"""The monitor's loop: clients on its socket, children that end, containers that write."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

from sampan.base.linux import syscalls
from sampan.node.runtime.monitor import protocol, spawn
from sampan.node.runtime.monitor.container import Container, Poll, start_time, write_json

# How long an adopted container's status may take from the holder to us before it counts as lost.
_STATUS_WAIT = 1.0
_CONSOLE_WAIT = 5.0


class Failed(Exception):
    """A request that cannot be done; its text is the answer."""


class _Spawn(NamedTuple):
    """An OCI runtime on its way. `container` is None for an exec."""

    client: _Client
    request: dict[str, Any]
    container: Container | None
    console: socket.socket | None


class _Client:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.greeted = False
        self.execs: set[int] = set()

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        try:
            socket.send_fds(self.sock, [protocol.encode(message)], list(fds))
        except OSError:
            # Full or gone: it has to come back and ask. The loop sees the hang-up.
            self.sock.shutdown(socket.SHUT_RDWR)


class Monitor:
    def __init__(self, run_dir: str, hide: str, holder: socket.socket) -> None:
        self.run_dir = run_dir
        self.hide = hide
        self.poll = Poll()
        self.stopping = False
        self.containers: dict[str, Container] = {}
        self._processes: dict[int, Container | _Client] = {}
        self._spawns: dict[int, _Spawn] = {}
        self._early: dict[int, tuple[int, int]] = {}
        self._clients: set[_Client] = set()
        self._vanished: dict[str, float] = {}
        self._holder = holder

    # -- start and loop

    def open(self) -> None:
        wake, wakened = socket.socketpair()
        for end in (wake, wakened):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakened.fileno(), warn_on_full_buffer=False)
        self._wake = (wake, wakened)
        self.poll.add(wake.fileno(), select.EPOLLIN, self._on_child)
        self._holder.setblocking(False)
        self.poll.add(self._holder.fileno(), select.EPOLLIN, self._on_holder)
        self._adopt()
        self._on_holder(select.EPOLLIN)
        path = f"{self.run_dir}/{protocol.SOCKET}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        old = os.umask(0o177)
        self._listener.bind(path)
        os.umask(old)
        self._listener.listen(16)
        self.poll.add(self._listener.fileno(), select.EPOLLIN, self._on_connect)

    def loop(self) -> None:
        while not self.stopping:
            self.poll.turn(_STATUS_WAIT / 4 if self._vanished else -1)
            if self._vanished:
                self._give_up()

    def _adopt(self) -> None:
        """Takes over the containers that a monitor before us left."""
        folder = f"{self.run_dir}/{protocol.RECORDS}"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name in os.listdir(folder):
            if not name.endswith(".json"):
                continue
            with open(f"{folder}/{name}", "rb") as file:
                record = json.load(file)
            container = self.containers[record["cid"]] = Container(self.poll, record)
            if os.path.exists(record["exit"]):
                with open(record["exit"], "rb") as file:
                    container.exited = json.load(file)
                continue
            container.open_streams()
            container.reopen_stdin()
            self._vanished[container.cid] = time.monotonic()
            try:
                container.pidfd = os.pidfd_open(container.pid)
            except ProcessLookupError:
                self._processes[container.pid] = container  # its status may come from the holder yet
                continue
            if start_time(container.pid) not in (record["start"], 0):
                os.close(container.pidfd)
                container.pidfd = -1  # somebody else's process by now
                continue
            self._processes[container.pid] = container
            del self._vanished[container.cid]
            self.poll.add(container.pidfd, select.EPOLLIN, self._watcher(container))

    def _watcher(self, container: Container) -> Any:
        def ended(events: int) -> None:
            self.poll.drop(container.pidfd)
            self._vanished.setdefault(container.cid, time.monotonic())

        return ended

    def _give_up(self) -> None:
        for cid, since in list(self._vanished.items()):
            container = self.containers.get(cid)
            if container is None or container.exited is not None:
                del self._vanished[cid]
            elif time.monotonic() - since > _STATUS_WAIT:
                del self._vanished[cid]
                self._processes.pop(container.pid, None)
                self._finish(container, protocol.unknown(time.time_ns()))

    # -- children

    def _on_child(self, events: int) -> None:
        try:
            while self._wake[0].recv(512):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status, time.time_ns())

    def _on_holder(self, events: int) -> None:
        while True:
            try:
                packet = self._holder.recv(128)
            except BlockingIOError:
                return
            if not packet:
                print("the holder is gone, going on without it", file=sys.stderr, flush=True)
                self.poll.drop(self._holder.fileno())
                return
            pid, status, at = (int(word) for word in packet.split())
            self._ended(pid, status, at)

    def _ended(self, pid: int, status: int, at: int) -> None:
        starter = self._spawns.pop(pid, None)
        if starter is not None:
            self._started(starter, status)
            if not self._spawns:
                self._early.clear()
            return
        owner = self._processes.pop(pid, None)
        if isinstance(owner, Container):
            self._finish(owner, protocol.exited(status, at=at, oom=owner.oom()))
        elif isinstance(owner, _Client):
            owner.execs.discard(pid)
            owner.send({"event": "exec", "pid": pid, "code": protocol.exited(status, at=at)["code"]})
        elif self._spawns:
            # Perhaps a container that ended before its OCI runtime told us who it is.
            self._early[pid] = (status, at)

    def _finish(self, container: Container, exited: dict[str, Any]) -> None:
        try:
            container.finish(exited)
        except OSError as error:
            print(f"cannot record the exit of {container.cid}: {error}", file=sys.stderr, flush=True)
        for client in list(self._clients):
            if client.greeted:
                client.send({"event": "exit", "cid": container.cid, "exited": exited})

    def _started(self, starter: _Spawn, status: int) -> None:
        """The OCI runtime has ended: what it started runs, or it says why not."""
        request, client, container = starter.request, starter.client, starter.container
        try:
            if status != 0:
                raise Failed(_complaint(request["run_log"], status))
            with open(request["pid_file"], "rb") as file:
                pid = int(file.read())
            if container is not None:
                if starter.console is not None:
                    container.terminal(_master(starter.console))
                container.record["pid"] = pid
                container.record["start"] = start_time(pid)
                self._processes[pid] = container
                write_json(self._record(container.cid), container.record)
            else:
                self._processes[pid] = client
                client.execs.add(pid)
            client.send({"id": request["id"], "pid": pid, "at": time.time_ns()})
        except (Failed, OSError, ValueError) as error:
            if container is not None:
                self._drop(container)
            client.send({"id": request["id"], "error": str(error)})
            return
        finally:
            if starter.console is not None:
                starter.console.close()
        if pid in self._early:
            self._ended(pid, *self._early.pop(pid))

    # -- clients

    def _on_connect(self, events: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        client = _Client(sock)
        self._clients.add(client)
        self.poll.add(sock.fileno(), select.EPOLLIN, lambda events: self._on_client(client))

    def _on_client(self, client: _Client) -> None:
        try:
            received = protocol.receive(client.sock)
        except BlockingIOError:
            return
        except OSError:
            received = None
        if received is None:
            self._clients.discard(client)
            self.poll.drop(client.sock.fileno())
            client.sock.close()
            # Nobody is left who would read its output or ask for its code.
            for pid in client.execs:
                self._processes.pop(pid, None)
                os.kill(pid, signal.SIGKILL)
            return
        request, fds = received
        try:
            operation = getattr(self, "_do_" + str(request.get("op")), None)
            if operation is None:
                raise Failed(f"unknown operation {request.get('op')!r}")
            answer = operation(client, request, fds)
        except (Failed, OSError, KeyError, ValueError) as error:
            answer = {
                "error": f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
            }
        finally:
            for fd in fds:
                if fd >= 0:
                    os.close(fd)
        if answer is not None:
            passed = answer.pop("fds", ())
            client.send({"id": request.get("id"), **answer}, passed)

    def _known(self, request: dict[str, Any]) -> Container:
        container = self.containers.get(request["cid"])
        if container is None:
            raise Failed(f"no container {request['cid']!r}")
        return container

    def _record(self, cid: str) -> str:
        return f"{self.run_dir}/{protocol.RECORDS}/{cid}.json"

    def _drop(self, container: Container) -> None:
        self.containers.pop(container.cid, None)
        container.close()
        try:
            os.unlink(self._record(container.cid))
        except FileNotFoundError:
            pass

    def _do_hello(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        if request["version"] != protocol.VERSION:
            raise Failed(f"version {request['version']!r} of the protocol: expected {protocol.VERSION}")
        client.greeted = True
        return {"version": protocol.VERSION, "pid": os.getpid()}

    def _do_run(self, client: _Client, request: dict[str, Any], fds: list[int]) -> None:
        cid = request["cid"]
        if cid in self.containers:
            raise Failed(f"container {cid!r} was started already")
        keys = ("cid", "stdout", "stderr", "stdin", "stdin_once", "log", "exit", "oom")
        container = Container(self.poll, {key: request[key] for key in keys})
        console = None
        stdio: tuple[int, int, int] | tuple[()] = ()
        try:
            if request["console"]:
                console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                console.bind(request["console"])
                console.listen(1)
            stdio = container.stdio()
            pid = spawn.start(request["argv"], stdio, self.hide)
        except OSError:
            container.close()
            if console is not None:
                console.close()
            raise
        finally:
            for fd in stdio:
                os.close(fd)
        self.containers[cid] = container
        self._spawns[pid] = _Spawn(client, request, container, console)

    def _do_exec(self, client: _Client, request: dict[str, Any], fds: list[int]) -> None:
        if len(fds) != 3:
            raise Failed(f"exec got {len(fds)} descriptors: expected 3")
        pid = spawn.start(request["argv"], (fds[0], fds[1], fds[2]), self.hide)
        self._spawns[pid] = _Spawn(client, request, None, None)

    def _do_signal(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        owner = self._processes.get(request["pid"])
        if owner is None:
            return {"gone": True}
        if isinstance(owner, Container) and owner.pidfd >= 0:
            try:
                signal.pidfd_send_signal(owner.pidfd, request["signal"])
            except ProcessLookupError:
                return {"gone": True}
        else:
            # Not reaped yet, so the number is still its own.
            os.kill(request["pid"], request["signal"])
        return {"gone": False}

    def _do_attach(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        container = self._known(request)
        if container.exited is not None:
            raise Failed(f"container {container.cid!r} has exited")
        for name in (b"stdout", b"stderr"):
            if request[name.decode()]:
                fd, fds[:] = fds[0], fds[1:]
                stream = container.streams.get(name)
                if stream is None or stream.fd < 0:
                    os.close(fd)
                else:
                    stream.attach(fd)
        master = container.master
        return {"terminal": master >= 0, "fds": (master,) if master >= 0 else ()}

    def _do_close(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        self._known(request).close_stdin()
        return {}

    def _do_reopen(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        self._known(request).log.reopen()
        return {}

    def _do_state(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        container = self.containers.get(request["cid"])
        if container is None:
            return {"pid": 0, "exited": None}
        return {"pid": container.pid, "exited": container.exited}

    def _do_forget(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        container = self.containers.get(request["cid"])
        if container is not None:
            self._processes.pop(container.pid, None)
            self._drop(container)
        return {}

    def _do_quit(self, client: _Client, request: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        self.stopping = True
        os.unlink(f"{self.run_dir}/{protocol.SOCKET}")
        return {}


def _complaint(run_log: str, status: int) -> str:
    """What the OCI runtime logged last, as JSON lines or plain text."""
    try:
        with open(run_log, encoding="utf-8", errors="replace") as file:
            lines = [line for line in file.read().splitlines() if line.strip()]
    except OSError:
        lines = []
    if not lines:
        return f"the OCI runtime ended with code {protocol.exited(status, at=0)['code']} and said nothing"
    try:
        return str(json.loads(lines[-1])["msg"])
    except (ValueError, KeyError, TypeError):
        return lines[-1]


def _master(console: socket.socket) -> int:
    """The terminal's master, which the OCI runtime sent before it ended."""
    console.settimeout(_CONSOLE_WAIT)
    connection, _ = console.accept()
    with connection:
        connection.settimeout(_CONSOLE_WAIT)
        _, fds = protocol.receive_fds(connection, 4096, 1)
    if not fds:
        raise Failed("the OCI runtime sent no terminal")
    return fds[0]


def serve(run_dir: str, hide: str, holder: socket.socket) -> None:
    """Returns when asked to quit; any exception ends the process and the holder starts the next one."""
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    syscalls.set_name("sampan-monitor")
    monitor = Monitor(run_dir, hide, holder)
    monitor.open()
    monitor.loop()
