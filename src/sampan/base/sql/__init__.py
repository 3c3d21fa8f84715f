"""SQLite as a durable file: opened with the right settings, refused when it is not ours, used from a thread of its own.

`file` opens and checks, `worker` is the thread. What may not be here: schemas and queries of others.
sqlite.org/wal.html, sqlite.org/pragma.html.
"""

from sampan.base.sql.file import Refused, Shape, open_database
from sampan.base.sql.worker import Worker

__all__ = ["Refused", "Shape", "Worker", "open_database"]
