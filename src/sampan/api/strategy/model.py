"""The strategy of a kind, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Object = dict[str, Any]
OnCreate = Callable[[Object], None]
OnUpdate = Callable[[Object, Object, str], None]  # new, old, now


class Strategy(NamedTuple):
    """status: what a create starts with whatever the client sent, None where the client may set it; a kind with one
    keeps its status when the object is written. generation: the fields whose changes are counted: names, metadata.x, *
    for all but metadata and status, ** for all but metadata. keeps_labels: a status write does not change the labels.
    """

    status: Object | None = None
    generation: tuple[str, ...] = ()
    keeps_labels: bool = False
    on_create: OnCreate | None = None
    on_update: OnUpdate | None = None
    on_status: OnUpdate | None = None
    parts: Mapping[str, OnUpdate] = {}  # what writes through other subresources do
    resets_metadata: bool = False  # a status write changes nothing in the metadata
