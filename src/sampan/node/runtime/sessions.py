"""exec, attach and port-forward: from a request to a session over descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import NamedTuple

import orjson

from sampan.node.runtime import containers
from sampan.node.runtime.books import Books
from sampan.node.runtime.state import Container, Sandbox
from sampan.node.runtime.streams import Connection, Console, Session, connect
from sampan.spec import cri

_OUTPUT_MAX = 16 << 20  # containerd's maxExecSyncDataSize
UNKNOWN_EXIT = 255


class Wanted(NamedTuple):
    tty: bool
    stdin: bool
    stdout: bool
    stderr: bool


class _Pipes:
    """Both ends of a session's pipes; closes whatever was not taken."""

    def __init__(self, wanted: Wanted) -> None:
        self._open: set[int] = set()
        null = self._own(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))
        self.stdin, self.stdin_writer = self._pipe() if wanted.stdin and not wanted.tty else (null, -1)
        self.outs: dict[int, int] = {}
        self.writers = [null, null]
        for position, (channel, asked) in enumerate(
            ((cri.STDOUT, wanted.stdout), (cri.STDERR, wanted.stderr))
        ):
            if asked and not wanted.tty:
                reader, self.writers[position] = self._pipe()
                self.outs[reader] = channel

    def _own(self, fd: int) -> int:
        self._open.add(fd)
        return fd

    def _pipe(self) -> tuple[int, int]:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        return self._own(reader), self._own(writer)

    def take(self) -> None:
        """Our ends belong to a session from now on."""
        self._open -= {*self.outs, self.stdin_writer}

    def close(self) -> None:
        for fd in self._open:
            os.close(fd)
        self._open.clear()


