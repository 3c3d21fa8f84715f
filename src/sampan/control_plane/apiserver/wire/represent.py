"""The forms in which an object goes out: as stored, in another version, as a row of a Table, as its metadata alone.

Each is made once per object and kept with it; a watch event in the same form is made once for all watchers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import orjson

from sampan.api.status import bad_request
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.registry import conversion
from sampan.control_plane.apiserver.registry.resources import Served
from sampan.control_plane.apiserver.wire import accept
from sampan.control_plane.apiserver.wire.printers import Columns

Object = dict[str, Any]
END: Final = "k8s.io/initial-events-end"
INCLUDES: Final = ("None", "Metadata", "Object")


class Form(Protocol):
    """A Representation that can also make a list: `head`, then the encoded items between commas, then `tail`."""

    key: object

    def encode(self, record: Record) -> bytes: ...
    def bookmark(self, revision: int, *, initial: bool) -> bytes: ...
    def item(self, record: Record) -> bytes:
        """The object as an element of a list (of a Table: as a row)."""

    def items(self, records: Sequence[Record]) -> Iterator[bytes]:
        """The objects as the elements of one list."""

    def head(self, metadata: Object) -> bytes: ...

    tail: bytes


def list_metadata(revision: int, resume: str = "", remaining: int | None = None) -> Object:
    metadata: Object = {"resourceVersion": str(revision)}
    if resume:
        metadata["continue"] = resume
    if remaining is not None:
        metadata["remainingItemCount"] = remaining
    return metadata


def _opened(obj: Object, field: str) -> bytes:
    """The encoding of an object up to the point where the elements of its last field, a list, begin."""
    return orjson.dumps({**obj, field: []})[:-2]


def _bookmark_metadata(revision: int, *, initial: bool) -> Object:
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {END: "true"}
    return metadata


class Whole:
    """The object itself, in the version that is asked for."""

    tail = b"]}"

    def __init__(self, served: Served) -> None:
        self._kind = served.kind
        self._api_version = served.resource.api_version
        self._custom = served.custom is not None
        self._as_stored = served.is_stored_version
        self.key: object = "" if self._as_stored else self._api_version

    def encode(self, record: Record) -> bytes:
        if self._as_stored:
            return record.body
        return _kept(record, self.key, self._convert)

    item = encode

    def items(self, records: Sequence[Record]) -> Iterator[bytes]:
        return map(self.encode, records)

    def _convert(self, record: Record) -> bytes:
        return orjson.dumps(
            conversion.convert(record.object, self._kind, self._api_version, custom=self._custom)
        )

    def bookmark(self, revision: int, *, initial: bool) -> bytes:
        metadata = _bookmark_metadata(revision, initial=initial)
        return orjson.dumps({"kind": self._kind, "apiVersion": self._api_version, "metadata": metadata})

    def head(self, metadata: Object) -> bytes:
        return _opened(
            {"kind": f"{self._kind}List", "apiVersion": self._api_version, "metadata": metadata}, "items"
        )


class Metadata:
    """PartialObjectMetadata."""

    tail = b"]}"

    def __init__(self, version: str) -> None:
        self._api_version = f"meta.k8s.io/{version}"
        self.key: object = ("metadata", version)

    def encode(self, record: Record) -> bytes:
        return _kept(record, self.key, self._make)

    item = encode

    def items(self, records: Sequence[Record]) -> Iterator[bytes]:
        return map(self.encode, records)

    def _make(self, record: Record) -> bytes:
        return orjson.dumps(
            {
                "kind": "PartialObjectMetadata",
                "apiVersion": self._api_version,
                "metadata": record.object["metadata"],
            }
        )

    def bookmark(self, revision: int, *, initial: bool) -> bytes:
        metadata = _bookmark_metadata(revision, initial=initial)
        return orjson.dumps(
            {"kind": "PartialObjectMetadata", "apiVersion": self._api_version, "metadata": metadata}
        )

    def head(self, metadata: Object) -> bytes:
        return _opened(
            {"kind": "PartialObjectMetadataList", "apiVersion": self._api_version, "metadata": metadata},
            "items",
        )


class TableForm:
    """Rows. Ages are part of them, so they are never kept with the object."""

    tail = b"]}"

    def __init__(
        self, printer: Columns, version: str, include: str, served: Served, clock: Callable[[], float]
    ) -> None:
        self._printer = printer
        self._version = version
        self._include = include
        self._clock = clock
        self._whole = Whole(served)
        self._metadata = Metadata(version)
        self._first = True
        self.key: object = object()  # each watch has its own: only its first event carries the headings

    def item(self, record: Record) -> bytes:
        return self._row(record, self._printer.cells(record.object, self._clock()))

    def items(self, records: Sequence[Record]) -> Iterator[bytes]:
        rows = self._printer.rows(records, self._clock())
        return map(self.item, records) if rows is None else map(self._row, records, rows)

    def _row(self, record: Record, cells: list[Any]) -> bytes:
        return b'{"cells":%b,"object":%b}' % (orjson.dumps(cells), self._embedded(record))

    def _embedded(self, record: Record) -> bytes:
        if self._include == "Object":
            return self._whole.encode(record)
        if self._include == "None":
            return b"null"
        return self._metadata.encode(record)

    def _table(self, metadata: Object, columns: list[Object] | None) -> Object:
        return {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._version}",
            "metadata": metadata,
            "columnDefinitions": columns,
        }

    def head(self, metadata: Object) -> bytes:
        return _opened(self._table(metadata, self._printer.columns()), "rows")

    def encode(self, record: Record) -> bytes:
        columns = self._printer.columns() if self._first else []
        self._first = False
        head = _opened(self._table({"resourceVersion": str(record.revision)}, columns), "rows")
        return head + self.item(record) + self.tail

    def bookmark(self, revision: int, *, initial: bool) -> bytes:
        metadata = _bookmark_metadata(revision, initial=initial)
        # the mark that ends the initial events is on the object in the row: a Table's own metadata has no annotations
        annotated = {
            "kind": "PartialObjectMetadata",
            "apiVersion": f"meta.k8s.io/{self._version}",
            "metadata": metadata,
        }
        columns = self._printer.columns() if self._first else []
        self._first = False
        table = self._table({"resourceVersion": str(revision)}, columns)
        cells = ["" for _ in self._printer.columns()]
        return orjson.dumps({**table, "rows": [{"cells": cells, "object": annotated}]})


def _kept(record: Record, key: object, make: Callable[[Record], bytes]) -> bytes:
    if record.views is None:
        record.views = {}
    made = record.views.get(key)
    if made is None:
        made = record.views[key] = make(record)
    return made


def form(
    served: Served,
    wanted: accept.Wanted,
    include: str,
    printer: Callable[[Served], Columns],
    clock: Callable[[], float],
) -> Form:
    """The form that a client wants. Raises ApiError 400 for an unknown includeObject."""
    if wanted.form == accept.OBJECT:
        return Whole(served)
    if wanted.form == accept.TABLE:
        include = include or "Metadata"
        if include not in INCLUDES:
            raise bad_request(
                f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
                "must be 'Metadata', 'Object', 'None', or empty"
            )
        return TableForm(printer(served), wanted.version, include, served, clock)
    return Metadata(wanted.version)


def whole_list(made: Form, records: Sequence[Record], metadata: Object) -> bytes:
    """A list in one piece."""
    return b"%b%b%b" % (made.head(metadata), b",".join(made.items(records)), made.tail)
