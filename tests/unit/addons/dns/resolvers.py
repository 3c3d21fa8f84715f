"""Resolvers that answer as a test tells them, on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from sampan.addons.dns.upstream import Upstream
from sampan.spec.dns import wire
from sampan.spec.dns.wire import Message, Record

Reply = Callable[[Message, bool], Message | None]


def a_record(message: Message, address: str = "192.0.2.7", ttl: int = 60) -> Message:
    question = message.questions[0]
    return wire.reply(message, wire.NOERROR)._replace(
        answers=(Record(question.name, wire.A, ttl, socket.inet_aton(address)),)
    )


class Resolver:
    """`async with Resolver(reply) as upstream`: `reply(query, tcp)` is what it answers, None for silence."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[tuple[Message, bool]] = []

    async def __aenter__(self) -> Resolver:
        loop = asyncio.get_running_loop()
        for _ in range(20):  # the same port on TCP may be somebody's outgoing connection
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.setblocking(False)
            self._udp.bind(("127.0.0.1", 0))
            self.upstream = Upstream("127.0.0.1", self._udp.getsockname()[1])
            try:
                self._tcp = await asyncio.start_server(self._connected, *self.upstream)
            except OSError:
                self._udp.close()
                continue
            loop.add_reader(self._udp.fileno(), self._readable)
            return self
        raise OSError("no port is free on both UDP and TCP")

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._udp.fileno())
        self._udp.close()
        self._tcp.close()

    def _answer(self, data: bytes, tcp: bool) -> bytes | None:
        query = wire.parse(data)
        self.asked.append((query, tcp))
        answer = self.reply(query, tcp)
        return None if answer is None else wire.pack(answer)

    def _readable(self) -> None:
        data, client = self._udp.recvfrom(4096)
        if (answer := self._answer(data, False)) is not None:
            self._udp.sendto(answer, client)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        if (answer := self._answer(data, True)) is not None:
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
        writer.close()
