"""Holder and monitor with a shell script in place of the OCI runtime: no root needed."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sampan.node.runtime.link import Link
from sampan.node.runtime.monitor import holder, main
from sampan.spec import cri

# Starts the "container" in the background and writes its pid, as crun run --detach does.
RUNTIME = """#!/bin/sh
pid_file=$1; shift
"$@" &
echo $! > $pid_file
"""


@pytest.fixture
def run() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sampan-monitor-", dir="/tmp"))
    script = folder / "runtime"
    script.write_text(RUNTIME)
    script.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Seen:
    def __init__(self) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()


async def opened(run: Path) -> tuple[Link, Seen]:
    seen = Seen()
    link = Link(run, "", seen.events.put_nowait, lambda: None)
    await link.open()
    return link, seen


def request(run: Path, *command: str, cid: str = "") -> dict[str, Any]:
    cid = cid or secrets.token_hex(4)
    for name in ("stdout", "stderr"):
        os.mkfifo(run / f"{cid}.{name}")
    return {
        "cid": cid,
        "argv": [str(run / "runtime"), str(run / f"{cid}.pid"), *command],
        "pid_file": str(run / f"{cid}.pid"),
        "run_log": str(run / f"{cid}.run"),
        "console": "",
        "stdin": "",
        "stdin_once": False,
        "stdout": str(run / f"{cid}.stdout"),
        "stderr": str(run / f"{cid}.stderr"),
        "log": str(run / f"{cid}.log"),
        "exit": str(run / f"{cid}.exit"),
        "oom": str(run / "none"),
    }


def test_a_process_is_started_logged_and_its_end_told(run: Path) -> None:
    async def body() -> None:
        link, seen = await opened(run)
        try:
            wanted = request(run, "sh", "-c", "echo hello; exit 5")
            answer = await link.request("run", **wanted)
            assert answer["pid"] > 1
            event = await asyncio.wait_for(seen.events.get(), 10)
            assert event["cid"] == wanted["cid"] and event["exited"]["code"] == 5
            assert " stdout F hello\n" in Path(wanted["log"]).read_text()
            state = await link.request("state", cid=wanted["cid"])
            assert state["exited"] == event["exited"]
            await link.request("forget", cid=wanted["cid"])
            assert (await link.request("state", cid=wanted["cid"]))["pid"] == 0
        finally:
            await link.quit()

    asyncio.run(body())


def test_a_runtime_that_fails_says_why(run: Path) -> None:
    async def body() -> None:
        link, _ = await opened(run)
        try:
            wanted = request(run, "true")
            Path(wanted["run_log"]).write_text(
                '{"msg": "first"}\n{"msg": "no such file", "level": "error"}\n'
            )
            wanted["argv"] = ["/bin/false"]
            with pytest.raises(cri.Error, match="no such file"):
                await link.request("run", **wanted)
            # Nothing of it is left: the same name can be started again.
            wanted["argv"] = [str(run / "runtime"), wanted["pid_file"], "true"]
            await link.request("run", **wanted)
            with pytest.raises(cri.Error, match="unknown operation 'fly'"):
                await link.request("fly")
            with pytest.raises(cri.Error, match="no container 'x'"):
                await link.request("reopen", cid="x")
        finally:
            await link.quit()

    asyncio.run(body())


def test_signals_and_a_crash_of_the_monitor(run: Path) -> None:
    async def body() -> None:
        link, seen = await opened(run)
        try:
            wanted = request(run, "sleep", "1000")
            answer = await link.request("run", **wanted)
            first = link.pid
            os.kill(first, 9)
            assert (await asyncio.wait_for(seen.events.get(), 10))["event"] == "lost"
            async with asyncio.timeout(10):
                while link.pid == first:
                    await asyncio.sleep(0.01)
            assert (await link.request("state", cid=wanted["cid"])) | {"id": 0} == {
                "id": 0,
                "pid": answer["pid"],
                "exited": None,
            }
            assert (await link.request("signal", pid=answer["pid"], signal=15))["gone"] is False
            event = await asyncio.wait_for(seen.events.get(), 10)
            assert event["exited"]["code"] == 143 and event["exited"]["known"]
            assert (await link.request("signal", pid=answer["pid"], signal=15))["gone"] is True
        finally:
            await link.quit()

    asyncio.run(body())


def test_an_exec_ends_with_who_asked_for_it(run: Path) -> None:
    async def body() -> None:
        link, _ = await opened(run)
        other, _ = await opened(run)
        null = os.open("/dev/null", os.O_RDWR)
        try:
            argv = [str(run / "runtime"), str(run / "e.pid"), "sleep", "1000"]
            answer = await other.request(
                "exec", (null, null, null), argv=argv, pid_file=str(run / "e.pid"), run_log=""
            )
            await other.close()
            async with asyncio.timeout(10):
                while Path(f"/proc/{answer['pid']}").exists():
                    await asyncio.sleep(0.01)
        finally:
            os.close(null)
            await link.quit()

    asyncio.run(body())


def test_the_two_are_light() -> None:
    assert holder.run and main.serve
    import subprocess
    import sys

    code = (
        "import sys\n"
        "sys.path.insert(0, 'src')\n"
        "before = set(sys.modules)\n"
        "import sampan.node.runtime.monitor.main\n"
        "print(sorted(name for name in ('asyncio', 'typing', 'pathlib', 'orjson', 'ssl', 'logging') if name in sys.modules))"
    )
    boot = (
        "import sys\nkind = type(sys)\n"
        "for name in ('sampan', 'sampan.base', 'sampan.base.linux', 'sampan.node', 'sampan.node.runtime'):\n"
        "    shell = kind(name); shell.__path__ = ['src/' + name.replace('.', '/')]; sys.modules[name] = shell\n"
    )
    root = Path(__file__).parents[4]
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", boot + code], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "['typing']"
