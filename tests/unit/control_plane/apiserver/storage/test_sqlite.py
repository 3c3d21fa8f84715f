from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sampan.control_plane.apiserver.storage import StorageError
from sampan.control_plane.apiserver.storage.sqlite import SqliteStorage


async def _filled(path: Path, count: int) -> int:
    store = SqliteStorage(path)
    await store.start()
    await asyncio.gather(*(store.put(f"/k{number:04}", b"v" * 500) for number in range(count)))
    await store.delete("/k0000")
    revision = store.revision
    await store.close()
    return revision


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        revision = await _filled(tmp_path / "s.db", 50)
        store = SqliteStorage(tmp_path / "s.db")
        await store.start()
        assert store.revision == revision == 52
        assert len((await store.range("/")).entries) == 49
        outcome = await store.put("/k0001", b"new", expected=3)
        assert outcome.ok and outcome.revision == 53
        await store.close()

    asyncio.run(main())


def test_the_counter_survives_compaction_of_everything(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStorage(tmp_path / "s.db")
        await store.start()
        await store.put("/a", b"1")
        await store.delete("/a")
        await store.compact(3)
        await store.close()
        store = SqliteStorage(tmp_path / "s.db")
        await store.start()
        assert (store.revision, store.oldest) == (3, 3)
        await store.close()

    asyncio.run(main())


WRITER = """
import asyncio, sys
from pathlib import Path
from sampan.control_plane.apiserver.storage.sqlite import SqliteStorage
async def main():
    store = SqliteStorage(Path(sys.argv[1]))
    await store.start()
    async def one(lane):
        number = 0
        while True:
            outcome = await store.put(f"/{lane}/{number}", b"x" * 300)
            print(f"/{lane}/{number} {outcome.revision}", flush=True)
            number += 1
    await asyncio.gather(*(one(lane) for lane in range(8)))
asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert writer.stdout is not None
    told = [writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    told += writer.stdout.read().splitlines(keepends=True)
    writer.wait()
    writer.stdout.close()
    promised = dict(line.split() for line in told if line.endswith("\n"))
    assert len(promised) >= 200

    async def main() -> None:
        store = SqliteStorage(path)
        await store.start()
        kept = {entry.key: str(entry.revision) for entry in (await store.range("/")).entries}
        await store.close()
        assert promised.items() <= kept.items()

    asyncio.run(main())


def _refusal(path: Path) -> str:
    async def main() -> None:
        await SqliteStorage(path).start()

    with pytest.raises(StorageError) as caught:
        asyncio.run(main())
    text = str(caught.value)
    assert repr(str(path)) in text
    assert "\n" not in text
    return text


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    asyncio.run(_filled(path, 3))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    assert "has version 7, this build reads version 1" in _refusal(path)


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE somebody_elses (x)")
    connection.close()
    assert "belongs to another program" in _refusal(path)


@pytest.mark.parametrize("keep", [40, 5000])
def test_a_short_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "s.db"
    asyncio.run(_filled(path, 300))
    data = path.read_bytes()
    assert len(data) > keep
    path.write_bytes(data[:keep])
    assert "damaged" in _refusal(path)


def test_a_file_of_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"kind: ConfigMap\n" * 500)
    assert "damaged" in _refusal(path)


def test_a_second_user_of_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        store = SqliteStorage(path)
        await store.start()
        with pytest.raises(StorageError, match="in use by another process"):
            await SqliteStorage(path).start()
        await store.close()

    asyncio.run(main())


def test_a_disk_that_fails_loses_nothing_that_was_promised(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStorage(tmp_path / "s.db")
        await store.start()
        await store.put("/kept", b"1")
        await store._writer.run(lambda connection: connection.execute("PRAGMA query_only = 1").close())
        with pytest.raises(StorageError, match="cannot be written"):
            await store.put("/lost", b"1")
        with pytest.raises(StorageError, match="cannot be written"):
            await store.put("/refused", b"1")
        await store._writer.run(lambda connection: connection.execute("PRAGMA query_only = 0").close())
        while store._refusal:
            await asyncio.sleep(0.02)
        assert (await store.put("/again", b"1")).revision == 3
        assert [entry.key for entry in (await store.range("/")).entries] == ["/again", "/kept"]
        await store.close()

    asyncio.run(main())
