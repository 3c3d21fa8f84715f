"""Sessions over descriptors: exec and attach, and TCP connections into a sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from sampan.base.linux import namespaces
from sampan.node.runtime.monitor import protocol
from sampan.spec import cri

_CHUNK = 64 * 1024
_CONNECT_TIMEOUT = 10.0
_CONSOLE_TIMEOUT = 10.0


class Session:
    """`outs` maps a readable descriptor to its channel; all descriptors become the session's own.

    `stdin` -1 means none; with a terminal `terminal` is its master, which is read and written. `ended` is done
    with the exit code. `on_close` runs once.
    """

    def __init__(
        self,
        outs: dict[int, int],
        stdin: int,
        terminal: int,
        ended: asyncio.Future[int],
        on_close: Callable[[], Awaitable[None]],
        on_stdin_closed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._outs = outs
        self._stdin = stdin
        self._terminal = terminal
        self._ended = ended
        self._on_close = on_close
        self._on_stdin_closed = on_stdin_closed
        self._closed = False
        for fd in (*outs, *((stdin,) if stdin >= 0 else ())):
            os.set_blocking(fd, False)

    async def write_stdin(self, data: bytes) -> None:
        if self._stdin < 0:
            raise cri.Error("FailedPrecondition", "the session has no stdin")
        view = memoryview(data)
        while view and self._stdin >= 0:
            try:
                view = view[os.write(self._stdin, view) :]
            except BlockingIOError:
                await self._writable()
            except OSError:
                return  # its reader has gone; the exit code tells the rest

    async def close_stdin(self) -> None:
        fd, self._stdin = self._stdin, -1
        if fd < 0:
            return
        os.close(fd)
        if self._on_stdin_closed is not None:
            await self._on_stdin_closed()

    async def output(self) -> AsyncIterator[cri.Chunk]:
        while self._outs:
            ended = self._ended.done()
            idle = True
            for fd, channel in list(self._outs.items()):
                try:
                    data = os.read(fd, _CHUNK)
                except BlockingIOError:
                    continue
                except OSError:  # EIO: the last user of the terminal has left
                    data = b""
                if data:
                    idle = False
                    yield cri.Chunk(channel, data)
                elif fd in self._outs:
                    del self._outs[fd]
                    os.close(fd)
            if idle and ended:
                # What still holds the pipe open is a child in the background, and not the session's business.
                return
            if idle and self._outs:
                await self._readable()

    async def resize(self, width: int, height: int) -> None:
        if self._terminal >= 0 and self._terminal in self._outs:
            resize(self._terminal, width, height)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(cri.Error):
            await self.close_stdin()
        for fd in self._outs:
            os.close(fd)
        self._outs.clear()
        await self._on_close()

    async def _readable(self) -> None:
        """Until a descriptor can be read or the process has ended."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def wake(*_: object) -> None:
            if not ready.done():
                ready.set_result(None)

        watched = list(self._outs)
        for fd in watched:
            loop.add_reader(fd, wake)
        self._ended.add_done_callback(wake)
        try:
            await ready
        finally:
            self._ended.remove_done_callback(wake)
            for fd in watched:
                loop.remove_reader(fd)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        fd = self._stdin

        def wake(*_: object) -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_writer(fd, wake)
        self._ended.add_done_callback(wake)
        try:
            await ready
            if self._ended.done():
                await self.close_stdin()
        finally:
            self._ended.remove_done_callback(wake)
            loop.remove_writer(fd)


def resize(fd: int, width: int, height: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


class Console:
    """The socket to which the OCI runtime sends the master of a new terminal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        self._socket.listen(1)

    async def master(self) -> int:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONSOLE_TIMEOUT):
                connection, _ = await loop.sock_accept(self._socket)
        except TimeoutError:
            raise cri.Error("Internal", "the OCI runtime sent no terminal") from None
        with connection:
            connection.setblocking(True)  # the message is there: it is sent before the runtime goes on
            connection.settimeout(_CONSOLE_TIMEOUT)
            _, fds = protocol.receive_fds(connection, 4096, 1)
        if not fds:
            raise cri.Error("Internal", "the OCI runtime sent no terminal")
        return fds[0]

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)


class Connection:
    """A TCP connection as the CRI's ByteStream."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    async def read(self, limit: int = 65536) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._sock, limit)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except OSError as error:
            raise cri.Error("Unavailable", f"connection into the sandbox broke: {error.strerror}") from error

    async def close_write(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        self._sock.close()


async def connect(netns: Path | None, port: int) -> Connection:
    """To localhost:`port` inside a network namespace, IPv4 first. Raises cri.Error Unavailable."""
    loop = asyncio.get_running_loop()
    problem = ""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):

        def make(family: int = family) -> socket.socket:
            return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)

        try:
            if netns is None:
                sock = make()
            else:
                sock = await loop.run_in_executor(None, namespaces.run_in, str(netns), "net", make)
        except OSError as error:
            problem = error.strerror or str(error)
            continue
        sock.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                await loop.sock_connect(sock, (address, port))
            return Connection(sock)
        except (OSError, TimeoutError) as error:
            sock.close()
            problem = problem or getattr(error, "strerror", "") or "timed out"
    raise cri.Error("Unavailable", f"cannot connect to port {port} inside the sandbox: {problem}")
