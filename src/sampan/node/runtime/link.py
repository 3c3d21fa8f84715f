"""The runtime's end of the monitor's socket: requests with answers, and its events, on the event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sampan.node.runtime.monitor import launch, protocol
from sampan.spec import cri

# A cold start of the two processes takes about 60 ms; a busy machine may need much longer.
_START_TIMEOUT = 15.0
_RETRY = 0.003
# Starting a container: crun needs 10 to 20 ms; a loaded machine with big images may take seconds.
_ANSWER_TIMEOUT = 120.0
_RECONNECT_MAX = 2.0

Json = dict[str, Any]


class Link:
    """`on_event` gets every event; `on_connect` runs after each connection but the first."""

    def __init__(
        self, run: Path, hide: str, on_event: Callable[[Json], None], on_connect: Callable[[], None]
    ) -> None:
        self._run = run
        self._hide = hide
        self._on_event = on_event
        self._on_connect = on_connect
        self._sock: socket.socket | None = None
        self._waiting: dict[int, asyncio.Future[tuple[Json, list[int]]]] = {}
        self._last = 0
        self._reconnecting: asyncio.Task[None] | None = None
        self._closed = False
        self.pid = 0

    @property
    def connected(self) -> bool:
        return self._sock is not None

    async def open(self) -> None:
        """Connects, and starts the monitor if nobody answers. Raises cri.Error Unavailable."""
        if not await self.connect():
            await asyncio.to_thread(launch.start, self._run, self._hide)
            await self._connect()

    async def connect(self) -> bool:
        """Only if there is a monitor."""
        return await self._connect(once=True)

    async def request(self, op: str, fds: tuple[int, ...] = (), **fields: Any) -> Json:
        answer, got = await self.request_fds(op, fds, **fields)
        for fd in got:
            os.close(fd)
        return answer

    async def request_fds(self, op: str, fds: tuple[int, ...] = (), **fields: Any) -> tuple[Json, list[int]]:
        """The answer and the descriptors that came with it. Raises cri.Error Unknown with the monitor's words."""
        if self._sock is None:
            raise cri.Error("Unavailable", "the container monitor is not there, it is being started again")
        self._last += 1
        number = self._last
        future: asyncio.Future[tuple[Json, list[int]]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        packet = protocol.encode({"id": number, "op": op, **fields})
        try:
            await self._send(packet, fds)
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                answer, got = await future
        except TimeoutError:
            raise cri.Error("DeadlineExceeded", f"the monitor gave no answer to {op!r}") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise cri.Error("Unknown", str(answer["error"]))
        return answer, got

    async def close(self) -> None:
        self._closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.gather(self._reconnecting, return_exceptions=True)
        self._drop()

    async def quit(self) -> None:
        """Ends the monitor and the holder; containers are left alone."""
        self._closed = True
        await self.request("quit")
        await self.close()

    async def _send(self, packet: bytes, fds: tuple[int, ...]) -> None:
        sock = self._sock
        while sock is not None and sock is self._sock:
            try:
                socket.send_fds(sock, [packet], list(fds))
                return
            except BlockingIOError:
                await asyncio.sleep(_RETRY)
            except OSError:
                break
        raise cri.Error("Unavailable", "the container monitor went away")

    async def _connect(self, *, once: bool = False) -> bool:
        path = self._run / protocol.SOCKET
        deadline = asyncio.get_running_loop().time() + _START_TIMEOUT
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
            sock.setblocking(False)
            try:
                sock.connect(str(path))
                break
            except OSError as error:
                sock.close()
                if once:
                    return False
                if asyncio.get_running_loop().time() > deadline:
                    raise cri.Error(
                        "Unavailable",
                        f"no container monitor at {str(path)!r}, see monitor.log there: {error}",
                    ) from error
                await asyncio.sleep(_RETRY)
        self._sock = sock
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable)
        answer = await self.request("hello", version=protocol.VERSION)
        self.pid = answer["pid"]
        return True

    def _readable(self) -> None:
        while self._sock is not None:
            try:
                received = protocol.receive(self._sock)
            except BlockingIOError:
                return
            except OSError:
                received = None
            if received is None:
                self._lost()
                return
            message, fds = received
            future = self._waiting.get(message.get("id", 0))
            if future is not None and not future.done():
                future.set_result((message, fds))
                continue
            for fd in fds:
                os.close(fd)
            if "event" in message:
                self._on_event(message)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    def _lost(self) -> None:
        self._drop()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(cri.Error("Unavailable", "the container monitor went away"))
        if not self._closed:
            self._on_event({"event": "lost"})
            self._reconnecting = asyncio.get_running_loop().create_task(
                self._reconnect(), name="runtime: monitor reconnect"
            )

    async def _reconnect(self) -> None:
        """The holder starts a crashed monitor by itself; only when both are gone do we start them."""
        pause = 0.05
        while True:
            await asyncio.sleep(pause)
            try:
                await self.open()
                break
            except (cri.Error, OSError):
                pause = min(pause * 2, _RECONNECT_MAX)
        self._on_connect()
