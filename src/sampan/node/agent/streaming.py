"""exec, attach and port-forward over websockets, between a client and the runtime's sessions.

Channels of v4 and v5.channel.k8s.io (k8s.io/apimachinery pkg/util/remotecommand): 0 stdin, 1 stdout, 2 stderr,
3 the final Status as JSON, 4 resize; v5 adds 255, which closes the channel that its second byte names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

from sampan.base.http import websocket
from sampan.base.http.channel import Channel
from sampan.base.http.model import Request, Upgrade
from sampan.spec import cri

log = logging.getLogger(__name__)

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
FORWARD = "v4.channel.k8s.io"


def _flag(request: Request, *names: str) -> bool:
    return any(request.argument(name) in ("1", "true") for name in names)


def _refuse(message: str) -> Upgrade:
    from sampan.node.agent.server import Refused

    raise Refused(400, message)


def answer(runtime: cri.Runtime, container_id: str, verb: str, request: Request) -> Upgrade:
    """The upgrade that runs the session; raises Refused for what is no websocket of ours (SPDY clients try again)."""
    if not websocket.is_upgrade(request):
        return _refuse("unable to upgrade: only websockets are supported for this stream")
    protocol = websocket.choose(request, (V5, V4))
    if not protocol:
        return _refuse(
            f"unable to upgrade: none of the offered subprotocols is supported, expected {V5} or {V4}"
        )
    tty = _flag(request, "tty")
    wants = {
        "stdin": _flag(request, "input", "stdin"),
        "stdout": _flag(request, "output", "stdout"),
        "stderr": _flag(request, "error", "stderr") and not tty,
    }
    command = tuple(request.arguments.get("command") or ())

    async def start(channel: Channel) -> None:
        socket = websocket.Session(channel)
        try:
            if verb == "exec":
                session = await runtime.exec(container_id, command, tty=tty, **wants)
            else:
                session = await runtime.attach(container_id, tty=tty, **wants)
        except cri.Error as error:
            await socket.send(bytes([ERROR]) + json.dumps(_failure(error.message)).encode())
            await socket.close()
            return
        await _Bridge(socket, session, attach=verb == "attach").run()

    return Upgrade(start, status=101, headers=websocket.accept_headers(request, protocol))


def _failure(message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "code": 500,
    }


def _exit(code: int) -> dict[str, Any]:
    if code == 0:
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


class _Bridge:
    def __init__(self, socket: websocket.Session, session: cri.ExecSession, *, attach: bool) -> None:
        self._socket = socket
        self._session = session
        self._attach = attach

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        inward = loop.create_task(self._inward(), name="exec/in")
        outward = loop.create_task(self._outward(), name="exec/out")
        try:
            await asyncio.wait((inward, outward), return_when=asyncio.FIRST_COMPLETED)
            if not outward.done():  # the client left
                outward.cancel()
        finally:
            inward.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, cri.Error):
                await outward
            await self._session.close()
            await self._socket.close()

    async def _inward(self) -> None:
        while (message := await self._socket.receive()) is not None:
            if not message:
                continue
            channel, data = message[0], message[1:]
            if channel == STDIN and data:
                await self._session.write_stdin(data)
            elif channel == CLOSE and data[:1] == bytes([STDIN]):
                await self._session.close_stdin()
            elif channel == RESIZE:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    size = json.loads(data)
                    await self._session.resize(int(size["Width"]), int(size["Height"]))

    async def _outward(self) -> None:
        async for chunk in self._session.output():
            await self._socket.send(bytes([STDERR if chunk.channel == cri.STDERR else STDOUT]) + chunk.data)
        try:
            verdict = _exit(await self._session.wait()) if not self._attach else _exit(0)
        except cri.Error as error:
            verdict = _failure(error.message)
        await self._socket.send(bytes([ERROR]) + json.dumps(verdict).encode())


def forward(runtime: cri.Runtime, sandbox_id: str, request: Request) -> Upgrade:
    """Port-forward in its websocket form (v4 channels, two per port: data and error), as the Python client speaks it."""
    if not websocket.is_upgrade(request):
        return _refuse("unable to upgrade: only websockets are supported for this stream")
    protocol = websocket.choose(request, (FORWARD, "v4.base64.channel.k8s.io"))
    ports = [int(p) for text in request.arguments.get("ports") or () for p in text.split(",") if p.isdigit()]
    if protocol != FORWARD or not ports:
        return _refuse(
            "unable to upgrade: SPDY port-forward is not supported yet; ports with v4.channel.k8s.io are"
        )

    async def start(channel: Channel) -> None:
        await _Forward(websocket.Session(channel), runtime, sandbox_id, ports).run()

    return Upgrade(start, status=101, headers=websocket.accept_headers(request, protocol))


class _Forward:
    def __init__(
        self, socket: websocket.Session, runtime: cri.Runtime, sandbox_id: str, ports: list[int]
    ) -> None:
        self._socket = socket
        self._runtime = runtime
        self._sandbox_id = sandbox_id
        self._ports = ports

    async def run(self) -> None:
        streams: list[cri.ByteStream | None] = []
        for index, port in enumerate(self._ports):
            prefix = port.to_bytes(2, "little")
            await self._socket.send(bytes([index * 2]) + prefix)
            await self._socket.send(bytes([index * 2 + 1]) + prefix)
            try:
                streams.append(await self._runtime.port_forward(self._sandbox_id, port))
            except cri.Error as error:
                streams.append(None)
                await self._socket.send(bytes([index * 2 + 1]) + error.message.encode())
        loop = asyncio.get_running_loop()
        pumps = [
            loop.create_task(self._outward(index, stream), name=f"forward/{index}")
            for index, stream in enumerate(streams)
            if stream is not None
        ]
        try:
            await self._inward(streams)
        finally:
            for pump in pumps:
                pump.cancel()
            for stream in streams:
                if stream is not None:
                    await stream.close()
            await self._socket.close()

    async def _inward(self, streams: list[cri.ByteStream | None]) -> None:
        while (message := await self._socket.receive()) is not None:
            index = message[0] // 2 if message else len(streams)
            if index < len(streams) and message[0] % 2 == 0 and len(message) > 1:
                stream = streams[index]
                if stream is not None:
                    await stream.write(message[1:])

    async def _outward(self, index: int, stream: cri.ByteStream) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await stream.read():
                await self._socket.send(bytes([index * 2]) + data)
