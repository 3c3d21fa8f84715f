"""One container as the monitor sees it: its output streams, who is attached to them, its files on disk."""

from __future__ import annotations

import errno
import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from sampan.node.runtime.monitor import logs

_CHUNK = 64 * 1024
# After the exit a stream is read dry; a process elsewhere that still writes must not keep us here.
_DRAIN_CHUNKS = 1024

Handler = Callable[[int], None]


class Poll:
    """epoll with a handler per descriptor."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def add(self, fd: int, events: int, handler: Handler) -> None:
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def drop(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def turn(self, timeout: float) -> None:
        for fd, events in self._epoll.poll(timeout):
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(events)


class Sink:
    """The write end of somebody's pipe who is attached. While it is full its container's stream waits."""

    def __init__(self, poll: Poll, fd: int, drained: Callable[[], None]) -> None:
        self.fd = fd
        self._poll = poll
        self._drained = drained
        self._pending = bytearray()
        self._last = False
        os.set_blocking(fd, False)
        # No events asked for: the kernel still reports EPOLLERR once the reader has gone.
        poll.add(fd, 0, self._ready)

    @property
    def full(self) -> bool:
        return bool(self._pending)

    def feed(self, data: bytes) -> None:
        if self.fd < 0:
            return
        self._pending += data
        self._flush()

    def finish(self) -> None:
        self._last = True
        if not self._pending:
            self.close()

    def close(self) -> None:
        if self.fd >= 0:
            self._poll.drop(self.fd)
            os.close(self.fd)
            self.fd = -1
            self._pending.clear()

    def _ready(self, events: int) -> None:
        if events & (select.EPOLLERR | select.EPOLLHUP):
            self.close()
        else:
            self._flush()
        if not self._pending:
            self._drained()

    def _flush(self) -> None:
        try:
            while self._pending:
                del self._pending[: os.write(self.fd, self._pending)]
        except BlockingIOError:
            self._poll.change(self.fd, select.EPOLLOUT)
            return
        except OSError:
            self.close()
            return
        if self._last:
            self.close()
        else:
            self._poll.change(self.fd, 0)


class Stream:
    """A FIFO or a terminal's master that the container writes to."""

    def __init__(self, poll: Poll, fd: int, name: bytes, log: logs.Log) -> None:
        self.fd = fd
        self.sinks: list[Sink] = []
        self._poll = poll
        self._name = name
        self._log = log
        self._rest = b""
        self._paused = False
        os.set_blocking(fd, False)
        poll.add(fd, select.EPOLLIN, self._ready)

    def attach(self, fd: int) -> None:
        self.sinks.append(Sink(self._poll, fd, self._resume))

    def drain(self) -> None:
        """Reads what is there, whether or not the sinks keep up."""
        for _ in range(_DRAIN_CHUNKS):
            if self.fd < 0 or not self._pump():
                return

    def detach(self) -> None:
        for sink in self.sinks:
            sink.finish()
        self.sinks = []

    def close(self) -> None:
        if self.fd >= 0:
            self._poll.drop(self.fd)
            os.close(self.fd)
            self.fd = -1
            self._log.write(logs.last(self._name, self._rest, logs.stamp(time.time_ns())))
            self._rest = b""
        self.detach()

    def _ready(self, events: int) -> None:
        self._pump()
        if self.fd >= 0 and any(sink.full for sink in self.sinks):
            self._paused = True
            self._poll.drop(self.fd)

    def _resume(self) -> None:
        self.sinks = [sink for sink in self.sinks if sink.fd >= 0]
        if self._paused and self.fd >= 0 and not any(sink.full for sink in self.sinks):
            self._paused = False
            self._poll.add(self.fd, select.EPOLLIN, self._ready)

    def _pump(self) -> bool:
        """One chunk; False when there is no more for now."""
        try:
            data = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # the last user of a terminal has left
                raise
            data = b""
        if not data:
            self.close()
            return False
        out, self._rest = logs.lines(self._name, data, self._rest, logs.stamp(time.time_ns()))
        self._log.write(out)
        for sink in self.sinks:
            sink.feed(data)
        return True


class Container:
    """`record` holds what a later monitor needs: the paths of the run request, and the process once it runs."""

    def __init__(self, poll: Poll, record: dict[str, Any]) -> None:
        self.cid: str = record["cid"]
        self.record = record
        self.log = logs.Log(record["log"])
        self.exited: dict[str, Any] | None = None
        self.streams: dict[bytes, Stream] = {}
        self.master = -1
        self.pidfd = -1
        self._poll = poll
        self._stdin = -1

    @property
    def pid(self) -> int:
        return int(self.record.get("pid", 0))

    def stdio(self) -> tuple[int, int, int]:
        """Opens the FIFOs: our ends stay here, the container's are returned and to be closed by the caller.

        Output FIFOs go to the container opened for reading too, so it never meets a broken pipe while no
        monitor is there. The same for a stdin that is to stay open; one that ends after the first client
        has to be able to end, so its reader has only a reader's end.
        """
        record = self.record
        theirs = []
        if record["stdin"]:
            self._stdin = os.open(record["stdin"], os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            mode = os.O_RDONLY if record["stdin_once"] else os.O_RDWR
            theirs.append(os.open(record["stdin"], mode | os.O_CLOEXEC))
        else:
            theirs.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        for name in ("stdout", "stderr"):
            path = record[name]
            theirs.append(os.open(path or "/dev/null", os.O_RDWR | os.O_CLOEXEC))
        self.open_streams()
        return theirs[0], theirs[1], theirs[2]

    def open_streams(self) -> None:
        for name in ("stdout", "stderr"):
            if path := self.record[name]:
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                self.streams[name.encode()] = Stream(self._poll, fd, name.encode(), self.log)

    def reopen_stdin(self) -> None:
        """After a crash of the monitor before us."""
        if self.record["stdin"] and not self.record["stdin_once"]:
            self._stdin = os.open(self.record["stdin"], os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def terminal(self, master: int) -> None:
        self.master = master
        self.streams[b"stdout"] = Stream(self._poll, master, b"stdout", self.log)

    def close_stdin(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def finish(self, exited: dict[str, Any]) -> None:
        """The container's first process has ended: logs first, then the exit file."""
        for stream in list(self.streams.values()):
            stream.drain()
            stream.detach()
        self.close_stdin()
        self.exited = exited
        write_json(self.record["exit"], exited)

    def close(self) -> None:
        for stream in self.streams.values():
            stream.close()
        self.streams = {}
        self.close_stdin()
        self.log.close()
        if self.pidfd >= 0:
            self._poll.drop(self.pidfd)
            os.close(self.pidfd)
            self.pidfd = -1

    def oom(self) -> bool:
        """Whether the kernel killed something in the container's cgroup for memory."""
        try:
            with open(self.record["oom"], "rb") as file:
                found = [line for line in file if line.startswith(b"oom_kill ")]
        except OSError:
            return False
        return bool(found) and int(found[0].split()[1]) > 0


def write_json(path: str, value: dict[str, Any]) -> None:
    """All or nothing: whoever reads meets the old file or the new one."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def start_time(pid: int) -> int:
    """Clock ticks since boot at which `pid` began (field 22 of /proc/PID/stat), 0 when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
