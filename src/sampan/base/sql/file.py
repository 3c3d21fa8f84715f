"""Opening a database file: made with our schema when new, checked when it exists, refused in one clear line."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

MAGIC: Final = b"SQLite format 3\0"


class Refused(Exception):
    """The file cannot be used; the message names the file and says why."""


class Shape(NamedTuple):
    """What a file of ours looks like: its mark (PRAGMA application_id), version of the schema, and the schema."""

    application_id: int
    version: int
    schema: str


def open_database(path: Path, shape: Shape) -> sqlite3.Connection:
    """A connection in WAL mode with synchronous=FULL: a committed transaction survives kill -9 and power loss.

    The connection may be used from any one thread at a time. Raises Refused.
    """
    new = _check_head(path)
    try:
        if new:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=32
        )
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"database {str(path)!r} cannot be opened: {error}") from error
    try:
        if new:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA busy_timeout = 2000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        _check_shape(connection, path, shape, new=new)
    except sqlite3.Error as error:
        connection.close()
        raise Refused(f"database {str(path)!r} is damaged or in use: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_head(path: Path) -> bool:
    """Whether the file is still to be made. SQLite itself would take an empty file for a new one; so do we."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise Refused(f"database {str(path)!r} cannot be read: {error.strerror}") from error
    if not head:
        return True
    if len(head) < 100 or not head.startswith(MAGIC):
        raise Refused(f"database {str(path)!r} is damaged: it does not begin as an SQLite file does")
    return False


def _check_shape(connection: sqlite3.Connection, path: Path, shape: Shape, *, new: bool) -> None:
    if new or not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.executescript(
            f"BEGIN; {shape.schema};"
            f"PRAGMA application_id = {shape.application_id};"
            f"PRAGMA user_version = {shape.version}; COMMIT;"
        )
        return
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if mark != shape.application_id:
        raise Refused(
            f"database {str(path)!r} belongs to another program (mark {mark}, not {shape.application_id})"
        )
    if version != shape.version:
        raise Refused(
            f"database {str(path)!r} has version {version}, this build reads version {shape.version}: "
            "use the build that made it, or another data folder"
        )
