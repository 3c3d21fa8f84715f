"""Where objects are kept: a log of revisions over keys, with etcd's semantics.

`model` is the seam (the `Storage` Protocol and its values); `memory` and `sqlite` fill it, `ledger` is what both share:
who wins a compare-and-put, which revision comes next, when a lease ends.
What may not be here: objects and their kinds; a value is bytes.
etcd v3: api/etcdserverpb/rpc.proto (KV, Watch, Lease).
"""

from sampan.control_plane.apiserver.storage.model import (
    ANY,
    Compacted,
    Entry,
    Event,
    Outcome,
    Page,
    Storage,
    StorageError,
    Subscription,
)

__all__ = [
    "ANY",
    "Compacted",
    "Entry",
    "Event",
    "Outcome",
    "Page",
    "Storage",
    "StorageError",
    "Subscription",
]