async def execute(books: Books, container: Container, cmd: tuple[str, ...], wanted: Wanted) -> Session:
    """Starts a process in a running container. Raises cri.Error when it cannot be started."""
    if not cmd:
        raise cri.Error("InvalidArgument", "exec has no command")
    starting = asyncio.get_running_loop().create_task(
        _execute(books, container, cmd, wanted), name=f"runtime: exec in {container.id[:12]}"
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The caller left meanwhile: nobody else would end the process.
        books.background(_unwanted(starting), "ending an exec that nobody wants")
        raise


async def _unwanted(starting: asyncio.Task[Session]) -> None:
    await (await starting).close()


async def _execute(books: Books, container: Container, cmd: tuple[str, ...], wanted: Wanted) -> Session:
    run = books.config.container_run(container.id)
    pipes = _Pipes(wanted)
    name = f"exec-{os.urandom(6).hex()}"
    temp = books.config.run / "tmp"
    files = {kind: temp / f"{name}.{kind}" for kind in ("json", "log", "pid")}
    console = Console(temp / f"{name}.tty") if wanted.tty else None
    try:
        process = orjson.loads((run / "process.json").read_bytes())
        process["args"], process["terminal"] = list(cmd), wanted.tty
        if wanted.tty and not any(entry.startswith("TERM=") for entry in process["env"]):
            process["env"].append("TERM=xterm")
        files["json"].write_bytes(orjson.dumps(process))
        argv = [*containers.base_argv(books, files["log"]), "exec", "--detach"]
        argv += ["--process", str(files["json"]), "--pid-file", str(files["pid"])]
        if console is not None:
            argv += ["--console-socket", str(console.path)]
        fds = (pipes.stdin, pipes.writers[0], pipes.writers[1])
        argv.append(container.id)
        try:
            answer = await books.link.request(
                "exec", fds, argv=argv, pid_file=str(files["pid"]), run_log=str(files["log"])
            )
        except cri.Error as error:
            if error.code != "Unknown":
                raise
            raise cri.Error("Unknown", f"failed to exec in container: {error.message}") from error
        master = await console.master() if console is not None else -1
        pipes.take()
    finally:
        pipes.close()
        if console is not None:
            console.close()
        for path in files.values():
            path.unlink(missing_ok=True)
    return _session(books, answer["pid"], pipes, master, wanted)


def _session(books: Books, pid: int, pipes: _Pipes, master: int, wanted: Wanted) -> Session:
    future = _exit_of(books, pid)
    future.add_done_callback(lambda _: books.execs.pop(pid, None))

    async def close() -> None:
        if not future.done():
            with contextlib.suppress(cri.Error):
                await books.link.request("signal", pid=pid, signal=signal.SIGKILL)

    if master < 0:
        return Session(pipes.outs, pipes.stdin_writer, -1, future, close)
    return Session({master: cri.STDOUT}, os.dup(master) if wanted.stdin else -1, master, future, close)


def _exit_of(books: Books, pid: int) -> asyncio.Future[int]:
    """The future of an exec's exit code; it may be done already."""
    return books.execs.setdefault(pid, asyncio.get_running_loop().create_future())


def ended(books: Books, pid: int, code: int) -> None:
    future = _exit_of(books, pid)
    if not future.done():
        future.set_result(code)


def lost(books: Books) -> None:
    """The monitor crashed: nobody will tell how the processes ended."""
    for future in books.execs.values():
        if not future.done():
            future.set_result(UNKNOWN_EXIT)


async def exec_sync(
    books: Books, container: Container, cmd: tuple[str, ...], timeout: float
) -> cri.ExecSyncResponse:
    outputs = {cri.STDOUT: bytearray(), cri.STDERR: bytearray()}
    session: Session | None = None
    try:
        async with asyncio.timeout(timeout or None):
            session = await execute(books, container, cmd, Wanted(False, False, True, True))
            async for chunk in session.output():
                kept = outputs[chunk.channel]
                kept += chunk.data[: _OUTPUT_MAX - len(kept)]
            code = await session.wait()
    except TimeoutError:
        raise cri.Error("DeadlineExceeded", f"command {cmd[0]!r} timed out after {timeout} s") from None
    finally:
        if session is not None:
            await session.close()
    return cri.ExecSyncResponse(bytes(outputs[cri.STDOUT]), bytes(outputs[cri.STDERR]), code)


async def attach(books: Books, container: Container, wanted: Wanted) -> Session:
    """Joins the container's own stdio: what it writes from now on, and its stdin if it has one."""
    if wanted.stdin and not container.config.stdin:
        raise cri.Error("FailedPrecondition", f"container {container.config.metadata.name!r} has no stdin")
    tty = container.config.tty
    pipes = _Pipes(wanted._replace(tty=False, stdin=False, stderr=wanted.stderr and not tty))
    channels = list(pipes.outs.values())
    try:
        fds = tuple(
            fd
            for fd, channel in zip(pipes.writers, (cri.STDOUT, cri.STDERR), strict=True)
            if channel in channels
        )
        answer, got = await books.link.request_fds(
            "attach", fds, cid=container.id, stdout=cri.STDOUT in channels, stderr=cri.STDERR in channels
        )
        pipes.take()
    finally:
        pipes.close()
    master = got[0] if answer["terminal"] else -1
    stdin = -1
    if wanted.stdin:
        fifo = books.config.container_run(container.id) / "stdin"
        stdin = os.dup(master) if master >= 0 else os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    code = _code_of(books, container)

    async def close() -> None:
        if master >= 0:
            os.close(master)
        code.cancel()

    async def stdin_closed() -> None:
        if container.config.stdin_once and not tty:
            await books.link.request("close", cid=container.id)

    return _Attached(pipes.outs, stdin, master, code, close, stdin_closed)


class _Attached(Session):
    """An attached terminal is written and resized by its master, but read through a pipe of our own."""

    async def resize(self, width: int, height: int) -> None:
        if self._terminal >= 0 and not self._closed:
            from sampan.node.runtime.streams import resize

            resize(self._terminal, width, height)


def _code_of(books: Books, container: Container) -> asyncio.Future[int]:
    """The container's exit code, as soon as it is there."""

    async def wait() -> int:
        await asyncio.shield(books.exit_of(container.id))
        found = books.containers.get(container.id)
        return found.exit.code if found is not None and found.exit is not None else UNKNOWN_EXIT

    return asyncio.get_running_loop().create_task(wait(), name=f"runtime: attached to {container.id[:12]}")


async def port_forward(books: Books, sandbox: Sandbox, port: int) -> Connection:
    if sandbox.state != cri.PodSandboxState.SANDBOX_READY:
        raise cri.Error("FailedPrecondition", f"sandbox {sandbox.name!r} is not ready")
    host = sandbox.network == cri.NamespaceMode.NODE
    return await connect(None if host else books.config.namespace("net", sandbox.id), port)
