"""Logs, exec, attach and port-forward."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from conformance.cri.field import Ours, Pods
from conformance.cri.test_lifecycle import fails
from sampan.spec import cri

pytestmark = pytest.mark.root


async def collect(session: cri.ExecSession) -> dict[int, bytes]:
    found = {cri.STDOUT: b"", cri.STDERR: b""}
    async for chunk in session.output():
        found[chunk.channel] += chunk.data
    return found


async def until(session: cri.ExecSession, wanted: bytes) -> bytes:
    """Reads on until `wanted` has been said; the session stays open."""
    found = b""
    async with asyncio.timeout(10):
        async for chunk in session.output():
            found += chunk.data
            if wanted in found:
                return found
    raise AssertionError(found)


def test_logs_keep_the_streams_apart_and_partial_lines(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        status, _ = await pods.run("sh", "-c", "echo one; echo two >&2; printf three")
        assert pods.said(status, "stdout") == "one\nthree"
        assert pods.said(status, "stderr") == "two\n"
        text = Path(status.log_path).read_text()
        assert " stdout P three\n" in text and " stdout F one\n" in text

    ours.run(scenario)


def test_long_lines_are_cut_at_16_kib(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        status, said = await pods.run("python3", "-c", "print('x' * 40000)")
        assert said == "x" * 40000 + "\n"
        kinds = [line.split(" ")[2] for line in Path(status.log_path).read_text().splitlines()]
        assert kinds == ["P", "P", "F"]

    ours.run(scenario)


def test_a_lot_of_output_is_kept_whole(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        _, said = await pods.run("sh", "-c", "seq 1 200000")
        lines = said.split()
        assert len(lines) == 200000 and lines[-1] == "200000"

    ours.run(scenario)


def test_a_rotated_log_is_written_anew(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        container = await pods.start(pod, "sh", "-c", "while read x; do echo $x; done", stdin=True)
        path = Path((await pods.rt.container_status(container)).log_path)
        session = await pods.rt.attach(container, stdin=True)
        await session.write_stdin(b"before\n")
        await until(session, b"before")
        path.rename(path.with_suffix(".1"))
        await pods.rt.reopen_container_log(container)
        await session.write_stdin(b"after\n")
        await until(session, b"after")
        await session.close()
        assert "F before" in path.with_suffix(".1").read_text()
        assert "F after" in path.read_text() and "before" not in path.read_text()
        await pods.rt.stop_container(container, 0)
        await fails("FailedPrecondition", pods.rt.reopen_container_log(container))

    ours.run(scenario)


def test_exec_sync(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod(network=2)
        container = await pods.start(
            pod,
            "sleep",
            "1000",
            envs=(cri.KeyValue("A", "b"),),
            security=cri.LinuxContainerSecurityContext(run_as_user=1000),
        )
        result = await rt.exec_sync(container, ("sh", "-c", "echo $A $(id -u); echo bad >&2; exit 5"))
        assert result == cri.ExecSyncResponse(b"b 1000\n", b"bad\n", 5)
        assert (await rt.exec_sync(container, ("sh", "-c", "kill -9 $$"))).exit_code == 137
        error = await fails("Unknown", rt.exec_sync(container, ("no-such-program",)))
        assert "no-such-program" in error.message
        await fails("DeadlineExceeded", rt.exec_sync(container, ("sleep", "77"), 0.3))
        assert b"77" not in (
            await rt.exec_sync(container, ("sh", "-c", "cat /proc/[0-9]*/cmdline"))
        ).stdout.replace(b"cmdline", b"")
        # A child in the background keeps the pipe, and does not keep the caller.
        assert (await rt.exec_sync(container, ("sh", "-c", "sleep 50 & echo x"), 10)).stdout == b"x\n"
        await rt.stop_container(container, 0)
        await fails("FailedPrecondition", rt.exec_sync(container, ("true",)))

    ours.run(scenario)


def test_an_exec_whose_caller_leaves_early_is_ended(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(await pods.pod(network=2), "sleep", "1000")
        for pause in (0, 0.001, 0.01):
            task = asyncio.create_task(pods.rt.exec(container, ("sleep", "4717")))
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        def left() -> bool:
            found = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
            return b"sleep\0" + b"4717\0" in found

        async with asyncio.timeout(10):
            await asyncio.sleep(0.2)
            while left():
                await asyncio.sleep(0.05)

    ours.run(scenario)


def test_exec_with_stdin_and_half_close(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(await pods.pod(network=2), "sleep", "1000")
        session = await pods.rt.exec(container, ("sh", "-c", "cat; echo end >&2; exit 4"), stdin=True)
        data = bytes(range(256)) * 4000

        async def feed() -> None:
            await session.write_stdin(data)
            await session.close_stdin()

        feeding = asyncio.create_task(feed())
        async with asyncio.timeout(20):
            found = await collect(session)
            await feeding
            assert await session.wait() == 4
        assert found == {cri.STDOUT: data, cri.STDERR: b"end\n"}
        await session.close()

    ours.run(scenario)


def test_exec_with_a_terminal(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(await pods.pod(network=2), "sleep", "1000")
        session = await pods.rt.exec(container, ("sh",), tty=True, stdin=True)
        await session.resize(77, 33)
        await session.write_stdin(b"stty size; tty; echo $TERM; exit 6\n")
        async with asyncio.timeout(10):
            found = (await collect(session))[cri.STDOUT]
            assert await session.wait() == 6
        assert b"33 77\r\n" in found and b"/dev/pts/" in found and b"xterm" in found
        await session.close()

    ours.run(scenario)


def test_closing_an_exec_kills_its_process(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(await pods.pod(network=2), "sleep", "1000")
        session = await pods.rt.exec(container, ("sleep", "88"))
        await session.close()
        async with asyncio.timeout(10):
            assert await session.wait() == 137

    ours.run(scenario)


def test_attach_reads_and_writes_the_container(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod(network=2)
        container = await pods.start(
            pod, "sh", "-c", "while read x; do echo got $x; done; echo over", stdin=True, stdin_once=True
        )
        first, second = await rt.attach(container, stdin=True), await rt.attach(container)
        await first.write_stdin(b"hello\n")
        assert await until(first, b"got hello\n") == b"got hello\n"
        assert await until(second, b"got hello\n") == b"got hello\n"
        await first.close_stdin()
        assert await until(first, b"over\n")
        async with asyncio.timeout(10):
            assert await first.wait() == 0
        assert "F got hello" in Path((await rt.container_status(container)).log_path).read_text()
        for session in (first, second):
            await session.close()
        silent = await pods.start(pod, "sleep", "1000", name="silent")
        await fails("FailedPrecondition", rt.attach(silent, stdin=True))

    ours.run(scenario)


def test_stdin_stays_open_between_clients_unless_once(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(await pods.pod(network=2), "cat", stdin=True)
        for word in (b"one\n", b"two\n"):
            session = await pods.rt.attach(container, stdin=True)
            await session.write_stdin(word)
            assert await until(session, word) == word
            await session.close()
        assert (await pods.rt.container_status(container)).state == cri.ContainerState.CONTAINER_RUNNING

    ours.run(scenario)


def test_a_container_with_a_terminal(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod(network=2)
        container = await pods.start(pod, "sh", tty=True, stdin=True)
        session = await pods.rt.attach(container, tty=True, stdin=True)
        await session.resize(91, 17)
        await session.write_stdin(b"stty size; exit 3\n")
        await until(session, b"17 91")
        async with asyncio.timeout(10):
            assert await session.wait() == 3
        await session.close()
        log = Path((await pods.rt.container_status(container)).log_path).read_text()
        assert "stdout F" in log and "17 91" in log and "stderr" not in log

    ours.run(scenario)


def test_a_slow_client_does_not_lose_output(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        container = await pods.start(
            await pods.pod(network=2), "sh", "-c", "read x; seq 1 100000", stdin=True
        )
        session = await pods.rt.attach(container, stdin=True)
        await session.write_stdin(b"go\n")
        await asyncio.sleep(0.3)
        async with asyncio.timeout(20):
            found = (await collect(session))[cri.STDOUT]
        assert found.endswith(b"\n100000\n") and found.count(b"\n") == 100000
        await session.close()

    ours.run(scenario)


def test_port_forward_reaches_into_the_pod(ours: Ours) -> None:
    server = (
        "import socket; s = socket.create_server(('127.0.0.1', 8080)); print('up', flush=True)\n"
        "c, _ = s.accept(); d = b''\n"
        "while x := c.recv(100): d += x\n"
        "c.sendall(d.upper())"
    )

    async def scenario(pods: Pods) -> None:
        pod = await pods.pod()
        container = await pods.start(pod, "python3", "-c", server)
        path = Path((await pods.rt.container_status(container)).log_path)
        async with asyncio.timeout(10):
            while "F up" not in path.read_text():
                await asyncio.sleep(0.02)
        stream = await pods.rt.port_forward(pod[0], 8080)
        await stream.write(b"hello")
        await stream.close_write()
        found = b""
        async with asyncio.timeout(10):
            while data := await stream.read():
                found += data
        await stream.close()
        assert found == b"HELLO"
        error = await fails("Unavailable", pods.rt.port_forward(pod[0], 8081))
        assert "8081" in error.message

    ours.run(scenario)
