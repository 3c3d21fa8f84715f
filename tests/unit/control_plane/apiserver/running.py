"""The whole API server inside a test: over unix sockets, in memory, with a small client of its own."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS, component_user
from sampan.control_plane.apiserver.config import Config, UnixListener
from sampan.control_plane.apiserver.run import run

ADMIN = component_user("admin", SYSTEM_MASTERS)
NOBODY = component_user("nobody")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        await self.send(method, path, body, **headers)
        status, found = await self.head()
        if found.get("transfer-encoding") == "chunked":
            data = b""
            while chunk := await self.chunk():
                data += chunk
            return Answer(status, found, data)
        return Answer(status, found, await self.reader.readexactly(int(found.get("content-length", "0"))))

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> None:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
        if body is not None:
            headers.setdefault("content_type", "application/json")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + data)

    async def head(self) -> tuple[int, dict[str, str]]:
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def chunk(self) -> bytes:
        """The next chunk of a streamed answer, b"" at its end."""
        size = int((await self.reader.readline()).strip() or b"0", 16)
        data = await self.reader.readexactly(size)
        await self.reader.readexactly(2)
        return data

    def close(self) -> None:
        self.writer.close()


class Watch:
    """The events of a watch, one by one."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._buffer = b""

    async def next(self) -> Any:
        """The next event; None at the end of the stream."""
        while b"\n" not in self._buffer:
            chunk = await asyncio.wait_for(self.connection.chunk(), 10)
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    async def take(self, count: int) -> list[tuple[str, str]]:
        """Type and name of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


class Running:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: list[Connection] = []
        self._main: Connection | None = None

    async def connect(self, user: str = "admin") -> Connection:
        reader, writer = await asyncio.open_unix_connection(self.folder / f"{user}.sock", limit=1 << 22)
        made = Connection(reader, writer)
        self._open.append(made)
        return made

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request of the administrator."""
        if self._main is None:
            self._main = await self.connect()
        return await self._main.ask(method, path, body, **headers)

    async def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        found = await self.ask(method, path, body, **headers)
        assert found.status < 300, (method, path, found.status, found.body[:500])
        return found.json if found.body else None

    async def watch(self, path: str, **headers: str) -> Watch:
        connection = await self.connect()
        await connection.send("GET", path, **headers)
        status, _ = await connection.head()
        assert status == 200
        return Watch(connection)

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Running]:
    # sockets have short paths
    with tempfile.TemporaryDirectory(prefix="sampan-") as name:
        folder = Path(name)
        config = Config(
            tcp=(),
            unix=(UnixListener(folder / "admin.sock", ADMIN), UnixListener(folder / "nobody.sock", NOBODY)),
            grace=0.2,
            **settings,
        )
        ready = asyncio.Event()
        serving = asyncio.create_task(run(config, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if serving.done():
            await serving
        server = Running(folder)
        try:
            yield server
        finally:
            server.close()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def serve(check: Callable[[Running], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with running(**settings) as server, asyncio.timeout(60):
            await check(server)

    asyncio.run(main())


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
