"""One object at one revision: its bytes as clients get them, and lazily what is inside."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import orjson

METADATA: Final = b'"metadata":{'
DECODED: Final = 4 * 1024 * 1024  # bytes of JSON kept decoded as well; dicts take about seven times that
NO_LABELS: Final[Mapping[str, str]] = {}

Object = dict[str, Any]


def encode(obj: Object) -> bytes:
    """An object as it goes to the store: kind and apiVersion first, then metadata, without its resourceVersion."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    head = {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), "metadata": metadata}
    return orjson.dumps({**head, **{key: value for key, value in obj.items() if key not in head}})


def splice(value: bytes, revision: int) -> bytes:
    """Stored bytes with their resourceVersion, which is known only at commit; 0 for what is not stored (dry run)."""
    if not revision:
        return value
    at = value.index(METADATA) + len(METADATA)
    comma = b"" if value[at : at + 1] == b"}" else b","
    return b'%b"resourceVersion":"%d"%b%b' % (value[:at], revision, comma, value[at:])


class Record:
    """Immutable. `object` must not be changed by those who get it; `fresh` gives a copy of one's own."""

    __slots__ = ("_labels", "body", "created", "index", "key", "name", "namespace", "revision", "views")

    def __init__(
        self, key: str, namespace: str, name: str, value: bytes, revision: int, created: int
    ) -> None:
        self.key = key
        self.namespace = namespace
        self.name = name
        self.revision = revision
        self.created = created
        self.body = splice(value, revision)
        self.index = ""  # the value of the table's indexed field
        self.views: dict[object, bytes] | None = None  # other representations, on demand
        self._labels: Mapping[str, str] | None = None

    @property
    def object(self) -> Object:
        return decoded.get(self)

    def fresh(self) -> Object:
        """Decoded anew, for those who change it."""
        return orjson.loads(self.body)  # type: ignore[no-any-return]

    @property
    def labels(self) -> Mapping[str, str]:
        if self._labels is None:
            self._labels = self.object["metadata"].get("labels") or NO_LABELS
        return self._labels

    def at(self, revision: int) -> Record:
        """The same object under another resourceVersion: the last state in a deletion."""
        stored = self.fresh()
        return Record(self.key, self.namespace, self.name, encode(stored), revision, self.created)

    def __repr__(self) -> str:
        return f"Record({self.key} at {self.revision})"


class Decoded:
    """The dicts of the records that were asked for last, bounded by the bytes they were made from."""

    def __init__(self, limit: int = DECODED) -> None:
        self._limit = limit
        self._size = 0
        self._objects: OrderedDict[Record, Object] = OrderedDict()

    def get(self, record: Record) -> Object:
        obj = self._objects.get(record)
        if obj is not None:
            self._objects.move_to_end(record)
            return obj
        obj = record.fresh()
        self._objects[record] = obj
        self._size += len(record.body)
        while self._size > self._limit and len(self._objects) > 1:
            old, _ = self._objects.popitem(last=False)
            self._size -= len(old.body)
        return obj

    def forget(self, record: Record) -> None:
        if self._objects.pop(record, None) is not None:
            self._size -= len(record.body)


decoded: Final = Decoded()
"""One for the process: what is decoded is a property of immutable records, so sharing it changes nothing."""
