from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from sampan.base.sql import Refused, Shape, Worker, open_database

SHAPE = Shape(77, 3, "CREATE TABLE t (x INTEGER)")


def test_jobs_run_in_order_in_their_own_thread(tmp_path: Path) -> None:
    async def main() -> None:
        worker = Worker("test", lambda: open_database(tmp_path / "t.db", SHAPE))
        await worker.start()
        for number in range(5):
            worker.run(
                lambda connection, n=number: connection.execute("INSERT INTO t VALUES (?)", (n,)).close()
            )
        rows = await worker.run(lambda connection: connection.execute("SELECT x FROM t").fetchall())
        assert [row[0] for row in rows] == [0, 1, 2, 3, 4]
        assert await worker.run(lambda connection: threading.current_thread().name) == "test"
        with pytest.raises(sqlite3.OperationalError):
            await worker.run(lambda connection: connection.execute("SELECT nope"))
        await worker.stop()
        await worker.stop()
        with pytest.raises(RuntimeError, match="does not run"):
            worker.run(lambda connection: None)

    asyncio.run(main())


def test_what_the_opener_raises_start_raises(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "t.db").write_text("no database at all " * 20)
        worker = Worker("test", lambda: open_database(tmp_path / "t.db", SHAPE))
        with pytest.raises(Refused, match="does not begin as an SQLite file does"):
            await worker.start()

    asyncio.run(main())
