from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sampan.base.sql import Refused, Shape, open_database

SHAPE = Shape(77, 3, "CREATE TABLE t (x INTEGER)")


def test_a_new_file_is_made_private_and_durable(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    connection = open_database(path, SHAPE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    again = open_database(path, SHAPE)
    assert again.execute("SELECT x FROM t").fetchall() == [(1,)]
    again.close()


def test_an_empty_file_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.touch()
    connection = open_database(path, SHAPE)
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (SHAPE._replace(version=4), "has version 3, this build reads version 4"),
        (SHAPE._replace(application_id=5), "another program"),
    ],
)
def test_a_strangers_file_is_refused(tmp_path: Path, shape: Shape, says: str) -> None:
    path = tmp_path / "t.db"
    open_database(path, SHAPE).close()
    with pytest.raises(Refused, match=says) as caught:
        open_database(path, shape)
    assert repr(str(path)) in str(caught.value)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        open_database(tmp_path / "nowhere" / "t.db", SHAPE)


def test_a_schema_that_fails_leaves_no_half_made_file(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with pytest.raises(Refused):
        open_database(path, Shape(1, 1, "CREATE TABLE a (x); CREATE TABLE a (x)"))
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
